"""How long the review of many accounts takes, and in how much memory: `python bench/review.py [accounts]`.

The scores are those of a home that was demonstrated, its accounts repeated under new ids up to the number asked for, with
an earlier scoring beside them, so that the page has movers. Prints seconds, peak memory and the size of the page.
"""

import json
import resource
import shutil
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from winworth.config import load_settings

AS_OF, BEFORE = date(2026, 6, 30), date(2026, 3, 31)


def repeated(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return `n` rows, each with an id of its own."""
    rows = table.iloc[np.arange(n) % len(table)].reset_index(drop=True)
    return rows.assign(account_id=[f"X{at:07d}" for at in range(n)])


def grown(home: Path, demo: Path, n: int) -> None:
    """Write a home with the demo's models and `n` scored accounts, on two days."""
    shutil.copytree(demo / "models", home / "models", symlinks=True)
    now, then = (home / "scores" / day.isoformat() for day in (AS_OF, BEFORE))
    shutil.copytree(demo / "scores" / AS_OF.isoformat(), now)
    accounts = repeated(pd.read_parquet(now / "account_scores.parquet"), n)
    accounts.to_parquet(now / "account_scores.parquet")
    for lang in ("en", "fr"):
        texts = repeated(pd.read_parquet(now / f"account_texts_{lang}.parquet"), n)
        texts.to_parquet(now / f"account_texts_{lang}.parquet")
    then.mkdir()
    tier = np.random.default_rng(1).choice(["A", "B", "C"], n, p=[0.2, 0.3, 0.5])
    accounts.assign(tier=tier, expected_value=accounts["expected_value"] * 0.9).to_parquet(then / "account_scores.parquet")
    pd.read_parquet(now / "deal_scores.parquet").to_parquet(then / "deal_scores.parquet")
    version = json.loads((now / "run.json").read_text(encoding="utf-8"))["model_version"]
    (then / "run.json").write_text(json.dumps({"model_version": version}), encoding="utf-8")


def main(demo: Path, n: int) -> None:
    """Grow the demo's scores, review them in both languages, and print what it took."""
    from winworth.flows.review import review

    settings = replace(load_settings(Path("conf")), decisions=())
    with TemporaryDirectory() as folder:
        home = Path(folder)
        grown(home, demo, n)
        started_with = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for lang in ("en", "fr"):
            start = time.perf_counter()
            page = review(settings, as_of=AS_OF, home=home, lang=lang).page
            took, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            size = page.stat().st_size / 1024
            print(f"{n:,} accounts, {lang}: {took:.1f} s, peak {peak:,.0f} MB ({started_with:,.0f} before), {size:,.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[2]) if len(sys.argv) > 2 else Path("demo"), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
