"""A growing pipeline: ways of treating open deals, against the truth.

Deals open ever more often over three years, so that many are still open on the last day. Each way learns from what is known
on that day and predicts the chance to be won within 180 days, which the world knows for each deal. Printed: the sum of
predictions over the sum of true chances, the log loss and the AUC, as means over the seeds. IPCW (inverse probability of
censoring weights) and competing hazards must be within 10 % of the truth, for deals that open next and for deals open on
the day. "Deals weigh 1" is IPCW where the examples of a deal share weight 1 instead of weighing 1 each.

    python bench/growth.py                                              # 6 seeds, both variants: half a minute
    python bench/growth.py --seeds 2
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.crm.synthetic.growth import AS_OF, GrowingPipeline, growing_pipeline
from winworth.models.censoring import Histories, outcomes_by
from winworth.models.hazards import CompetingHazards
from winworth.models.metrics import auc, log_loss
from winworth.models.trees import small_trees
from winworth.models.win import WinModel

HORIZON = 180
AGES = (0, 30, 90, 180)
N_FRESH = 4000
SIZE = small_trees(4000)
OPEN = 2**40


@dataclass(frozen=True)
class Known:
    """Examples of a world as known on its last day: deals at a few ages while open; `n_of_deal` counts a deal's own."""

    X: np.ndarray
    age: np.ndarray
    histories: Histories
    n_of_deal: np.ndarray


@dataclass(frozen=True)
class Asked:
    """Deals to predict: their matrix and age, the true chance to be won within the horizon, and whether they were."""

    X: np.ndarray
    age: np.ndarray
    chance: np.ndarray
    won: np.ndarray


def known(world: GrowingPipeline) -> Known:
    deal, age = (part.ravel() for part in np.meshgrid(np.arange(len(world.won)), AGES, indexing="ij"))
    observed = world.opened[deal] + age
    seen = (observed <= AS_OF) & (observed < world.ended[deal])
    deal, age, observed = deal[seen], age[seen], observed[seen]
    ended = np.where(world.ended[deal] <= AS_OF, world.ended[deal], OPEN)
    histories = Histories(observed, ended, world.won[deal] & (ended < OPEN))
    return Known(matrix(world, deal, age), age, histories, np.bincount(deal)[deal])


def asked(world: GrowingPipeline, deals: np.ndarray, age: np.ndarray) -> Asked:
    every_age = np.zeros(len(world.won))
    every_age[deals] = age
    in_time = world.won[deals] & (world.ended[deals] - world.opened[deals] <= age + HORIZON)
    return Asked(matrix(world, deals, age), age, world.chance(every_age, HORIZON)[deals], in_time.astype(float))


def matrix(world: GrowingPipeline, deals: np.ndarray, age: np.ndarray) -> np.ndarray:
    return np.column_stack([world.features.to_numpy()[deals], age])


def classifier(outcome: Callable[[Known], tuple[np.ndarray, np.ndarray]]) -> Callable[[Known, Asked], np.ndarray]:
    """Learn won or not from rows of some weight, by ridge and small trees averaged."""

    def predict(given: Known, wanted: Asked) -> np.ndarray:
        y, weight = outcome(given)
        model = WinModel(0.1, SIZE, threads=1).fit(given.X, y, weight)
        return model.predict_proba(wanted.X)[:, 1]

    return predict


def closed_only(given: Known) -> tuple[np.ndarray, np.ndarray]:
    return given.histories.won.astype(float), (given.histories.ended <= AS_OF).astype(float)


def open_as_not_won(given: Known) -> tuple[np.ndarray, np.ndarray]:
    return outcomes_by(given.histories, horizon=HORIZON, day=AS_OF)[0], np.ones(len(given.age))


def matured_only(given: Known) -> tuple[np.ndarray, np.ndarray]:
    matured = given.histories.observed + HORIZON <= AS_OF
    return outcomes_by(given.histories, horizon=HORIZON, day=AS_OF)[0], matured.astype(float)


def censored(given: Known) -> tuple[np.ndarray, np.ndarray]:
    return outcomes_by(given.histories, horizon=HORIZON, day=AS_OF)


def censored_sharing(given: Known) -> tuple[np.ndarray, np.ndarray]:
    """Let the examples of a deal share weight 1: a deal that closes soon has fewer, so weights know the outcome."""
    y, weight = censored(given)
    return y, weight / given.n_of_deal


def hazards(given: Known, wanted: Asked) -> np.ndarray:
    model = CompetingHazards(0.1, SIZE, threads=1).fit(given.X, given.histories, given.age, day=AS_OF)
    return model.win_probability_by(wanted.X, wanted.age, HORIZON)


WAYS = {
    "closed deals only": classifier(closed_only),
    "open = not won": classifier(open_as_not_won),
    "matured cohort only": classifier(matured_only),
    "IPCW": classifier(censored),
    "IPCW, deals weigh 1": classifier(censored_sharing),
    "competing hazards": hazards,
}


def measure(wins: str, seed: int, n_deals: int) -> pd.DataFrame:
    """Return for each way, on fresh and on open deals: ratio of sums, log loss and AUC."""
    world = growing_pipeline(n_deals=n_deals, wins=wins, seed=seed)
    later = growing_pipeline(n_deals=N_FRESH, wins=wins, seed=1000 + seed)
    still_open = np.flatnonzero(world.ended > AS_OF)
    given = known(world)
    tested = {
        "fresh": asked(later, np.arange(N_FRESH), np.zeros(N_FRESH)),
        "open": asked(world, still_open, (AS_OF - world.opened[still_open]).astype(float)),
    }
    found = []
    for way, predict in WAYS.items():
        for deals, wanted in tested.items():
            p, even = predict(given, wanted), np.ones(len(wanted.won))
            told = {"ratio": p.sum() / wanted.chance.sum(), "log_loss": log_loss(wanted.won, p, even)}
            found.append({"way": way, "deals": deals, **told, "auc": auc(wanted.won, p, even)})
    return pd.DataFrame(found).assign(wins=wins, seed=seed)


def compare(n_seeds: int, n_deals: int) -> pd.DataFrame:
    """Return the mean of each figure over the seeds, one row a variant, kind of deals and way."""
    runs = [measure(wins, seed, n_deals) for wins in ("slower", "faster") for seed in range(n_seeds)]
    keys = ["wins", "deals", "way"]
    return pd.concat(runs).groupby(keys, sort=False)[["ratio", "log_loss", "auc"]].mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--deals", type=int, default=4000)
    given = parser.parse_args()
    table = compare(given.seeds, given.deals)
    print(f"{given.deals:,} deals, means over {given.seeds} seeds: predicted / true, log loss, AUC")
    for deals in ("fresh", "open"):
        print(f"\n{deals + ' deals':<22}{'wins slower':^26}{'wins faster':^26}")
        for way in WAYS:
            cells = [table.loc[(wins, deals, way)] for wins in ("slower", "faster")]
            line = "".join(f"{c['ratio']:10.3f}{c['log_loss']:8.4f}{c['auc']:8.4f}" for c in cells)
            print(f"{way:<22}{line}")
    off = table.loc[(slice(None), slice(None), ["IPCW", "competing hazards"]), "ratio"] - 1
    assert off.abs().max() <= 0.10, f"off the truth by {off.abs().max():.3f}"


if __name__ == "__main__":
    main()
