"""One row a deal for the search for gaps: what it brought, in which segment and mix, by which team and seller."""

from dataclasses import dataclass

import pandas as pd

from winworth.config import Settings
from winworth.errors import ConfigError, did_you_mean
from winworth.kpi.book import Book
from winworth.kpi.gaps import LEAST_SELLERS, UNTOLD
from winworth.kpi.quarters import Period, at_equal_age
from winworth.tables import CrmTables

ALL = "all"
MIX = (("deals", "kind"), ("deals", "source"), ("accounts", "size_class"))  # what like deals share, where known at creation
BINS = 20  # of expected value: coarser ones leave large accounts of a bin beside small ones
QUARTER_DAYS = 365.25 / 4
COLUMNS = ("account_id", "segment", "team", "seller", "mix", "money")


@dataclass(frozen=True)
class GapRows:
    """Rows as `kpi.recommend` takes them, over how many quarters, whether what accounts could bring is in their mix, and what
    could not be told.
    """

    rows: pd.DataFrame
    n_quarters: float
    is_like: bool
    missing: tuple[dict, ...]


def gap_rows(book: Book, settings: Settings, quarters: tuple[Period, ...], group: pd.Series, *, by: str) -> GapRows:
    """Return the deals opened in the quarters that had reached the horizon on the as-of date: what each brought by then.

    A deal that was not won by that age brought 0; one won for an unknown amount counts as what deals won in its mix brought,
    all segments and teams together: left out, it would make whoever enters few amounts look short. Small companies buy less
    than large ones whatever is offered to them: deals are alike where the expected value published of their accounts before the
    quarter was. Where it was published for some quarters only, only those count.
    """
    crm, deals, win = book.crm, book.snapshot["deals"], settings.training.win
    if "amount" not in deals or not (deals["amount"] > 0).any():
        return GapRows(pd.DataFrame(columns=COLUMNS), 1.0, False, ({"what": "amounts"},))
    if "kind" in deals:
        deals = deals[~deals["kind"].isin(win.exclude_kinds)]
    potential = potential_by_quarter(book, quarters)
    quarters = tuple(quarter for quarter in quarters if quarter.name in potential) or quarters
    deals = deals[deals["opened_on"].between(quarters[0].start, quarters[-1].end)].dropna(subset="account_id")
    seen = at_equal_age(deals, as_of=book.as_of, age_days=win.horizon_days)
    people, missing = _people(seen, crm, settings)
    mix = _mix(seen, crm, by) + _potential(seen, quarters, potential)
    money, unknown = _money(seen, mix)
    missing += unknown
    rows = people.assign(account_id=seen["account_id"], segment=seen["account_id"].map(group), mix=mix, money=money)
    rows = rows.dropna(subset=["segment", "money"])[list(COLUMNS)].reset_index(drop=True)
    missing += _small_teams(rows) + ([] if potential else [{"what": "potential"}])
    last = min(quarters[-1].end, pd.Timestamp(book.as_of) - pd.Timedelta(days=win.horizon_days))
    n_quarters = max((last - quarters[0].start).days + 1, 1) / QUARTER_DAYS
    return GapRows(rows, n_quarters, bool(potential), tuple(missing))


def _money(deals: pd.DataFrame, mix: pd.Series) -> tuple[pd.Series, list[dict]]:
    """Return what each deal brought, and how many of those won have no amount: they count as the mean of their mix."""
    won = deals["won"] == 1
    known = deals["amount"].where((deals["amount"] > 0) & won)
    money = known.fillna(known.groupby(mix).transform("mean")).fillna(known.mean()).where(won, 0.0)
    n = int((won & known.isna()).sum())
    return money, [{"what": "amounts_some", "n": n, "of": int(won.sum())}] if n else []


def potential_by_quarter(book: Book, quarters: tuple[Period, ...]) -> dict[str, pd.Series]:
    """Return, by quarter, in which twentieth of all accounts each one's expected value was, by the last scores from before it.

    Quarters without such scores are left out.
    """
    found = {}
    for quarter in quarters:
        scored = book.scored_within(pd.Timestamp.min, quarter.start - pd.Timedelta(days=1))
        if scored is None or "expected_value" not in scored[1].accounts:
            continue
        worth = scored[1].accounts.dropna(subset="expected_value").set_index("account_id")["expected_value"]
        if len(worth):
            found[quarter.name] = (worth.rank(pct=True, method="first") * BINS).clip(upper=BINS - 1).astype(int)
    return found


def _potential(deals: pd.DataFrame, quarters: tuple[Period, ...], potential: dict[str, pd.Series]) -> pd.Series:
    told = pd.Series("", deals.index)
    for quarter in quarters:
        if quarter.name in potential:
            own = quarter.holds(deals["opened_on"])
            place = deals["account_id"].map(potential[quarter.name]).astype(object).fillna(UNTOLD).astype("str")
            told = told.mask(own, "|" + place)
    return told


def _mix(deals: pd.DataFrame, crm: CrmTables, by: str) -> pd.Series:
    """Return what a deal must share with another to be compared: kind, source and size, as far as known from the first day."""
    parts = []
    for table, column in MIX:
        if column == by or table not in crm or crm.known.get((table, column)) != "at_creation" or column not in crm[table]:
            continue
        if table == "deals":
            parts.append(deals[column])
        else:
            parts.append(deals["account_id"].map(crm[table].drop_duplicates("account_id").set_index("account_id")[column]))
    mix = pd.Series("", deals.index)
    for part in parts:
        mix = mix + "|" + part.astype(object).fillna(UNTOLD).astype("str")
    return mix


def _people(deals: pd.DataFrame, crm: CrmTables, settings: Settings) -> tuple[pd.DataFrame, list[dict]]:
    """Return each deal's seller and team, one of all where not known, and what is to be said of that."""
    rules, missing = settings.scoring.advise, []
    people = pd.DataFrame({"seller": ALL, "team": ALL}, index=deals.index)
    if "owner_id" not in crm["deals"] or "deal_id" not in crm["deals"]:
        return people, [{"what": "sellers"}]
    people["seller"] = _of_deal(deals, crm, "owner_id")
    if rules.team is not None:
        if rules.team not in crm["deals"]:
            raise ConfigError(
                f"advise.team {rules.team} is no column of deals. {did_you_mean(rules.team, crm['deals'].columns)}"
            )
        people["team"] = _of_deal(deals, crm, rules.team)
    elif rules.teams:
        people["team"] = people["seller"].map(rules.teams).fillna(UNTOLD)
    else:
        return people, [{"what": "teams"}]
    if crm.known.get(("deals", "owner_id")) != "at_creation":
        missing.append({"what": "owners_now"})
    return people, missing


def _of_deal(deals: pd.DataFrame, crm: CrmTables, column: str) -> pd.Series:
    """Return a column as the extract tells it today: the snapshot blanks what is overwritten in place."""
    told = crm["deals"].dropna(subset="deal_id").drop_duplicates("deal_id").set_index("deal_id")[column]
    return deals["deal_id"].map(told).astype(object).fillna(UNTOLD).astype("str")


def _small_teams(rows: pd.DataFrame) -> list[dict]:
    """Count the teams of fewer than three sellers: neither told nor compared, since their figure would be a person's."""
    sellers = rows[~rows["team"].isin([ALL, UNTOLD])].groupby("team")["seller"].nunique()
    n = int((sellers < LEAST_SELLERS).sum())
    return [{"what": "small_teams", "n": n, "least": LEAST_SELLERS}] if n else []
