"""Whether keys meet across files: accounts that other files name, parents, and look-up files for a column of words."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from winworth.crm.salesforce import long_id
from winworth.draft.drafted import DraftColumn, DraftJoin
from winworth.draft.look import Look
from winworth.draft.names import plain_words
from winworth.draft.place import Placed

ENOUGH = 0.95  # of the filled cells must be keys of the other file: beyond that the reader refuses the file
MANY = 0.5
LEAST_LOOKED_UP = 3  # rows of a look-up file
_OF_ACCOUNTS = re.compile(r"account|company|companies|customer|client|compte|societe|entreprise|organi[sz]ation|kunde|name|id")


@dataclass(frozen=True)
class Meeting:
    """How a table's account column meets the key of accounts: the headers on both sides, and what to ask."""

    header: str
    key: str
    share: float
    question: str = ""


def meet(placed: Mapping[str, Placed]) -> dict[str, Placed]:
    """Choose, by the cells themselves, the key of accounts and the column by which deals name it."""
    if not {"accounts", "deals"} <= set(placed):
        return dict(placed)
    accounts, deals = placed["accounts"], placed["deals"]
    best = _best(deals, accounts)
    if best is None or best.share < ENOUGH:
        return dict(placed)
    headers = dict(accounts.headers) | {"account_id": best.key}
    of_deals = {column: header for column, header in deals.headers.items() if header != best.header} | {
        "account_id": best.header
    }
    return {**placed, "accounts": replace(accounts, headers=headers), "deals": replace(deals, headers=of_deals)}


def _best(deals: Placed, accounts: Placed) -> Meeting | None:
    keys = [h for h, look in accounts.looks.items() if look.kind in ("id", "text", "level", "number") and _nearly_unique(look)]
    named = [deals.headers["account_id"]] if "account_id" in deals.headers else []
    named += [
        h for h in deals.looks if h not in named and _OF_ACCOUNTS.search(plain_words(h)) and h != deals.headers.get("deal_id")
    ]
    tried = [Meeting(h, key, share_met(deals.looks[h], accounts.looks[key])) for h in named for key in _first(accounts, keys)]
    return max(
        tried,
        key=lambda one: (one.share >= ENOUGH, -named.index(one.header) if one.share >= ENOUGH else one.share),
        default=None,
    )


def _first(accounts: Placed, keys: list[str]) -> list[str]:
    """Return the possible keys, the one that its name chose first."""
    chosen = accounts.headers.get("account_id")
    return [chosen, *(key for key in keys if key != chosen)] if chosen in keys else keys


def _nearly_unique(look: Look) -> bool:
    return look.fill > ENOUGH and look.repeats <= 0.01 * look.n_rows


def share_met(look: Look, key: Look) -> float:
    """Return the share of a column's filled rows whose cell is a key of the other, by the ids that the reader will see."""
    total = look.counts.sum()
    keys = {_as_read(word) for word in key.counts.index}
    return float(look.counts[[_as_read(word) in keys for word in look.counts.index]].sum() / total) if total else 0.0


def _as_read(word: str) -> str:
    """Write an id of Salesforce's with 18 letters, as the reader does where both forms meet."""
    return long_id(word) if len(word) == 15 and word.isalnum() and word.isascii() else word


def orphans_question(table: Placed, accounts: Placed) -> str:
    """Ask where a table names accounts that the file of accounts does not have; empty where they meet."""
    look, key = table.looks[table.headers["account_id"]], accounts.looks[accounts.headers["account_id"]]
    share = share_met(look, key)
    if share >= ENOUGH or not accounts.export.is_whole:
        return ""
    said = f"{1 - share:.0%} of its rows name an account that {accounts.export.file} does not have"
    return f"{said}. Is it whole, of the same day, and is this the right column?"


def joins_of(table: Placed, taken: Mapping[str, Placed], others: list[tuple], named: Mapping[str, str]) -> dict[str, DraftJoin]:
    """Return the look-ups that other files give, by file: their key holds the words of a mapped column of the table.

    `named` maps each mapped column of the table that holds words to its header.
    """
    used = {one.export.file for one in taken.values()}
    found: dict[str, DraftJoin] = {}
    for export, looks in others:
        if export.file in used:
            continue
        for column, header in named.items():
            key = _look_up_key(table.looks[header], looks)
            if key is not None:
                added = tuple(
                    _added(look, column) for h, look in looks.items() if h != key and look.kind in ("level", "number", "id")
                )
                why = f"its {key!r} holds {share_met(table.looks[header], looks[key]):.0%} of what stands under {header!r}"
                mark = None if export.dialect.separator == table.export.dialect.separator else export.dialect.separator
                found[export.file] = DraftJoin(export.file, {column: key}, added, why, mark)
                break
    return found


def _look_up_key(look: Look, looks: Mapping[str, Look]) -> str | None:
    fitting = {
        h: share_met(look, key)
        for h, key in looks.items()
        if key.is_unique and key.kind in ("level", "id", "text") and key.fill == 1 and key.n_rows >= LEAST_LOOKED_UP
    }
    best = max(fitting, key=fitting.get, default=None)
    return best if best is not None and fitting[best] >= MANY else None


def _added(look: Look, of: str) -> DraftColumn:
    words = plain_words(look.header)
    kind = "number" if look.kind == "number" and look.numerals.locale else "level"
    return DraftColumn(re.sub(r"\W+", "_", words) or of, look.header, kind, None, {}, look.evidence)


def respelled(look: Look, key: Look) -> dict[str, str]:
    """Return the cells that equal a key but for blanks, case and marks, with that key: GTXPro is GTX Pro."""
    known = {_folded(word): word for word in key.counts.index}
    if len(known) < len(key.counts):
        return {}
    strange = [word for word in look.counts.index if word not in set(key.counts.index)]
    return {word: known[_folded(word)] for word in strange if _folded(word) in known}


def _folded(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return "".join(c for c in letters if c.isalnum() and not unicodedata.combining(c)).casefold()


def is_parent(look: Look, key: Look) -> bool:
    """Say whether a column names rows of its own file."""
    return (
        bool(len(look.counts))
        and share_met(look, key) >= ENOUGH
        and not pd.Series(look.counts.index).equals(pd.Series(key.counts.index))
    )
