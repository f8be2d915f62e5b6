"""The present champion as a rival: the way it was made, made again on what the challenger may train on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.bundle import Bundle, champion, open_version, versions
from winworth.errors import IntegrityError, listed
from winworth.flows.gate import SURE, Check
from winworth.models.evaluate import WinReport
from winworth.models.metrics import log_loss
from winworth.models.task import Rung
from winworth.models.trees import TreeSize
from winworth.scoring.segments import Segments, is_readable
from winworth.weights.criteria import shares

MOST_WORSE = 0.01


@dataclass(frozen=True)
class Reigning:
    """The champion's version, its day and horizon, its recipe as a rung, its exact weights in points of 100, its segments (None
    where it has none, or wrote them as winworth did before they had ids), and those written in all versions beside it.
    """

    version: str
    as_of: date
    horizon_days: int
    rung: Rung
    weights: Mapping[str, float] = field(default_factory=dict)
    segments: Segments | None = None
    written: tuple[Segments, ...] = ()


def recipe_record(rung: Rung, features: list[str]) -> dict:
    """Return how a model was made, for metrics.json."""
    return {"C": rung.C, "size": asdict(rung.size) if rung.size else None, "features": features}


def reigning(home: Path) -> Reigning | None:
    """Read how the champion was made; None where there is none, or it is older than such records."""
    models = home / "models"
    if not (models / "champion").exists():
        return None
    bundle = open_version(models / champion(models))
    metrics = bundle.json("metrics.json")
    made = metrics.get("recipe")
    if made is None:
        return None
    size = TreeSize(**made["size"]) if made["size"] else None
    rung = Rung("champion", C=made["C"], size=size, only=tuple(made["features"]))
    measured = (bundle.version, bundle.as_of, metrics["horizon_days"], rung)
    return Reigning(*measured, _weights(bundle), _segments(bundle), segments_written(models))


def segments_written(models: Path) -> tuple[Segments, ...]:
    """Return the segments of every model version kept, oldest as-of date first; a version that is not whole has none."""
    found = []
    for version in versions(models):
        try:
            found.append(_segments(open_version(models / version)))
        except IntegrityError:  # it can never score again, and must not stop a training
            continue
    return tuple(segments for segments in found if segments is not None)


def _weights(bundle: Bundle) -> dict[str, float]:
    table = pd.DataFrame(bundle.json("weights.json")["table"]).set_index("criterion")
    return shares(table.loc[table["family"] != "context", "dispersion"]).to_dict()


def _segments(bundle: Bundle) -> Segments | None:
    written = bundle.json("segments.json") if "segments.json" in bundle.names else {}
    return Segments.from_dict(written) if is_readable(written) else None


def leaves_out(king: Reigning | None, features: Sequence[str], *, horizon_days: int) -> Check | None:
    """Refuse a challenger that lacks features of the champion: the champion made again without them is no yardstick."""
    lacking = [] if king is None or king.horizon_days != horizon_days else [x for x in king.rung.only if x not in features]
    if king is None or not lacking:
        return None
    says = (
        f"{len(lacking)} of the {len(king.rung.only)} features that {king.version} reads are left out ({listed(lacking)}), so "
        "that it cannot be made again as it was. Bring them back, or sign for leaving them out with promote --promote-anyway"
    )
    return Check("better_than_champion", False, says)


def better_than_champion(report: WinReport, king: Reigning | None, *, as_of: date, horizon_days: int) -> Check:
    """Check the challenger against the champion's way of being made, on the rows judged.

    A champion trained a quarter ago has seen outcomes of the locked quarter, so that its own figures there would flatter
    it; its recipe (features, rung) is therefore trained again on the challenger's training rows. On newer data a challenger
    must be no worse (the upper end of the one-sided 95 % interval below +1 % of the champion's log loss); on the same data
    another recipe must be better with 95 % certainty. Another horizon is another question: a new lineage.
    """
    name = "better_than_champion"
    if king is None:
        return Check(name, True, "there is no champion yet")
    if king.horizon_days != horizon_days:
        return Check(name, True, f"a new lineage: the horizon was {king.horizon_days} days and is {horizon_days}")
    mean, error = report.loss_against("champion")
    if mean == 0 and error == 0:
        return Check(name, True, f"made as {king.version} was")
    y, w = report.judged.y, report.judged.weight
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against the way {king.version} was made"
    if as_of > king.as_of:
        passed = mean + 1.645 * error < MOST_WORSE * log_loss(y, report.judged.p["champion"], w)
        return Check(name, passed, says + ", on newer data" + ("" if passed else "; at most 1 % worse is asked"))
    chance = report.chance_better_than("champion")
    told = f"{says}, better with {chance:.0%} certainty"
    return Check(name, chance >= SURE, told + ("" if chance >= SURE else f"; {SURE:.0%} is asked on the same data"))
