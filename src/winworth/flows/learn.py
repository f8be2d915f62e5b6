"""The steps of a retrain: examples, folds, the value of won deals, and the reference population."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import Snapshot
from winworth.crm.wording import printable
from winworth.features.build import build_features
from winworth.features.catalog import Catalog
from winworth.features.examples import scoring_examples, training_examples
from winworth.features.told import chance_told, reads_stage, stage_told
from winworth.flows.worth import Worth
from winworth.models.by_name import ByName
from winworth.models.calibration import Platt
from winworth.models.censoring import Histories
from winworth.models.folds import Fold, Observed, Plan, forward_plan, grouped_folds, input_twins, joined_groups
from winworth.models.metrics import Figure
from winworth.models.task import Rung, WinTask
from winworth.models.value import LEAST, Value, choose_form, fit_value, value_metrics
from winworth.models.win import WinModel

_DAY0 = np.datetime64("1970-01-01", "D")
_OPEN = 2**40
LEAST_TO_TRAIN, LEAST_TO_TEST = 30, 10  # of wins, and of deals not won, among the examples of a fold


@dataclass(frozen=True)
class Examples:
    """Examples with what became of them, their features, and codes: account (or own deal) and same inputs."""

    rows: pd.DataFrame
    features: pd.DataFrame
    account: np.ndarray
    twins: np.ndarray


def day_number(day: date) -> int:
    """Return days since 1970."""
    return int((np.datetime64(day, "D") - _DAY0).astype(int))


def examples_of(snapshot: Snapshot, catalog: Catalog, settings: Settings) -> Examples:
    """Observe deals, attach what the snapshot knows of their end, and measure every feature."""
    win = settings.training.win
    rows = training_examples(snapshot, observe_at_days=win.observe_at_days, exclude_kinds=win.exclude_kinds)
    rows = attach_outcomes(rows, snapshot)
    features = build_features(rows, snapshot, catalog)
    return Examples(rows, features, _owners(rows, snapshot), input_twins(features))


def without_difference(features: pd.DataFrame) -> list[str]:
    """Say which features are missing on every example, or the same on each: they weigh nothing, whatever they mean.

    >>> without_difference(pd.DataFrame({"size": [np.nan, np.nan], "sector": ["it", "it"], "age": [1.0, 2.0]}))
    ['No example has a size: it weighs nothing.', 'Every example has the same sector (it): it weighs nothing.']
    """
    said = []
    for name, column in features.items():
        if len(features) and column.isna().all():
            said.append(f"No example has a {name}: it weighs nothing.")
        elif len(features) > 1 and column.notna().all() and column.nunique() == 1:
            said.append(f"Every example has the same {name} ({printable(column.iloc[0])}): it weighs nothing.")
    return said


def win_task(examples: Examples, catalog: Catalog, settings: Settings, snapshot: Snapshot) -> WinTask:
    """Put the examples as a question to the win model.

    A feature that tells the deal's stage counts as context, whatever criterion it stands under: who only relearns the stage
    has learnt nothing of the account.
    """
    directions = {name: spec.direction for name, spec in catalog.features.items() if spec.direction}
    stages = {name for name, spec in catalog.features.items() if reads_stage(spec)}
    histories = None
    if snapshot.has_dates:
        ended = examples.rows["ended_on"]
        day = np.where(ended.isna(), _OPEN, _numbers(ended))
        histories = Histories(_numbers(examples.rows["observed_on"]), day, examples.rows["won"].to_numpy())
    return WinTask(
        features=examples.features,
        won=examples.rows["won"].to_numpy(),
        weight=examples.rows["weight"].to_numpy(),
        accounts=examples.account,
        horizon=settings.training.win.horizon_days,
        histories=histories,
        directions=directions,
        context=frozenset(f for name in catalog.context for f in catalog.criteria[name].features) | stages,
        seed=settings.training.seed,
        threads=settings.training.threads,
        stage=stage_told(examples.rows, snapshot),
        crm_probability=chance_told(examples.rows, snapshot),
    )


def plan_folds(examples: Examples, task: WinTask, settings: Settings, *, as_of: date) -> Plan:
    """Plan forward in time where there are dates, apart by group and same inputs where there are none."""
    if task.histories is None:
        groups = joined_groups(examples.account, examples.twins)
        return Plan(grouped_folds(groups, seed=task.seed), None, False)

    def is_enough(fold: Fold) -> bool:
        outcomes = [task.outcomes(rows, day) for rows, day in ((fold.train, fold.train_day), (fold.test, fold.test_day))]
        counts = [min(int(y[w > 0].sum()), int((1 - y)[w > 0].sum())) for y, w in outcomes]
        return counts[0] >= LEAST_TO_TRAIN and counts[1] >= LEAST_TO_TEST

    observed = Observed(task.histories.observed, examples.twins, examples.account)
    days = {"horizon": task.horizon, "embargo": settings.training.win.embargo_days}
    return forward_plan(observed, is_enough, day=day_number(as_of), seed=task.seed, **days)


def learn_value(task: WinTask, worth: Worth) -> ByName[Value] | None:
    """Train the value model on all won deals known, or return None where too few have a value."""
    rows = np.flatnonzero(~np.isnan(worth.money))
    return _fit_worth(task, worth, rows) if _enough(worth, rows) else None


def with_form(task: WinTask, worth: Worth, plan: Plan, *, worth_on: Callable[[int | None], Worth]) -> Worth:
    """Choose the form of the value model by what was known before the locked quarter (by all where there are no dates)."""
    fold = plan.locked or Fold(np.arange(len(task.won)), np.arange(0))
    before = worth_on(fold.train_day)
    rows = _known_won(task, before, fold.train, fold.train_day)
    if not _enough(before, rows) or len(np.unique(task.accounts[rows])) < 10:
        return worth
    values = (task.features.iloc[rows], before.money[rows], task.weight[rows], task.accounts[rows])
    form, gain = choose_form(*values, seed=task.seed, threads=task.threads)
    return replace(worth, form=form, form_gain=gain)


def judge_value(
    task: WinTask, worth: Worth, plan: Plan, *, worth_on: Callable[[int | None], Worth]
) -> dict[str, Figure] | None:
    """Measure value if won on deals the model has not seen: the locked quarter, or the folds where there are no dates.

    What is learnt from is worth what was known on the fold's training day (`worth_on`); what is tested, what is known now.
    Beside the figures stand error and total of a constant, the mean of what was learnt from.
    """
    folds = (plan.locked,) if plan.locked else plan.choice
    seen, told, owners = [], [], []
    for fold in folds:
        before = replace(worth_on(fold.train_day), form=worth.form)
        train, test = _known_won(task, before, fold.train, fold.train_day), _known_won(task, worth, fold.test, fold.test_day)
        if not _enough(before, train) or not len(test):
            return None
        fitted = _fit_worth(task, before, train)
        X = fitted.matrix.transform(task.features.iloc[test])
        seen.append(worth.money[test])
        owners.append(task.accounts[test])
        mean = np.full(len(test), before.money[train].mean())
        told.append(np.vstack([fitted.model.predict(X), *fitted.model.interval(X), mean]))
    predicted, came, owner = np.hstack(told), np.concatenate(seen), np.concatenate(owners)
    ours = value_metrics(came, predicted[0], (predicted[1], predicted[2]), owner, seed=task.seed)
    same = value_metrics(came, predicted[3], (predicted[1], predicted[2]), owner, seed=task.seed)
    return ours | {"mae_constant": same["mae"], "total_ratio_constant": same["total_ratio"]}


@dataclass(frozen=True)
class Reference:
    """The rows weights are read on: open deals and next deals, or past examples where there are too few of those."""

    features: pd.DataFrame
    account: np.ndarray
    has_no_deal: np.ndarray
    is_pipeline: bool


def reference_population(
    examples: Examples, snapshot: Snapshot, catalog: Catalog, settings: Settings, least: int = 50
) -> Reference:
    """Take the open pipeline and the prospects, at most `reference_rows` of them, drawn by the seed."""
    rows = scoring_examples(snapshot, exclude_kinds=settings.training.win.exclude_kinds)
    rng = np.random.default_rng(settings.training.seed)
    most = settings.training.reference_rows
    if len(rows) >= least:
        rows = rows.iloc[np.sort(rng.permutation(len(rows))[:most])].reset_index(drop=True)
        owners = pd.Series(examples.account, index=_owner_names(examples.rows)).groupby(level=0).first()
        codes = owners.reindex(_owner_names(rows)).to_numpy(dtype=float, copy=True)
        new = np.isnan(codes)
        codes[new] = examples.account.max(initial=0) + 1 + np.arange(new.sum())
        return Reference(build_features(rows, snapshot, catalog), codes.astype(int), rows["deal_id"].isna().to_numpy(), True)
    return past_population(examples, settings)


def past_population(examples: Examples, settings: Settings) -> Reference:
    """Take past examples instead, at most `reference_rows` of them, drawn by the seed."""
    drawn = np.random.default_rng(settings.training.seed).permutation(len(examples.rows))
    past = np.sort(drawn[: settings.training.reference_rows])
    features = examples.features.iloc[past].reset_index(drop=True)
    return Reference(features, examples.account[past], np.zeros(len(past), dtype=bool), False)


@dataclass(frozen=True)
class Recipe:
    """How the final win model is made: a rung, its calibration, and the day whose knowledge it may use."""

    rung: Rung
    platt: Platt
    day: int | None

    def fit(self, task: WinTask, rows: np.ndarray | None = None) -> ByName[WinModel]:
        """Train on some rows (default: all) and calibrate."""
        fitted = task.fit(np.arange(len(task.won)) if rows is None else rows, self.day, self.rung)
        fitted.model.platt_ = self.platt
        return fitted


def _enough(worth: Worth, rows: np.ndarray) -> bool:
    return int((worth.money[rows] > 0).sum()) >= 2 * LEAST


def _fit_worth(task: WinTask, worth: Worth, rows: np.ndarray) -> ByName[Value]:
    features = task.features.iloc[rows]
    accounts = task.accounts[rows]
    how = {"form": worth.form, "seed": task.seed, "threads": task.threads}
    return fit_value(features, worth.money[rows], task.weight[rows], accounts, **how)


def _known_won(task: WinTask, worth: Worth, rows: np.ndarray, day: int | None) -> np.ndarray:
    known = ~np.isnan(worth.money[rows])
    if task.histories is not None and day is not None:
        known &= task.histories.ended[rows] <= day
    return rows[known]


def _owner_names(rows: pd.DataFrame) -> pd.Series:
    """Name each row's account; a deal without one, or without accounts, is its own."""
    return rows["account_id"].where(rows["account_id"].notna(), "\0" + rows["deal_id"])


def _owners(rows: pd.DataFrame, snapshot: Snapshot) -> np.ndarray:
    """Return a code for each row's account, and for its declared group where deals have one."""
    codes = pd.factorize(_owner_names(rows))[0]
    if "group_id" not in snapshot["deals"]:
        return codes
    groups = snapshot["deals"].set_index("deal_id")["group_id"].reindex(rows["deal_id"])
    return joined_groups(codes, pd.factorize(groups)[0])


def _numbers(days: pd.Series) -> np.ndarray:
    return (days.to_numpy().astype("datetime64[D]") - _DAY0).astype(np.int64)
