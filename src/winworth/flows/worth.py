"""What won deals bring over the value months: from invoices, their tails completed, else from the deal's amount."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.crm.outcomes import invoices_by_deal
from winworth.crm.snapshot import Snapshot
from winworth.errors import DataError
from winworth.models.retention import CustomerValue
from winworth.models.value import Form
from winworth.scoring.settings import ValueSettings

MOST_FILLED = 0.5  # share of invoices without a margin up to which the others' rate stands in for it
SILENT_DAYS = 183  # after winning, from which on a deal without any invoice is one that was never invoiced
BASES = {
    "margin": "margin of invoices",
    "turnover": "turnover of invoices x margin rate",
    "deal_amount": "amount of the deal x margin rate: one basket, not a lifetime",
    "none": "none: no deal has an amount",
}


@dataclass(frozen=True)
class Worth:
    """The value of won deals by example: money, NaN unless won and known.

    `basis` is one of BASES. `n_unknown` counts won deals without a value; `share_seen` is the part of the value that has been
    invoiced already, the rest being expected of customers that stay; `form` is how it is learnt, `form_gain` what
    the other form would change in deviance, and its standard error; `notes` are what a person should know.
    """

    money: np.ndarray
    basis: str
    n_unknown: int
    share_seen: float = 1.0
    form: Form = "two_part"
    form_gain: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def worth_of(rows: pd.DataFrame, snapshot: Snapshot, settings: Settings) -> Worth:
    """Return what won deals bring, as far as the snapshot's day can tell.

    `rows` are examples with `deal_id`, `won`, `ended_on` and `amount`. Of deals won lately the months to come are expected by
    `CustomerValue`: what they have brought so far is never their total.
    """
    won = _won_by(rows, snapshot)
    totals, notes = _totals(snapshot, settings)
    if totals is None:
        return replace(_of_amounts(rows, won, settings.scoring.value), notes=notes)
    of = totals.set_index("account_id").reindex(rows["deal_id"])
    money = of["total"].to_numpy(dtype=float, copy=True)
    silent = won & np.isnan(money) & (rows["ended_on"] <= pd.Timestamp(snapshot.as_of) - pd.Timedelta(days=SILENT_DAYS))
    if settings.scoring.value.zero_amounts == "nothing":
        money[silent] = 0.0
    elif silent.any():
        n = rows.loc[silent, "deal_id"].nunique()
        notes = (*notes, f"{n} deals were won half a year ago or earlier and never invoiced: their value counts as unknown.")
    seen = of.loc[won, "observed"].sum() / max(of.loc[won, "total"].sum(), 1e-12)
    money = np.where(won, np.maximum(money, 0), np.nan)
    return Worth(money, totals.attrs["basis"], _n_unknown(rows, won, money), float(seen), notes=notes)


def definition(settings: Settings, worth: Worth) -> dict:
    """Return what lifetime value means here, for metrics.json, and how it is learnt."""
    value = settings.scoring.value
    form = {"form": worth.form, "form_gain": worth.form_gain, "share_seen": worth.share_seen}
    return {"months": value.months, "yearly_discount": value.yearly_discount, "basis": worth.basis} | form


def customer_value(settings: Settings) -> CustomerValue:
    """Return the model of what customers bring over the value months, not yet fitted."""
    value, training = settings.scoring.value, settings.training
    return CustomerValue(value.months, value.yearly_discount, seed=training.seed, threads=training.threads)


def _totals(snapshot: Snapshot, settings: Settings) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Return each won deal's total over the value months, seen and expected; None, and why, where invoices cannot tell."""
    if "invoices" not in snapshot or not snapshot.has_dates or not snapshot.has_accounts:
        return None, ()
    shared = invoices_by_deal(snapshot, exclude_kinds=settings.training.win.exclude_kinds)
    by_deal = shared.assign(account_id=shared["deal_id"]).drop(columns="deal_id")
    log, basis, notes = margin_log(by_deal, settings.scoring.value)
    if log is None:
        return None, notes
    try:
        model = customer_value(settings).fit(log, as_of=snapshot.as_of)
    except DataError as error:
        return None, (*notes, f"Invoices cannot tell what deals bring, and amounts stand in: {error}")
    totals = model.complete(log, as_of=snapshot.as_of)
    totals.attrs["basis"] = basis
    return totals, notes


def margin_log(invoices: pd.DataFrame | None, value: ValueSettings) -> tuple[pd.DataFrame | None, str, tuple[str, ...]]:
    """Return account_id, invoiced_on, amount and margin of some invoices, what the margin is made of, and notes.

    Without margins the amounts x margin rate stand in; a few missing ones follow the rate of the others.
    """
    if invoices is None or invoices.empty:
        return None, "none", ()
    amount = invoices["amount"]
    margin = invoices["margin"] if "margin" in invoices else pd.Series(np.nan, index=invoices.index)
    n_missing, notes = int(margin.isna().sum()), ()
    if n_missing > MOST_FILLED * len(margin):
        margin, basis = amount * value.margin_rate, "turnover"
        notes = (f"Invoices have no margin: turnover x {value.margin_rate:g} stands in for it.",)
    else:
        known, basis = margin.notna(), "margin"
        rate = margin[known].sum() / amount[known].sum() if amount[known].sum() else value.margin_rate
        margin = margin.fillna(amount * rate)
        if n_missing:
            notes = (f"{n_missing} invoices have no margin: the rate of the others, {rate:.0%}, stands in for it.",)
    log = pd.DataFrame({name: invoices[name] for name in ("account_id", "invoiced_on")} | {"amount": amount, "margin": margin})
    return log, basis, notes


def _won_by(rows: pd.DataFrame, snapshot: Snapshot) -> np.ndarray:
    """Tell which examples' deals were won by the snapshot's day."""
    won = rows["won"].to_numpy(dtype=bool)
    return won & ~(rows["ended_on"] > pd.Timestamp(snapshot.as_of)).to_numpy()


def _of_amounts(rows: pd.DataFrame, won: np.ndarray, value: ValueSettings) -> Worth:
    """Return amount x margin rate; an amount of 0 is unknown unless the settings say otherwise."""
    money = rows["amount"].to_numpy(dtype=float) * value.margin_rate
    if value.zero_amounts == "unknown":
        money = np.where(money > 0, money, np.nan)
    money = np.where(won, np.maximum(money, 0), np.nan)
    return Worth(money, "none" if np.isnan(money).all() else "deal_amount", _n_unknown(rows, won, money))


def _n_unknown(rows: pd.DataFrame, won: np.ndarray, money: np.ndarray) -> int:
    return int(rows.loc[won & np.isnan(money), "deal_id"].nunique())
