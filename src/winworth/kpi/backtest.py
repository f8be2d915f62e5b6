"""Would A-first have paid? What may be said of it, with its doubt, and what may not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.errors import DataError
from winworth.kpi.policy import RARE, Choice, Learnt, choose_highest, learn, weighted_parts, worst_mean
from winworth.kpi.regression import half_width, spread_of
from winworth.models.metrics import Figure

LEAST_ROWS = 100
LEAST_EACH = 20  # accounts worked, and not worked
LEAST_EFFECTIVE = 50
MOST_TRIMMED = 0.2
MOST_ODDS = 20.0
FIRM_ODDS = 1.25  # hidden reasons that shift odds by less are what sellers always have
FIFTH = 0.2
BINS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


@dataclass(frozen=True)
class Overlap:
    """How far the past can speak for the new choice: rows by their chance to be worked (chance_from, chance_to, n, worked,
    chosen), the rows it comes down to (Kish), and the share of rows left out since the new choice was next to never made.
    """

    table: pd.DataFrame
    effective: float
    trimmed: float

    @property
    def is_enough(self) -> bool:
        """Whether a claim can rest on it."""
        return self.effective >= LEAST_EFFECTIVE and self.trimmed <= MOST_TRIMMED


@dataclass(frozen=True)
class Claim:
    """The gain of the new choice over what was done, as a share: doubly robust, weighted only, and naive.

    `tipping` is by how much hidden reasons must have shifted the odds of being worked for the gain to be 0; 1 where its
    interval holds 0 anyway.
    """

    gain: Figure
    weighted: float
    naive: float
    tipping: float
    overlap: Overlap

    def to_dict(self) -> dict:
        """Return it for JSON."""
        table = self.overlap.table.to_dict("records")
        overlap = {"table": table, "effective": self.overlap.effective, "trimmed": self.overlap.trimmed}
        whole = {"gain": self.gain.to_dict(), "weighted": self.weighted, "naive": self.naive, "tipping": self.tipping}
        return whole | {"overlap": overlap | {"is_enough": self.overlap.is_enough}}


@dataclass(frozen=True)
class Backtest:
    """What the score captured, as description (`fifth`: the share of the outcome that the highest fifth by score held), and the
    claim about A-first; none where effort is not logged.
    """

    capture: pd.DataFrame
    fifth: Figure
    claim: Claim | None

    @property
    def is_causal(self) -> bool:
        """Whether more than a description is given; a gain or loss that slight hidden reasons would undo is none."""
        if self.claim is None or not self.claim.overlap.is_enough:
            return False
        gain = self.claim.gain
        return gain.low <= 0 <= gain.high or self.claim.tipping >= FIRM_ODDS

    def to_dict(self) -> dict:
        """Return it for JSON."""
        told = {"capture": self.capture.to_dict("records"), "fifth": self.fifth.to_dict()}
        return told | {"claim": self.claim.to_dict() if self.claim else None, "is_causal": self.is_causal}


def backtest(rows: pd.DataFrame, *, seed: int) -> Backtest:
    """Judge working the highest scores first against what was done, with as many accounts in each period.

    `rows` has account_id, period, segment, score, activity (what had happened before the period) and outcome, one an account
    and period, the score as it stood before the period; and worked (whether effort was logged in it), without which nothing
    is claimed. Rows without a score or an outcome are left out.
    """
    known = rows[rows["score"].notna() & rows["outcome"].notna()].reset_index(drop=True)
    if len(known) < LEAST_ROWS:
        raise DataError(f"The backtest has {len(known)} rows with a score and an outcome; {LEAST_ROWS} are needed.")
    capture, fifth = capture_curve(*(known[name].to_numpy(dtype=float) for name in ("score", "outcome"))), _fifth(known, seed)
    if "worked" not in known or known["worked"].isna().any():
        return Backtest(capture, fifth, None)
    known = known.assign(worked=known["worked"].astype(bool))
    sides = known.groupby("worked")["account_id"].nunique().reindex([True, False], fill_value=0)
    if sides.min() < LEAST_EACH:
        raise DataError(f"{sides[True]} accounts were worked and {sides[False]} were not; {LEAST_EACH} of each are needed.")
    return Backtest(capture, fifth, judge(known, choose_highest(known), seed=seed))


def capture_curve(score: np.ndarray, outcome: np.ndarray) -> pd.DataFrame:
    """Return which share of the outcome the highest share of accounts by score holds: a description, no gain.

    >>> capture_curve(np.array([3.0, 1.0, 2.0]), np.array([6.0, 1.0, 3.0])).round(2).values.tolist()
    [[0.0, 0.0], [0.33, 0.6], [0.67, 0.9], [1.0, 1.0]]
    """
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(score[order]) < 0, True])  # scores that tie are taken together
    held = np.cumsum(outcome[order])[last] / max(outcome.sum(), 1e-12)
    return pd.DataFrame({"accounts": np.r_[0.0, (last + 1) / len(score)], "outcome": np.r_[0.0, held]})


def _fifth(rows: pd.DataFrame, seed: int, n_boot: int = 200) -> Figure:
    """Return the share of the outcome that the highest fifth by score held; whole accounts are drawn anew for its interval."""
    score, outcome = (rows[name].to_numpy(dtype=float) for name in ("score", "outcome"))
    codes, rng = rows["account_id"].factorize()[0], np.random.default_rng(seed)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    own = np.split(order, ends[:-1])

    def held(at: np.ndarray) -> float:
        curve = capture_curve(score[at], outcome[at])
        return float(np.interp(FIFTH, curve["accounts"], curve["outcome"]))

    drawn = [held(np.concatenate([own[k] for k in rng.integers(len(own), size=len(own))])) for _ in range(n_boot)]
    return Figure(held(np.arange(len(rows))), *map(float, np.quantile(drawn, [0.025, 0.975])), len(rows))


def judge(rows: pd.DataFrame, chosen: np.ndarray, *, seed: int) -> Claim:
    """Estimate what choosing `chosen` instead of who was worked would have brought; errors hold by account."""
    worked, outcome = rows["worked"].to_numpy(), rows["outcome"].to_numpy(dtype=float)
    whole = Choice(rows["account_id"].factorize()[0], outcome, worked, chosen)
    all_learnt = learn(rows, whole, seed=seed)
    kept = all_learnt.chance_of(chosen) >= RARE
    choice = Choice(whole.accounts[kept], outcome[kept], worked[kept], chosen[kept])
    learnt = Learnt(all_learnt.chance[kept], all_learnt.expected[kept])
    if choice.outcome.sum() <= 0 or not choice.is_followed.any():
        raise DataError(
            "The rows that can be compared brought nothing, so that there is no gain to measure. Choose other dates."
        )
    done = choice.outcome.mean()
    gain, weighted = (_gain(choice, weighted_parts(choice, learnt, is_robust=way)) for way in (True, False))
    naive = outcome[chosen].mean() / outcome[worked].mean() - 1
    return Claim(gain, weighted.value, float(naive), _tipping(choice, learnt, gain, done), _overlap(whole, all_learnt, kept))


def _gain(choice: Choice, parts: np.ndarray) -> Figure:
    done = choice.outcome.mean()
    ratio = parts.mean() / done
    pull = np.bincount(choice.accounts, parts - ratio * choice.outcome) / (done * len(parts))
    pull = pull[np.unique(choice.accounts)]
    half = half_width(float(np.sqrt(spread_of(pull[:, None])[0, 0])), len(pull) - 1)
    return Figure(float(ratio - 1), float(ratio - 1 - half), float(ratio - 1 + half), len(parts))


def _tipping(choice: Choice, learnt: Learnt, gain: Figure, done: float) -> float:
    """Return the odds at which the nearer end of the interval would reach 0."""
    if gain.low <= 0 <= gain.high:
        return 1.0
    sign = 1.0 if gain.value > 0 else -1.0
    side = Choice(choice.accounts, sign * choice.outcome, choice.worked, choice.chosen)
    mirrored = Learnt(learnt.chance, sign * learnt.expected)
    doubt = (gain.high - gain.low) / 2 * done
    low, high = 1.0, MOST_ODDS
    for _ in range(40):
        middle = (low + high) / 2
        holds = worst_mean(side, mirrored, middle) - doubt > sign * done
        low, high = (middle, high) if holds else (low, middle)
    return low if high < MOST_ODDS else MOST_ODDS


def _overlap(choice: Choice, learnt: Learnt, kept: np.ndarray) -> Overlap:
    place = np.clip(np.searchsorted(BINS, learnt.chance, "right") - 1, 0, len(BINS) - 2)
    counts = {"n": np.ones(len(place)), "worked": choice.worked, "chosen": choice.chosen}
    table = {name: np.bincount(place, x, minlength=len(BINS) - 1).astype(int) for name, x in counts.items()}
    weight = (choice.is_followed / learnt.chance_of(choice.chosen))[kept]
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    return Overlap(pd.DataFrame({"chance_from": BINS[:-1], "chance_to": BINS[1:], **table}), effective, float(1 - kept.mean()))
