"""What verbs published below home on or before a day: what the review shows of compare, backtest and advise."""

import json
from datetime import date
from pathlib import Path

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


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
