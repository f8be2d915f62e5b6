"""Do chances come true on deals that nobody had seen: 20,000 fresh deals of the demo company, opened after the training day.

Calibration: the company's 6,000 deals are learnt from as `winworth train` does it, and the calibration slope (1 is right)
is read on the fresh deals; it must lie in .8-1.25 for nine seeds in ten. Small data: 200 closed deals, observed on the day
they opened; log loss on fresh deals of the rung that the ladder chooses, of ridge and of the base rate. The chosen rung must
be no worse than ridge + .005 on average, and better than the base rate for 19 seeds in 20.

    python bench/fresh_deals.py                     # 20 seeds of both: about 10 minutes
    python bench/fresh_deals.py --seeds 3 --only small
"""

import argparse
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.config import Settings, load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.features.catalog import Catalog
from winworth.flows.learn import Examples, Recipe, day_number, examples_of, plan_folds, win_task
from winworth.flows.prepare import prepare
from winworth.flows.record import Counts
from winworth.models.folds import grouped_folds, joined_groups
from winworth.models.ladder import climb
from winworth.models.metrics import auc, calibration_slope, log_loss
from winworth.models.task import WinTask

CONF = Path(__file__).parents[1] / "conf"
AS_OF = date(2026, 6, 30)
LATER = date(2031, 6, 30)  # a world of four years up to this day opens its deals after AS_OF
N_FRESH = 20_000
SLOPES = (0.8, 1.25)


def company(folder: Path, *, n_deals: int, as_of: date, seed: int) -> tuple[Settings, Catalog, Examples, WinTask]:
    """Draw a company, export it, and read it back as a training would."""
    folder.mkdir(parents=True, exist_ok=True)
    write_exports(software_company(n_deals=n_deals, as_of=as_of, seed=seed), folder)
    settings = load_settings(CONF)
    settings = replace(settings, crm=replace(settings.crm, folder=str(folder)))
    prepared = prepare(settings, as_of=as_of)
    examples = examples_of(prepared.snapshot, settings.catalog, settings)
    return settings, settings.catalog, examples, win_task(examples, settings.catalog, settings, prepared.snapshot)


def fresh_deals(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return features, rows and outcomes within the horizon of fresh deals, all settled."""
    _, _, examples, task = company(folder, n_deals=30_000, as_of=LATER, seed=999)
    day = day_number(LATER)
    rows = np.flatnonzero(task.histories.observed + task.horizon <= day)
    deals = pd.Index(examples.rows["deal_id"].iloc[rows].unique()[:N_FRESH])
    rows = rows[examples.rows["deal_id"].iloc[rows].isin(deals)]
    assert len(deals) == N_FRESH and examples.rows["observed_on"].min() > pd.Timestamp(AS_OF)
    y, w = task.outcomes(rows, day)
    assert (w == 1).all()
    return examples.features.iloc[rows].reset_index(drop=True), examples.rows.iloc[rows].reset_index(drop=True), y


def calibration(folder: Path, seed: int, features: pd.DataFrame, y: np.ndarray) -> dict[str, object]:
    settings, _, examples, task = company(folder, n_deals=6000, as_of=AS_OF, seed=seed)
    plan = plan_folds(examples, task, settings, as_of=AS_OF)
    ladder = climb(task, plan.choice, n_deals=Counts.of(examples.rows).n_telling)
    recipe = Recipe(ladder.chosen, ladder.tested.platt(ladder.chosen.name), day_number(AS_OF))
    p, w = chances(recipe, task, features), np.ones(len(y))
    told = {"slope": calibration_slope(y, p, w), "auc": auc(y, p, w), "wins": float(y.sum() / p.sum())}
    return {"seed": seed, "chosen": recipe.rung.name} | told


def chances(recipe: Recipe, task: WinTask, features: pd.DataFrame) -> np.ndarray:
    fitted = recipe.fit(task)
    return fitted.model.predict_proba(fitted.matrix.transform(features))[:, 1]


def small(folder: Path, seed: int, features: pd.DataFrame, y: np.ndarray) -> dict[str, object]:
    _, _, examples, task = company(folder, n_deals=400, as_of=AS_OF, seed=seed)
    task = first_closed(examples, task, 200)
    folds = grouped_folds(joined_groups(task.accounts))
    ladder = climb(task, folds, n_deals=200)
    told: dict[str, object] = {"seed": seed, "chosen": ladder.chosen.name, "wins": int(task.won.sum())}
    for name in dict.fromkeys(("base rate", "ridge", "average", ladder.chosen.name)):
        recipe = Recipe(ladder.rungs[name], ladder.tested.platt(name), None)
        told[name] = log_loss(y, chances(recipe, task, features), np.ones(len(y)))
    return told | {"of chosen": told[ladder.chosen.name]}


def first_closed(examples: Examples, task: WinTask, n: int) -> WinTask:
    """Keep `n` deals that are settled by now, on the day they opened, as a table without dates would have them."""
    y = task.outcomes(np.arange(len(task.won)), day_number(AS_OF))[0]
    is_settled = task.histories.observed + task.horizon <= day_number(AS_OF)
    rows = np.flatnonzero((examples.rows["age_days"] == 0) & is_settled)[:n]
    assert len(rows) == n
    return replace(
        task,
        features=task.features.iloc[rows].reset_index(drop=True),
        won=y[rows] > 0,
        weight=np.ones(n),
        accounts=task.accounts[rows],
        histories=None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", choices=["calibration", "small"])
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        features, rows, y = fresh_deals(folder / "fresh")
        if given.only != "small":
            report_calibration([calibration(folder / f"c{s}", s, features, y) for s in seeds])
        if given.only != "calibration":
            first = (rows["age_days"] == 0).to_numpy()
            report_small([small(folder / f"s{s}", s, features[first], y[first]) for s in seeds])


def report_calibration(runs: list[dict]) -> None:
    table = pd.DataFrame(runs)
    print(table.round(3).to_string(index=False))
    good = table["slope"].between(*SLOPES)
    print(f"slope within {SLOPES}: {good.sum()} of {len(table)}; wins seen / expected {table['wins'].mean():.3f}")
    assert good.mean() >= 0.9


def report_small(runs: list[dict]) -> None:
    table = pd.DataFrame(runs)
    print(table.round(4).to_string(index=False))
    mean = table[["base rate", "ridge", "average", "of chosen"]].mean()
    better = table["of chosen"] < table["base rate"]
    print(f"mean log loss: {mean.round(4).to_dict()}; chosen below the base rate: {better.sum()} of {len(table)}")
    assert mean["of chosen"] <= mean["ridge"] + 0.005 and better.mean() >= 0.95


if __name__ == "__main__":
    main()
