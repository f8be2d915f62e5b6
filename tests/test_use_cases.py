"""What a change of plays did is found again in three companies where it is known, by what `winworth compare` runs.

MEASURED
"""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from winworth.config import Settings, load_settings
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import USE_CASES
from winworth.crm.synthetic.plays import SEGMENT
from winworth.flows.compare import Question, look_at
from winworth.kpi.difference import Difference
from winworth.tables import CrmTables, ReadReport

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[1] / "conf"
KNOWN = {("accounts", SEGMENT): "at_creation", ("deals", "amount"): "at_close"}
CASES = list(USE_CASES)


def asked(case: str, seed: int, *, has_effect: bool) -> dict[tuple[str, str], Difference]:
    """Draw a company and compare its plays before and after, by segment and outcome."""
    world = USE_CASES[case].draw(as_of=AS_OF, seed=seed, has_effect=has_effect, is_whole=False)
    crm = CrmTables(world.tables, KNOWN, ReadReport((), pd.DataFrame()))
    question = Question(world.split, USE_CASES[case].treated, SEGMENT, USE_CASES[case].outcomes)
    found = look_at(crm, take_snapshot(crm, as_of=AS_OF), settings_of(case), question, home=Path("none"))
    assert not found.untold
    return {(segment, one.outcome): one for segment, told in found.differences.items() for one in told}


@cache
def settings_of(case: str) -> Settings:
    settings = load_settings(CONF / case)
    return replace(settings, training=replace(settings.training, n_boot=2))  # draws are for the mix, which is not asked here


def recovered(case: str, seeds: range) -> pd.DataFrame:
    """Return, by planted effect, how often its 80 % interval holds it and the median found, less what was planted."""
    rows = []
    for seed in seeds:
        found = asked(case, seed, has_effect=True)
        for place, share in USE_CASES[case].planted.items():
            told = found[place]
            rows.append((*place, told.relative_80.low <= share <= told.relative_80.high, told.relative.value - share))
    table = pd.DataFrame(rows, columns=["segment", "outcome", "held", "beside"])
    return table.groupby(["segment", "outcome"]).agg(held=("held", "mean"), beside=("beside", "median"))


@pytest.mark.parametrize("case", CASES)
def test_what_was_planted_is_found_again(case):
    """Of 40 companies: what 40 draws warrant of a coverage of .80 (99.9 %), and a median within four points and its noise."""
    found = recovered(case, range(5000, 5040))
    low, high = binom.ppf([0.0005, 0.9995], 40, 0.8) / 40
    assert found["held"].between(low, high).all(), found
    assert (found["beside"].abs() < 0.08).all(), found


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_of_80_per_cent_hold_the_truth_in_four_of_five(case):
    found = recovered(case, range(1000, 1200))
    assert found["held"].between(0.74, 0.86).all(), found
    assert (found["beside"].abs() < 0.04).all(), found


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_where_nothing_changed_nothing_is_found(case):
    """Decided at an adjusted 5 % over all that was compared."""
    quiet = [all(one.p >= 0.05 for one in asked(case, seed, has_effect=False).values()) for seed in range(1000, 1100)]
    assert np.mean(quiet) >= 0.90
