"""Seek better settings for the win model, and keep them only where they are better beyond noise."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from winworth.atomic import write_file
from winworth.config import TUNED, Settings, TunedSettings
from winworth.errors import DataError
from winworth.flows import gate, record
from winworth.flows.learn import examples_of, plan_folds, win_task
from winworth.flows.prepare import prepare, without_absent
from winworth.lock import run_lock
from winworth.models.ladder import Ladder, climb
from winworth.models.track import Track, untracked
from winworth.models.tune import Search, Trial, gain, search
from winworth.tracked_tuning import TrackedTrial, TrackedTuning
from winworth.tracking import record_tuning


@dataclass(frozen=True)
class Tuned:
    """What tuning found, beside the default: the ladder's chosen rung in the same folds.

    `gain` is mean log loss of tuning less that of the default, each fold judged by what the others would choose, and its
    standard error by account. `settings` is None where the defaults stay.
    """

    default: str
    default_loss: float
    best_loss: float
    gain: tuple[float, float]
    settings: TunedSettings | None
    search: Search
    folds: tuple[str, ...]
    path: Path
    warnings: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[Path, ...]:
        """Where the charts are: every trial's loss, and which settings it hangs on."""
        return self.path.with_name("history.svg"), self.path.with_name("importances.svg")

    @property
    def says(self) -> str:
        """What was decided and why, in a sentence."""
        mean, error = self.gain
        told = f"log loss {mean:+.5f} with a standard error of {error:.5f} against {self.default}"
        if self.settings is None:
            return f"The defaults stay: tuning does not beat them beyond noise ({told})."
        return f"The tuned settings are better beyond noise ({told})."


def tune(settings: Settings, *, as_of: date, home: Path, n_trials: int = 40, track: Track = untracked) -> Tuned:
    """Try `n_trials` settings in the choice folds, never in the locked quarter, and write `home`/tuning/tuned.yaml.

    A tuning that was stopped goes on where it was; one that is complete and asked for more trials adds them. Charts are
    written beside it, and MLflow has it on record with a run for each trial.
    """
    with run_lock(home, "tune"):
        prepared = prepare(settings, as_of=as_of)
        catalog = without_absent(settings.catalog, prepared.crm)
        examples = examples_of(prepared.snapshot, catalog, settings)
        task = win_task(examples, catalog, settings, prepared.snapshot)
        counts = record.Counts.of(examples.rows)
        _check_enough(counts, settings)
        folds = plan_folds(examples, task, settings, as_of=as_of).choice
        ladder = climb(task, folds, n_deals=counts.n_telling, track=track)
        folder = (home / TUNED).parent
        found = search(task, folds, n_trials=n_trials, n_deals=counts.n_telling, folder=folder, track=track)
        difference = gain(task, folds, found, ladder)
        done = Tuned(
            default=ladder.chosen.name,
            default_loss=ladder.loss[ladder.chosen.name],
            best_loss=found.best.loss,
            gain=difference,
            settings=_settings(found, as_of) if _is_better(difference, found, ladder) else None,
            search=found,
            folds=tuple(fold.name for fold in folds),
            path=home / TUNED,
            warnings=prepared.warnings,
        )
        _keep(settings, done, as_of=as_of, home=home)
        return done


def _check_enough(counts: record.Counts, settings: Settings) -> None:
    win = settings.training.win
    enough = gate.enough_deals(counts.n_won, counts.n_lost, least_wins=win.least_wins, least_losses=win.least_losses)
    if not enough.passed:
        raise DataError(f"There is too little to tune on: {enough.says}.")


def _is_better(difference: tuple[float, float], found: Search, ladder: Ladder) -> bool:
    mean, error = difference
    return mean < -error and found.best.loss < ladder.loss[ladder.chosen.name]


def _settings(found: Search, as_of: date) -> TunedSettings:
    return TunedSettings(found.best.rung.C, found.best.rung.size, as_of)


def _notes(done: Tuned, as_of: date) -> tuple[str, ...]:
    trials = done.search.trials
    n_pruned = sum(trial.is_pruned for trial in trials)
    return (
        f"Written by tune as of {as_of}: {len(trials)} trials, {n_pruned} of them given up early, in {', '.join(done.folds)}.",
        done.says,
        "Training reads this file; without it, it uses the defaults.",
    )


def _keep(settings: Settings, done: Tuned, *, as_of: date, home: Path) -> None:
    """Write the settings, then the charts, then put it all on record: what fails later costs nothing that came before."""
    text = tuned_text(done.settings, _notes(done, as_of))
    write_file(done.path, text)
    figures = _drawn(done)
    for path, svg in figures.items():
        write_file(path, svg)
    record_tuning(home, _tracked(settings, done, as_of=as_of, files={done.path: text} | figures))


def _drawn(done: Tuned) -> dict[Path, str]:
    from winworth.review.tuning_charts import history_chart, importances_chart

    found, is_better = done.search, done.settings is not None
    history = history_chart(found, default=done.default, default_loss=done.default_loss, gain=done.gain, is_better=is_better)
    importances = importances_chart(found.importances, n_trials=len(found.completed))
    return dict(zip(done.figures, (history, importances), strict=True))


def _tracked(settings: Settings, done: Tuned, *, as_of: date, files: dict[Path, str]) -> TrackedTuning:
    trials, training = done.search.trials, settings.training
    return TrackedTuning(
        experiment=settings.crm.company,
        name=f"tune {as_of}",
        asked=f"{done.search.question} {as_of}",
        trials=tuple(_tracked_trial(trial) for trial in trials),
        params={
            "as_of": as_of,
            "seed": training.seed,
            "win.horizon_days": training.win.horizon_days,
            "folds": ", ".join(done.folds),
        },
        metrics={
            "n_trials": len(trials),
            "n_pruned": sum(trial.is_pruned for trial in trials),
            "default_loss": done.default_loss,
            "best_loss": done.best_loss,
            "gain": done.gain[0],
            "gain_se": done.gain[1],
        },
        tags={
            "decided": "the defaults stay" if done.settings is None else "the tuned settings",
            "default": done.default,
            "best_trial": _name(done.search.best),
            "mlflow.note.content": done.says,
        },
        files={path.name: text for path, text in files.items()},
    )


def _tracked_trial(trial: Trial) -> TrackedTrial:
    return TrackedTrial(_name(trial), trial.is_pruned, settings_tried(trial), trial.loss, trial.fold_losses)


def settings_tried(trial: Trial) -> dict[str, object]:
    """Return a trial's settings by name, without those that mean nothing to its kind."""
    rung = trial.rung
    size = asdict(rung.size) if rung.size else {}
    if size.get("encoding") == "one-hot":
        size = {name: value for name, value in size.items() if name not in ("cat_smooth", "cat_l2", "min_data_per_group")}
    kind = "ridge" if rung.size is None else "trees" if rung.C is None else "average"
    return {"kind": kind} | ({} if rung.C is None else {"C": rung.C}) | size


def _name(trial: Trial) -> str:
    return f"trial {trial.number:02d}"


def tuned_text(tuned: TunedSettings | None, notes: tuple[str, ...]) -> str:
    """Write the YAML that training reads, notes first; None says that the defaults stay.

    >>> print(tuned_text(TunedSettings(C=0.03), ("By hand.",)), end="")
    # By hand.
    tuned:
      C: 0.03
      size: null
    """
    lines = [f"# {note}" for note in notes]
    if tuned is None:
        return "\n".join([*lines, "tuned: null"]) + "\n"
    as_of = [f"  as_of: {tuned.as_of}"] if tuned.as_of else []
    size = ["  size: null"]
    if tuned.size is not None:
        size = ["  size:", *[f"    {name}: {json.dumps(value)}" for name, value in asdict(tuned.size).items()]]
    return "\n".join([*lines, "tuned:", *as_of, f"  C: {json.dumps(tuned.C)}", *size]) + "\n"
