"""SHAP values of trees: by look-up (models/tree_shap.py) beside LightGBM's `pred_contrib`, the tables worked out included.

Both sides read the same trees and rows in one process, taking turns, on as many threads as asked for LightGBM (ours has one).
The bench fails unless both agree to 1e-12.

    python bench/tree_shap.py --threads 1
"""

import argparse
import time
from statistics import median

import lightgbm
import numpy as np

from winworth.models.tree_shap import TreeShap

SIZES = ((6, 150), (16, 600), (63, 300))  # leaves, trees
ROWS = (1, 300, 3_000, 20_000)


def grown(X: np.ndarray, leaves: int, n_trees: int) -> lightgbm.Booster:
    rng = np.random.default_rng(0)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + X[:, 21] + rng.normal(size=len(X)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.03, "verbose": -1, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(X, y), n_trees)


def compared(booster: lightgbm.Booster, X: np.ndarray, threads: int) -> tuple[float, float]:
    """Return the seconds of both sides on the same rows."""
    text, start = booster.model_to_string(), time.perf_counter()
    ours = TreeShap(text).values(X)
    between = time.perf_counter()
    theirs = booster.predict(X, pred_contrib=True, num_threads=threads)[:, :-1]
    end = time.perf_counter()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    return between - start, end - between


def main() -> None:
    """Print the seconds of both sides, and how many times faster ours is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(size=(20_000, 20)), rng.random((20_000, 10)) < 0.5])
    print(f"leaves x trees     rows   look-up s   pred_contrib s ({asked.threads} threads)   times faster")
    for leaves, n_trees in SIZES:
        booster = grown(X, leaves, n_trees)
        for n in ROWS:
            turns = [compared(booster, X[:n], asked.threads) for _ in range(asked.runs)]
            mine, other = (median(side) for side in zip(*turns, strict=True))
            print(f"{leaves:>4} x {n_trees:<4} {n:>12,} {mine:>11.3f} {other:>16.3f} {other / mine:>27.2f}", flush=True)


if __name__ == "__main__":
    main()
