"""Which words mean won, lost and open: by the word itself, by columns that say so, or by a closing day that is always empty."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from winworth.draft.look import Look
from winworth.draft.names import plain_words

MOST_WORDS = 60
LONGEST_WORD = 120
_CLOSED = r"(closed|close|ferme|fermee|cloture|cloturee|clos|close)"
_WORDS = {
    "won": rf"({_CLOSED} )?(won|win|gagnee?s?|signee?s?|signed|conclue?s?|vendue?s?|sold|accepte?e?s?)|closedwon|won {_CLOSED}",
    "lost": rf"({_CLOSED} )?(lost|loss|perdue?s?|dead|abandoned|abandonnee?s?|sans suite|refusee?s?|rejected|declined"
    r"|disqualified|disqualifiee?s?|no decision|out sold|cancell?ed|annulee?s?)|closedlost",
    "open": r"open|ouverte?s?|en cours|in progress|on hold|en attente|pending|prospecting|engaging|prospection|qualification"
    r"|qualified|qualify|qualifiee?|qualifying|qualified to buy|needs? analysis|value proposition|id decision makers"
    r"|perception analysis|proposal( price quote)?|proposition|negotiation( review)?|negociation|decouverte|discovery|demo"
    r"|appointment scheduled|appointmentscheduled|qualifiedtobuy|presentation scheduled|presentationscheduled"
    r"|decision maker bought in|decisionmakerboughtin|contract sent|contractsent|develop|propose|new|nouve(au|lle)|devis envoye"
    r"|lead|verbal",
}
_DEBATABLE = re.compile(
    r"accepte?e?s?|conclue?s?|abandoned|abandonnee?s?|sans suite|disqualified|disqualifiee?s?|no decision"
    r"|cancell?ed|annulee?s?|dead"
)
_STATUS_NAME = re.compile(r"\b(status|statut|state|etat|stage|etape|result|resultat|outcome|issue|statecode)\b")
_SAYS_WON = re.compile(r"is won|won|is closed won|gagnee?|est gagnee?")
_SAYS_CLOSED = re.compile(r"is closed|closed|is deal closed|fermee?|cloturee?|est fermee?")
_SAYS_LOST = re.compile(r"is closed lost|is lost|lost|perdue?")
_YES, _NO = {"true", "1", "yes", "oui", "vrai"}, {"false", "0", "no", "non", "faux"}


@dataclass(frozen=True)
class StatusColumn:
    """The column that says how a deal stands: what each word means, why, and the words that nothing explains."""

    header: str
    values: Mapping[str, str]
    why: tuple[str, ...] = ()
    open_question: tuple[str, ...] = ()
    statuses: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))

    @property
    def tells_outcomes(self) -> bool:
        """Whether it tells won deals from lost ones."""
        return {"won", "lost"} <= set(self.values.values())


def word_means(word: str) -> str | None:
    """Return won, lost or open, or None for a word that may be any; a number or share before it is skipped.

    >>> word_means("Fermé gagné"), word_means("9 - Closed Won"), word_means("Perdu"), word_means("Closed")
    ('won', 'won', 'lost', None)
    """
    plain = re.sub(r"^(\d+ )+", "", plain_words(word))
    return next((status for status, pattern in _WORDS.items() if re.fullmatch(pattern, plain)), None)


def is_debatable(word: str) -> bool:
    """Say whether a word counts as won or lost in most companies only: a cancelled deal may be out of scope.

    >>> is_debatable("Annulée"), is_debatable("Closed Lost")
    (True, False)
    """
    return bool(_DEBATABLE.fullmatch(re.sub(r"^(\d+ )+", "", plain_words(word))))


def status_column(
    cells: pd.DataFrame, looks: Mapping[str, Look], closed: str | None, codes: Mapping[str, Mapping[str, str]]
) -> StatusColumn | None:
    """Find the column that says won, lost or open.

    `closed` is the header of the closing day, where there is one; `codes` says, by plain header, what numbers mean.
    """
    found = []
    for header, look in looks.items():
        coded = codes.get(plain_words(header))
        if coded and len(look.counts) and set(look.counts.index) <= set(coded):
            text = cells[header].str.strip()
            values = {word: coded[word] for word in coded}
            return StatusColumn(
                header, values, ("the product's own codes",), (), text.map(values).astype("str").where(text != "")
            )
    for header, look in looks.items():
        if look.kind in ("empty", "date") or len(look.counts) > MOST_WORDS or max(map(len, look.counts.index)) > LONGEST_WORD:
            continue
        meant = {word: word_means(word) for word in look.counts.index}
        told = sum(look.counts[word] for word, status in meant.items() if status)
        if {"won", "lost"} <= set(meant.values()) and told:
            is_named = bool(_STATUS_NAME.search(plain_words(header)))
            found.append((round(told / look.counts.sum(), 2), is_named, -len(meant), header))
    if not found:
        return None
    header = max(found)[-1]
    return _explained(header, cells, looks, closed)


def _explained(header: str, cells: pd.DataFrame, looks: Mapping[str, Look], closed: str | None) -> StatusColumn:
    words = list(looks[header].counts.index)
    values = {word: status for word in words if (status := word_means(word))}
    why: list[str] = []
    flags = {name: _flag(cells, looks, pattern) for name, pattern in _PATTERNS.items()}
    text = cells[header].str.strip()
    for word in words:
        rows = text == word
        told = _by_flags(flags, rows)
        if told and told != values.get(word):
            values[word] = told
            why.append(f"{word!r} is {told} by the columns that say closed and won")
        elif (
            word not in values and closed is not None and rows.sum() >= 5 and (cells.loc[rows, closed].str.strip() == "").all()
        ):
            values[word] = "open"
            why.append(f"{word!r} is open: its {int(rows.sum()):,} rows have no {closed!r}")
    question = tuple(word for word in words if word not in values)
    statuses = text.map(values).astype("str").where(text.isin(list(values)))
    return StatusColumn(header, {word: values[word] for word in words if word in values}, tuple(why), question, statuses)


_PATTERNS = {"won": _SAYS_WON, "closed": _SAYS_CLOSED, "lost": _SAYS_LOST}


def _flag(cells: pd.DataFrame, looks: Mapping[str, Look], pattern: re.Pattern) -> pd.Series | None:
    """Return whether a column that answers yes or no says yes, for the first column whose name fits."""
    for header, look in looks.items():
        if not 1 <= len(look.counts) <= 2 or not pattern.fullmatch(plain_words(header)):
            continue
        if {word.lower() for word in look.counts.index} <= _YES | _NO:
            return cells[header].str.strip().str.lower().isin(_YES)
    return None


def _by_flags(flags: Mapping[str, pd.Series | None], rows: pd.Series) -> str | None:
    """Return the status that the flag columns give all of some rows."""
    won, closed, lost = flags["won"], flags["closed"], flags["lost"]
    if won is not None and won[rows].all():
        return "won"
    if lost is not None and lost[rows].all():
        return "lost"
    if won is None or closed is None or won[rows].any():
        return None
    if closed[rows].all():
        return "lost"
    return None if closed[rows].any() else "open"
