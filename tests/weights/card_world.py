"""A small made-up history whose contributions are known, and random rows that seek out what exports get wrong."""

import numpy as np
import pandas as pd

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.weights.attribution import Attributions
from winworth.weights.criteria import criteria_weights
from winworth.weights.fit_card import CardLimits, CardRows, fit_scorecard
from winworth.weights.scorecard import Scorecard

QUOTES = ["O'Brien; --", 'say "hi"', "two\nlines\tand tab", "back\\slash"]
SOURCES = [*QUOTES, "=1+1", "@SUM(A1)", "*", "?ui", "été ", "#N/A", "007", "web", "Web"]
STRANGE = ["unseen", "", None, "'", '"', "it''s", "\\", "; DROP TABLE t; --", "a\x01b", " web", "WEB", "=1", "\U0001f600"]
LABELS = {"need": {"en": "=HYPERLINK(0)", "fr": "Besoin"}, "place": {"en": "Place", "fr": "Lieu"}}
READS = {
    "size": {"headcount": ("accounts.headcount", "up"), "size class": ("accounts.size_class", None)},
    "need": {"budget": ("deals.budget", "up"), "source": ("deals.source", None)},
    "place": {"region": ("accounts.region", None), "visits": ("accounts.visits", None)},
    "speed": {'da"ys': ("accounts.days", "down")},
    "season": {"month": ("accounts.month", None)},
}
CATALOG = Catalog(
    {
        name: Criterion(
            "context" if name == "season" else "needs_value",
            LABELS.get(name, {"en": name, "fr": name}),
            {f: Feature(value=reads, direction=direction) for f, (reads, direction) in features.items()},
        )
        for name, features in READS.items()
    }
)
DEAL_LEVEL = ["budget", "source"]


def drawn(n: int = 4000, seed: int = 0, noise: float = 0.1) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Draw features, contributions and accounts: headcount and days work together across two criteria."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "headcount": np.round(rng.lognormal(3, 1, n)),
            "size class": rng.choice(["TPE", "PME", "ETI"], n),
            "budget": np.where(rng.random(n) < 0.2, np.nan, rng.normal(50, 20, n).round(2)),
            "source": pd.Series(rng.choice([*SOURCES, None], n), dtype="str"),
            "region": pd.Series(rng.choice([f"R{k:02d}" for k in range(40)], n, p=_falling(40)), dtype="str"),
            "visits": rng.poisson(4, n).astype(float),
            'da"ys': rng.integers(0, 120, n).astype(float),
            "month": rng.integers(1, 13, n).astype(float),
        }
    )
    together = (table["headcount"] > 20) * (table['da"ys'] < 60) * 0.9
    parts = pd.DataFrame(
        {
            "headcount": 0.5 * np.log1p(table["headcount"]) + together / 2,
            "size class": 0.1 * (table["size class"] == "ETI"),
            "budget": (0.02 * table["budget"]).fillna(0.8),
            "source": 0.3 * table["source"].isin(["web", "=1+1", "*"]),
            "region": table["region"].map({f"R{k:02d}": np.sin(k) / 4 for k in range(40)}),
            "visits": 0.2 * np.sin(table["visits"]),
            'da"ys': -0.01 * table['da"ys'] + together / 2,
            "month": 0.0,
        }
    )
    return table, parts + rng.normal(0, noise, parts.shape), rng.integers(0, n // 3, n)


def fitted(limits: CardLimits | None = None, **world) -> Scorecard:
    features, parts, groups = drawn(**world)
    return fit_scorecard(CardRows(features, parts, groups), CATALOG, weights_of(parts, features), limits, seed=0)


def weights_of(parts: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    filled = parts.fillna(0.0)
    told = criteria_weights(
        Attributions(filled * 0, filled), CATALOG, mean_probability=0.3, measured=parts.notna(), features=features
    )
    return told.table


def random_rows(card: Scorecard, n: int = 10_000, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw rows of boundaries, their nearest neighbours, infinities, gaps, unseen levels and levels spelled otherwise."""
    rng = np.random.default_rng(seed)
    columns = {}
    for table in card.tables:
        if hasattr(table.bins, "edges"):
            edges = np.array([*table.bins.edges, 0.0])
            near = [edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf), edges * rng.normal(1, 1, len(edges))]
            pool = np.concatenate([*near, [np.nan, np.inf, -np.inf, 1e15, -1e15, 1e-9, -0.0]])
            columns[table.bins.feature] = rng.choice(pool, n)
        else:
            known = list(table.bins.levels)
            pool = np.array([*known, *known, *[level + " " for level in known], *STRANGE], dtype=object)
            columns[table.bins.feature] = pd.Series(rng.choice(pool, n), dtype="str")
    return pd.DataFrame(columns), rng.random(n) < 0.3


def _falling(n: int) -> np.ndarray:
    share = 0.8 ** np.arange(n)
    return share / share.sum()
