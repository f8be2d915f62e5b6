"""A world of accounts whose segments are known: four that matter, and three louder ones that do not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.scoring.segment_tests import HeldOut
from winworth.weights.reasons import Wording

READS = {
    "size": Feature(value="accounts.size", label={"en": "headcount", "fr": "effectif"}),
    "visits": Feature(count="activities", label={"en": "visits", "fr": "visites"}),
    "sector": Feature(value="accounts.sector", label={"en": "sector", "fr": "secteur"}),
    **{f"loud_{k}": Feature(value=f"accounts.loud_{k}") for k in range(4)},
    "postcode": Feature(value="accounts.postcode"),
}
CATALOG = Catalog({name: Criterion("firmographic", {}, {name: feature}) for name, feature in READS.items()})
WORDINGS = {lang: Wording(CATALOG, lang) for lang in ("en", "fr")}
LOUD = {f"loud_{k}": 0.004 for k in range(4)}
SHARES = pd.Series({"size": 0.40, "visits": 0.32, "sector": 0.25, "postcode": 0.004} | LOUD)
SIZES = (0.32, 0.28, 0.22, 0.18)


@dataclass(frozen=True)
class World:
    """Features, the segment that matters and the one that does not, and what became of a deal with each account."""

    features: pd.DataFrame
    true: np.ndarray
    nuisance: np.ndarray
    won: np.ndarray
    value: np.ndarray

    def held_out(self) -> HeldOut:
        """Put the world as past examples, one an account."""
        n = len(self.true)
        return HeldOut(self.features, self.won, np.ones(n), self.value, np.arange(n))


def drawn(n: int = 900, seed: int = 0, *, sizes: tuple[float, ...] = SIZES, has_effect: bool = True) -> World:
    """Draw accounts: large or small, visited or not, a sector by segment; four loud numbers in three clusters of their own."""
    rng = np.random.default_rng(seed)
    true, nuisance = rng.choice(4, n, p=sizes), rng.integers(3, size=n)
    is_large, is_visited = true % 2 == 1, true >= 2
    loud = rng.normal(scale=0.25, size=(n, 4)) + np.array([[3, 0, 0, 3], [0, 3, 0, -3], [-3, -3, 3, 0]])[nuisance]
    features = pd.DataFrame(
        {
            "size": rng.lognormal(np.where(is_large, 5.5, 2.5), 0.6),
            "visits": rng.poisson(np.where(is_visited, 12, 2)).astype(float),
            "sector": np.where(rng.random(n) < 0.85, np.array(["retail", "steel", "energy", "health"])[true], "retail"),
            **{f"loud_{k}": loud[:, k] for k in range(4)},
            "postcode": rng.choice(list("abcdefgh"), n),
        }
    )
    chance = np.array([0.15, 0.35, 0.4, 0.65])[true] if has_effect else np.full(n, 0.35)
    won = (rng.random(n) < chance).astype(float)
    money = rng.lognormal(8 + (1.0 * is_large if has_effect else 0.0), 0.8, n)
    return World(features, true, nuisance, won, np.where(won == 1, money, np.nan))
