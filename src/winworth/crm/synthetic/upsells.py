"""What customers buy beyond what they began with, offered to them for as long as they stay."""

import numpy as np
import pandas as pd

from winworth.crm.synthetic import market
from winworth.crm.synthetic.billing import DAYS_IN_QUARTER
from winworth.crm.synthetic.plays import Rollout

WIN_RATE = 0.55
LOG_DAYS = (3.7, 0.6)  # mean and standard deviation: 40 days in the median
SHARE_OF_FIRST = (0.35, 0.4)  # an upsell's amount over the first deal's: median, and spread of the log


def draw_upsells(
    rng: np.random.Generator, subscriptions: pd.DataFrame, segment: np.ndarray, rate: float, rollout: Rollout, today: int
) -> pd.DataFrame:
    """Draw the upsells offered to customers, `rate` a quarter, and as many times more as the rollout says from its day on."""
    start = subscriptions["start"].to_numpy()
    end = np.minimum(start + DAYS_IN_QUARTER * subscriptions["n_quarters"].to_numpy(), today)
    split = market.epoch_day(rollout.split)
    own = segment[subscriptions["account"]]
    parts = []
    for first, last in ((start, np.minimum(end, split)), (np.maximum(start, split), end)):
        length = np.maximum(last - first, 0)
        times = rollout.times("upsells", own, first)
        of = np.repeat(np.arange(len(start)), rng.poisson(rate * times * length / DAYS_IN_QUARTER))
        parts.append(pd.DataFrame({"of": of, "opened": first[of] + (rng.random(len(of)) * length[of]).astype(int)}))
    drawn = pd.concat(parts).sort_values(["opened", "of"], ignore_index=True)
    n, first = len(drawn), subscriptions.iloc[drawn["of"]].reset_index(drop=True)
    size = SHARE_OF_FIRST[0] * np.exp(rng.normal(0, SHARE_OF_FIRST[1], n))
    return first.assign(
        deal_id=market.numbered("U", n),
        opened=drawn["opened"],
        days=np.maximum(np.exp(rng.normal(*LOG_DAYS, n)).round(), 1).astype(int),
        won=rng.random(n) < WIN_RATE,
        amount=(first["amount"] * size).round(),
        budget=(first["amount"] * size * np.exp(rng.normal(0, 0.2, n))).round(-2),
        source="Client",
        product=market.level(rng, market.PRODUCTS, n),
    )


def bill_upsells(upsells: pd.DataFrame) -> pd.DataFrame:
    """Bill each upsell that was won ten days after: account, day, amount."""
    won = upsells[upsells["won"]]
    return pd.DataFrame({"account": won["account"], "day": won["opened"] + won["days"] + 10, "amount": won["amount"]})
