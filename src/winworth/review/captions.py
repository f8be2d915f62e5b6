"""What each chart says, in one sentence: its title."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from winworth.review.outside import shown
from winworth.review.words import Words

FIRST_WORKED = 0.2


def weights_caption(weights: pd.DataFrame, words: Words) -> str:
    """Name the criterion that weighs most, or say that none does."""
    if not (weights["weight"] > 0).any():
        return words.say("matters_says_none")
    first = weights.sort_values("weight", ascending=False, kind="stable").iloc[0]
    return words.say("weights_caption", label=shown(first["label"], 60).text, weight=words.number(first["weight"]))


def calibration_caption(curve: Sequence[Mapping], words: Words) -> str:
    """Count the groups whose range of outcomes holds the chance that was announced."""
    agree = sum(group["low"] <= group["predicted"] <= group["high"] for group in curve)
    return words.say("calibration_caption", agree=words.number(agree), n=words.number(len(curve)))


def gain_caption(gain: Sequence[Mapping], words: Words) -> str:
    """Say how many wins the first fifth of the list holds."""
    share, captured = words.percent(FIRST_WORKED), words.percent(captured_at(gain, FIRST_WORKED))
    return words.say("gain_caption", share=share, captured=captured)


def deciles_caption(deciles: Sequence[Mapping], words: Words) -> str:
    """Say by how much of the total the tenths of customers were off."""
    came = sum(row["observed"] for row in deciles)
    off = sum(abs(row["predicted"] - row["observed"]) for row in deciles)
    return words.say("deciles_caption", off=words.percent(off / came if came > 0 else None))


def captured_at(gain: Sequence[Mapping], share: float) -> float:
    """Read the gain curve at a share worked.

    >>> captured_at([{"share": 0.0, "captured": 0.0}, {"share": 1.0, "captured": 1.0}], 0.2)
    0.2
    """
    return float(np.interp(share, [point["share"] for point in gain], [point["captured"] for point in gain]))
