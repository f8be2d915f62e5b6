"""One retrain up to its judgement: read, measure, test for leaks, choose a model in the folds, judge it."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.crm.snapshot import take_snapshot
from winworth.errors import DataError
from winworth.features.catalog import Catalog
from winworth.features.late import filled_late
from winworth.features.refused import refused_columns, refused_features
from winworth.flows import gate, record
from winworth.flows.leak_gate import LeakReport, older_extract, run_leak_tests, without_features
from winworth.flows.learn import (
    Examples,
    Recipe,
    day_number,
    examples_of,
    judge_value,
    plan_folds,
    win_task,
    with_form,
)
from winworth.flows.prepare import Prepared, prepare, without_absent
from winworth.flows.reigning import Reigning, better_than_champion, leaves_out, reigning
from winworth.flows.worth import Worth, worth_of
from winworth.models.calibration import Platt
from winworth.models.evaluate import WinReport, judge_forward, judge_grouped, leak_tax, random_split_auc, slices
from winworth.models.folds import Fold, Plan
from winworth.models.ladder import SAYS_NOTHING, Ladder, climb
from winworth.models.learning_curve import learning_curve
from winworth.models.metrics import auc_within
from winworth.models.reliability import corp, reliability_curve
from winworth.models.task import Rung, WinTask
from winworth.models.track import Track
from winworth.scoring.seats import share_of_a


@dataclass(frozen=True)
class Retrain:
    """What every step of a retrain reads: the extract, the criteria it can serve, the examples and the question."""

    settings: Settings
    prepared: Prepared
    catalog: Catalog
    examples: Examples
    task: WinTask
    worth: Worth
    track: Track
    leaks: LeakReport
    king: Reigning | None

    @property
    def as_of(self) -> date:
        """The day of the retrain."""
        return self.prepared.snapshot.as_of

    @property
    def n_accounts(self) -> int:
        """How many accounts there are to work."""
        snapshot = self.prepared.snapshot
        return len(snapshot["accounts"]) if "accounts" in snapshot else len(np.unique(self.examples.account))


@dataclass(frozen=True)
class Learnt:
    """The win side of a retrain: how the final model is made, how it was judged, and why it may not be promoted.

    `fold` is the one that it was judged in: the locked quarter, or the last fold where there are no dates; `worth_before`
    what deals were worth on the day its models were trained.
    """

    recipe: Recipe
    win: dict
    checks: list[gate.Check]
    curves: dict | None = None
    tax: dict | None = None
    value: dict | None = None
    calibration: dict | None = None
    worth: Worth | None = None
    fold: Fold | None = None
    worth_before: Worth | None = None

    @property
    def has_signal(self) -> bool:
        """Whether there is anything to rank by."""
        return self.recipe.rung.name not in SAYS_NOTHING


def begin(settings: Settings, as_of: date, home: Path, track: Track) -> Retrain:
    """Read, measure, test for leaks, and leave out what an older extract shows to have changed."""
    prepared = prepare(settings, as_of=as_of)
    catalog = without_absent(settings.catalog, prepared.crm)
    examples = examples_of(prepared.snapshot, catalog, settings)
    older = older_extract(settings, home, prepared.crm.report, as_of=as_of)
    leaks = run_leak_tests(prepared, examples, settings, older=older)
    if leaks.excluded:
        catalog = without_features(catalog, leaks.excluded)
        examples = examples_of(prepared.snapshot, catalog, settings)
    task = win_task(examples, catalog, settings, prepared.snapshot)
    worth = worth_of(examples.rows, prepared.snapshot, settings)
    return Retrain(settings, prepared, catalog, examples, task, worth, track, leaks, reigning(home))


def learn(retrain: Retrain) -> Learnt:
    """Choose the rung, judge it, and measure the leak tax; with too few deals, the base rate and nothing more."""
    win, task = retrain.settings.training.win, retrain.task
    counts = record.Counts.of(retrain.examples.rows)
    day = day_number(retrain.as_of) if task.histories is not None else None
    _require_both_outcomes(retrain, counts, day)
    enough = gate.enough_deals(counts.n_won, counts.n_lost, least_wins=win.least_wins, least_losses=win.least_losses)
    if not enough.passed:
        return Learnt(Recipe(Rung("base rate"), Platt(), day), record.base_rate_record(counts), [enough])
    late = gate.nothing_filled_late(filled_late(retrain.prepared.snapshot, retrain.catalog))
    plan = plan_folds(retrain.examples, task, retrain.settings, as_of=retrain.as_of)
    tuned = retrain.settings.training.tuned
    top = Rung("tuned", tuned.C, tuned.size) if tuned else None
    ladder = climb(task, plan.choice, n_deals=counts.n_telling, tuned=top, champion=_comparable(retrain), track=retrain.track)
    report = _judge(retrain, plan, ladder)
    chosen = ladder.chosen
    useful = ladder.rungs["trees"] if chosen.name in SAYS_NOTHING else chosen
    worth_on = cache(lambda day: worth_on_day(retrain, day))
    worth = with_form(task, retrain.worth, plan, worth_on=worth_on)
    value = judge_value(task, worth, plan, worth_on=worth_on)
    fold = plan.locked or plan.choice[-1]
    return Learnt(
        Recipe(chosen, ladder.tested.platt(chosen.name), day),
        record.win_record(report, ladder, counts) | _beside(retrain, plan, ladder, report, useful),
        [enough, late, gate.beats_context(report), gate.beats_stage(report), gate.holds_against_ridge(report)]
        + [gate.calibrated(report), gate.value_holds(value), _against_champion(retrain, report)],
        record.curves(report.judged, chosen.name),
        _leak_tax(retrain, plan, ladder.rungs.get("16 leaves", useful)),
        None if value is None else {name: figure.to_dict() for name, figure in value.items()},
        record.calibration_rows(ladder.tested, chosen.name),
        worth,
        fold,
        worth_on(fold.train_day),
    )


def worth_on_day(retrain: Retrain, day: int | None) -> Worth:
    """Return what deals were worth as far as it was known on an earlier day."""
    if day is None:
        return retrain.worth
    settings, then = retrain.settings, (np.datetime64("1970-01-01", "D") + day).item()
    snapshot = take_snapshot(retrain.prepared.crm, as_of=then, waived=settings.waived(retrain.as_of))
    return worth_of(retrain.examples.rows, snapshot, settings)


def _comparable(retrain: Retrain) -> Rung | None:
    """Return the champion's recipe where it answers the same question and one of its features is still there."""
    king = retrain.king
    if king is None or king.horizon_days != retrain.task.horizon:
        return None
    return king.rung if set(king.rung.only) & set(retrain.task.features.columns) else None


def _against_champion(retrain: Retrain, report: WinReport) -> gate.Check:
    king, horizon = retrain.king, retrain.task.horizon
    incomplete = leaves_out(king, list(retrain.task.features.columns), horizon_days=horizon)
    return incomplete or better_than_champion(report, king, as_of=retrain.as_of, horizon_days=horizon)


def _require_both_outcomes(retrain: Retrain, counts: record.Counts, day: int | None) -> None:
    y, weight = retrain.task.outcomes(np.arange(len(retrain.task.won)), day)
    won, not_won = int(y[weight > 0].sum()), int((1 - y)[weight > 0].sum())
    if not won or not not_won:
        raise DataError(
            f"Of {counts.n_examples} examples of {counts.n_deals} deals, {won} were won within the horizon and {not_won} were "
            "not: there is nothing to tell apart. A CRM may delete lost deals, or call them something else; export all of "
            "them, map every status in conf/crm.yaml, or take a later as-of date."
        )


def _beside(retrain: Retrain, plan: Plan, ladder: Ladder, report: WinReport, rung: Rung) -> dict:
    """Return what stands beside the headline: how the choice was made, a random split's flattery, what more deals would
    buy, reliability, and figures by size class and sector.
    """
    task, judged = retrain.task, report.judged
    deals = pd.factorize(retrain.examples.rows["deal_id"])[0]
    fold = plan.choice[-1] if plan.locked is None else plan.locked
    curve = learning_curve(task, plan.choice[-1], rung, deals=deals, n_draws=1 if "16 leaves" in ladder.rungs else 3)
    rows = (judged.y, judged.p[report.chosen], judged.weight)
    beside = {
        "chosen_forward": plan.chosen_forward,
        "skipped_quarters": list(plan.skipped),
        "random_split_auc": None if plan.locked is None else random_split_auc(task, fold, rung),
        "forward_auc": None
        if plan.locked is None
        else auc_within(ladder.tested.fold)(ladder.tested.y, ladder.tested.margins[rung.name], ladder.tested.weight),
        "learning_curve": record.curve_record(curve),
        "reliability": corp(*rows).__dict__ | {"steps": reliability_curve(*rows)},
    }
    return beside | {"slices": _slices(retrain, report)}


def _slices(retrain: Retrain, report: WinReport) -> dict:
    found = {}
    for name, spec in retrain.catalog.features.items():
        if spec.verb == "value" and spec.column in ("size_class", "sector"):
            levels = retrain.task.features[name].fillna("(missing)").to_numpy(dtype=object)[report.judged.rows]
            measured = slices(report.judged, report.chosen, levels, seed=retrain.task.seed)
            found[spec.column] = {level: record.figures_record(figures) for level, figures in measured.items()}
    return found


def _judge(retrain: Retrain, plan: Plan, ladder: Ladder) -> WinReport:
    capacity = share_of_a(retrain.settings.scoring, retrain.n_accounts)
    how = {"capacity": capacity, "n_boot": retrain.settings.training.n_boot}
    if plan.locked is not None:
        return judge_forward(retrain.task, plan.locked, ladder, track=retrain.track, **how)
    return judge_grouped(retrain.task, plan.choice, ladder, track=retrain.track, **how)


def _leak_tax(retrain: Retrain, plan: Plan, rung: Rung) -> dict | None:
    crm, task = retrain.prepared.crm, retrain.task
    columns = refused_columns(crm, retrain.settings.waived(retrain.as_of))
    if not columns or not retrain.settings.training.leak_tax:
        return None
    leaking = pd.concat([task.features, refused_features(retrain.examples.rows, crm, columns)], axis=1)
    without, with_them = leak_tax(task, task.with_features(leaking), plan.choice, rung)
    names = [f"{table}.{column}" for table, column in columns]
    return {"columns": names, "auc_without": without, "auc_with": with_them, "rung": rung.name}
