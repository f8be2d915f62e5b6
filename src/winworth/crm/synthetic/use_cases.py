"""Three companies that changed their plays on a known day, with known effect: what `winworth compare` must find again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from winworth.crm.synthetic.plans import Plan
from winworth.crm.synthetic.plays import Rollout
from winworth.crm.synthetic.trades import INDUSTRY, SERVICES, SOFTWARE, Trade
from winworth.crm.synthetic.visits import GIVING
from winworth.crm.synthetic.world import World, draw_company

QUARTERS_AGO = 6  # how long before the as-of date plays were changed


@dataclass(frozen=True)
class UseCase:
    """A trade, what its change of plays moves by (market segment, outcome), and the segments that it touches.

    `n_deals` is how large the company is drawn unless said.
    """

    trade: Trade
    planted: Mapping[tuple[str, str], float]
    treated: tuple[str, ...]
    outcomes: tuple[str, ...]
    n_deals: int = 6000

    def draw(
        self, *, as_of: date, seed: int, n_deals: int | None = None, has_effect: bool = True, is_whole: bool = True
    ) -> World:
        """Draw the company; without effect it is its null twin: the same segments on the same day, and nothing moves.

        >>> world = USE_CASES["software"].draw(as_of=date(2026, 6, 30), seed=1, n_deals=400, is_whole=False)
        >>> world.split, world.planted["ETI connectées", "won"], sorted(world.tables)
        (datetime.date(2025, 1, 1), 0.18, ['accounts', 'costs', 'deals', 'invoices'])
        """
        rollout = Rollout(change_day(as_of), self.planted)
        plan = Plan(self.trade, rollout if has_effect else rollout.without_effect())
        return draw_company(plan, n_deals=n_deals or self.n_deals, as_of=as_of, seed=seed, is_whole=is_whole)


def change_day(as_of: date) -> date:
    """Return the first day of the quarter that began six quarters before the end of the one that `as_of` ends or lies in.

    >>> change_day(date(2026, 6, 30)), change_day(date(2026, 2, 14))
    (datetime.date(2025, 1, 1), datetime.date(2024, 10, 1))
    """
    month = as_of.year * 12 + (as_of.month - 1) // 3 * 3 - 3 * (QUARTERS_AGO - 1)
    return date(month // 12, month % 12 + 1, 1)


USE_CASES: Mapping[str, UseCase] = {
    "software": UseCase(
        SOFTWARE,
        {("ETI connectées", "won"): 0.18, ("PME connectées", "acquisition_cost"): -0.12},
        ("ETI connectées", "PME connectées"),
        ("won", "acquisition_cost"),
    ),
    "services": UseCase(
        SERVICES,
        {("Régulé, à cadrer", "days_open"): -0.21, ("Régulé, à cadrer", "upsells"): 0.15},
        ("Régulé, à cadrer",),
        ("days_open", "upsells"),
        n_deals=4000,
    ),
    "industry": UseCase(
        INDUSTRY, {("Fort, mensuelle", "revenue"): 0.25}, ("Fort, mensuelle", GIVING), ("revenue",), n_deals=3000
    ),
}
