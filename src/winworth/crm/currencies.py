"""Money of several currencies becomes the company's own, at the rate of the day; what has no rate is put aside."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.crm.intake import Intake
from winworth.crm.wording import rows
from winworth.errors import DataError

MONEY = {"deals": ("amount",), "deal_versions": ("amount",), "invoices": ("amount", "margin"), "costs": ("amount",)}
_DAYS = {
    "deals": ("closed_on", "opened_on"),
    "deal_versions": ("changed_on",),
    "invoices": ("invoiced_on",),
    "costs": ("month",),
}
_RATE = "_rate"


def set_rates(intakes: Mapping[str, Intake], *, home: str) -> dict[str, pd.Series]:
    """Return by table what each used row's money is multiplied by, where it has a currency other than `home`.

    The rate is the last one of the table `rates` that was valid by the day of the row (a deal's is that it closed, or opened).
    Rows without a currency are in `home`. A row whose currency has no rate by its day is put aside. Raises DataError where a
    table has other currencies and there is no table of rates.
    """
    found = {}
    for name in MONEY:
        if name not in intakes or "currency" not in intakes[name].frame:
            continue
        intake = intakes[name]
        code = intake.frame["currency"].fillna(home)
        foreign = (code != home).to_numpy() & intake.ledger.is_used
        if not foreign.any():
            continue
        if "rates" not in intakes:
            raise DataError(_unrated(intake, code, foreign, home))
        found[name] = _rates_of(intake, code, foreign, intakes["rates"].used, home)
    return found


def in_home_currency(name: str, frame: pd.DataFrame, rate: pd.Series | None, *, home: str) -> pd.DataFrame:
    """Return a table with its money at the rates that `set_rates` found, and `home` as its currency."""
    if rate is None:
        return frame
    money = {column: frame[column] * rate[frame.index] for column in MONEY[name] if column in frame}
    return frame.assign(**money, currency=pd.Series(home, index=frame.index, dtype="str"))


def _rates_of(intake: Intake, code: pd.Series, foreign: np.ndarray, rates: pd.DataFrame, home: str) -> pd.Series:
    day = pd.Series(pd.NaT, index=intake.frame.index, dtype="datetime64[s]")
    for column in _DAYS[intake.name]:
        day = day.fillna(intake.frame[column]) if column in intake.frame else day
    asked = pd.DataFrame({"row": intake.frame.index, "currency": code, "day": day})[foreign & day.notna()]
    known = rates.rename(columns={"valid_on": "day", "rate": _RATE}).dropna().sort_values("day", kind="stable")
    told = pd.merge_asof(asked.sort_values("day", kind="stable"), known, on="day", by="currency").set_index("row")[_RATE]
    rate = told.reindex(intake.frame.index).where(foreign, 1.0)
    lacking = foreign & ~(rate > 0).to_numpy()
    n = intake.ledger.quarantine(lacking, "F51-no-rate", "currency", code)
    if n:
        cases = intake.ledger.cases(lacking, code)
        intake.ledger.warnings.append(f"{intake.name}: {rows(n)} have a currency without a rate by their day: {cases}.")
    n_turned = int((foreign & ~lacking).sum())
    intake.ledger.warnings.append(f"{intake.name}: {rows(n_turned)} in other currencies count in {home}, at the day's rate.")
    return rate


def _unrated(intake: Intake, code: pd.Series, foreign: np.ndarray, home: str) -> str:
    counts = code[intake.ledger.is_used].value_counts()
    told = ", ".join(f"{name} {n:,}" for name, n in counts.items())
    return (
        f"{intake.name}: money is in {len(counts)} currencies ({told}) and the company's is {home}; first "
        f"{intake.ledger.cases(foreign, code)}. Map a table rates (currency, valid_on, rate: {home} for one unit) in "
        "conf/crm.yaml, or mend its currency."
    )
