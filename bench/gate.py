"""Does the gate let through what it should: companies without signal, equal challengers, and challengers that are better.

Null worlds: companies whose outcomes depend on nothing are trained the whole way; at least 95 in 100 must be refused.

Challengers: two models judged on the same rows of a locked quarter, each the truth in log-odds and an error of its own. They
are equal where both errors are as large; the gate must then let at most 8 in 100 through. Where the champion's error is
larger, the share let through is the gate's power; beside it stand "the higher AUC wins", and a paired bootstrap over
accounts that asks for the same certainty: the gate must find the gain no more than .05 less often than that bootstrap.

    python bench/gate.py                            # 100 null worlds: about 15 minutes, and 400 pairs of challengers
    python bench/gate.py --worlds 10
"""

import argparse
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.errors import WinworthError
from winworth.flows.gate import SURE, gate_record
from winworth.flows.reigning import Reigning, better_than_champion
from winworth.flows.retrain import begin, learn
from winworth.models.evaluate import Judged, WinReport
from winworth.models.metrics import account_draws, auc, log_loss_rows
from winworth.models.task import Rung
from winworth.models.track import untracked

CONF = Path(__file__).parents[1] / "conf"
AS_OF = date(2026, 6, 30)
N_ROWS, N_ACCOUNTS = 480, 240
ERROR = 0.6  # standard deviation of the challenger's error in log-odds
OF_CHAMPION = {"equal": ERROR, "better": 0.9}


def is_refused(seed: int) -> bool:
    """Train on a company without signal and tell whether its gate refuses."""
    with tempfile.TemporaryDirectory() as name:
        write_exports(software_company(n_deals=800, as_of=AS_OF, seed=seed, signal=False), Path(name))
        settings = load_settings(CONF)
        crm = replace(settings.crm, folder=name)
        settings = replace(settings, crm=crm, training=replace(settings.training, n_boot=20, leak_tax=False))
        try:
            retrain = begin(settings, AS_OF, Path(name), untracked)
            learnt = learn(retrain)
        except WinworthError:
            return True
        return not gate_record([*learnt.checks, *retrain.leaks.checks(retrain.catalog.features)])["passed"]


def pair(seed: int, champion_error: float) -> WinReport:
    """Judge a challenger and a champion on rows whose true chances are known; rows of an account share its level."""
    rng = np.random.default_rng(seed)
    accounts = rng.integers(0, N_ACCOUNTS, N_ROWS)
    z = -0.8 + rng.normal(0, 0.7, N_ACCOUNTS)[accounts] + rng.normal(0, 0.8, N_ROWS)
    y = (rng.random(N_ROWS) < expit(z)).astype(float)
    p = {"new": expit(z + rng.normal(0, ERROR, N_ROWS)), "champion": expit(z + rng.normal(0, champion_error, N_ROWS))}
    judged = Judged(np.arange(N_ROWS), y, np.ones(N_ROWS), accounts, p)
    return WinReport("new", "a quarter", True, judged, {}, None)


def let_through(report: WinReport) -> bool:
    king = Reigning("champion", AS_OF, 180, Rung("champion"))
    return better_than_champion(report, king, as_of=AS_OF, horizon_days=180).passed


def by_bootstrap(report: WinReport, seed: int) -> bool:
    """Ask that the challenger's mean log loss is the lower in 95 of 100 draws of accounts."""
    j = report.judged
    difference = log_loss_rows(j.y, j.p["new"]) - log_loss_rows(j.y, j.p["champion"])
    draws = account_draws(j.accounts, seed=seed, n_boot=400)
    return bool(np.mean([w @ difference < 0 for w in draws]) >= SURE)


def by_auc(report: WinReport) -> bool:
    j = report.judged
    return auc(j.y, j.p["new"], j.weight) > auc(j.y, j.p["champion"], j.weight)


def challengers(n_pairs: int) -> None:
    print(f"{'challenger':<12}{'gate':>8}{'bootstrap':>11}{'higher AUC':>12}   of {n_pairs} pairs on {N_ROWS} rows")
    for label, error in OF_CHAMPION.items():
        pairs = [pair(seed, error) for seed in range(n_pairs)]
        shares = [np.mean([let_through(r) for r in pairs]), np.mean([by_bootstrap(r, k) for k, r in enumerate(pairs)])]
        print(f"{label:<12}{shares[0]:8.3f}{shares[1]:11.3f}{np.mean([by_auc(r) for r in pairs]):12.3f}")
        assert shares[0] <= 0.08 if label == "equal" else shares[0] >= shares[1] - 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=400)
    given = parser.parse_args()
    challengers(given.pairs)
    refused = [is_refused(1000 + seed) for seed in range(given.worlds)]
    print(f"null worlds refused: {sum(refused)} of {len(refused)}")
    assert sum(refused) >= 0.95 * len(refused)


if __name__ == "__main__":
    main()
