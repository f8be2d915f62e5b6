"""Whom a software company could sell to, and its attempts to sell. Days are counted from 1970-01-01."""

from datetime import date

import numpy as np
import pandas as pd

N_DAYS = 1461  # four years
LOOK_AHEAD_DAYS = 90  # buyers show up this long before a deal is opened
GROWTH = 2.5  # deals a day at the end of the four years, for each at their start
MONTHS = (1.0, 1.05, 1.15, 1.0, 0.95, 1.1, 0.75, 0.4, 1.2, 1.15, 1.1, 0.85)  # January to December; August sleeps
SLOT_DAYS = 91
REST_SLOTS = 2  # an account is left alone so long before the next deal is opened
LOG_HEADCOUNT = (4.4, 1.6)  # mean and standard deviation
LOG_BUDGET = (10.3, 0.6)
BUDGET_FOLLOWS_SIZE = 0.6  # their correlation
SIZE_CLASSES = ("TPE", "PME", "ETI", "GE")
FIRST_HEADCOUNT = (10, 250, 5000)  # of PME, ETI and GE, as INSEE draws the lines
LARGEST_BALANCE = (2e6, 43e6, 2e9, np.inf)

SECTORS = {
    "Industrie": 0.20,
    "Services": 0.18,
    "Distribution": 0.15,
    "Santé": 0.12,
    "Banque et assurance": 0.10,
    "Logistique": 0.10,
    "Secteur public": 0.08,
    "Bâtiment": 0.07,
}
SOURCES = {"Prospection": 0.30, "Site web": 0.25, "Recommandation": 0.15, "Partenaire": 0.15, "Salon": 0.15}
PRODUCTS = {"Essentiel": 0.5, "Avancé": 0.35, "Entreprise": 0.15}
MATURITY = {1: 0.20, 2: 0.25, 3: 0.25, 4: 0.20, 5: 0.10}
AREAS = (  # the first digits of the postcode, the region, the country
    ("75", "Île-de-France", "FR"),
    ("92", "Île-de-France", "FR"),
    ("69", "Auvergne-Rhône-Alpes", "FR"),
    ("38", "Auvergne-Rhône-Alpes", "FR"),
    ("59", "Hauts-de-France", "FR"),
    ("31", "Occitanie", "FR"),
    ("06", "Provence-Alpes-Côte d'Azur", "FR"),
    ("33", "Nouvelle-Aquitaine", "FR"),
    ("44", "Pays de la Loire", "FR"),
    ("B1", "Bruxelles", "BE"),
    ("L2", "Luxembourg", "LU"),
    ("D6", "Hesse", "DE"),
)
PLACES_IN_AREA = 25
NAMES = (
    ["Al", "Bel", "Cor", "Del", "Est", "Fer", "Gal", "Hel", "Iso", "Lor", "Mar", "Nor", "Ori", "Pel", "Sol", "Val"],
    ["a", "e", "i", "o", "ana", "era", "ino", "olia", "avi", "eco", "ita", "uro"],
    ["dis", "fluid", "gest", "lis", "mat", "net", "pack", "tech", "tec", "trans", "vert", "via"],
)


def epoch_day(day: date) -> int:
    """Return the number of the day, from 0 on 1970-01-01.

    >>> epoch_day(date(1970, 2, 1))
    31
    """
    return int(np.datetime64(day, "D").astype(int))


def dates(days: np.ndarray | pd.Series) -> np.ndarray:
    """Turn numbered days into dates; a missing number gives a missing date.

    >>> dates(np.array([31, np.nan])).astype(str).tolist()
    ['1970-02-01', 'NaT']
    """
    known = np.isfinite(np.asarray(days))
    return np.where(known, np.where(known, days, 0).astype(int).astype("datetime64[D]"), np.datetime64("NaT", "D"))


def level(rng: np.random.Generator, shares: dict, size: int) -> np.ndarray:
    """Draw levels with the given shares."""
    return np.array(list(shares))[rng.choice(len(shares), size, p=list(shares.values()))]


def standard(logs: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Return how many standard deviations each value lies from the mean of `scale`."""
    return (logs - scale[0]) / scale[1]


def draw_accounts(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Draw companies.

    No CRM holds `pull`, how often the company is sold to, nor `leaning`, how keen it tends to be.

    >>> draw_accounts(np.random.default_rng(1), 2)[["account_id", "name", "sector", "headcount", "size_class"]]
      account_id       name      sector  headcount size_class
    0    A000001    Isoetec  Logistique      142.0        PME
    1    A000002  Valuromat    Services      303.0        ETI
    """
    headcount = np.maximum(np.exp(rng.normal(*LOG_HEADCOUNT, n)).round(), 1)
    size = np.searchsorted(FIRST_HEADCOUNT, headcount, side="right")
    revenue = (headcount * 150_000 * np.exp(rng.normal(0, 0.3, n))).round(-3)
    balance = np.minimum(revenue * rng.uniform(0.4, 0.9, n), np.take(LARGEST_BALANCE, size)).round(-3)
    area = rng.integers(len(AREAS), size=n)
    place = rng.integers(PLACES_IN_AREA, size=n)
    return pd.DataFrame(
        {
            "account_id": numbered("A", n),
            "name": _names(rng, n),
            "sector": level(rng, SECTORS, n),
            "country": np.array([country for _, _, country in AREAS])[area],
            "region": np.array([region for _, region, _ in AREAS])[area],
            "postcode": [f"{AREAS[a][0]}{p * 10:03d}" for a, p in zip(area, place, strict=True)],
            "headcount": headcount,
            "size_class": np.array(SIZE_CLASSES)[size],
            "revenue": revenue,
            "balance_sheet": balance,
            "automation_level": level(rng, MATURITY, n).astype(float),
            "billing_day": rng.integers(1, 29, n).astype(float),
            "pull": np.exp(rng.normal(0, 0.9, n)),
            "leaning": rng.normal(size=n),
        }
    )


def draw_attempts(rng: np.random.Generator, accounts: pd.DataFrame, n: int, today: int) -> pd.DataFrame:
    """Draw `n` attempts to sell in the order of their opening. `account` is a position in `accounts`.

    `interest` is how keen the buyers are this time: no CRM holds it, and what they do shows it.
    """
    opened = np.sort(_opening_days(rng, n, today))
    account = _whom(rng, accounts["pull"].to_numpy(), (opened - opened[0]) // SLOT_DAYS)
    size = standard(np.log(accounts["headcount"].to_numpy()[account]), LOG_HEADCOUNT)
    own = np.sqrt(1 - BUDGET_FOLLOWS_SIZE**2) * rng.normal(size=n)
    budget = np.exp(LOG_BUDGET[0] + LOG_BUDGET[1] * (BUDGET_FOLLOWS_SIZE * size + own))
    return pd.DataFrame(
        {
            "deal_id": numbered("D", n),
            "account": account,
            "opened": opened,
            "budget": np.maximum(budget.round(-2), 100),
            "source": level(rng, SOURCES, n),
            "product": level(rng, PRODUCTS, n),
            "owner_id": np.char.add("V", np.char.zfill(rng.integers(1, 21, n).astype(str), 2)),
            "interest": 0.5 * accounts["leaning"].to_numpy()[account] + np.sqrt(0.75) * rng.normal(size=n),
        }
    )


def created_days(rng: np.random.Generator, n_accounts: int, attempts: pd.DataFrame, today: int) -> np.ndarray:
    """Draw the day each account entered the CRM: before anything happened with it."""
    idle = today - LOOK_AHEAD_DAYS - rng.integers(N_DAYS, size=n_accounts)
    first = attempts.groupby("account")["opened"].min() - LOOK_AHEAD_DAYS
    waited = rng.exponential(150, n_accounts).round().astype(int) + 1
    met = first.reindex(range(n_accounts))
    return np.where(met.notna(), met.fillna(0).astype(int) - waited, idle)


def _opening_days(rng: np.random.Generator, n: int, today: int) -> np.ndarray:
    """Draw working days of the four years up to today, more of them each month, with the seasons of business."""
    days = np.arange(today - N_DAYS + 1, today + 1)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    busy = np.is_busday(days.astype("datetime64[D]")) * np.take(MONTHS, month) * GROWTH ** np.linspace(0, 1, N_DAYS)
    return rng.choice(days, n, p=busy / busy.sum())


def _whom(rng: np.random.Generator, pull: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """Draw whom each deal is opened with, given its slot in time: no account twice within a slot or while it rests."""
    account = np.empty(len(slot), dtype=int)
    for now in np.unique(slot):
        rested = pull.copy()
        rested[account[(slot < now) & (slot >= now - REST_SLOTS)]] *= 1e-9
        of = slot == now
        account[of] = rng.choice(len(pull), of.sum(), replace=False, p=rested / rested.sum())
    return account


def _names(rng: np.random.Generator, n: int) -> list[str]:
    """Return `n` different company names."""
    words = [a + b + c for a in NAMES[0] for b in NAMES[1] for c in NAMES[2]]
    order = rng.permutation(len(words))
    rounds, places = np.divmod(np.arange(n), len(words))
    return [words[order[i]] + (f" {turn + 1}" if turn else "") for turn, i in zip(rounds, places, strict=True)]


def numbered(letter: str, n: int) -> list[str]:
    """Number `n` things in their order.

    >>> numbered("D", 2)
    ['D000001', 'D000002']
    """
    return [f"{letter}{i:06d}" for i in range(1, n + 1)]
