"""Learn, weigh, judge, and keep what is needed to score: a challenger."""

from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.bundle import save_version, set_challenger
from winworth.config import Settings, with_tuned
from winworth.errors import DataError
from winworth.features.build import is_deal_level
from winworth.features.catalog import Catalog
from winworth.features.late import filled_late
from winworth.features.refused import refused_columns, refused_features
from winworth.flows import gate, record
from winworth.flows.card import model_card
from winworth.flows.dates import CloseDates, learn_dates
from winworth.flows.learn import (
    Examples,
    Recipe,
    Reference,
    Worth,
    day_number,
    examples_of,
    judge_value,
    learn_value,
    no_weights,
    past_population,
    plan_folds,
    reference_population,
    weigh,
    win_task,
    worth_of,
)
from winworth.flows.prepare import Prepared, Track, prepare, untracked, without_absent
from winworth.lock import run_lock
from winworth.models.calibration import Platt
from winworth.models.evaluate import WinReport, judge_forward, judge_grouped, leak_tax, random_split_auc, slices
from winworth.models.folds import Plan
from winworth.models.ladder import SAYS_NOTHING, Ladder, climb
from winworth.models.learning_curve import learning_curve
from winworth.models.metrics import auc_within
from winworth.models.reliability import corp, reliability_curve
from winworth.models.task import Rung, WinTask
from winworth.scoring.scorer import Scorer, as_json
from winworth.scoring.segments import Segments, find_segments
from winworth.sheets import to_csv
from winworth.tracking import TrackedRun, record_run
from winworth.weights.criteria import CriteriaWeights
from winworth.weights.reasons import Wording

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Trained:
    """A challenger: its version, what it scores with, and what was measured (the content of metrics.json)."""

    version: str
    scorer: Scorer
    metrics: dict


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

    @property
    def as_of(self) -> date:
        """The day of the retrain."""
        return self.prepared.snapshot.as_of


@dataclass(frozen=True)
class Learnt:
    """The win side of a retrain: how the final model is made, how it was judged, and why it may not be promoted."""

    recipe: Recipe
    win: dict
    checks: list[gate.Check]
    curves: dict | None = None
    tax: dict | None = None
    value: dict | None = None

    @property
    def has_signal(self) -> bool:
        """Whether there is anything to rank by."""
        return self.recipe.rung.name not in SAYS_NOTHING


def train(settings: Settings, *, as_of: date, home: Path, track: Track = untracked) -> Trained:
    """Learn from the extract as known on `as_of`, write a model version below `home`/models and make it the challenger."""
    with run_lock(home, "train"):
        settings = with_tuned(settings, home, as_of=as_of)
        retrain = _begin(settings, as_of, track)
        learnt = _learn(retrain)
        reference = reference_population(retrain.examples, retrain.prepared.snapshot, retrain.catalog, settings)
        scorer = _scorer(retrain, learnt, reference)
        if learnt.has_signal and scorer.weights.table["weight"].sum() == 0:
            reference = past_population(retrain.examples, settings)
            scorer = _scorer(retrain, learnt, reference)
        metrics = _metrics(retrain, learnt, reference)
        dates = learn_dates(retrain.task, retrain.examples.rows, as_of=as_of)
        version = save_version(home / "models", _files(scorer, dates, metrics), as_of=as_of)
        set_challenger(home / "models", version)
        record_run(home, _tracked(settings, metrics, version, home))
        return Trained(version, scorer, metrics)


def _begin(settings: Settings, as_of: date, track: Track) -> Retrain:
    prepared = prepare(settings, as_of=as_of)
    catalog = without_absent(settings.catalog, prepared.crm)
    examples = examples_of(prepared.snapshot, catalog, settings)
    task = win_task(examples, catalog, settings, prepared.snapshot)
    return Retrain(settings, prepared, catalog, examples, task, worth_of(examples, settings), track)


def _learn(retrain: Retrain) -> Learnt:
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
    ladder = climb(task, plan.choice, n_deals=counts.n_deals, tuned=top, track=retrain.track)
    report = _judge(retrain, plan, ladder)
    chosen = ladder.chosen
    useful = ladder.rungs["trees"] if chosen.name in SAYS_NOTHING else chosen
    value = judge_value(task, retrain.worth, plan)
    return Learnt(
        Recipe(chosen, ladder.tested.platt(chosen.name), day),
        record.win_record(report, ladder, counts) | _beside(retrain, plan, ladder, report, useful),
        [enough, late, gate.beats_context(report), gate.holds_against_ridge(report)]
        + [gate.calibrated(report), gate.value_holds(value)],
        record.curves(report.judged, chosen.name),
        _leak_tax(retrain, plan, useful),
        None if value is None else {name: figure.to_dict() for name, figure in value.items()},
    )


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
    curve = learning_curve(task, plan.choice[-1], rung, deals=deals)
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
    how = {"capacity": retrain.settings.scoring.tiers["A"], "n_boot": retrain.settings.training.n_boot}
    if plan.locked is not None:
        return judge_forward(retrain.task, plan.locked, ladder, track=retrain.track, **how)
    return judge_grouped(ladder, seed=retrain.task.seed, track=retrain.track, **how)


def _leak_tax(retrain: Retrain, plan: Plan, rung: Rung) -> dict | None:
    crm, task = retrain.prepared.crm, retrain.task
    columns = refused_columns(crm, retrain.settings.waived(retrain.as_of))
    if not columns or not retrain.settings.training.leak_tax:
        return None
    leaking = pd.concat([task.features, refused_features(retrain.examples.rows, crm, columns)], axis=1)
    without, with_them = leak_tax(task, task.with_features(leaking), plan.choice, rung)
    names = [f"{table}.{column}" for table, column in columns]
    return {"columns": names, "auc_without": without, "auc_with": with_them, "rung": rung.name}


def _scorer(retrain: Retrain, learnt: Learnt, reference: Reference) -> Scorer:
    """Train the final models on all that is known, weigh the criteria, and find the segments."""
    task, catalog = retrain.task, retrain.catalog
    win = learnt.recipe.fit(task)
    if not learnt.has_signal:
        return Scorer(catalog, win, None, no_weights(catalog, list(task.features.columns)), None)
    value = learn_value(task, retrain.worth)
    weights = weigh(task, retrain.worth, reference, catalog, recipe=learnt.recipe, track=retrain.track)
    return Scorer(catalog, win, value, weights, _segments(weights, reference, catalog, retrain.settings))


def _segments(weights: CriteriaWeights, reference: Reference, catalog: Catalog, settings: Settings) -> Segments | None:
    """Find segments on features that an account has with or without an open deal, each with its criterion's share."""
    if not len(reference.features) or weights.table["weight"].sum() == 0:
        return None
    criteria = catalog.criterion_of
    weight = weights.table["weight"]
    lasting = [name for name in reference.features if not is_deal_level(catalog.features[name])]
    n_features = pd.Series([criteria[name] for name in lasting]).value_counts()
    shares = pd.Series({name: weight[criteria[name]] / 100 / n_features[criteria[name]] for name in lasting}, dtype=float)
    if shares.sum() == 0:
        return None
    wordings = {lang: Wording(catalog, lang) for lang in LANGUAGES}
    most = settings.scoring.most_segments
    return find_segments(reference.features, shares, wordings, most=most, seed=settings.training.seed)


def _metrics(retrain: Retrain, learnt: Learnt, reference: Reference) -> dict:
    settings, worth, prepared = retrain.settings, retrain.worth, retrain.prepared
    warnings = list(prepared.warnings)
    if worth.n_unknown:
        warnings.append(f"{worth.n_unknown} won deals have no amount: they count for winning and not for value.")
    if learnt.win["out_of_time"] and not learnt.win["chosen_forward"]:
        warnings.append("The history before the locked quarter is short: the model was chosen in folds apart by account.")
    if learnt.win.get("skipped_quarters"):
        skipped = ", ".join(learnt.win["skipped_quarters"])
        warnings.append(f"Later quarters are mature but have too few wins or losses to judge by: {skipped}.")
    if learnt.has_signal and not reference.is_pipeline:
        warnings.append("Fewer than 50 accounts or deals are open to work: weights are read on past deals instead.")
    if not learnt.has_signal:
        warnings.append("There is nothing to rank by: no weights are published.")
    return {
        "as_of": retrain.as_of.isoformat(),
        "company": settings.crm.company,
        "currency": settings.crm.currency,
        "mode": "model" if learnt.has_signal else "base_rate",
        "horizon_days": settings.training.win.horizon_days,
        "exclude_kinds": list(settings.training.win.exclude_kinds),
        "seed": settings.training.seed,
        "win": learnt.win,
        "value": learnt.value,
        "value_basis": worth.basis if not np.isnan(worth.money).all() else "none: no deal has an amount",
        "leak_tax": learnt.tax,
        "gate": gate.gate_record(learnt.checks),
        "slices": learnt.win.get("slices"),
        "weights_published": learnt.has_signal,
        "curves": learnt.curves,
        "read": record.read_record(prepared.crm.report),
        "warnings": warnings,
    }


def _files(scorer: Scorer, dates: CloseDates | None, metrics: dict) -> dict[str, bytes]:
    """Return every file of the model version: models, record, figures, and the code by which MLflow loads it."""
    from winworth.review import charts

    weights = record.labelled_weights(scorer.weights, scorer, "en")
    kept = {
        "metrics.json": as_json(metrics).encode(),
        "weights.csv": to_csv(weights.reset_index()),
        "model_card.md": model_card(metrics, weights).encode(),
        "pyfunc.py": files("winworth").joinpath("pyfunc.py").read_bytes(),
    }
    if metrics["weights_published"]:
        kept["figures/weights.svg"] = charts.weights_chart(weights, "en").encode()
        kept["figures/calibration.svg"] = charts.calibration_chart(metrics["curves"]["calibration"], "en").encode()
        kept["figures/gain.svg"] = charts.gain_chart(metrics["curves"]["gain"], "en").encode()
    return scorer.to_files() | (dates.to_files() if dates else {}) | kept


def _tracked(settings: Settings, metrics: dict, version: str, home: Path) -> TrackedRun:
    win = metrics["win"]
    measured = {}
    for block in ("out_of_time", "cross_validated", "new_accounts"):
        for name, figure in (win[block] or {}).items():
            measured |= {
                f"win.{block}.{name}{end}": figure[key] for end, key in (("", "value"), (".low", "low"), (".high", "high"))
            }
    measured |= {f"value.{name}": figure["value"] for name, figure in (metrics["value"] or {}).items()}
    params = {f"win.{k}": v for k, v in settings.training.win.__dict__.items()} | {
        "seed": settings.training.seed,
        "chosen": win["chosen"],
        "n_deals": win["n_deals"],
        "as_of": metrics["as_of"],
    }
    return TrackedRun(
        experiment=settings.crm.company,
        name=version,
        params={name: str(value) for name, value in params.items()},
        metrics={name: value for name, value in measured.items() if value is not None},
        tags={"mode": metrics["mode"], "gate": "passed" if metrics["gate"]["passed"] else "refused"},
        bundle=home / "models" / version,
        model_version=version,
    )
