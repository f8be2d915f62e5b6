"""The open pipeline weighed: by what came of deals in each stage, and by the win probabilities that were published."""

import numpy as np
import pandas as pd

from winworth.kpi.book import Book, days_of
from winworth.kpi.facts import YEAR
from winworth.kpi.measures import LEAST, UNKNOWN, Measured, Terms
from winworth.kpi.quarters import Period
from winworth.kpi.survival import share_won
from winworth.models.censoring import Histories
from winworth.models.shares import Z95

MOST_UNSCORED = 0.1


def by_stage(book: Book, period: Period) -> pd.DataFrame | None:
    """Return the deals open at the period's end: `amount`, and as `weight` the share won of deals that entered their stage.

    Stages entered by then, Aalen and Johansen within the horizon; a stage that fewer than ten deals entered weighs as all do.
    """
    known = book.at(period.end)
    if "stage_changes" not in known:
        return None
    deals = book.deals(period.end)
    changes = known["stage_changes"].sort_values("changed_on", kind="stable")
    entered = changes.drop_duplicates(["deal_id", "stage"]).merge(deals, on="deal_id")
    entered = entered.assign(opened=days_of(entered["changed_on"]))
    if not len(entered):
        return None
    overall = _won(entered, book.terms)
    weights = {stage: _won(own, book.terms) if len(own) >= LEAST else overall for stage, own in entered.groupby("stage")}
    rows = _open(book, period, deals)
    stage = rows["deal_id"].map(changes.drop_duplicates("deal_id", keep="last").set_index("deal_id")["stage"])
    return rows.assign(weight=stage.map(weights).fillna(overall))


def by_probability(book: Book, period: Period) -> pd.DataFrame | None:
    """Return the deals open at the period's end, and as `weight` their win probability by the latest scores of the period.

    A deal opened since weighs as the mean does; None where more than a tenth of them have no probability.
    """
    found = book.scored_within(period.start, period.end)
    if found is None or "win_probability" not in found[1].deals:
        return None
    rows = _open(book, period, book.deals(period.end))
    weight = rows["deal_id"].map(found[1].deals.set_index("deal_id")["win_probability"])
    if weight.isna().mean() > MOST_UNSCORED:
        return None
    return rows.assign(weight=weight.fillna(weight.mean()))


def coverage(rows: pd.DataFrame, quota: float | None) -> Measured:
    """Measure the weighted pipeline over the quota; without a quota only the sum is told.

    The 95 % interval is that of what the deals bring if each is won with its weight, apart from the others, an unknown amount
    varying by `spread`; drawing accounts anew would leave out that most deals bring nothing.
    """
    n, weight, amount = len(rows), rows["weight"].to_numpy(dtype=float), rows["amount"].to_numpy(dtype=float)
    total = float(weight @ amount)
    if np.isnan(total) or quota is None:
        return Measured(n, numerator=total, mark=UNKNOWN)
    error = np.sqrt((weight * (1 - weight) * amount**2 + weight * rows["spread"].to_numpy(dtype=float) ** 2).sum())
    low, high = max(total - Z95 * error, 0.0), total + Z95 * error
    return Measured(n, total / quota, low / quota, high / quota, total, quota)


def _won(rows: pd.DataFrame, terms: Terms) -> float:
    opened, ended = (rows[name].to_numpy(dtype=np.int64) for name in ("opened", "ended"))
    histories = Histories(opened, ended, rows["won"].to_numpy(dtype=bool))
    day = int(rows["day"].iloc[0])
    return share_won(histories, rows["account_id"].to_numpy(), day=day, horizon=terms.horizon).value


def _open(book: Book, period: Period, deals: pd.DataFrame) -> pd.DataFrame:
    """Keep what is open; an amount not known while a deal is open is the mean of those won in the year up to then."""
    day = deals["day"]
    won = deals["won"] & (deals["ended"] > day - (period.end - (period.end - YEAR)).days) & (deals["ended"] <= day)
    rows = deals[deals["ended"] > day]
    amount, stands_in = _amounts(book, period, rows), deals.loc[won, "amount"]
    return rows.assign(amount=amount.fillna(stands_in.mean()), spread=np.where(amount.isna(), stands_in.std(), 0.0))


def _amounts(book: Book, period: Period, rows: pd.DataFrame) -> pd.Series:
    """Return the amounts of open deals as far as they were known at the period's end: from the start, or by their history."""
    known = book.crm.known.get(("deals", "amount"))
    if known == "at_creation":
        return rows["amount"]
    versions = book.at(period.end).tables.get("deal_versions", pd.DataFrame())
    if known != "dated" or "amount" not in versions:
        return pd.Series(np.nan, rows.index)
    last = versions.dropna(subset="amount").sort_values("changed_on", kind="stable").drop_duplicates("deal_id", keep="last")
    return rows["deal_id"].map(last.set_index("deal_id")["amount"])
