"""What a version keeps for the review to draw: each against what shares no code with it."""

import json

import numpy as np
import pandas as pd
import pytest

from winworth.flows.pictures import MOST_ROWS, survival
from winworth.weights.criteria import spread


@pytest.fixture(scope="module")
def told(demo):
    return json.loads((demo.home / "models" / demo.done.trained.version / "pictures.json").read_text(encoding="utf-8"))


def test_the_sample_is_small_names_nobody_and_adds_up_within_a_criterion(demo, told):
    path = demo.home / "models" / demo.done.trained.version / "pictures.json"
    sample, catalog = told["attributions"], demo.done.trained.scorer.catalog
    assert sample["n"] == MOST_ROWS and path.stat().st_size < 60_000
    assert not set(demo.done.predicted.accounts["account_id"]) & set(json.dumps(told).replace('"', " ").split())
    whole = {name: np.array(part, dtype=float) for name, part in sample["criteria"].items()}
    for name, part in whole.items():
        own = [
            np.array(sample["features"][f]["part"], dtype=float)
            for f in catalog.criteria[name].features
            if f in sample["features"]
        ]
        off = np.nansum(own, axis=0) - part
        assert np.nanmax(off) - np.nanmin(off) < 0.2 + 0.5 * np.nanstd(part)


def test_the_criterion_that_weighs_most_moves_the_sample_furthest(demo, told):
    table = demo.done.trained.scorer.weights.criteria
    moved = {name: spread(pd.Series(part, dtype=float).dropna()) for name, part in told["attributions"]["criteria"].items()}
    heavy = table["weight"].nlargest(2).index
    assert set(sorted(moved, key=moved.get)[-2:]) == set(heavy)


def test_half_of_the_deals_have_ended_when_the_median_cycle_says_so(demo, told):
    classes = demo.done.trained.metrics["size_classes"]
    for name, curve in told["cycles"].items():
        days, share = np.array(curve["days"]), np.array(curve["share"])
        half = days[np.searchsorted(share, 0.5)]
        assert abs(half - classes[name]["cycle_days"]["value"]) <= 4
        assert (np.diff(share) > 0).all() and share[-1] <= 1


class _Snapshot:
    def __init__(self, invoices, as_of):
        self.tables, self.as_of = {"invoices": invoices}, as_of


def test_customers_stop_at_their_last_invoice_and_the_young_ones_are_not_yet_told(demo):
    """Forty who never stop, forty whose last invoice came after a year: by hand the share that stays is one half."""
    from datetime import date
    from types import SimpleNamespace

    days = pd.date_range("2020-01-01", "2023-12-31", freq="90D")
    rows = [(f"S{k}", day) for k in range(40) for day in days]
    rows += [(f"G{k}", day) for k in range(40) for day in days[:5]]
    invoices = pd.DataFrame(rows, columns=["account_id", "invoiced_on"]).assign(amount=100.0, margin=40.0)
    retrain = SimpleNamespace(settings=demo.settings)
    curve = survival(_Snapshot(invoices, date(2023, 12, 31)), retrain)
    assert curve["days"] == [360] and curve["share"] == [0.5] and curve["n"] == 80
