"""What matters in this world, what came of the attempts to sell, and what an oracle would say beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from winworth.crm.synthetic import market
from winworth.crm.synthetic.plays import lift_chances, shorten

HORIZON_DAYS = 180
WIN_RATE = 0.26
DAYS_TO_CLOSE = 60.0  # median
SPREAD_OF_DAYS = 0.85  # standard deviation of the log: 95 % close within 245 days
WINS_ARE_SLOWER = 0.08  # in log days; losses are as much faster
ACCOUNT_SPREAD = 0.35  # what else, in log-odds, tells one account from another
LOG_AMOUNT = (10.2, 0.6)  # mean, and the standard deviation that no criterion explains
DECIDERS = (0.85, 0.9)  # mean and standard deviation of how many deciders are known, three at most
SIGNALS = (5.0, 0.8)  # signs of interest in the 90 days before opening: median, and growth of the log with interest

# A criterion's effect of one standard deviation on the log-odds of winning and on the log of the value.
EFFECTS = {
    "company_size": (0.50, 0.57),
    "automation_maturity": (0.95, 0.0),
    "engagement": (0.80, 0.0),
    "sector": (0.33, 0.08),
    "budget": (0.0, 0.28),
    "decision_makers": (0.33, 0.0),
    "source": (0.24, 0.0),
    "billing_day": (0.0, 0.0),
    "postcode": (0.0, 0.0),
}
SECTOR_APPEAL = {
    "Banque et assurance": 1.6,
    "Santé": 1.1,
    "Industrie": 0.5,
    "Logistique": 0.2,
    "Services": -0.3,
    "Distribution": -0.7,
    "Bâtiment": -1.4,
    "Secteur public": -1.6,
}
SOURCE_APPEAL = {"Recommandation": 1.6, "Partenaire": 0.7, "Site web": 0.2, "Salon": -0.4, "Prospection": -1.0}


@dataclass(frozen=True)
class Truth:
    """What an oracle knows of each attempt: by criterion, its part in the log-odds and in the log value."""

    to_win: pd.DataFrame
    to_value: pd.DataFrame
    ever_won: np.ndarray

    @property
    def weights(self) -> pd.Series:
        """Each criterion's share of what moves log expected value; all 0 where nothing does."""
        part = (1 - self.ever_won.mean()) * self.to_win + self.to_value
        size = (part - part.median()).abs().mean()
        return (size / size.sum() if size.sum() > 0 else size).rename("weight")


def criteria_scores(accounts: pd.DataFrame, attempts: pd.DataFrame) -> pd.DataFrame:
    """Return what each criterion says of each attempt on the day it opened, in standard deviations.

    Engagement is what the signs of interest seen by then (`n_signals`) tell of the interest.
    """
    of = accounts.iloc[attempts["account"]].reset_index(drop=True)
    zero = np.zeros(len(attempts))
    return pd.DataFrame(
        {
            "company_size": market.standard(np.log(of["headcount"]), market.LOG_HEADCOUNT),
            "automation_maturity": (of["automation_level"] - 2.75) / 1.26,
            "engagement": _guess_interest(attempts["n_signals"].to_numpy())[0],
            "sector": of["sector"].map(SECTOR_APPEAL),
            "budget": market.standard(np.log(attempts["budget"]), market.LOG_BUDGET),
            "decision_makers": market.standard(attempts["n_deciders"].clip(upper=3), DECIDERS),
            "source": attempts["source"].map(SOURCE_APPEAL),
            "billing_day": zero,
            "postcode": zero,
        }
    )


def draw_outcomes(
    rng: np.random.Generator,
    accounts: pd.DataFrame,
    attempts: pd.DataFrame,
    *,
    signal: bool,
    moved: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> tuple[pd.DataFrame, Truth]:
    """Add what comes of each attempt (won, days, amount), and return what an oracle would have said of it.

    Interest itself drives the outcome, the oracle sees its signs only. Without `signal` nothing drives anything. `moved` tells
    by what a change of plays multiplies the chance to win (`won`) and the days within the horizon (`days_open`).
    """
    strength = float(signal)
    scores = criteria_scores(accounts, attempts)
    win, value = (scores * {name: strength * both[i] for name, both in EFFECTS.items()} for i in (0, 1))
    beta = strength * EFFECTS["engagement"][0]
    seen, unseen = _guess_interest(attempts["n_signals"].to_numpy())
    mood = rng.normal(0, strength * ACCOUNT_SPREAD, len(accounts))[attempts["account"]]
    drive = (win.sum(axis=1) + beta * (attempts["interest"] - seen) + mood).to_numpy()
    base = brentq(lambda base: expit(base + drive).mean() - WIN_RATE, -10, 10)
    # A logistic curve averaged over a normal is nearly one of a smaller slope (MacKay 1992).
    slope = 1 / np.sqrt(1 + np.pi / 8 * (beta**2 * unseen + (strength * ACCOUNT_SPREAD) ** 2))
    ever_won = expit(slope * (base + win.sum(axis=1).to_numpy()))
    chance = expit(base + drive)
    if "won" in moved:
        lifted = lift_chances(chance, moved["won"])
        ever_won, chance = np.minimum(ever_won * lifted / chance, 1), lifted
    won = rng.random(len(attempts)) < chance
    centre = np.log(DAYS_TO_CLOSE) + strength * WINS_ARE_SLOWER * np.where(won, 1, -1)
    if "days_open" in moved:
        centre = shorten(centre, moved["days_open"], spread=SPREAD_OF_DAYS, within=HORIZON_DAYS)
    outcomes = attempts.assign(
        won=won,
        days=np.maximum(np.exp(rng.normal(centre, SPREAD_OF_DAYS)).round(), 1).astype(int),
        amount=np.exp(LOG_AMOUNT[0] + value.sum(axis=1).to_numpy() + rng.normal(0, LOG_AMOUNT[1], len(attempts))).round(),
    )
    return outcomes, Truth(win.mul(slope, axis=0), value, ever_won)


def oracle_table(attempts: pd.DataFrame, truth: Truth, *, signal: bool) -> pd.DataFrame:
    """Tell for each attempt, on the day it opened: the chance to win it within the horizon, its value if won, the log of both.

    The value is the expected amount; lifetime value is in proportion to it, as customers leave whatever they are.
    """
    late = (np.log(HORIZON_DAYS / DAYS_TO_CLOSE) - float(signal) * WINS_ARE_SLOWER) / SPREAD_OF_DAYS
    log_value = LOG_AMOUNT[0] + truth.to_value.sum(axis=1).to_numpy() + LOG_AMOUNT[1] ** 2 / 2
    chance = truth.ever_won * ndtr(late)
    return pd.DataFrame(
        {
            "deal_id": attempts["deal_id"].astype("str"),
            "win_probability": chance,
            "value_if_won": np.exp(log_value),
            "log_expected_value": np.log(chance) + log_value,
        }
    )


def _guess_interest(n_signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance of the interest, standard normal, given a Poisson count of its signs."""
    grid = np.linspace(-4, 4, 81)
    rate = SIGNALS[0] * np.exp(SIGNALS[1] * grid)
    counts, place = np.unique(n_signals, return_inverse=True)
    log_chance = counts[:, None] * np.log(rate) - rate - grid**2 / 2
    chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    mean = chance @ grid
    return mean[place], (chance @ grid**2 - mean**2)[place]
