"""What verbs published below home on or before a day: what the review shows of compare, backtest and advise."""

import json
from datetime import date
from pathlib import Path

import pandas as pd

from winworth.flows.playing import segment_ids
from winworth.kpi.book import Scored

SCORES = ("account_id", "tier", "segment", "residual_value", "expected_value", "score")
KINDS = {"compare": "compared/*/*/compare.json", "backtest": "backtest/*/backtest.json", "advice": "advice/*/advice.json"}


def newest(home: Path, kind: str, *, as_of: date) -> tuple[dict, ...]:
    """Return the documents of the newest day up to `as_of`: of compare one a question, of backtest and advice one or none."""
    found: dict[date, list[Path]] = {}
    for path in sorted(home.glob(KINDS[kind])):
        folder = path.parent.parent if kind == "compare" else path.parent
        day = _day(folder.name)
        if day is not None and day <= as_of and not path.parent.name.startswith("."):
            found.setdefault(day, []).append(path)
    return tuple(json.loads(path.read_text(encoding="utf-8")) for path in found[max(found)]) if found else ()


def published_scores(home: Path, as_of: date) -> dict[date, Scored]:
    """Read the scores published for days up to `as_of`."""
    found = {}
    for path in sorted((home / "scores").glob("????-??-??/account_scores.parquet")):
        day = _day(path.parent.name)
        if day is not None and day <= as_of:
            accounts = _columns(path, *SCORES)
            if "segment" in accounts:
                accounts = accounts.assign(segment=segment_ids(accounts["segment"]))
            deals = _columns(path.with_name("deal_scores.parquet"), "deal_id", "win_probability")
            found[day] = Scored(accounts, deals)
    return found


def _columns(path: Path, *names: str) -> pd.DataFrame:
    table = pd.read_parquet(path)
    return table[[name for name in names if name in table]]


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
