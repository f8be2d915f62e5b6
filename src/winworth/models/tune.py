"""Better settings for the win model, sought in the folds in which everything is chosen; the only door to Optuna."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from winworth.models.folds import Fold
from winworth.models.ladder import MANY_DEALS, Ladder, rungs_for
from winworth.models.metrics import log_loss_rows, paired_difference
from winworth.models.task import Rung, WinTask
from winworth.models.trees import TreeSize

if TYPE_CHECKING:
    import optuna

SPACE = 1  # to be raised whenever what is searched changes: older trials then no longer count
STARTUP = 8  # trials drawn at random before the others are drawn by what they found
BINS = (255, 1023, 4095)


@dataclass(frozen=True)
class Room:
    """Where settings are sought: whether ridge and its average with trees are, the range of leaves, the most trees and the most
    for least rows in a leaf, and whether features have levels.

    A long history is not offered ridge: the ladder has tried it, and large trees lose by an average with it.
    """

    with_ridge: bool
    leaves: tuple[int, int]
    n_trees: int
    min_rows: int
    has_levels: bool

    @classmethod
    def of(cls, n_deals: int, features: pd.DataFrame) -> "Room":
        """Return what a history of this size may try."""
        has_levels = not all(pd.api.types.is_numeric_dtype(dtype) for dtype in features.dtypes)
        if n_deals < 1000:
            return cls(True, (3, 8), 300, max(20, n_deals // 8), has_levels)
        if n_deals < MANY_DEALS:
            return cls(True, (3, 31), 600, 200, has_levels)
        return cls(False, (6, 127), 2000, 200, has_levels)


@dataclass(frozen=True)
class Trial:
    """Settings tried: the sum of log losses and of weights in each fold they reached, and whether they were given up."""

    number: int
    rung: Rung
    folds: tuple[tuple[float, float], ...]
    is_pruned: bool

    @property
    def loss(self) -> float:
        """The mean log loss over the folds it reached."""
        return _mean(self.folds)

    @property
    def fold_losses(self) -> tuple[float, ...]:
        """The mean log loss in each fold it reached."""
        return tuple(loss / weight for loss, weight in self.folds)

    def loss_without(self, fold: int) -> float:
        """Return the mean log loss over the folds but one (over all where there is only that one)."""
        return _mean(self.folds[:fold] + self.folds[fold + 1 :] or self.folds)


@dataclass(frozen=True)
class Search:
    """All trials of a question in their order, and the share of the loss's variance that each setting explains.

    `question` is the name of what was asked, the same in every search that goes on with it.
    """

    trials: tuple[Trial, ...]
    importances: dict[str, float]
    n_resumed: int
    question: str = ""

    @property
    def completed(self) -> list[Trial]:
        """The trials that went through every fold."""
        return [trial for trial in self.trials if not trial.is_pruned]

    @property
    def best(self) -> Trial:
        """The trial with the least mean log loss, the earlier where two are equal."""
        return min(self.completed, key=lambda trial: trial.loss)

    def best_without(self, fold: int) -> Trial:
        """Return the trial that the other folds would choose."""
        return min(self.completed, key=lambda trial: trial.loss_without(fold))


def search(
    task: WinTask,
    folds: tuple[Fold, ...],
    *,
    n_trials: int,
    n_deals: int,
    folder: Path,
    track: Callable[[Iterable[Any], str], Iterable[Any]] = lambda steps, label: steps,
) -> Search:
    """Try `n_trials` settings in turn, or as many as are still lacking: every trial is kept in a journal below `folder`.

    The first are the ladder's own trees and two variants of the largest; then Optuna's tree-structured Parzen estimator
    proposes (Bergstra et al. 2011), sown anew for every trial by the task's seed and the trial's place. So a search that was
    stopped, even within a trial, goes on as if it had not been. A trial is given up once its running loss is above the median
    of the others at that fold.
    """
    room = Room.of(n_deals, task.features)
    starts = _starts(n_deals, room)
    asked = question(task, folds, room)
    study = _study(folder / f"trials-{asked}.log")
    n_resumed = len(_finished(study))
    for place in track(range(n_resumed, n_trials), "Tuning"):
        study.sampler = _sampler(task.seed, place)
        if place < len(starts) and not _in_state(study, "WAITING"):
            study.enqueue_trial(starts[place])
        study.optimize(lambda trial: _objective(trial, task, folds, room), n_trials=1)
    trials = tuple(_trial(frozen, room) for frozen in _finished(study))
    return Search(trials, _importances(study, task.seed), n_resumed, asked)


def gain(task: WinTask, folds: tuple[Fold, ...], found: Search, ladder: Ladder) -> tuple[float, float]:
    """Return the log loss of tuning less that of the ladder's chosen rung, and its standard error by account.

    Each fold is judged by the settings that the other folds would choose, so that the best of many trials is not credited
    with its luck (Varma and Simon 2006); with a single fold it is, and only the locked quarter tells.
    """
    loss = [fold_loss(task, fold, found.best_without(k).rung)[0] for k, fold in enumerate(folds)]
    tested = ladder.tested
    default = log_loss_rows(tested.y, expit(tested.margins[ladder.chosen.name]))
    return paired_difference(np.concatenate(loss), default, tested.weight, tested.accounts)


def fold_loss(task: WinTask, fold: Fold, rung: Rung) -> tuple[np.ndarray, np.ndarray]:
    """Train a rung and return the log loss and weight of each row tested whose outcome is known."""
    margin = task.margin(task.fit(fold.train, fold.train_day, rung), fold.test)
    y, weight = task.outcomes(fold.test, fold.test_day)
    kept = weight > 0
    return log_loss_rows(y[kept], expit(margin[kept])), weight[kept]


def question(task: WinTask, folds: tuple[Fold, ...], room: Room) -> str:
    """Return a name for what is asked: features, outcomes, folds, seed and search space. Rows of no fold are not read."""
    asked = (SPACE, room, task.seed, task.horizon, list(task.features), sorted(task.directions.items()))
    digest = hashlib.sha256(repr(asked).encode())
    for fold in folds:
        for rows, day in ((fold.train, fold.train_day), (fold.test, fold.test_day)):
            features = pd.util.hash_pandas_object(task.features.iloc[rows], index=False).to_numpy()
            for part in (features, *task.outcomes(rows, day)):
                digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]


def _objective(trial: "optuna.Trial", task: WinTask, folds: tuple[Fold, ...], room: Room) -> float:
    import optuna

    rung, sums = _suggested(trial, room), []
    for step, fold in enumerate(folds):
        loss, weight = fold_loss(task, fold, rung)
        sums.append((float(weight @ loss), float(weight.sum())))
        trial.set_user_attr("folds", sums)
        trial.report(_mean(sums), step)
        if step < len(folds) - 1 and trial.should_prune():
            raise optuna.TrialPruned
    return _mean(sums)


def _suggested(trial: "optuna.trial.BaseTrial", room: Room) -> Rung:
    """Draw ridge, trees or both, with their settings, to four digits: what is written down is what was tried."""
    kind = trial.suggest_categorical("kind", ["ridge", "trees", "average"]) if room.with_ridge else "trees"
    C = None if kind == "trees" else _short(trial.suggest_float("C", 0.001, 3.0, log=True))
    return Rung("tuned", C, None if kind == "ridge" else _suggested_size(trial, room))


def _suggested_size(trial: "optuna.trial.BaseTrial", room: Room) -> TreeSize:
    """Draw the trees' settings; their number follows from `reach`, number times rate, which says how far they fit."""
    levels: dict[str, Any] = {}
    if room.has_levels and trial.suggest_categorical("encoding", ["one-hot", "category"]) == "category":
        levels = {
            "encoding": "category",
            "cat_smooth": _short(trial.suggest_float("cat_smooth", 1.0, 300.0, log=True)),
            "cat_l2": _short(trial.suggest_float("cat_l2", 0.5, 100.0, log=True)),
            "min_data_per_group": trial.suggest_int("min_data_per_group", 5, 300, log=True),
        }
    rate, reach = _short(trial.suggest_float("rate", 0.01, 0.2, log=True)), trial.suggest_float("reach", 1.5, 60.0, log=True)
    return TreeSize(
        leaves=trial.suggest_int("leaves", *room.leaves, log=True),
        n_trees=min(max(10, round(reach / rate)), room.n_trees),
        rate=rate,
        min_rows=trial.suggest_int("min_rows", 5, room.min_rows, log=True),
        bins=trial.suggest_categorical("bins", BINS),
        lambda_l2=_short(trial.suggest_float("lambda_l2", 0.1, 100.0, log=True)),
        feature_fraction=_short(trial.suggest_float("feature_fraction", 0.3, 1.0)),
        **levels,
    )


def _starts(n_deals: int, room: Room) -> list[dict[str, Any]]:
    """Return the ladder's trees, from large to small, as Optuna names their settings, and two variants of the largest."""
    sizes = [rung.size for rung in reversed(rungs_for(n_deals)[1])]
    named = ("leaves", "rate", "min_rows", "bins", "lambda_l2", "feature_fraction", "encoding")
    kind = {"kind": "trees"} if room.with_ridge else {}
    starts = [kind | {name: getattr(s, name) for name in named} | {"reach": s.n_trees * s.rate} for s in sizes]
    by_codes = {"encoding": "category", "cat_smooth": 50.0, "cat_l2": 20.0, "min_data_per_group": 20}
    return [*starts, starts[0] | {"feature_fraction": 0.5}, starts[0] | (by_codes if room.has_levels else {"lambda_l2": 20.0})]


def _study(journal: Path) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal.parent.mkdir(parents=True, exist_ok=True)
    _mend(journal)
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)  # left by a run that died: ours is the only one here
    storage = JournalStorage(JournalFileBackend(str(journal)))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=0)
    study = optuna.create_study(storage=storage, study_name="win", pruner=pruner, load_if_exists=True)
    for broken in _in_state(study, "RUNNING"):
        study.tell(broken.number, state=optuna.trial.TrialState.FAIL)
    return study


def _mend(journal: Path) -> None:
    """Cut off a last line that a run which died left half written: Optuna would refuse the file."""
    if journal.exists() and not (content := journal.read_bytes()).endswith(b"\n"):
        journal.write_bytes(content[: content.rfind(b"\n") + 1])


def _sampler(seed: int, place: int) -> "optuna.samplers.TPESampler":
    import optuna

    sown = int(np.random.SeedSequence([seed, place]).generate_state(1)[0])
    return optuna.samplers.TPESampler(seed=sown, n_startup_trials=STARTUP)


def _in_state(study: "optuna.Study", *names: str) -> "list[optuna.trial.FrozenTrial]":
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.name in names]


def _finished(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    return _in_state(study, "COMPLETE", "PRUNED")


def _trial(frozen: "optuna.trial.FrozenTrial", room: Room) -> Trial:
    import optuna

    rung = _suggested(optuna.trial.FixedTrial(frozen.params), room)
    folds = tuple((float(loss), float(weight)) for loss, weight in frozen.user_attrs["folds"])
    return Trial(frozen.number, rung, folds, frozen.state.name == "PRUNED")


def _importances(study: "optuna.Study", seed: int) -> dict[str, float]:
    """Return the importance of the settings that all trials share (functional ANOVA; Hutter et al. 2014)."""
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    values = {trial.value for trial in _in_state(study, "COMPLETE")}
    if len(values) < 4:
        return {}
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed))
    return {name: float(share) for name, share in found.items()}


def _mean(folds: Iterable[tuple[float, float]]) -> float:
    losses, weights = zip(*folds, strict=True)
    return sum(losses) / sum(weights)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
