"""What rows are to each other: the same one twice, two under one key, or one whose account or deal does not exist."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.crm.intake import Intake
from winworth.crm.ledger import DUPLICATE, OUT_OF_SCOPE
from winworth.crm.wording import printable, rows
from winworth.errors import DataError

MAX_ORPHAN_SHARE = 0.05
_PAIRS = 3
_OF_A_DEAL = ("stage_changes", "deal_versions")


def drop_duplicates(intake: Intake, key: str | None) -> None:
    """Keep one row for each key: of identical rows the first, of others the one modified last.

    Raises DataError, with the first pairs, where two rows of one key differ and nothing says which is the later.
    """
    if key is None:
        return
    ledger = intake.ledger
    twins = _twins(intake.used, key)
    n_same = ledger.set_fate(intake.frame.index.isin(twins.index[twins.duplicated()]), DUPLICATE)
    if n_same:
        said = "repeats an earlier row and was" if n_same == 1 else "repeat an earlier row and were"
        ledger.warnings.append(f"{intake.name}: {rows(n_same)} {said} dropped.")
    twins = _twins(intake.used, key)
    if len(twins) == 0:
        return
    latest = _latest(twins, key)
    if latest is None or latest[key].duplicated().any():
        raise DataError(_pairs_said(intake, twins if latest is None else latest[latest[key].duplicated(keep=False)], key))
    n_older = ledger.set_fate(intake.frame.index.isin(twins.index.difference(latest.index)), DUPLICATE)
    ledger.warnings.append(f"{intake.name}: {rows(n_older)} have the {key} of a row that was modified later and were dropped.")


def _twins(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    return frame[frame[key].duplicated(keep=False) & frame[key].notna()]


def _latest(twins: pd.DataFrame, key: str) -> pd.DataFrame | None:
    if "modified_on" not in twins or twins["modified_on"].isna().any():
        return None
    return twins[twins["modified_on"] == twins.groupby(key)["modified_on"].transform("max")]


def _pairs_said(intake: Intake, twins: pd.DataFrame, key: str) -> str:
    groups = twins.groupby(key, sort=False)
    pairs = [
        f'"{printable(value)}" ({" and ".join(intake.ledger.where(row) for row in group.index[:_PAIRS])})'
        for value, group in (pair for pair, _ in zip(groups, range(_PAIRS), strict=False))
    ]
    more = f" and {groups.ngroups - _PAIRS:,} more" if groups.ngroups > _PAIRS else ""
    return (
        f"{intake.name}: {groups.ngroups:,} values of {key} stand on rows that differ: {', '.join(pairs)}{more}. "
        f"Mend the export, map modified_on so that the latest counts, or set tables.{intake.name}.key: false in conf/crm.yaml."
    )


def drop_orphans(intakes: Mapping[str, Intake], *, max_share: float = MAX_ORPHAN_SHARE) -> None:
    """Put aside the rows whose account does not exist, and the histories of deals that do not.

    A row of an account or deal that is out of scope is out of scope itself; one without an account id stays. Raises
    DataError where more than `max_share` of a table's rows are orphans.
    """
    for name, intake in sorted(intakes.items(), key=lambda item: item[0] != "deals"):
        if name != "accounts" and "accounts" in intakes and "account_id" in intake.frame:
            _drop_orphans_of(intake, intakes["accounts"], "account_id", max_share)
        if name in _OF_A_DEAL:
            _drop_orphans_of(intake, intakes["deals"], "deal_id", max_share)


def _drop_orphans_of(intake: Intake, parents: Intake, key: str, max_share: float) -> None:
    ledger, ids = intake.ledger, intake.frame[key]
    codes, found = pd.factorize(ids)
    known, beyond = (_among(found, parents.frame.loc[chosen, key])[codes] for chosen in _used_and_beyond(parents))
    ledger.set_fate(beyond & ~known & (codes >= 0), OUT_OF_SCOPE)
    orphans = (codes >= 0) & ~known & ledger.is_used
    n_rows = int(ledger.is_used.sum())
    if not orphans.any():
        return
    noun = parents.name.removesuffix("s")
    said = f"{intake.name}: {int(orphans.sum()):,} of {rows(n_rows)} name no such {noun}: {ledger.cases(orphans, ids)}."
    if orphans.sum() > max_share * n_rows:
        raise DataError(
            f"{said} More than {max_share:.0%} is a wrong or partial file of {parents.name}. Export both on one day."
        )
    ledger.quarantine(orphans, f"F31-no-such-{noun}", key, ids)
    ledger.warnings.append(said + _amount_said(intake.frame, orphans))


def _used_and_beyond(parents: Intake) -> tuple[np.ndarray, np.ndarray]:
    return parents.ledger.is_used, parents.ledger.fate == OUT_OF_SCOPE


def _among(found: pd.Index, ids: pd.Series) -> np.ndarray:
    """Mark which ids are among others; the place after the last one, for a missing id, is none."""
    return np.append(pd.Index(found).isin(ids.dropna().unique()), False)


def refuse_circles(accounts: Intake) -> None:
    """Raise DataError where an account is, over its parents, above itself."""
    if "parent_id" not in accounts.frame:
        return
    used = accounts.used.dropna(subset=["account_id", "parent_id"])
    parent = dict(zip(used["account_id"], used["parent_id"], strict=True))
    done: set[str] = set()
    for start in parent:
        path: dict[str, None] = {}
        at = start
        while at in parent and at not in done and at not in path:
            path[at] = None
            at = parent[at]
        if at in path:
            circle = [*list(path)[list(path).index(at) :], at]
            row = used.index[used["account_id"] == at][0]
            raise DataError(
                f"accounts: {len(circle) - 1:,} accounts are each other's parents: {' > '.join(map(printable, circle[:6]))}; "
                f"first {accounts.ledger.where(row)}. Mend parent_id in the export."
            )
        done |= path.keys()


def _amount_said(frame: pd.DataFrame, chosen: np.ndarray) -> str:
    return f" Their amounts sum to {frame.loc[chosen, 'amount'].sum():,.2f}." if "amount" in frame else ""
