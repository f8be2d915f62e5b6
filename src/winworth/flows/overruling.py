"""Leadership's weights at work: which overrides hold on a day, what they cost on later deals, and how they move accounts."""

from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.agreed import NAME, holding, read_record
from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.errors import ConfigError
from winworth.scoring.scorer import Scorer
from winworth.weights.overrides import LaterScores, Override, Price, in_force, log_shift, log_unit, overruled, price


@dataclass(frozen=True)
class Overruled:
    """A model version under the overrides of a day: weights by criterion before and after, what a point of the score is in log
    expected value, and the price; None where no later deals are kept, or nothing is overruled.
    """

    overrides: tuple[Override, ...]
    before: pd.Series
    after: pd.Series
    unit: float
    price: Price | None
    notes: tuple[str, ...]

    def scorer(self, scorer: Scorer) -> Scorer:
        """Return the scorer with the weights in force."""
        if not self.overrides:
            return scorer
        weight = self.after.reindex(scorer.weights.table.index).fillna(0).astype(int)
        weights = replace(scorer.weights, table=scorer.weights.table.assign(weight=weight))
        card = scorer.card and scorer.card.with_weights({name: int(self.after[name]) for name in scorer.card.weights})
        return replace(scorer, weights=weights, card=card)

    def shift(self, accounts: pd.DataFrame) -> np.ndarray:
        """Return by how much the overrides move accounts, by their criterion scores, in log expected value."""
        return log_shift(accounts[list(self.before.index)], self.before, self.after, unit=self.unit)

    def to_dict(self) -> dict:
        """Return the overrides, both weights and the price, for JSON."""
        return {
            "overrides": [as_entry(one) for one in self.overrides],
            "weights": {
                name: {"learnt": int(self.before[name]), "agreed": int(self.after[name])} for name in self.before.index
            },
            "price": self.price and self.price.to_dict(),
        }


def under_overrides(bundle: Bundle, settings: Settings, *, as_of: date, home: Path) -> tuple[Scorer, Overruled]:
    """Return a model version's scorer with the weights in force, which must have been agreed, and what overrules them."""
    scorer = Scorer.from_files(bundle.contents)
    ruled = overrule(scorer, bundle, settings, as_of=as_of)
    require_agreed(ruled, home)
    return ruled.scorer(scorer), ruled


def overrule(scorer: Scorer, bundle: Bundle, settings: Settings, *, as_of: date) -> Overruled:
    """Put the overrides that hold on a day on a model version, and price them on the later deals it keeps."""
    before = scorer.weights.criteria["weight"].astype(int)
    now, notes = in_force(settings.overrides, list(before.index), as_of=as_of)
    after = overruled(before, now) if now else before
    found = None
    if now and "later.json" in bundle.names:
        later = LaterScores.from_dict(bundle.json("later.json"))
        training = settings.training
        how = {"capacity": settings.scoring.tiers["A"], "seed": training.seed, "n_boot": training.n_boot}
        found = price(later, before, after, **how)
    return Overruled(tuple(now), before, after, log_unit(scorer.weights, scorer.card), found, tuple(notes))


def require_agreed(ruled: Overruled, home: Path) -> None:
    """Raise ConfigError where an override in force is not in the record of what was agreed."""
    told = holding(read_record(home / "models" / NAME))
    if unsigned := [one for one in ruled.overrides if as_entry(one) not in told]:
        first = unsigned[0]
        raise ConfigError(
            f"{len(unsigned)} overrides in overrides.yaml are not in the record, the first {first.criterion} = {first.weight} "
            f"by {first.who}. Run winworth agree: it shows their price and records them."
        )


def as_entry(one: Override) -> dict:
    """Return an override as the record tells it."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(one).items()}
