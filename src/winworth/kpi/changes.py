"""What a change of plays can move, one row a deal, an account and period, or a segment and month, all at equal age.

- `won`: 1 where a deal was won within so many days of its opening
- `amount_won`: what it was won for, 0 where it was not
- `days_open`: how long it stayed open, counted up to as many days (the restricted mean: no deal is cut off before them)
- `upsells`: upsell deals of a customer, opened in the period and won within as many days
- `revenue`: what an account was invoiced in the period
- `acquisition_cost`: costs of a segment's month over the customers it won
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from winworth.crm.snapshot import Snapshot
from winworth.kpi.difference import LEAST_EARLIER
from winworth.kpi.quarters import Regime, at_equal_age, number_periods
from winworth.kpi.relative import How

MOST_EARLIER = 8  # quarters before the change that are compared
UPSELL = "upsell"


@dataclass(frozen=True)
class Scene:
    """What is compared: the snapshot, each account's segment as told by `by`, the day of the change and the rules.

    `told_on` is the day on which segments were told by what had come until then; None where they always stood.
    """

    snapshot: Snapshot
    segment: pd.Series
    by: str
    split: date
    age_days: int
    regimes: tuple[Regime, ...] = ()
    exclude_kinds: tuple[str, ...] = ()
    cac_lag_months: int = 0
    told_on: date | None = None

    @property
    def is_selected(self) -> bool:
        """Whether segments were told in the last earlier quarters: who then did well or badly by chance was told apart."""
        return self.told_on is not None and self._after_told > -LEAST_EARLIER

    @property
    def first_period(self) -> int:
        """The first period that is compared: none that segments were told by, where enough are left."""
        return -MOST_EARLIER if self.told_on is None or self.is_selected else max(-MOST_EARLIER, self._after_told)

    @property
    def _after_told(self) -> int:
        return int(self.number(pd.Series([pd.Timestamp(self.told_on)])).iloc[0]) + 1

    def number(self, days: pd.Series) -> pd.Series:
        """Number the quarters of days from the change on."""
        return number_periods(days, split=self.split, regimes=self.regimes)


@dataclass(frozen=True)
class Outcome:
    """How an outcome is counted and compared; `needs` says what an extract must have for it."""

    rows: Callable[[Scene], pd.DataFrame | None]
    needs: str
    how: How = How()

    def told(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        """Return the rows as the outcome is shown: outcome over exposure, or the inverse where that is what is told."""
        return rows.assign(**{name: rows["exposure"], "exposure": rows[name]}) if self.how.is_inverse else rows


def deals(scene: Scene) -> pd.DataFrame:
    """Return the deals that had reached the age, with won, days_open, and amount_won where amounts are known."""
    rows = scene.snapshot["deals"]
    if "kind" in rows:
        rows = rows[~rows["kind"].isin(scene.exclude_kinds)]
    rows = rows.assign(segment=rows["account_id"].map(scene.segment)).dropna(subset=["segment", "opened_on"])
    rows = at_equal_age(rows, as_of=scene.snapshot.as_of, age_days=scene.age_days)
    lasted = (rows["closed_on"] - rows["opened_on"]).dt.days
    rows = rows.assign(
        period=scene.number(rows["opened_on"]), days_open=lasted.fillna(scene.age_days).clip(upper=scene.age_days).astype(float)
    )
    if "amount" in rows:
        rows = rows.assign(amount_won=rows["amount"].fillna(0.0).where(rows["won"] == 1, 0.0))
    return rows[rows["period"] >= scene.first_period]


def upsells(scene: Scene) -> pd.DataFrame | None:
    """Return, for each customer and each quarter it was one from the first day on, the upsells opened in it and won in time."""
    known = scene.snapshot["deals"]
    if "kind" not in known or not (known["kind"] == UPSELL).any():
        return None
    sold = at_equal_age(known[known["kind"] == UPSELL], as_of=scene.snapshot.as_of, age_days=scene.age_days)
    sold = sold.rename(columns={"opened_on": "on", "won": "upsells"})
    rows = _panel(scene, customers_since(known), sold, "upsells", waits=scene.age_days)
    return rows if rows["upsells"].any() else None


def revenue(scene: Scene) -> pd.DataFrame | None:
    """Return, for each account and each quarter after its first invoice, what it was invoiced in it."""
    if "invoices" not in scene.snapshot:
        return None
    known = scene.snapshot["invoices"].rename(columns={"invoiced_on": "on", "amount": "revenue"})
    since = known[known["revenue"] > 0].groupby("account_id")["on"].min()
    return _panel(scene, since, known, "revenue")


def acquisition(scene: Scene) -> pd.DataFrame | None:
    """Return each segment's months: the customers it won (later by the lag) over its costs; no month that the change cuts."""
    snapshot = scene.snapshot
    if "costs" not in snapshot or scene.by not in snapshot["costs"]:
        return None
    lag = pd.DateOffset(months=scene.cac_lag_months)
    since = customers_since(snapshot["deals"])
    month = (
        (since - lag).dt.to_period("M").dt.to_timestamp() if scene.cac_lag_months else since.dt.to_period("M").dt.to_timestamp()
    )
    won = (
        pd.DataFrame({"segment": since.index.map(scene.segment), "month": month.to_numpy()})
        .groupby(["segment", "month"])
        .size()
    )
    costs = snapshot["costs"].rename(columns={scene.by: "segment"}).dropna(subset="segment")
    costs = costs.assign(month=costs["month"].dt.to_period("M").dt.to_timestamp())
    rows = costs.groupby(["segment", "month"])["amount"].sum().rename("exposure").to_frame()
    rows = rows.join(won.rename("acquisition_cost")).fillna({"acquisition_cost": 0.0}).reset_index()
    cuts = [pd.Timestamp(scene.split), *(pd.Timestamp(regime.on) for regime in scene.regimes)]
    ends = rows["month"] + pd.DateOffset(months=1)
    is_cut = np.logical_or.reduce([(rows["month"] < cut) & (cut < ends) for cut in cuts])
    is_past = ends + lag - pd.Timedelta(days=1) <= pd.Timestamp(snapshot.as_of)
    rows = rows[~is_cut & is_past & (rows["exposure"] > 0)]
    rows = rows.assign(
        period=scene.number(rows["month"]), account_id=rows["segment"] + " " + rows["month"].dt.strftime("%Y-%m")
    )
    return rows[rows["period"] >= scene.first_period]


def customers_since(known: pd.DataFrame) -> pd.Series:
    """Return, by account_id, the day an account became a customer: that of its first deal won."""
    won = known[(known["status"] == "won") & known["account_id"].notna()]
    return won.groupby("account_id")["closed_on"].min().dropna()


def _panel(scene: Scene, since: pd.Series, events: pd.DataFrame, outcome: str, *, waits: int = 0) -> pd.DataFrame:
    """Add up events by account and whole quarter, for accounts that were there since before it; a quarter waits for its age.

    Quarters that a regime change cuts are told by their days: `exposure` is days over 91.
    """
    day = pd.Timestamp(scene.snapshot.as_of)
    since = since[since.index.isin(scene.segment.dropna().index)]
    if not len(since):
        return pd.DataFrame(columns=["account_id", "segment", "period", outcome, "exposure"])
    days = pd.Series(pd.date_range(since.min(), day + pd.Timedelta(days=1)))
    bounds = days.groupby(scene.number(days)).agg(["min", "max"]).iloc[1:-1]  # the first and the last are not whole
    bounds = bounds[(bounds.index >= scene.first_period) & (bounds["max"] + pd.Timedelta(days=waits) <= day)]
    at, of = np.nonzero(bounds["min"].to_numpy()[:, None] > since.to_numpy()[None, :])
    summed = events.assign(period=scene.number(events["on"])).groupby(["account_id", "period"])[outcome].sum()
    rows = pd.DataFrame({"account_id": since.index.to_numpy()[of], "period": bounds.index.to_numpy()[at]})
    found = summed.reindex(pd.MultiIndex.from_frame(rows)).fillna(0.0).to_numpy(dtype=float)
    length = ((bounds["max"] - bounds["min"]).dt.days + 1).to_numpy()[at] / 91
    return rows.assign(**{outcome: found}, segment=rows["account_id"].map(scene.segment).to_numpy(), exposure=length)


OUTCOMES: Mapping[str, Outcome] = {
    "won": Outcome(deals, "deals"),
    "amount_won": Outcome(deals, "deals.amount"),
    "days_open": Outcome(deals, "deals"),
    "upsells": Outcome(upsells, "deals whose kind is upsell"),
    "revenue": Outcome(revenue, "invoices", How(is_within=True)),
    "acquisition_cost": Outcome(acquisition, "costs with the column that tells segments", How(is_inverse=True)),
}
