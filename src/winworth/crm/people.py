"""People stay outside: columns of their names, e-mail addresses and phone numbers are dropped at the door."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from winworth.crm.columns import CellRule
from winworth.crm.intake import Intake
from winworth.crm.masking import MASKS, SEEN

_NAMES = re.compile(
    r"(?:first|last|full|given|family|contact|person)[ _]?name|surname|(?:pre)?nom(?: de famille| du contact| complet)?|"
    r"e[ _-]?mail(?: address)?|mail|courriel|adresse (?:e-?mail|electronique)|(?:tele)?phone(?: number)?|mobile|portable|fax|"
    r"linkedin"
)
_MOST = 500  # values of a column that are looked at
_MANY = 0.5


def drop_people(intake: Intake, rules: Mapping[str, CellRule]) -> tuple[Intake, dict[str, CellRule]]:
    """Leave out the company's own columns that hold people's names, e-mail addresses or phone numbers, and say so.

    A column is known by its header, in a table of contacts, or by more than half of its values. One that is kept on purpose
    says `personal: true` in conf/crm.yaml.
    """
    found = {name: _what(intake, rule) for name, rule in rules.items() if rule.is_own and not rule.personal}
    personal = {name: what for name, what in found.items() if what}
    for name, what in personal.items():
        intake.ledger.warnings.append(
            f"{intake.name}.{name} holds {what} and was dropped. Take it out of conf/crm.yaml, or keep it on purpose with "
            "`personal: true`."
        )
    kept = {name: rule for name, rule in rules.items() if name not in personal}
    return (replace(intake, frame=intake.frame[list(kept)]) if personal else intake), kept


def _what(intake: Intake, rule: CellRule) -> str:
    if rule.kind not in ("level", "id"):
        return ""
    if intake.name == "contacts" and _NAMES.fullmatch(_plain(rule.source)):
        return "what names or reaches people"
    values = intake.frame[rule.name].dropna()[:_MOST].astype("str")  # ids as they are, levels masked
    found = values.str.extract(SEEN.pattern)[["mail", "phone"]].notna()
    mails, phones = (found[name] | values.str.contains(mask, regex=False) for name, mask in MASKS.items())
    if not len(values) or max(mails.mean(), phones.mean()) <= _MANY:
        return ""
    return "e-mail addresses" if mails.mean() >= phones.mean() else "phone numbers"


def _plain(header: str) -> str:
    bare = unicodedata.normalize("NFD", header).encode("ascii", "ignore").decode()
    return " ".join(bare.lower().split())
