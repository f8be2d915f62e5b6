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
from winworth.models.tune import Search, gain, search


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
    def says(self) -> str:
        """What was decided and why, in a sentence."""
        mean, error = self.gain
        told = f"log loss {mean:+.5f} with a standard error of {error:.5f} against {self.default}"
        if self.settings is None:
            return f"The defaults stay: tuning does not beat them beyond noise ({told})."
        return f"The tuned settings are better beyond noise ({told})."


def tune(settings: Settings, *, as_of: date, home: Path, n_trials: int = 40, track: Track = untracked) -> Tuned:
    """Try `n_trials` settings in the choice folds, never in the locked quarter, and write `home`/tuning/tuned.yaml.

    A tuning that was stopped goes on where it was; one that is complete and asked for more trials adds them.
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
        write_file(done.path, tuned_text(done.settings, _notes(done, as_of)))
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
