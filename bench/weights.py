"""Which way of weighing criteria finds the weights that were planted, and how much each gives to noise.

Worlds of the synthetic software company are weighed on deals as they opened, which is where the truth is told. Ours stands
beside what is in use elsewhere, on the same models: LightGBM's gain and split counts, mean |SHAP| on training rows summed
over features, and grouped permutation out of fold. Total variation is half the sum of absolute differences to the true
weights; noise is what the two null criteria (billing day and postcode) get; both in points of 100.

Ranges of 80 % are those of draws of accounts, widened by 1.7: the draws alone held .54 of the true weights in 8 worlds of 600
deals, so widened .80, and .75 (before .57) in 4 worlds of 2,000. Before widening one of 20 null criteria was called clear at
600 deals, none of 8 at 2,000.

    python bench/weights.py                       # three worlds of each size: about six minutes on two cores
    python bench/weights.py --ranges 20           # also whether 80 % ranges hold the truth, and how often noise passes as clear
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.learn import Recipe, Reference, day_number
from winworth.flows.retrain import begin
from winworth.flows.weigh import Question, study_of, weigh_criteria
from winworth.models.by_name import ByName
from winworth.models.calibration import Platt
from winworth.models.task import Rung
from winworth.models.track import untracked
from winworth.models.trees import small_trees
from winworth.weights.agreement import weights_by_permutation
from winworth.weights.criteria import shares
from winworth.weights.effort import Effort
from winworth.weights.study import Study, cross_fit, weigh

CONF = Path(__file__).parents[1] / "conf"
AS_OF = date(2026, 6, 30)
NULL = ["billing_day", "postcode"]
MOST = 1500


def planted(n_deals: int, seed: int) -> tuple[Question, Reference, pd.Series]:
    """Plant a world; read it on past deals as they opened."""
    world = software_company(n_deals=n_deals, as_of=AS_OF, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        write_exports(world, Path(folder))
        settings = load_settings(CONF)
        settings = replace(settings, crm=replace(settings.crm, folder=folder))
        retrain = begin(settings, AS_OF, Path(folder), untracked)
    rung = Rung("average", C=0.003, size=small_trees(len(retrain.task.won) // 2))
    question = Question(retrain.task, retrain.worth, Recipe(rung, Platt(), day_number(AS_OF)), retrain.catalog, n_deals)
    rows = np.flatnonzero(retrain.task.features["deal_age"].to_numpy() == 0)
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST])
    features = retrain.task.features.iloc[rows].reset_index(drop=True)
    return question, Reference(features, retrain.task.accounts[rows], np.zeros(len(rows), dtype=bool), False), 100 * world.truth


def by_feature(study: Study, told: Callable[[ByName, pd.DataFrame], pd.Series]) -> pd.Series:
    """Add up what is told of each feature of both models, trained on everything; the sides count as their units say."""
    total = pd.Series(0.0, index=study.criteria)
    for name, side in study.sides.items():
        fitted = side.fit(side.features, np.arange(len(side.features)))
        found = told(fitted, side.features.iloc[side.asked])
        total += study.unit[name] * pd.Series({g: found[study.own[g]].sum() for g in study.criteria})
    return shares(total)


def importance(kind: str) -> Callable[[ByName, pd.DataFrame], pd.Series]:
    """Return LightGBM's own importance, as a share of what the side's trees have."""

    def told(fitted: ByName, features: pd.DataFrame) -> pd.Series:
        values = fitted.model.trees_.booster.feature_importance(importance_type=kind)
        owners = [column.feature for column in fitted.matrix.columns_]
        return pd.Series(values, dtype=float).groupby(owners).sum() / max(values.sum(), 1e-12)

    return told


def mean_shap(fitted: ByName, features: pd.DataFrame) -> pd.Series:
    """Return the mean absolute attribution on training rows."""
    return fitted.attributions(features)[0].abs().mean()


def methods(question: Question, reference: Reference) -> dict[str, pd.Series]:
    study = study_of(question, reference)
    apart = cross_fit(study, n_repeats=2, track=untracked)
    weights = weigh(study, apart)
    return {
        "ours": weights.shares,
        "ours, not shrunk": weigh(study, apart, is_shrunk=False).shares,
        "grouped permutation": weights_by_permutation(study, apart, weights),
        "mean |SHAP|, training rows": by_feature(study, mean_shap),
        "gain": by_feature(study, importance("gain")),
        "split counts": by_feature(study, importance("split")),
    }


def compare(sizes: list[int], n_worlds: int) -> None:
    print(f"{'deals':>6}  {'method':<28}{'total variation':>16}{'noise':>8}   mean of {n_worlds} worlds")
    for n_deals in sizes:
        rows = []
        for seed in range(n_worlds):
            question, reference, truth = planted(n_deals, 100 + seed)
            for name, found in methods(question, reference).items():
                off = (found - truth).abs().sum() / 2
                rows.append({"method": name, "variation": off, "noise": found[NULL].sum()})
        for name, row in pd.DataFrame(rows).groupby("method", sort=False).mean().iterrows():
            print(f"{n_deals:>6}  {name:<28}{row['variation']:16.1f}{row['noise']:8.1f}", flush=True)


def ranges(n_deals: int, n_worlds: int) -> None:
    """Count how often 80 % ranges hold the true weight, and how often a null criterion is called clear of noise."""
    held, called, true_called = [], [], []
    for seed in range(n_worlds):
        question, reference, truth = planted(n_deals, 200 + seed)
        table = weigh_criteria(question, reference, effort=Effort(50, 20, 2), track=untracked).weights.doubt.table
        real = truth[truth > 0]
        held += ((table.loc[real.index, "low"] <= real) & (real <= table.loc[real.index, "high"])).tolist()
        called += table.loc[NULL, "is_clear"].tolist()
        true_called += table.loc[real.index, "is_clear"].tolist()
    told = f"ranges that hold the truth {np.mean(held):.2f}, null criteria called clear {np.mean(called):.2f}"
    print(f"{n_deals} deals, {n_worlds} worlds: {told}, real criteria called clear {np.mean(true_called):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[600, 2000, 6000])
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--ranges", type=int, default=0)
    given = parser.parse_args()
    compare(given.sizes, given.worlds)
    if given.ranges:
        for n_deals in given.sizes[:2]:
            ranges(n_deals, given.ranges)


if __name__ == "__main__":
    main()
