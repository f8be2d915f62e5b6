"""Names that a column filled in late often bears: a hint to a person, never a proof."""

import re
import unicodedata

_LATE = re.compile(
    r"(?<![a-z])(won|lost|loss|reason|outcome|result|invoic|contract|sign(?!al)|modif|stage|prob|forecast|commission|clos|elapsed"
    r"|duration|total days|days (?:in|to|through)|gagn|perdu|perte|motif|factur|contrat|etape|prevision|clotur|fermet|duree)"
)


def late_word(*names: str) -> str | None:
    """Return the first word in any of the names (a feature's, its column's, its header's) that speaks of a deal's end.

    >>> late_word("days", "Elapsed Days In Sales Stage"), late_word("motif", "Motif de perte"), late_word("sector")
    ('elapsed', 'motif', None)
    """
    for name in names:
        apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ")
        plain = "".join(c for c in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(c)).lower()
        found = _LATE.search(plain)
        if found:
            return found.group(1)
    return None
