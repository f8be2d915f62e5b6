"""Salesforce writes one id with 15 letters in a report and with 18 in an export: the same one, by a checksum."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from winworth.crm.intake import Intake
from winworth.crm.wording import rows

_SHORT, _LONG = 15, 18
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_KEYS = ("account_id", "deal_id", "contact_id")


def long_id(short: str) -> str:
    """Return the 18 letters of an id of 15: each of the last three tells which of five letters are capitals.

    >>> long_id("001A0000006Vm9r")
    '001A0000006Vm9rIAC'
    """
    fives = (short[at : at + 5] for at in (0, 5, 10))
    return short + "".join(_CHECK[sum(1 << k for k, letter in enumerate(five) if "A" <= letter <= "Z")] for five in fives)


def with_long_ids(intakes: Mapping[str, Intake]) -> dict[str, Intake]:
    """Write with 18 letters the ids of 15 that stand with 18 in another table; where none does, nothing changes."""
    changed = dict(intakes)
    for key in _KEYS:
        columns = {name: intake.frame[key] for name, intake in changed.items() if key in intake.frame}
        if not any((ids.str.len() == _LONG).any() for ids in columns.values()):
            continue
        words = {name: ids.dropna().unique() for name, ids in columns.items()}
        long = {word for ids in words.values() for word in ids if len(word) == _LONG}
        for name in words:
            shorts = (word for word in words[name] if len(word) == _SHORT and word.isalnum() and word.isascii())
            both = {short: long_id(short) for short in shorts}
            both = {short: whole for short, whole in both.items() if whole in long}
            if both:
                changed[name] = _written_long(changed[name], key, both)
    return changed


def _written_long(intake: Intake, key: str, both: Mapping[str, str]) -> Intake:
    ids: pd.Series = intake.frame[key]
    is_short = ids.isin(list(both))
    intake.ledger.warnings.append(
        f"{intake.name}: {key} of {rows(int(is_short.sum()))} stands with 15 letters and counts as the one with 18 "
        "of another table."
    )
    return replace(intake, frame=intake.frame.assign(**{key: ids.mask(is_short, ids.map(both))}))
