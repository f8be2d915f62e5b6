"""What a retrain leaves behind beside the models: metrics.json, weights.csv, the model card and the figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.flows.reigning import Reigning
from winworth.models.evaluate import BASELINES, Judged, WinReport
from winworth.models.ladder import MANY_DEALS, TREES_ALONE, Ladder, Tested, rungs_for, telling_deals
from winworth.models.learning_curve import MORE, LearningCurve
from winworth.models.metrics import Figure
from winworth.models.shares import wilson
from winworth.scoring.scorer import Scorer
from winworth.tables import ReadReport
from winworth.weights.criteria import CriteriaWeights
from winworth.weights.doubt import movement

SIMPLER = ("context", "ridge", "crm")  # drawn beside the gain curve: what is easily had without the rest
DOUBT_COLUMNS = ("low", "high", "floor", "is_clear", "same_way", "rank_low", "rank_high", "unshrunk", "by_permutation")


@dataclass(frozen=True)
class Counts:
    """How many deals and examples there were; open deals are censored, not lost."""

    n_deals: int
    n_won: int
    n_lost: int
    n_open: int
    n_examples: int

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Counts":
        """Count the deals behind the examples by what is known of them."""
        status = rows.drop_duplicates("deal_id")["status"]
        n = {name: int((status == name).sum()) for name in ("won", "lost", "open")}
        return cls(len(status), n["won"], n["lost"], n["open"], len(rows))

    @property
    def n_telling(self) -> int:
        """How many closed deals the history is worth: what the data ladder goes by."""
        return telling_deals(self.n_won, self.n_lost)


def win_record(report: WinReport, ladder: Ladder, counts: Counts) -> dict:
    """Return the part of metrics.json on winning, under its stable keys."""
    figures = {name: figures_record(found) for name, found in report.figures.items()}
    chosen = figures[report.chosen]
    return {
        "out_of_time": chosen if report.is_forward else None,
        "cross_validated": None if report.is_forward else chosen,
        "new_accounts": None if report.new_accounts is None else figures_record(report.new_accounts),
        "baselines": {name.replace(" ", "_"): figures[name] for name in BASELINES if name in figures},
        "period": report.period,
        "chosen": report.chosen,
        "ladder": [
            {"rung": name, "log_loss": ladder.loss[name], "behind_best": mean, "standard_error": error}
            for name, (mean, error) in ladder.behind_best.items()
        ],
        "data_ladder": data_ladder(counts),
        **counts.__dict__,
    }


def data_ladder(counts: Counts, *, enough: bool = True) -> dict:
    """Return how far up the ladder a history of this size may go, and from how many telling deals on it may go further.

    Telling deals are closed ones, at most five for each of the rarer outcome.
    """
    steps = {"ridge": 0, "average": 0, "trees": TREES_ALONE} | {rung.name: MANY_DEALS for rung in rungs_for(MANY_DEALS)[1][1:]}
    further = {name: least for name, least in steps.items() if not enough or counts.n_telling < least}
    may_try = ["base rate", *(name for name in steps if name not in further)]
    return {"n_telling": counts.n_telling, "may_try": may_try, "further": further}


def base_rate_record(counts: Counts) -> dict:
    """Return the part of metrics.json on winning where too few deals have ended to learn from: a rate and its interval."""
    low, high = wilson(counts.n_won, counts.n_won + counts.n_lost)
    n = counts.n_won + counts.n_lost
    rate = Figure(counts.n_won / n if n else np.nan, low, high, n).to_dict()
    return {
        "out_of_time": None,
        "cross_validated": None,
        "new_accounts": None,
        "baselines": {"base_rate": {"base_rate": rate}},
        "period": "none",
        "chosen": "base rate",
        "ladder": [],
        "data_ladder": data_ladder(counts, enough=False),
        **counts.__dict__,
    }


def curves(judged: Judged, chosen: str, n_bins: int = 10) -> dict:
    """Return the calibration by tenths of the prediction, with Wilson's intervals, and gain curves: ours and simpler ones."""
    p, y, w = judged.p[chosen], judged.y, judged.weight
    order = np.argsort(p, kind="stable")
    calibration = []
    for part in np.array_split(order, n_bins):
        if not len(part):
            continue
        effective = int(round(w[part].sum()))
        observed = float(np.average(y[part], weights=w[part]))
        low, high = wilson(round(observed * effective), effective)
        predicted = float(np.average(p[part], weights=w[part]))
        calibration.append({"predicted": predicted, "observed": observed, "low": low, "high": high, "n": len(part)})
    simpler = {name: _gain(judged.p[name], y, w) for name in SIMPLER if name in judged.p and name != chosen}
    return {"calibration": calibration, "gain": _gain(p, y, w), "simpler": simpler}


def _gain(p: np.ndarray, y: np.ndarray, w: np.ndarray) -> list[dict]:
    """Return the share of wins found by the share of rows worked, those with the highest `p` first."""
    best_first = np.argsort(p, kind="stable")[::-1]
    reached, won = np.cumsum(w[best_first]) / w.sum(), np.cumsum((w * y)[best_first]) / max(float(w @ y), 1e-12)
    at = np.linspace(0, 1, 21)
    return [{"share": float(a), "captured": float(np.interp(a, np.r_[0, reached], np.r_[0, won]))} for a in at]


def curve_record(curve: LearningCurve) -> dict:
    """Return the learning curve for metrics.json, where what is not measured is null."""
    gain = Figure(curve.gain, curve.low, curve.high, MORE).to_dict()
    return {"points": [{"n_deals": n, "log_loss": loss} for n, loss in curve.points], "gain_of_more": gain}


def calibration_rows(tested: Tested, rung: str) -> dict:
    """Return the rows that calibration was learnt on (margin, outcome, weight), for intervals of single deals."""
    order = np.argsort(tested.margins[rung], kind="stable")
    margin = np.round(tested.margins[rung][order], 6)
    return {"margin": margin.tolist(), "won": tested.y[order].tolist(), "weight": np.round(tested.weight[order], 6).tolist()}


def opened(deals: pd.DataFrame) -> list[str] | None:
    """Return the first and the last day on which a deal opened; None without dates."""
    days = deals["opened_on"].dropna() if "opened_on" in deals else []
    return [days.min().date().isoformat(), days.max().date().isoformat()] if len(days) else None


def read_record(report: ReadReport) -> list[dict]:
    """Return where the rows of each file went, for metrics.json."""
    names = ("table", "file", "sha256", "n_read", "n_used", "n_quarantined", "n_duplicate", "n_out_of_scope")
    return [{name: getattr(count, name) for name in names} for count in report.files]


def labelled_weights(weights: CriteriaWeights, scorer: Scorer, lang: str) -> pd.DataFrame:
    """Return the weights table with each criterion's label in a language, and its doubt where that was measured."""
    labels = {name: criterion.label.get(lang, name) for name, criterion in scorer.catalog.criteria.items()}
    table = weights.table
    label = pd.Series({name: labels[name] for name in table.index}, dtype="str")
    names = ["family", "weight", "through_winning", "through_worth", "direction", "dispersion"]
    labelled = table[names].assign(label=label)[["label", *names]]
    return labelled if weights.doubt is None else labelled.join(weights.doubt.table[list(DOUBT_COLUMNS)])


def weights_record(weights: CriteriaWeights, king: Reigning | None) -> dict | None:
    """Return how surely the weights are known, for metrics.json; None where that was not measured."""
    if weights.doubt is None:
        return None
    moved = movement(weights, king.weights) | {"since": king.version} if king and king.weights else None
    return weights.doubt.to_dict() | {"movement": moved}


def figures_record(found: Mapping[str, Figure]) -> dict:
    """Return figures by name for metrics.json."""
    return {name: figure.to_dict() for name, figure in found.items()}
