"""Learn, weigh, judge, and keep what is needed to score: a challenger."""

from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import pandas as pd

from winworth.bundle import save_version, set_challenger
from winworth.config import Settings, with_tuned
from winworth.crm.archive import archive_extract
from winworth.flows import gate, record
from winworth.flows.card import model_card
from winworth.flows.customers import customers_files, judge_customers, learn_customers
from winworth.flows.dates import CloseDates, learn_dates
from winworth.flows.learn import (
    Reference,
    learn_value,
    past_population,
    reference_population,
    without_difference,
)
from winworth.flows.pictures import picture_files
from winworth.flows.profile import learn_profile
from winworth.flows.reference import reference_files
from winworth.flows.reigning import recipe_record
from winworth.flows.retrain import Learnt, Retrain, begin, learn
from winworth.flows.scorecard import Before, card_check, card_files, card_holds, card_record, judge_card, learn_card
from winworth.flows.segmenting import Segmented, learn_segments, segments_record
from winworth.flows.separation import fewer_tiers, judge_tiers
from winworth.flows.weigh import Question, Weighed, no_weights, weigh_criteria
from winworth.flows.worth import Worth, definition
from winworth.lock import run_lock
from winworth.models.track import Track, untracked
from winworth.scoring.scorer import Scorer, as_json
from winworth.scoring.seats import share_of_a
from winworth.sheets import to_csv
from winworth.tracking import TrackedRun, record_run
from winworth.weights.fidelity import Fidelity
from winworth.weights.overrides import LaterScores
from winworth.weights.scorecard import Scorecard


@dataclass(frozen=True)
class Trained:
    """A challenger: its version, what it scores with, and what was measured (the content of metrics.json)."""

    version: str
    scorer: Scorer
    metrics: dict


def train(settings: Settings, *, as_of: date, home: Path, track: Track = untracked) -> Trained:
    """Learn from the extract as known on `as_of`, write a model version below `home`/models and make it the challenger."""
    with run_lock(home, "train"):
        settings = with_tuned(settings, home, as_of=as_of)
        retrain = begin(settings, as_of, home, track)
        learnt = learn(retrain)
        reference = reference_population(retrain.examples, retrain.prepared.snapshot, retrain.catalog, settings)
        made = _made(retrain, learnt, reference)
        if learnt.has_signal and made.scorer.weights.table["weight"].sum() == 0:
            reference = past_population(retrain.examples, settings)
            made = _made(retrain, learnt, reference)
        scorer = made.scorer
        profile = learn_profile(retrain, learnt, scorer.placed(retrain.examples.features).segment)
        metrics = _metrics(retrain, learnt, reference, made) | profile.record()
        metrics["warnings"] += profile.notes
        if scorer.value is not None and scorer.value.model.n_held_:
            n = scorer.value.model.n_held_
            metrics["warnings"].append(f"{n} observations have an amount far beyond all others: it is held within reason.")
        dates = learn_dates(retrain.task, retrain.examples.rows, as_of=as_of)
        customers = customers_files(learn_customers(retrain.prepared.snapshot, settings)) if learnt.has_signal else {}
        files = _files(scorer, dates, metrics, learnt.calibration) | customers
        files |= card_files(made.card, scorer.catalog, in_use=scorer.card is not None, later=made.later) | profile.to_files()
        files |= picture_files(retrain, made.weighed, reference) | reference_files(retrain, scorer)
        version = save_version(home / "models", files, as_of=as_of)
        set_challenger(home / "models", version)
        files_from = settings.folder / settings.crm.folder if settings.crm.archive else None
        archive_extract(home, retrain.prepared.crm.report, as_of=as_of, files_from=files_from)
        record_run(home, _tracked(settings, metrics, version, home))
        return Trained(version, scorer, metrics)


@dataclass(frozen=True)
class Made:
    """What scores, the scorecard (None where nothing weighs), what it kept of the models on later rows, these rows, whether
    tiers differ there, how the segments were found, and what the criteria were weighed from.
    """

    scorer: Scorer
    card: Scorecard | None = None
    fidelity: Fidelity | None = None
    later: LaterScores | None = None
    tiers: dict | None = None
    segmented: Segmented | None = None
    weighed: Weighed | None = None


def _made(retrain: Retrain, learnt: Learnt, reference: Reference) -> Made:
    """Train the final models on all that is known, weigh the criteria, learn the scorecard, and find the segments."""
    task, catalog = retrain.task, retrain.catalog
    win = learnt.recipe.fit(task)
    if not learnt.has_signal:
        return Made(Scorer(catalog, win, None, no_weights(catalog, list(task.features.columns)), None))
    worth = learnt.worth or retrain.worth
    question = Question(task, worth, learnt.recipe, catalog, learnt.win["n_deals"])
    weighed = weigh_criteria(question, reference, effort=retrain.settings.training.weights, track=retrain.track)
    card = learn_card(weighed, reference, catalog, seed=task.seed)
    before = _before(retrain, learnt)
    judged = None if card is None else judge_card(question, before, track=retrain.track)
    kept, later, past = (judged.fidelity, judged.later, judged.weighed) if judged else (None, None, None)
    tiers = judge_tiers(question, before, retrain.examples.rows["deal_id"], retrain.settings.scoring, retrain.n_accounts)
    segmented = learn_segments(weighed, past, reference, retrain, learnt)
    in_use = card if card_holds(kept) else None
    segments = None if segmented is None else segmented.segments
    scorer = Scorer(catalog, win, learn_value(task, worth), weighed.weights, segments, in_use)
    return Made(scorer, card, kept, later, tiers, segmented, weighed)


def _before(retrain: Retrain, learnt: Learnt) -> Before:
    settings, fold = retrain.settings, learnt.fold
    how = (settings.training.reference_rows, share_of_a(settings.scoring, retrain.n_accounts), settings.training.n_boot)
    deals = pd.factorize(retrain.examples.rows["deal_id"])[0]
    return Before(fold, learnt.worth_before, deals, *how)


def _metrics(retrain: Retrain, learnt: Learnt, reference: Reference, made: Made) -> dict:
    weights = made.scorer.weights
    customers = judge_customers(retrain.prepared.snapshot, retrain.settings) if learnt.has_signal else None
    settings, worth, prepared = retrain.settings, learnt.worth or retrain.worth, retrain.prepared
    return {
        "as_of": retrain.as_of.isoformat(),
        "company": settings.crm.company,
        "currency": settings.crm.currency,
        "mode": "model" if learnt.has_signal else "base_rate",
        "horizon_days": settings.training.win.horizon_days,
        "exclude_kinds": list(settings.training.win.exclude_kinds),
        "seed": settings.training.seed,
        "win": learnt.win,
        "recipe": recipe_record(learnt.recipe.rung, list(retrain.task.features.columns)),
        "value": learnt.value,
        "value_definition": definition(settings, worth),
        "customers": customers,
        "scorecard": card_record(made.card, made.fidelity),
        "tiers": made.tiers,
        "segments": segments_record(made.segmented),
        "leak_tax": learnt.tax,
        "gate": gate.gate_record(
            [*learnt.checks, gate.customers_hold(customers), card_check(made.fidelity)]
            + retrain.leaks.checks(retrain.catalog.features)
        ),
        "leaks": retrain.leaks.to_dict(),
        "slices": learnt.win.get("slices"),
        "weights_published": learnt.has_signal,
        "weights": record.weights_record(weights, retrain.king),
        "curves": learnt.curves,
        "opened": record.opened(prepared.snapshot["deals"]),
        "read": record.read_record(prepared.crm.report),
        "warnings": [*_warnings(retrain, learnt, reference, worth), *fewer_tiers(made.tiers)],
    }


def _warnings(retrain: Retrain, learnt: Learnt, reference: Reference, worth: Worth) -> list[str]:
    warnings = [*retrain.prepared.warnings, *worth.notes, *without_difference(retrain.examples.features)]
    if worth.n_unknown:
        lacks = "amount" if worth.basis in ("deal_amount", "none") else "invoice yet"
        warnings.append(f"{worth.n_unknown} won deals have no {lacks}: they count for winning and not for value.")
    if learnt.win["out_of_time"] and not learnt.win["chosen_forward"]:
        warnings.append("The history before the locked quarter is short: the model was chosen in folds apart by account.")
    if learnt.win.get("skipped_quarters"):
        skipped = ", ".join(learnt.win["skipped_quarters"])
        warnings.append(f"Later quarters are mature but have too few wins or losses to judge by: {skipped}.")
    if learnt.has_signal and not reference.is_pipeline:
        warnings.append("Fewer than 50 accounts or deals are open to work: weights are read on past deals instead.")
    if not learnt.has_signal:
        warnings.append("There is nothing to rank by: no weights are published.")
    return warnings


def _files(scorer: Scorer, dates: CloseDates | None, metrics: dict, calibration: dict | None) -> dict[str, bytes]:
    """Return every file of the model version: models, record, figures, and the code by which MLflow loads it."""
    from winworth.review import charts

    weights = record.labelled_weights(scorer.weights, scorer, "en")
    kept = {
        "metrics.json": as_json(metrics).encode(),
        "weights.csv": to_csv(weights.reset_index()),
        "model_card.md": model_card(metrics, weights).encode(),
        "pyfunc.py": files("winworth").joinpath("pyfunc.py").read_bytes(),
    }
    if calibration is not None:
        kept["calibration.json"] = as_json(calibration).encode()
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
