"""What to change: where hours should go, whom an offer fails, which team needs training; or nothing, where no gap stands."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.atomic import publish_folder
from winworth.config import Settings
from winworth.errors import ConfigError, DataError, did_you_mean
from winworth.flows.compare import SEGMENT, segments_by
from winworth.flows.gap_rows import gap_rows
from winworth.flows.kpi import book_of, quarters_of
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.published import published_scores
from winworth.kpi.book import Book
from winworth.kpi.following import LEVEL, p_of_following
from winworth.kpi.groups import score_levels
from winworth.kpi.quarters import Period
from winworth.kpi.reallocate import Plan, keep_moves, plan_hours
from winworth.kpi.recommend import Advice, recommend
from winworth.kpi.response import LEAST_ACCOUNTS, Response, fit_response
from winworth.kpi.worked import TURNOVER, WON, basis_of, brought, is_followed, logged_effort
from winworth.lock import run_lock
from winworth.models.metrics import Figure
from winworth.models.shares import Z95
from winworth.scoring.settings import Scoring
from winworth.sheets import to_csv, to_json

Missing = tuple[dict, ...]  # what cannot be told, each by a key of review.effects


@dataclass(frozen=True)
class Advised:
    """The advice and the hours by group, in which quarters, by what, and what could not be told."""

    as_of: date
    currency: str
    by: str
    revenue: str
    quarters: tuple[str, ...]
    advice: Advice
    plan: Plan | None
    hours: tuple[dict, ...]
    missing: Missing
    folder: Path

    def to_dict(self) -> dict:
        """Return it for JSON: what is read by review.effects."""
        whole = {"as_of": self.as_of.isoformat(), "currency": self.currency, "by": self.by, "revenue": self.revenue}
        whole |= {"quarters": list(self.quarters)} | self.advice.to_dict()
        plan = None if self.plan is None else self.plan.to_dict()
        return whole | {"plan": plan, "hours": list(self.hours), "missing": list(self.missing)}


def advise(settings: Settings, *, as_of: date, home: Path, by: str | None = None) -> Advised:
    """Say what each gap that stands calls for, and write `home`/advice/<as_of>.

    Groups are the segments published before the quarters that are looked at, or the levels of `by`, a column of accounts.
    """
    rules, seed = settings.scoring, settings.training.seed
    with run_lock(home, "advise"):
        prepared = prepare(settings, as_of=as_of)
        if not prepared.crm.has_dates or not prepared.crm.has_accounts:
            raise DataError("Deals lack opened_on or account_id, so that nothing can be told by quarter. Map them in crm.yaml.")
        book = book_of(settings, prepared, as_of, published_scores(home, as_of))
        group, quarters = _groups(book, quarters_of(prepared.snapshot, as_of, rules.kpi.quarters), prepared, by, home)
        revenue = basis_of(book, TURNOVER, WON)
        response, plan, missing = _plan(hours_rows(book, quarters, group, revenue), rules, seed=seed)
        gaps = gap_rows(book, settings, quarters, group, by=by or SEGMENT)
        advice = recommend(gaps.rows, n_periods=gaps.n_quarters, plan=plan, is_like=gaps.is_like)
        if response is not None and plan is not None:
            moves = {one.names for one in advice.to_do if one.kind == "hours"}
            plan = keep_moves(plan, response, moves)
        names = (as_of, settings.crm.currency, by or SEGMENT, revenue, tuple(quarter.name for quarter in quarters))
        told = (advice, plan, _hours(response, plan), (*missing, *gaps.missing))
        done = Advised(*names, *told, home / "advice" / as_of.isoformat())
        publish_folder(done.folder, _files(done))
    return done


def _groups(
    book: Book, quarters: tuple[Period, ...], prepared: Prepared, by: str | None, home: Path
) -> tuple[pd.Series, tuple[Period, ...]]:
    """Return each account's group, told before all the quarters that are returned with it."""
    if by is not None and by != SEGMENT:
        return segments_by(prepared.crm, by).dropna(), quarters
    levels = score_levels(book, quarters, SEGMENT)
    first = next((place for place, quarter in enumerate(quarters) if levels[quarter.name] is not None), None)
    if first is None:
        raise ConfigError(
            f"No scores were published before any quarter from {quarters[0].name} to {quarters[-1].name} below {home}, and "
            "segments of a later day would select accounts by what came of them. Name a column of accounts with --by."
        )
    return levels[quarters[first].name], quarters[first:]


def hours_rows(book: Book, quarters: tuple[Period, ...], group: pd.Series, revenue: str) -> pd.DataFrame | None:
    """Return one row an account and quarter (account_id, group, period, hours, revenue, is_followed) of accounts with any of
    either.

    A quarter counts for an account from the one after it was created. None where activities log no hours.
    """
    effort = logged_effort(book)
    if effort is None or effort.unit != "hours":
        return None
    found = [
        pd.DataFrame({"hours": effort.within(quarter), "revenue": brought(book, quarter, revenue)}).assign(period=place)
        for place, quarter in enumerate(quarters)
    ]
    seen = pd.concat(found).rename_axis("account_id").reset_index()
    active = pd.Index(seen["account_id"].unique()).intersection(group.index)
    panel = pd.MultiIndex.from_product([active, range(len(quarters))], names=["account_id", "period"])
    rows = seen.set_index(["account_id", "period"]).reindex(panel).fillna(0.0).reset_index()
    accounts = book.snapshot["accounts"] if "accounts" in book.snapshot else pd.DataFrame()
    if "created_on" in accounts:
        created = rows["account_id"].map(accounts.drop_duplicates("account_id").set_index("account_id")["created_on"])
        starts = rows["period"].map(dict(enumerate(quarter.start for quarter in quarters)))
        rows = rows[~(created >= starts)]
    return rows.assign(
        group=rows["account_id"].map(group).astype("str"), is_followed=is_followed(rows, book, quarters, revenue)
    )


def _plan(rows: pd.DataFrame | None, rules: Scoring, *, seed: int) -> tuple[Response | None, Plan | None, Missing]:
    """Return how revenue answers hours and the plan of hours, or why there is none."""
    if rows is None:
        return None, None, ({"what": "hours"},)
    known = rows[rows["is_followed"]]
    varied = known[known.groupby(["group", "account_id"])["hours"].transform("nunique") > 1]
    n = varied.groupby("group")["account_id"].nunique()
    told = n.index[n >= LEAST_ACCOUNTS]
    n_left = rows["group"].nunique() - len(told)
    if len(told) < 2:
        return None, None, ({"what": "hours_vary", "n": len(told), "least": LEAST_ACCOUNTS},)
    own = known[known["group"].isin(told)]
    missing = ({"what": "groups_left", "n": n_left, "least": LEAST_ACCOUNTS},) if n_left else ()
    response, p = fit_response(own, seed=seed), p_of_following(own)
    if not p >= LEVEL:
        why = {"what": "hours_follow", "p": p} if p < LEVEL else {"what": "quarters"}
        return response, None, (*missing, why)
    capacity = float(response.table["hours"].sum()) + _spare(rows, rules)
    return response, plan_hours(response, least=_least(rows, response, rules), capacity=capacity), missing


def _spare(rows: pd.DataFrame, rules: Scoring) -> float:
    """Return the hours a quarter that nobody works, whoever those are worked on that are; 0 where that is not told."""
    capacity, worked = rules.advise.capacity_hours, rows["hours"].sum() / rows["period"].nunique()
    if capacity is None:
        return 0.0
    if capacity < worked * (1 - 1e-9):
        raise ConfigError(
            f"advise.capacity_hours is {capacity:,.0f} hours a quarter and {worked:,.0f} are worked. Give at least as many."
        )
    return max(capacity - worked, 0.0)


def _least(rows: pd.DataFrame, response: Response, rules: Scoring) -> dict[str, float]:
    """Return the hours that each group must keep: as asked for, else those that serving its accounts as C takes."""
    asked, names = rules.advise.least_hours, set(rows["group"])
    if unknown := [name for name in asked if name not in names]:
        raise ConfigError(f"advise.least_hours names {unknown[0]}, which is no group. {did_you_mean(unknown[0], names)}")
    served = response.table["n_accounts"] * rules.serving.hours["C"]
    return served.to_dict() | {name: hours for name, hours in asked.items() if name in response.table.index}


def _hours(response: Response | None, plan: Plan | None) -> tuple[dict, ...]:
    """Return by group its accounts, its hours a quarter now and as advised, and what one more hour went with."""
    if response is None:
        return ()
    planned = response.table["hours"] if plan is None else plan.hours["planned"]
    return tuple(
        {
            "group": str(name),
            "n_accounts": int(row["n_accounts"]),
            "now": float(row["hours"]),
            "planned": float(planned[name]),
            "marginal": _figure(row).to_dict(),
        }
        for name, row in response.table.iterrows()
    )


def _figure(row: pd.Series) -> Figure:
    value, half = float(row["marginal"]), Z95 * float(row["marginal_error"])
    return Figure(value, value - half, value + half, int(row["n_accounts"]))


def _files(done: Advised) -> dict[str, bytes]:
    flat = [
        {"action": one.action, "kind": one.kind, "names": " -> ".join(one.names), "why": one.why, "p_adjusted": one.p_adjusted}
        | asdict(one.effect)
        for one in done.advice.recommendations
    ]
    hours = [{name: x for name, x in row.items() if name != "marginal"} | row["marginal"] for row in done.hours]
    tables = {"advice.csv": pd.DataFrame(flat), "hours.csv": pd.DataFrame(hours)}
    return {"advice.json": to_json(done.to_dict())} | {name: to_csv(table) for name, table in tables.items()}
