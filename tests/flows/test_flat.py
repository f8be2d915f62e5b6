"""A company whose CRM is one flat file of closed deals, without accounts, ids or dates: scored on one day and the next."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.mapping import ColumnMap, CrmMap, TableMap
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows.predict import predict
from winworth.flows.promote import promote
from winworth.flows.scorecard import QUICK
from winworth.flows.train import train

FIRST, NEXT = date(2026, 3, 30), date(2026, 3, 31)


@pytest.fixture
def flat(pytestconfig, home):
    """Return settings that read 240 closed deals and two columns to judge them by."""
    rng = np.random.default_rng(0)
    budget, staff = rng.choice(["yes", "no"], 240), rng.integers(1, 5000, 240)
    won = rng.random(240) < np.where(budget == "yes", 0.75, 0.25)
    status = np.where(won, "won", "lost")
    pd.DataFrame({"status": status, "budget": budget, "staff": staff}).to_csv(home / "deals.csv", index=False)
    kinds = {"budget": "level", "staff": "number"}
    columns = {name: ColumnMap(name, kind=kind, known="at_creation") for name, kind in kinds.items()}
    named = {name: {"en": name, "fr": name} for name in columns}
    families = {"budget": "purchase_maturity", "staff": "firmographic"}
    criteria = {n: Criterion(family, named[n], {n: Feature(value=f"deals.{n}")}) for n, family in families.items()}
    settings = load_settings(pytestconfig.rootpath / "conf")
    training = replace(settings.training, n_boot=10, weights=QUICK, leak_tax=False)
    crm = CrmMap("Flat", {"deals": TableMap("deals.csv", {"status": ColumnMap("status"), **columns})}, folder=str(home))
    return replace(settings, crm=crm, catalog=Catalog(criteria), training=training)


@pytest.mark.slow
def test_a_second_scoring_with_nobody_to_score_is_published_as_the_first_was(flat, home):
    train(flat, as_of=FIRST, home=home)
    promote(home)
    for day in (FIRST, NEXT):
        scored = predict(flat, as_of=day, home=home)
        assert scored.accounts.empty and (scored.folder / "crm" / "hubspot.csv").exists()
    assert "There is no account and no open deal to score." in scored.run["warnings"]
