"""200,000 accounts: segments sought and assigned, tiers cut with last time's held, sellers given; seconds and peak memory.

python bench/tiers.py [--accounts 200000] [--sellers 200]                   # half a minute
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd

from winworth.scoring.assign import assign_sellers
from winworth.scoring.find_segments import find_segments
from winworth.scoring.seats import Seats
from winworth.scoring.segment_tests import HeldOut
from winworth.scoring.tiers import cut_tiers

HOURS = {"A": 12.0, "B": 4.0, "C": 0.5}
WITHIN = 60  # seconds


def drawn(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw accounts of four kinds by six features, and three features that part them otherwise; and what each brings."""
    rng = np.random.default_rng(seed)
    kind, other = rng.integers(0, 4, n), rng.integers(0, 3, n)
    columns = {f"kind_{k}": 2.5 * ((kind >> (k % 2)) & 1) + rng.normal(0, 0.6, n) for k in range(6)}
    columns |= {f"other_{k}": 5.0 * (other == k) + rng.normal(0, 0.3, n) for k in range(3)}
    sector = np.array(["steel", "retail", "it", "health"], dtype=object)[kind]
    return pd.DataFrame(columns | {"sector": sector}), np.exp(8 + 0.8 * kind + rng.normal(0, 1, n))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--sellers", type=int, default=200)
    asked = parser.parse_args()
    features, worth = drawn(asked.accounts, 0)
    later, brings = drawn(4000, 1)
    rng = np.random.default_rng(2)
    won = (rng.random(4000) < np.minimum(brings / np.quantile(brings, 0.95), 0.9)).astype(float)
    held_out = HeldOut(later, won, np.ones(4000), np.where(won == 1, brings, np.nan), np.arange(4000))
    shares = pd.Series({name: 0.15 if name.startswith("kind") else 0.0 for name in features} | {"sector": 0.1})
    ids = pd.Series([f"A{at:06d}" for at in range(asked.accounts)])
    seats = Seats({"A": asked.accounts // 5, "B": asked.accounts * 3 // 10}, {"A": 0.0, "B": 0.0})
    marks, started = {}, time.perf_counter()

    def mark(name: str) -> None:
        marks[name] = time.perf_counter() - started - sum(marks.values())

    found = find_segments(features, shares, held_out, seed=0)
    mark(f"segments sought ({len(found.segments.ids)} found)")
    found.segments.assign(features)
    mark("segments assigned")
    noise = np.full(asked.accounts, 0.25)
    before = cut_tiers(pd.Series(worth * np.exp(rng.normal(0, 0.25, asked.accounts))), ids, seats, noise=noise).table["tier"]
    tiers = cut_tiers(pd.Series(worth), ids, seats, noise=noise, previous=before)
    mark("tiers cut twice")
    owner = pd.Series(rng.choice([f"V{k:03d}" for k in range(asked.sellers)], asked.accounts)).where(
        rng.random(asked.accounts) < 0.7
    )
    accounts = pd.DataFrame({"account_id": ids, "tier": tiers.table["tier"], "worth": worth, "owner": owner})
    sellers = {f"V{k:03d}": 1.1 * asked.accounts * (0.2 * 12 + 0.3 * 4) / asked.sellers for k in range(asked.sellers)}
    assign_sellers(accounts, sellers, hours=HOURS)
    mark(f"{asked.sellers} sellers given")
    for name, seconds in marks.items():
        print(f"{name:32}{seconds:8.2f} s")
    total, peak = sum(marks.values()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'all of ' + format(asked.accounts, ',') + ' accounts':32}{total:8.2f} s   wanted <= {WITHIN}   peak {peak:.2f} GB")
    assert total <= WITHIN


if __name__ == "__main__":
    main()
