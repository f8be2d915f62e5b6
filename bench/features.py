"""Point-in-time features: winworth against a straightforward pandas merge, filter and groupby, taken in 50 chunks of examples.

Both sides read the same Parquet files and measure the same 20 features of the same examples, each in a fresh process,
taking turns. Accounts are skewed: a few have most of the activities and of the examples, so that pairs of an example and an
activity outnumber both by far. One activity in eight was entered late. The bench fails unless every feature agrees; it
prints the ratio of wall time (median of the runs) and of peak memory, and how our own cost grows with ten times the data.

    python bench/features.py                                            # 500,000 activities, 20,000 examples: 2 minutes
    python bench/features.py --events 5_000_000 --examples 200_000      # the goal in full
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from winworth.crm.snapshot import take_snapshot
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
N_DAYS = 1460
N_CHUNKS = 50  # of examples, so that their pairs with activities fit in memory
KINDS = ("meeting", "call", "email_reply", "page_view")
FEATURES = {
    **{f"count_{days}d": Feature(count="activities", within_days=days) for days in (30, 90, 365)},
    **{f"{kind}s_90d": Feature(count="activities", where={"kind": kind}, within_days=90) for kind in KINDS},
    "held_180d": Feature(count="activities", where={"kind": "meeting", "outcome": "held"}, within_days=180),
    "count": Feature(count="activities"),
    **{f"hours_{days}d": Feature(sum="activities.hours", within_days=days) for days in (30, 180)},
    "hours": Feature(sum="activities.hours"),
    "mean_hours_365d": Feature(mean="activities.hours", within_days=365),
    "kinds_90d": Feature(distinct="activities.kind", within_days=90),
    "share_held_365d": Feature(share="activities", where={"outcome": "held"}, among={"kind": "meeting"}, within_days=365),
    "since_first": Feature(days_since_first="activities"),
    "since_last": Feature(days_since_last="activities"),
    "since_reply": Feature(days_since_last="activities", where={"kind": "email_reply"}),
    "trend_30_90": Feature(trend="activities", within_days=30, against_days=90),
    "interest": Feature(decayed_count="activities", half_life_days=30),
}


def write_world(folder: Path, n_events: int, n_examples: int) -> None:
    """Write activities and examples of accounts of which some have far more than others."""
    rng = np.random.default_rng(1)
    n_accounts = max(n_examples // 10, 1)
    share = rng.permutation(1.0 / np.arange(1, n_accounts + 1) ** 0.5)
    share /= share.sum()
    end = pd.Timestamp(AS_OF)
    happened = end - pd.to_timedelta(rng.integers(0, N_DAYS, n_events), unit="D")
    delay = np.where(rng.random(n_events) < 1 / 8, rng.integers(1, 60, n_events), 0)
    ids = np.array([f"A{at:06d}" for at in range(n_accounts)])
    activities = pd.DataFrame(
        {
            "account_id": pd.array(ids[rng.choice(n_accounts, n_events, p=share)], dtype="str"),
            "kind": pd.array(rng.choice(KINDS, n_events), dtype="str"),
            "outcome": pd.array(rng.choice(["held", "no_show", "cancelled"], n_events), dtype="str"),
            "hours": np.where(rng.random(n_events) < 0.2, np.nan, rng.integers(1, 16, n_events) / 4),
            "happened_on": happened.astype("datetime64[s]"),
            "known_on": (happened + pd.to_timedelta(delay, unit="D")).astype("datetime64[s]"),
        }
    )
    observed = end - pd.to_timedelta(rng.integers(0, N_DAYS, n_examples), unit="D")
    examples = pd.DataFrame(
        {
            "deal_id": pd.array([f"D{at:07d}" for at in range(n_examples)], dtype="str"),
            "account_id": pd.array(ids[rng.choice(n_accounts, n_examples, p=share)], dtype="str"),
            "observed_on": observed.astype("datetime64[s]"),
        }
    )
    activities.to_parquet(folder / "activities.parquet")
    examples.to_parquet(folder / "examples.parquet")


def ours(activities: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    deals = pd.DataFrame({"deal_id": examples["deal_id"], "status": "open"})
    crm = CrmTables({"deals": deals, "activities": activities}, {}, ReadReport((), pd.DataFrame()))
    catalog = Catalog({"bench": Criterion("behavioural", {}, FEATURES)})
    return build_features(examples, take_snapshot(crm, as_of=AS_OF), catalog)


def by_merging(activities: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """Do what most would write: pair each example with its account's activities, filter, and group."""
    activities = activities.assign(available_on=activities[["happened_on", "known_on"]].max(axis=1))
    examples = examples.assign(example=np.arange(len(examples)))[["example", "account_id", "observed_on"]]
    size = -(-len(examples) // N_CHUNKS)
    chunks = [examples.iloc[at : at + size] for at in range(0, len(examples), size)]
    return pd.concat([_chunk_by_merging(activities, chunk) for chunk in chunks], ignore_index=True)


def _chunk_by_merging(activities: pd.DataFrame, chunk: pd.DataFrame) -> pd.DataFrame:
    pairs = chunk.merge(activities, on="account_id")
    pairs = pairs[pairs["available_on"] <= pairs["observed_on"]]
    pairs = pairs.assign(age=(pairs["observed_on"] - pairs["happened_on"]).dt.days)
    columns = {name: _by_hand(pairs, asdict(spec), chunk["example"]) for name, spec in FEATURES.items()}
    return pd.DataFrame(columns)


def _by_hand(pairs: pd.DataFrame, spec: dict, example: pd.Series) -> np.ndarray:
    def grouped(days=None, **levels):
        rows = pairs if days is None else pairs[pairs["age"] < days]
        for column, level in levels.items():
            rows = rows[rows[column] == level]
        return rows.groupby("example")

    def counted(days=None, **levels):
        return grouped(days, **levels).size().reindex(example, fill_value=0).to_numpy(dtype=float)

    within, where, among = spec["within_days"], spec["where"], spec["among"]
    if spec["count"]:
        return counted(within, **where)
    if spec["sum"]:
        return grouped(within, **where)["hours"].sum().reindex(example, fill_value=0.0).to_numpy()
    if spec["mean"]:
        return grouped(within, **where)["hours"].mean().reindex(example).to_numpy()
    if spec["distinct"]:
        return grouped(within, **where)["kind"].nunique().reindex(example, fill_value=0).to_numpy(dtype=float)
    if spec["share"]:
        whole = counted(within, **among)
        return np.divide(counted(within, **among, **where), whole, out=np.full(len(whole), np.nan), where=whole > 0)
    if spec["days_since_first"]:
        return grouped()["age"].max().reindex(example).to_numpy(dtype=float)
    if spec["days_since_last"]:
        return grouped(within, **where)["age"].min().reindex(example).to_numpy(dtype=float)
    if spec["trend"]:
        recent = counted(within)
        before = counted(within + spec["against_days"]) - recent
        return np.log((recent + 1) / (before * within / spec["against_days"] + 1))
    worth = pairs.assign(worth=0.5 ** (pairs["age"] / spec["half_life_days"]))
    return worth.groupby("example")["worth"].sum().reindex(example, fill_value=0.0).to_numpy()


SIDES = {"ours": ours, "merge": by_merging}


def run_side(side: str, folder: Path) -> None:
    """Measure in this process, and print the seconds and the peak memory."""
    start = time.perf_counter()
    activities, examples = (pd.read_parquet(folder / f"{name}.parquet") for name in ("activities", "examples"))
    features = SIDES[side](activities, examples)
    seconds = time.perf_counter() - start
    features.to_parquet(folder / f"{side}.parquet")
    print(json.dumps({"seconds": seconds, "mb": peak_mb()}))


def peak_mb() -> float:
    """Return the peak memory of this program alone; getrusage would tell that of the process it was forked from, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(side: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def check_equal(folder: Path) -> float:
    """Return the largest relative difference; raise where a feature does not agree."""
    found, wanted = (pd.read_parquet(folder / f"{side}.parquet") for side in SIDES)
    assert list(found) == list(wanted) == list(FEATURES)
    for name in FEATURES:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-12, err_msg=name)
    return float(((found - wanted).abs() / wanted.abs().clip(lower=1.0)).max(axis=None))


def _middle(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(run[key] for run in runs) for key in runs[0]}


def compare(n_events: int, n_examples: int, n_runs: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        write_world(Path(scratch), n_events, n_examples)
        turns = [{side: measure(side, Path(scratch)) for side in SIDES} for _ in range(n_runs)]
        middle = {side: _middle([turn[side] for turn in turns]) for side in SIDES}
        difference = check_equal(Path(scratch))
    print(f"{n_events:,} activities, {n_examples:,} examples, {len(FEATURES)} features, median of {n_runs} runs taking turns")
    for side, run in middle.items():
        print(f"  {side:<6} {run['seconds']:8.2f} s {run['mb']:8.0f} MB")
    wall, memory = (middle["merge"][key] / middle["ours"][key] for key in ("seconds", "mb"))
    print(f"  ratio  {wall:8.1f} x {memory:8.1f} x   largest relative difference {difference:.1e}")


def growth(n_events: int, n_examples: int, n_runs: int) -> None:
    print("how ours grows\n   times   activities   examples   seconds       MB   seconds a million of both")
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as scratch:
            write_world(Path(scratch), n_events * times, n_examples * times)
            run = _middle([measure("ours", Path(scratch)) for _ in range(n_runs)])
        rate = run["seconds"] / (n_events + n_examples) / times * 1e6
        print(
            f"  {times:6} {n_events * times:12,} {n_examples * times:10,} {run['seconds']:9.2f} {run['mb']:8.0f} {rate:10.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-growth", action="store_true", help="leave out the run on ten times the data")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        run_side(asked.side, asked.folder)
        return
    compare(asked.events, asked.examples, asked.runs)
    if not asked.no_growth:
        growth(asked.events, asked.examples, max(asked.runs // 2, 1))


if __name__ == "__main__":
    main()
