"""CDNOW: what 23,570 customers buy in the 39 weeks after 1997-09-30, by ways of predicting it from what came before.

Printed for each way: mean absolute error, Spearman, normalised Gini, predicted over observed total, what the highest tenth
brought, and the mean absolute error when all predictions are scaled to the total of BG/NBD (.83 of what came). Nothing is
fitted to the 39 weeks. The log of 39 weeks shows at most six months after a landmark, so that the last three of the nine
months predicted are carried over.

    WINWORTH_REAL_DATA=data python bench/cdnow.py                               # a minute
"""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.models.buy_till_die import BuyTillDie, buyers_of, expected_margin, gap_variation
from winworth.models.cqr import coverage_by_group
from winworth.models.purchases import net_purchases
from winworth.models.retention import CustomerValue
from winworth.models.value_metrics import compare_values, decile_table, without_model

AS_OF = date(1997, 9, 30)
MONTHS, WEEKS = 9, 39
SCALED_TO = 0.83
COLUMNS = ["mae", "spearman", "gini", "total", "total_low", "total_high", "decile_wape", "top_share", "scaled_mae"]
TARGETS = {"spearman": (0.445, None), "gini": (0.72, None), "total": (0.90, 1.10), "mae": (None, 35.0)}
TARGETS |= {"scaled_mae": (None, 32.68)}


def read_cdnow() -> pd.DataFrame:
    path = Path(os.environ["WINWORTH_REAL_DATA"]) / "cdnow" / "CDNOW_master.txt"
    names = ["account_id", "bought_on", "n_discs", "amount"]
    log = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names, dtype={"account_id": str, "bought_on": str})
    return log.assign(bought_on=pd.to_datetime(log["bought_on"], format="%Y%m%d")).drop(columns="n_discs")


def what_came(log: pd.DataFrame, accounts: pd.Index) -> np.ndarray:
    later = log[log["bought_on"] > pd.Timestamp(AS_OF)]
    return later.groupby("account_id")["amount"].sum().reindex(accounts, fill_value=0.0).to_numpy()


def compared(log: pd.DataFrame) -> tuple[pd.DataFrame, CustomerValue]:
    """Return the figures of all ways, and our model."""
    purchases = net_purchases(log, as_of=AS_OF)
    y = what_came(log, purchases.accounts)
    model = CustomerValue(months=MONTHS, yearly_rate=0.0).fit(log, as_of=AS_OF)
    told = model.predict(log, as_of=AS_OF)
    rival = BuyTillDie().fit(buyers_of(purchases))
    bought = expected_margin(purchases, weeks=WEEKS)[0]
    ways = {"ours": told["value"].to_numpy(), "BG/NBD + Gamma-Gamma": bought, **without_model(purchases, months=MONTHS)}
    table = compare_values(y, ways, seed=0)
    scaled = {way: np.abs(p * SCALED_TO * y.sum() / p.sum() - y).mean() for way, p in ways.items()}
    print(
        f"{len(y):,} customers, {(y > 0).mean():.1%} buy again, {y.sum():,.0f} $; gaps vary by {gap_variation(purchases):.2f}"
    )
    print(f"BG/NBD r, alpha, a, b: {np.round(rival.buying_, 3).tolist()}; fallback: {rival.fallback_ or 'none'}")
    print(f"ours: learnt by {model.basis_}, balance {model.balance_:.3f}, intervals up to {model.interval_months_} months")
    top = np.where(told["value"] >= told["value"].quantile(0.9), "top tenth", "others")
    print(f"coverage of 80 % intervals: {coverage_by_group(y, (told['low'].to_numpy(), told['high'].to_numpy()), top)}")
    print(decile_table(y, ways["ours"]).round(0).to_string(), "\n")
    return table.assign(scaled_mae=scaled), model


def main() -> None:
    table, _ = compared(read_cdnow())
    print(table[COLUMNS].round(4).to_string())
    for name, (low, high) in TARGETS.items():
        value = table.loc["ours", name]
        is_met = (low is None or value >= low) and (high is None or value <= high)
        print(f"{name:<12}{value:9.4f}   wanted {low or ''}..{high or ''}   {'met' if is_met else 'MISSED'}")


if __name__ == "__main__":
    main()
