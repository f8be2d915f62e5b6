"""Small companies in CSV files whose truth is known: what working an account brings, and what an hour does."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from winworth.config import Settings, load_settings
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.features.catalog import Catalog

CONF = Path(__file__).parents[2] / "conf"
AS_OF = date(2026, 3, 31)
START = pd.Timestamp("2026-01-01")  # of the one quarter that is judged
KNOWN = {"region": "at_creation", "size_class": "at_creation", "source": "at_creation", "amount": "at_close"}


def settings_for(folder: Path, tables: dict[str, pd.DataFrame], **overrides) -> Settings:
    """Write the tables as CSV and return settings that read them, the demo company's without its features."""
    folder.mkdir(parents=True, exist_ok=True)
    maps = {}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
        columns = {column: ColumnMap(column, known=KNOWN.get(column)) for column in table}
        columns |= {column: ColumnMap(column, kind="level") for column in table.columns.intersection(["team"])}
        maps[name] = TableMap(f"{name}.csv", columns, known="dated" if name in ("activities", "invoices") else None)
    settings = load_settings(CONF, overrides=tuple(f"{key}={value}" for key, value in overrides.items()))
    scoring = replace(settings.scoring, sellers={})
    return replace(settings, crm=CrmMap("World", maps, folder=str(folder)), catalog=Catalog({}), scoring=scoring)


def publish_scores(home: Path, day: str, scores: pd.DataFrame) -> None:
    """Write scores as `predict` publishes them for a day."""
    folder = home / "scores" / day
    folder.mkdir(parents=True)
    scores.to_parquet(folder / "account_scores.parquet")
    pd.DataFrame({"deal_id": pd.Series(dtype="str"), "win_probability": 0.2}).to_parquet(folder / "deal_scores.parquet")
    (folder / "run.json").write_text("{}")


def worked_company(
    seed: int, *, effect: float = 0.0, n: int = 1400, is_logged: bool = True
) -> tuple[dict, pd.DataFrame, float]:
    """One quarter in which sellers lean to high scores, and working an account brings `effect` or nothing.

    Returns the tables, the scores before the quarter, and the true gain of working as many of the highest scores instead.
    """
    rng = np.random.default_rng(seed)
    ids = np.array([f"A{k:04d}" for k in range(n)])
    quality, segment = rng.normal(size=n), rng.integers(3, size=n)
    activity = rng.poisson(np.exp(0.3 * quality + 0.5))
    z = 0.9 * quality + 0.44 * rng.normal(size=n)
    worked = rng.random(n) < expit(-0.9 + 0.5 * z + 0.15 * (activity - 2) + 0.3 * (segment == 0))
    plain = np.exp(8 + 0.72 * z + 0.12 * np.log1p(activity) + 0.25 * (segment == 1))
    lifted, noise = plain * (1 + 0.3 * effect * np.exp(0.35 * z)), rng.gamma(2, 0.5, n)
    chosen = np.zeros(n, dtype=bool)
    chosen[np.argsort(-z, kind="stable")[: worked.sum()]] = True
    amount = np.where(worked, lifted, plain) * noise
    gain = float((np.where(chosen, lifted, plain) * noise).sum() / amount.sum() - 1)
    deals = pd.DataFrame({"deal_id": ids, "account_id": ids, "status": "won", "amount": amount})
    deals = deals.assign(opened_on=pd.Timestamp("2025-12-01"), closed_on=START + pd.Timedelta(days=20))
    before = pd.DataFrame(
        {"account_id": np.repeat(ids, activity), "happened_on": START - pd.Timedelta(days=9), "hours": np.nan}
    )
    during = pd.DataFrame({"account_id": ids[worked], "happened_on": START + pd.Timedelta(days=9), "hours": 1.5})
    activities = pd.concat([before, during] if is_logged else [before, during.assign(hours=np.nan)], ignore_index=True)
    tables = {"deals": deals, "activities": activities.assign(kind="meeting")}
    scores = pd.DataFrame({"account_id": ids, "score": 50 + 15 * z, "segment": segment + 1, "tier": "A"})
    return tables, scores, gain


def regional_company(seed: int, *, elastic=(0.0,) * 4, short: tuple[str, str] | None = None, n: int = 40) -> dict:
    """Eight quarters of `n` accounts in each of four regions, worked more here and there by four teams of five sellers.

    In a region invoices answer the log of hours with its elasticity; deals bring the same everywhere, but where `short`
    names a column (region or team) and the level whose deals bring less.
    """
    rng, regions = np.random.default_rng(seed), np.array(["Est", "Nord", "Ouest", "Sud"])
    m = 4 * n
    ids, zone = np.array([f"A{k:04d}" for k in range(m)]), np.repeat(np.arange(4), n)
    size = np.exp(rng.normal(0, 0.6, m))
    hours = (4 * size**0.5 * np.exp(rng.normal(0, 0.3, m)))[:, None] * np.exp(rng.normal(0, 0.5, (m, 8)))
    level = 10_000 * size[:, None]
    revenue = level * (
        1 + np.array(elastic)[zone][:, None] * (np.log1p(hours) - np.log(5)) + 0.3 * rng.normal(size=hours.shape)
    )
    days = pd.Timestamp("2024-04-01") + pd.to_timedelta(91 * np.arange(8) + 10, "D")
    of, when = np.repeat(np.arange(m), 8), np.tile(np.arange(8), m)
    activities = pd.DataFrame(
        {"account_id": ids[of], "kind": "visit", "happened_on": days[when], "hours": hours.ravel().round(2)}
    )
    invoices = pd.DataFrame({"account_id": ids[of], "invoiced_on": days[when], "amount": revenue.ravel().round(2)})
    k = 8 * m
    own, team = rng.integers(m, size=k), rng.integers(4, size=k)
    seller, source = team * 5 + rng.integers(5, size=k), rng.choice(["web", "salon"], k)
    money = 10_000 + 2000 * (source == "web") + 400 * rng.normal(size=20)[seller] + rng.normal(0, 3000, k)
    deals = pd.DataFrame({"deal_id": [f"D{at:05d}" for at in range(k)], "account_id": ids[own], "source": source})
    deals = deals.assign(owner_id=[f"V{at:02d}" for at in seller], team=[f"T{at}" for at in team])
    opened = days[0] + pd.to_timedelta(rng.integers(0, 540, k), "D")
    if short is not None:
        column, name = short
        money = money - 3000 * (np.where(column == "region", regions[zone[own]], deals["team"]) == name)
    deals = deals.assign(
        status="won", amount=money.clip(100).round(2), opened_on=opened, closed_on=opened + pd.Timedelta(days=30)
    )
    return {"accounts": pd.DataFrame({"account_id": ids, "region": regions[zone]}), "deals": deals} | {
        "activities": activities,
        "invoices": invoices,
    }
