"""Score, tier and trend of each account, as files that Salesforce, HubSpot and Dynamics 365 import by the account's id."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.sheets import runs, to_csv

STEADY = 5.0  # points of score that an account moves without a trend being told


@dataclass(frozen=True)
class Crm:
    """How a CRM calls the fields. `own_id` is the pattern of its own record ids and the header they go by; other ids go by
    `other_id`, a text field of the account that is declared unique (external id, unique property, alternate key).
    """

    own_id: tuple[str, str]
    other_id: str
    score: str
    tier: str
    trend: str
    object: str
    key: str


CRMS: dict[str, Crm] = {
    "salesforce": Crm(
        ("001[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?", "Id"),
        "Winworth_Account_Id__c",
        *("Winworth_Score__c", "Winworth_Tier__c", "Winworth_Trend__c"),
        object="Account",
        key="Text(255), External ID, Unique",
    ),
    "hubspot": Crm(
        ("(?!)", ""),  # its record ids are plain numbers, and so are those of other systems: never guessed
        "winworth_account_id",
        *("winworth_score", "winworth_tier", "winworth_trend"),
        object="Company",
        key="Single-line text, unique values",
    ),
    "dynamics": Crm(
        ("(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", "accountid"),
        "new_winworthaccountid",
        *("new_winworthscore", "new_winworthtier", "new_winworthtrend"),
        object="account",
        key="Single line of text, alternate key",
    ),
}
_TOLD = ["score", "tier", "trend"]


def trend_of(score: pd.Series, before: pd.Series) -> pd.Series:
    """Say whether each score is up or down on the one before by at least five points, or steady (also without one before).

    >>> trend_of(pd.Series([60.0, 60.0, 60.0]), pd.Series([50.0, 58.0, None])).tolist()
    ['up', 'steady', 'steady']
    """
    moved = (score - before).round(6)
    return pd.Series(np.select([moved >= STEADY, moved <= -STEADY], ["up", "down"], "steady"), score.index, dtype="str")


def changed(accounts: pd.DataFrame, previous: pd.DataFrame | None) -> pd.DataFrame:
    """Return account_id, score (whole points), tier and trend of the accounts of which one differs from what `previous` told.

    Rows are sorted by account. Without a previous scoring all accounts are there; one without trends was written before there
    were files for the CRM, and told it nothing.

    >>> now = pd.DataFrame({"account_id": ["b", "a"], "score": [41.3, 70.0], "tier": ["C", "A"], "trend": "steady"})
    >>> changed(now, now.assign(score=[40.9, 70.0], tier=["C", "B"]))
      account_id  score tier   trend
    0          a     70    A  steady
    """
    now = _as_told(accounts)
    if previous is not None and _was_told(previous):
        known = _as_told(previous)
        now = now[~(now == known.reindex(now.index)).all(axis=1)]
    return now.reset_index()


def _was_told(previous: pd.DataFrame) -> bool:
    return "trend" in previous


def gone(accounts: pd.DataFrame, previous: pd.DataFrame | None) -> list[str]:
    """Say how many accounts the CRM was told of at the scoring before and are not scored now.

    No row can take back what they have there: imports pass over an empty cell, or take it for a value, each CRM in its way.
    """
    if previous is None or not _was_told(previous):
        return []
    left = sorted(set(previous["account_id"]) - set(accounts["account_id"]))
    if not left:
        return []
    return [
        f"{len(left)} accounts of the scoring before are not scored now, the first {left[0]}: score, tier and trend stay in "
        "the CRM as they were. Clear them there."
    ]


def _as_told(accounts: pd.DataFrame) -> pd.DataFrame:
    whole = np.floor(accounts["score"] + 0.5).astype(int)
    told = accounts[["account_id", *_TOLD]].assign(score=whole).sort_values("account_id").set_index("account_id")
    return told.astype({"tier": "str", "trend": "str"})


def crm_files(rows: pd.DataFrame, ids: pd.Series) -> dict[str, bytes]:
    """Write the rows of `changed` for each CRM, and what fields to make there, once; `ids` are those of all accounts.

    UTF-8 without a byte-order mark, commas, headers bare (Dynamics takes no quotes there), no blank cells: an import sets what
    stands in the file and nothing else, so that importing it twice leaves what importing it once does. An id that a
    spreadsheet would run as a formula cannot be written both safely and unchanged: it is left out (`left_out`).
    """
    rows = rows[~rows["account_id"].map(runs).astype(bool)]
    headers = {name: _id_header(ids, crm) for name, crm in CRMS.items()}
    files = {f"crm/{name}.csv": _written(rows, crm, headers[name]) for name, crm in CRMS.items()}
    return files | {"crm/fields.csv": to_csv(_fields(headers))}


def left_out(ids: pd.Series) -> list[str]:
    """Say how many accounts the files leave out, and why."""
    unsafe = [i for i in ids if runs(i)]
    if not unsafe:
        return []
    return [
        f"{len(unsafe)} accounts are not in the files for the CRM, the first {unsafe[0]}: an id that begins like a formula "
        "cannot be written safely and unchanged."
    ]


def _written(rows: pd.DataFrame, crm: Crm, id_header: str) -> bytes:
    names = {"account_id": id_header} | {name: getattr(crm, name) for name in _TOLD}
    _, _, body = to_csv(rows.rename(columns=names)).partition(b"\n")
    return ",".join(names.values()).encode() + b"\n" + body


def _id_header(ids: pd.Series, crm: Crm) -> str:
    pattern, header = crm.own_id
    return header if len(ids) and all(re.fullmatch(pattern, i, re.ASCII) for i in ids) else crm.other_id


def _fields(headers: Mapping[str, str]) -> pd.DataFrame:
    """List the fields that an administrator makes once in each CRM."""
    told: list[tuple] = []
    for name, crm in CRMS.items():
        made = crm.key if headers[name] == crm.other_id else "the record's own id: nothing to make"
        told.append((name, crm.object, headers[name], made, "match records by this"))
        told.append((name, crm.object, crm.score, "Whole number", "0-100"))
        told.append((name, crm.object, crm.tier, "Text", "A, B or C"))
        told.append((name, crm.object, crm.trend, "Text", "up, down or steady against the scoring before"))
    return pd.DataFrame(told, columns=["crm", "object", "field", "type", "meaning"])
