"""What the page needs to try other weights on: later deals, today's accounts and their seats, packed small."""

import base64
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files

import numpy as np
import pandas as pd

from winworth.review.outside import harmless, shown
from winworth.review.words import LOCALES, Words
from winworth.scoring.seats import TIERS, Seats
from winworth.weights.overrides import MOST_DAYS, LaterScores, log_shift, rescaled

MOST_TODAY, MOST_LATER = 1_150_000, 400_000  # characters that accounts and later deals may take of a page of 2 MB
MOST_NAMES = 3_000
N_NAMED = 10
_STEP = 5  # points of weight between the settings whose first accounts are named
_LOG, _LOG_TODAY = 1e6, 1e9  # how finely logs are kept: of later deals as later.json has them, of accounts so that none tie
_SAID = ("workshop_say_change", "workshop_say_range", "workshop_say_none", "workshop_say_moved", "workshop_say_none_moved")
_SAID += ("workshop_say_rank", "workshop_say_copied", "workshop_say_select")
_TODO = ("workshop_todo_who", "workshop_todo_why", "workshop_todo_until")


@dataclass(frozen=True)
class Workshop:
    """What other weights are tried on: weights as learnt, later deals, and today's accounts.

    `unit` is what one point of an account's score is in log expected value, `worth` what puts accounts in order before any
    override (money, or win probability), by the rows of the review's accounts; `overrides` those in force, as run.json tells
    them. `seed` and `n_boot` are those of the price that winworth agree finds.
    """

    learnt: pd.Series
    unit: float
    later: LaterScores
    worth: pd.Series
    seats: Seats
    overrides: tuple[Mapping, ...] = ()
    seed: int = 0
    n_boot: int = 200


def workshop(it: Workshop, accounts: pd.DataFrame, labels: Mapping[str, str], currency: str, as_of: date, words: Words) -> dict:
    """Return what the section shows: a slider a criterion, and all that the script reads, ready for JSON."""
    held = {one["criterion"]: one["weight"] for one in it.overrides}
    now, places = rescaled(it.learnt, held), np.argsort(-it.learnt.to_numpy(), kind="stable")
    names = list(it.learnt.index)
    rows = [(int(k), shown(labels.get(names[k], names[k]), 60), int(it.learnt.iloc[k]), int(now.iloc[k])) for k in places]
    later, today = _later(it, names), _today(it, accounts)
    data = {
        "criteria": [str(name) for name in names],
        "learnt": [int(weight) for weight in it.learnt],
        "held": held,
        "overrides": [dict(one) for one in it.overrides],
        "later": later,
        "today": today,
        "locale": LOCALES[words.lang].replace("_", "-"),
        "currency": currency,
        "as_of": as_of.isoformat(),
        "until": (as_of + timedelta(days=MOST_DAYS)).isoformat(),
        "say": {key.removeprefix("workshop_say_"): words.phrases[key] for key in _SAID},
        "todo": [words.phrases[key] for key in _TODO],
    }
    notes = _notes(it, accounts, (later["step"], today["step"]), words)
    return {"rows": rows, "notes": notes, "data": data, "script": script(), "source": script_source(script())}


def _notes(it: Workshop, accounts: pd.DataFrame, steps: tuple[int, int], words: Words) -> list[str]:
    """Say what is measured on how many deals, and where the figures are not those of winworth agree to the last account."""
    notes = [words.say("workshop_measured", n=words.count(len(it.later.log_value), "deal"))]
    thin = zip(("workshop_later_thin", "workshop_accounts_thin"), steps, strict=True)
    notes += [words.say(key, n=words.number(step)) for key, step in thin if step > 1]
    n_held = int((accounts["tier_change_reason"] == "held").sum()) if "tier_change_reason" in accounts else 0
    return [*notes, words.say("workshop_held", accounts=words.count(n_held, "account"))] if n_held else notes


@cache
def script() -> str:
    """Return the page's only script."""
    return files("winworth.review").joinpath("templates", "workshop.js").read_text(encoding="utf-8")


def script_source(text: str) -> str:
    """Return how a content security policy allows exactly this script.

    >>> script_source("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def packed(numbers: np.ndarray) -> str:
    """Write whole numbers from 0 on as text: all their lowest bytes, then all their next ones, deflated, in base64.

    >>> zlib.decompress(base64.b64decode(packed(np.array([1, 258]))))
    b'\\x01\\x02\\x00\\x01'
    """
    n_bytes = max((int(numbers.max(initial=0)).bit_length() + 7) // 8, 1)
    planes = np.asarray(numbers, dtype="<u8").view(np.uint8).reshape(-1, 8)[:, :n_bytes].T
    return _deflated(planes.tobytes())


def _deflated(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _later(it: Workshop, names: list[str]) -> dict:
    """Pack the later deals; where they are too many, every so many-th of them.

    A criterion that the card of before did not have moves none of them.
    """
    later = it.later
    logs = np.round(later.log_value * _LOG).astype(np.int64)
    lowest, account = int(logs.min(initial=0)), np.unique(later.account, return_inverse=True)[1]
    columns = {"account": account, "log": logs - lowest} | _tenths(later.criteria.reindex(columns=names, fill_value=0))
    told = {"n": len(logs), "lowest": lowest, "unit": later.unit, "capacity": later.capacity, "in_money": later.in_money}
    told |= {"seed": it.seed, "n_boot": it.n_boot}
    return told | _fitting(lambda step: {name: column[::step] for name, column in columns.items()}, MOST_LATER)


def _today(it: Workshop, accounts: pd.DataFrame) -> dict:
    """Pack the accounts from the highest worth on, ties by id; the names of those that are named first at some setting."""
    worth = it.worth.to_numpy(dtype=float)
    logs = np.log(worth, where=worth > 0, out=np.full(len(worth), -np.inf))
    order = np.lexsort((accounts["account_id"].astype(str).rank(method="first").to_numpy(), -worth, -logs))
    logs, criteria = logs[order], accounts[list(it.learnt.index)].iloc[order].reset_index(drop=True)
    steps = np.round(logs[np.isfinite(logs)] * _LOG_TODAY).astype(np.int64)
    tenths = _tenths(criteria)

    def every(step: int) -> dict[str, np.ndarray]:
        fallen = -np.diff(steps[::step], prepend=steps[:1])
        padded = np.r_[fallen, np.zeros(len(logs[::step]) - len(fallen), dtype=np.int64)]
        return {"fallen": padded} | {name: column[::step] for name, column in tenths.items()}

    made = _fitting(every, MOST_TODAY)
    step = made["step"]
    seats = Seats({tier: n // step for tier, n in it.seats.n.items()}, it.seats.cost)
    told = {
        "n": len(logs[::step]),
        "n_worth": len(steps[::step]),
        "highest": int(steps[0]) if len(steps) else 0,
        "unit": it.unit,
    }
    told |= {"seats": [seats.n[tier] for tier in TIERS[:2]], "cost": [seats.cost[tier] for tier in TIERS[:2]]}
    named = _named(logs[::step], criteria.iloc[::step], it, seats)
    known = accounts.iloc[order[::step][named]]
    texts = [shown(harmless(name) or key, 40).text for name, key in zip(known["name"], known["account_id"], strict=True)]
    return told | made | {"named": packed(named), "names": _deflated("\n".join(texts).encode())}


def _tenths(criteria: pd.DataFrame) -> dict[str, np.ndarray]:
    return {f"c{k}": np.round(criteria.iloc[:, k].to_numpy(dtype=float) * 10).astype(int) for k in range(criteria.shape[1])}


def _fitting(every: Callable[[int], Mapping[str, np.ndarray]], most: int) -> dict:
    """Pack `every` so many-th row, all of them where that takes no more than `most` characters; `step` tells which."""
    step = 1
    while True:
        made = {name: packed(column) for name, column in every(step).items()}
        size = sum(map(len, made.values()))
        if size <= most:
            return {**made, "step": step}
        step = max(step + 1, -(-step * size // most))


def _named(logs: np.ndarray, criteria: pd.DataFrame, it: Workshop, seats: Seats) -> np.ndarray:
    """Return the accounts (places in their order) that may be listed: all of a few, else the first that move a tier up or down
    when one weight is set, and as many again for the settings between.
    """
    if len(logs) <= MOST_NAMES:
        return np.arange(len(logs))
    found, before = [], _tiers_by_place(logs, seats)
    for name in it.learnt.index:
        for weight in range(0, 101, _STEP):
            if weight == 100 or it.learnt.drop(name).sum() > 0:
                shift = log_shift(criteria, it.learnt, rescaled(it.learnt, {name: weight}), unit=it.unit)
                after = _tiers_by_place(logs + shift, seats)
                found += [np.flatnonzero(moved)[: 2 * N_NAMED] for moved in (after < before, after > before)]
    return np.unique(np.concatenate(found))


def _tiers_by_place(logs: np.ndarray, seats: Seats) -> np.ndarray:
    """Return 0, 1, 2 for A, B, C by the seats alone."""
    code = np.full(len(logs), 2)
    n_a, n_ab = seats.n["A"], seats.n["A"] + seats.n["B"]
    for tier, n in ((1, n_ab), (0, n_a)):
        if n:
            code[np.argpartition(-logs, min(n, len(logs)) - 1)[:n]] = tier
    return code
