"""No row and no money is lost: what was read equals what is used plus what was put aside, for each file."""

import math

import pandas as pd

from winworth.crm.intake import Intake
from winworth.crm.ledger import FATES
from winworth.tables import FileCount


def count_files(intake: Intake, final: pd.DataFrame, *, currency: str) -> tuple[FileCount, ...]:
    """Count the rows and amounts of each file; `final` is the table that leaves, under the positions of the ledger.

    Amounts go by currency; those that could not be read are counted as rows only. Raises RuntimeError, for it can only be
    our own fault, where the parts do not add up.
    """
    return tuple(_count(intake, final, at, currency) for at in range(len(intake.ledger.files)))


def _count(intake: Intake, final: pd.DataFrame, at: int, currency: str) -> FileCount:
    ledger = intake.ledger
    file = ledger.files[at]
    here = ledger.file == at
    n_of = {fate: int((ledger.fate[here] == code).sum()) for code, fate in enumerate(FATES)}
    count = FileCount(
        table=intake.name,
        file=file.plain.name,
        sha256=file.plain.sha256,
        n_read=file.n_read,
        n_used=int((ledger.file[final.index] == at).sum()),
        n_quarantined=int((ledger.faults["file"] == at).sum()),
        n_duplicate=n_of["duplicate"],
        n_out_of_scope=n_of["out_of_scope"],
        amounts=_amounts(intake, final, at, currency) if "amount" in intake.frame else {},
    )
    parts = count.n_used + count.n_quarantined + count.n_duplicate + count.n_out_of_scope
    if parts != count.n_read:
        raise RuntimeError(f"{count.file}: {count.n_read} rows were read, {parts} are accounted for: {count}")
    return count


def _amounts(intake: Intake, final: pd.DataFrame, at: int, currency: str) -> dict[str, dict[str, float]]:
    ledger = intake.ledger
    read = _by_currency(intake.frame[ledger.file == at], currency)
    fate = pd.Series(ledger.fate[read.index], index=read.index).map(dict(enumerate(FATES)))
    used = _by_currency(final[ledger.file[final.index] == at], currency)
    amounts = {}
    for code in sorted(read["currency"].unique()):
        of_code = read["currency"] == code
        parts = {name: math.fsum(read.loc[of_code & (fate == name), "amount"]) for name in FATES[1:]}
        parts = {
            "read": math.fsum(read.loc[of_code, "amount"]),
            "used": math.fsum(used.loc[used["currency"] == code, "amount"]),
        } | parts
        rest = sum(parts[name] for name in FATES)
        if not math.isclose(parts["read"], rest, rel_tol=1e-9, abs_tol=1e-6 + 1e-12 * read.loc[of_code, "amount"].abs().sum()):
            raise RuntimeError(f"{intake.name}: amounts of {parts['read']} {code} were read, {rest} are accounted for: {parts}")
        amounts[code] = parts
    return amounts


def _by_currency(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    codes = frame["currency"].fillna(currency) if "currency" in frame else currency
    return frame[["amount"]].assign(currency=codes).dropna(subset="amount")
