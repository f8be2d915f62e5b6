"""TPE, PME, ETI, GE: the size class of a company by INSEE's thresholds (decree 2008-1354 of 18 December 2008, article 3)."""

from dataclasses import replace

import numpy as np
import pandas as pd

from winworth.tables import CrmTables

CLASSES = ("TPE", "PME", "ETI", "GE")
FEWER_THAN = (10, 250, 5_000)  # persons employed in a TPE, a PME, an ETI
TURNOVER = (2e6, 50e6, 1.5e9)  # euros a year, at most; or
BALANCE_SHEET = (2e6, 43e6, 2e9)  # euros, at most
SOURCES = ("headcount", "revenue", "balance_sheet")
_STRICT = ("at_creation", "dated", "latest_only", "at_close", None)  # the later, the less may read it; None: does not say


def size_class(companies: pd.DataFrame) -> pd.DataFrame:
    """Return `size_class` (text, NaN unknown) and `size_basis` of companies by `headcount`, `revenue` and `balance_sheet`.

    A company is in the first class whose headcount it does not reach and of whose two ceilings in euros it keeps one. Columns
    that are not there, and missing cells, are unknown. `size_basis` is

    - decided: whatever the unknown figures are, the class is the same (5,000 persons are a GE);
    - headcount: turnover and balance sheet are both unknown, and the headcount speaks alone: the class is the least it can be;
    - unknown: the headcount is, or one of the two figures in euros passes its ceiling and the other is unknown.

    >>> size_class(pd.DataFrame({"headcount": [9, 9, 9, 9, 5000], "revenue": [2e6, 3e6, 3e6, None, None],
    ...                          "balance_sheet": [None, 3e6, None, None, None]}))
      size_class size_basis
    0        TPE    decided
    1        PME    decided
    2        NaN    unknown
    3        TPE  headcount
    4         GE    decided
    """
    known = companies.reindex(columns=SOURCES).astype(float)
    least, most = _place(known.fillna(0.0)), _place(known.fillna(np.inf))  # no figure that grows makes the class smaller
    is_decided = least == most
    alone = ~is_decided & known["headcount"].notna() & known[["revenue", "balance_sheet"]].isna().all(axis=1)
    basis = np.select([is_decided, alone], ["decided", "headcount"], "unknown")
    named = pd.Series(np.array(CLASSES)[least], index=companies.index, dtype="str").where(is_decided | alone)
    return pd.DataFrame({"size_class": named, "size_basis": pd.Series(basis, index=companies.index, dtype="str")})


def with_size_class(crm: CrmTables, *, currency: str) -> CrmTables:
    """Add `size_class` to accounts with a headcount where the company maps no such column, and to their dated versions.

    A column that is mapped is left as it is, however empty: its classes may be others than INSEE's, and known at another time
    than the headcount. How many of its cells are empty is told.
    It is known as late as the least timely of the columns it is derived from. INSEE's ceilings are in euros: where money is
    in another currency the headcount speaks alone. What was derived from what is counted among the warnings.
    """
    accounts = crm.tables.get("accounts", pd.DataFrame())
    if "headcount" not in accounts:
        return crm
    if "size_class" in accounts:
        return _left_alone(crm, accounts)
    read = [name for name in SOURCES if name in accounts and (name == "headcount" or currency == "EUR")]
    found = size_class(accounts[read])
    tables = {**crm.tables, "accounts": accounts.assign(size_class=found["size_class"])}
    versions = crm.tables.get("account_versions", pd.DataFrame())
    if "headcount" in versions and "size_class" not in versions:
        tables["account_versions"] = versions.assign(size_class=size_class(_versions(versions, crm, read))["size_class"])
    known = dict(crm.known)
    strictest = max((known.get(("accounts", name)) for name in read), key=_STRICT.index)
    for table in ("accounts", "account_versions"):
        if strictest is not None and table in tables and "size_class" in tables[table]:
            known[table, "size_class"] = strictest
    report = replace(crm.report, warnings=(*crm.report.warnings, _said(found, read, currency)))
    return CrmTables(tables, known, report)


def _left_alone(crm: CrmTables, accounts: pd.DataFrame) -> CrmTables:
    told = accounts["headcount"].notna()
    n, n_told = int((accounts["size_class"].isna() & told).sum()), int(told.sum())
    if n == 0:
        return crm
    said = (
        f"accounts: size_class is mapped and empty for {n:,} of {n_told:,} accounts that have a headcount: none is "
        "derived in its place. Leave size_class out of the map to have all of them derived by INSEE's thresholds."
    )
    return CrmTables(crm.tables, crm.known, replace(crm.report, warnings=(*crm.report.warnings, said)))


def _place(figures: pd.DataFrame) -> np.ndarray:
    """Return the place in CLASSES of companies whose figures are all there."""
    headcount, revenue, balance_sheet = (figures[name].to_numpy()[:, None] for name in SOURCES)
    fits = (headcount < FEWER_THAN) & ((revenue <= TURNOVER) | (balance_sheet <= BALANCE_SHEET))
    return np.where(fits.any(axis=1), fits.argmax(axis=1), len(CLASSES) - 1)


def _versions(versions: pd.DataFrame, crm: CrmTables, read: list[str]) -> pd.DataFrame:
    """Return the figures of each version; what versions do not say is what the account says, if that never changes."""
    own = [name for name in read if name in versions]
    lasting = [name for name in read if name not in own and crm.known.get(("accounts", name)) == "at_creation"]
    accounts = crm["accounts"].drop_duplicates("account_id").set_index("account_id")
    of = accounts[lasting].reindex(versions["account_id"]).set_axis(versions.index)
    return pd.concat([versions[own], of], axis=1)


def _said(found: pd.DataFrame, read: list[str], currency: str) -> str:
    n = found["size_basis"].value_counts()
    euros = "" if currency == "EUR" else f", as INSEE's ceilings are in euros and money is in {currency}"
    return (
        f"accounts: size_class is derived from {', '.join(read)}{euros}, by INSEE's thresholds: {n.get('decided', 0):,} "
        f"decided, {n.get('headcount', 0):,} by headcount alone, {n.get('unknown', 0):,} unknown."
    )
