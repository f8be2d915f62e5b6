"""What scoring.yaml says: what value means, whom the team can work and at what cost, how many segments there may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from winworth.features.catalog import STRICT


@dataclass(frozen=True)
class ValueSettings:
    """Lifetime value: discounted gross margin of so many months. `margin_rate` turns turnover and amounts into margin where no
    margin is known; `zero_amounts` says whether 0 was not filled in or really brought nothing.
    """

    __pydantic_config__ = STRICT

    months: int = 24
    yearly_discount: float = 0.1
    margin_rate: float = 1.0
    zero_amounts: str = "unknown"

    def __post_init__(self):
        if self.zero_amounts not in ("unknown", "nothing"):
            raise ValueError(f"zero_amounts is {self.zero_amounts!r}; write unknown or nothing")
        if not 3 <= self.months <= 120:
            raise ValueError(f"months is {self.months}; lifetime value is counted over 3 to 120 months, commonly 24 or 36")
        if not 0 <= self.yearly_discount < 1:
            raise ValueError(f"yearly_discount is {self.yearly_discount}; it must be at least 0 and below 1, as in 0.1")
        if not 0 < self.margin_rate <= 1:
            raise ValueError(f"margin_rate is {self.margin_rate}; it must lie above 0 and not above 1")


@dataclass(frozen=True)
class Serving:
    """What working an account takes: seller hours a quarter by tier, and what an hour costs; 0 asks nothing.

    `capacity_hours` are the hours a quarter that the whole team sets aside for A and for B; without them tiers are shares.
    """

    __pydantic_config__ = STRICT

    hourly_cost: float = 0.0
    hours: Mapping[str, float] = field(default_factory=lambda: {"A": 0.0, "B": 0.0, "C": 0.0})
    capacity_hours: Mapping[str, float] | None = None

    def __post_init__(self):
        if set(self.hours) != {"A", "B", "C"} or min(*self.hours.values(), self.hourly_cost) < 0:
            raise ValueError("serving needs hours for A, B and C, and an hourly_cost, none below 0")
        if not self.hours["A"] >= self.hours["B"] >= self.hours["C"]:
            raise ValueError("serving.hours must not grow from A to C: a higher tier is worked more")
        capacity = self.capacity_hours
        if capacity is not None and (set(capacity) != {"A", "B"} or min(capacity.values()) < 0):
            raise ValueError("serving.capacity_hours needs the team's hours a quarter for A and for B, none below 0")
        if capacity is not None and self.hours["B"] == 0:
            raise ValueError("serving.capacity_hours needs serving.hours of A and B above 0: else they hold everyone")

    @property
    def cost(self) -> dict[str, float]:
        """The cost of serving an account of each tier for a quarter, in money."""
        return {tier: hours * self.hourly_cost for tier, hours in self.hours.items()}


@dataclass(frozen=True)
class KpiSettings:
    """How KPIs are defined. `quota` is the sales target of a quarter in money, unknown where not given; what is spent in a
    quarter is for customers won `cac_lag_months` later; who is invoiced nothing for `churn_silence_days` is no customer.
    """

    __pydantic_config__ = STRICT

    quota: float | None = None
    cac_lag_months: int = 0
    churn_silence_days: int = 183
    quarters: int = 8

    def __post_init__(self):
        if self.quota is not None and not self.quota > 0:
            raise ValueError(f"kpi.quota is {self.quota}; it must be above 0. Leave it out where there is none")
        if not 0 <= self.cac_lag_months <= 24:
            raise ValueError(f"kpi.cac_lag_months is {self.cac_lag_months}; it must lie within 0 to 24")
        if self.churn_silence_days < 31 or not 1 <= self.quarters <= 40:
            raise ValueError("kpi.churn_silence_days must be at least 31, and kpi.quarters 1 to 40")


@dataclass(frozen=True)
class AdviseSettings:
    """What `winworth advise` is told: each seller's team, by a column of deals (`team`) or by owner id (`teams`); the hours a
    quarter that a group must keep (`least_hours`); all that there are (`capacity_hours`, those logged where not given).
    """

    __pydantic_config__ = STRICT

    team: str | None = None
    teams: Mapping[str, str] = field(default_factory=dict)
    least_hours: Mapping[str, float] = field(default_factory=dict)
    capacity_hours: float | None = None

    def __post_init__(self):
        if self.team is not None and self.teams:
            raise ValueError("advise takes team (a column of deals) or teams (by owner id), not both")
        if min(self.least_hours.values(), default=0) < 0:
            raise ValueError("advise.least_hours gives hours a quarter by group, none below 0")
        if self.capacity_hours is not None and not self.capacity_hours > 0:
            raise ValueError(f"advise.capacity_hours is {self.capacity_hours}; it must be above 0. Leave it out where unknown")


@dataclass(frozen=True)
class Scoring:
    """The whole of scoring.yaml."""

    __pydantic_config__ = STRICT

    value: ValueSettings = ValueSettings()
    tiers: Mapping[str, float] = field(default_factory=lambda: {"A": 0.2, "B": 0.3})
    serving: Serving = Serving()
    most_segments: int = 6
    kpi: KpiSettings = KpiSettings()
    sellers: Mapping[str, float] = field(default_factory=dict)  # hours a quarter by owner id
    advise: AdviseSettings = AdviseSettings()

    def __post_init__(self):
        if min(self.sellers.values(), default=0) < 0:
            raise ValueError("sellers gives hours a quarter by owner id, none below 0")
        if set(self.tiers) != {"A", "B"} or min(self.tiers.values()) <= 0 or sum(self.tiers.values()) > 1:
            raise ValueError("tiers needs the shares of A and B, both above 0 and together not above 1; C is the rest")
