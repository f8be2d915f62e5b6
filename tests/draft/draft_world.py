"""Made-up deals in files, drafted: what the tests of drafts share."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from winworth.config import load_settings
from winworth.flows.init import init

DAY0 = date(2024, 1, 1)


def deals(n: int = 80, days: str = "%Y-%m-%d") -> pd.DataFrame:
    """Return deals of 16 accounts, a third each won, lost and open, whose later column gives the outcome away."""
    at = pd.Series(range(n))
    status = at.map(lambda place: ("Won", "Lost", "En cours")[place % 3])
    opened = [DAY0 + timedelta(days=2 * int(place)) for place in at]
    return pd.DataFrame(
        {
            "Deal ID": [f"D{place:04d}" for place in at],
            "Account ID": [f"A{place % 16:03d}" for place in at],
            "Stage": status,
            "Created": [f"{day:{days}}" for day in opened],
            "Close Date": [f"{day + timedelta(days=30):{days}}" for day in opened],
            "Amount": [f"{1000 + place}.50" for place in at],
            "Segment": [("north", "south", "east")[place % 3 - place % 2] for place in at],
        }
    )


def written(folder: Path, frame: pd.DataFrame, name: str = "deals.csv", *, encoding: str = "utf-8", **options) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(frame.to_csv(index=False, **options).encode(encoding))
    return folder


def drafted(home: Path, frame: pd.DataFrame | None = None, **options):
    if frame is not None:
        written(home / "exports", frame, **options)
    done = init(home / "exports", out=home / "conf")
    return done, load_settings(home / "conf").crm


def drafted_only(home: Path, frame: pd.DataFrame, name: str = "deals.csv"):
    written(home / "exports", frame, name)
    return init(home / "exports", out=home / "conf"), home / "conf"
