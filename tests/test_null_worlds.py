"""Where nothing can be learnt, nothing is promoted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from test_planted_truth import AS_OF, exported, settings_for
from winworth.crm.synthetic import World, software_company
from winworth.errors import GateRefused
from winworth.features.catalog import Catalog, Criterion
from winworth.flows.promote import promote
from winworth.flows.train import train

WORLDS = 20


def with_a_telling_stage(world: World, seed: int) -> World:
    """Let most deals that will be won, and few others, reach the last stage on their second day."""
    deals, rng = world.tables["deals"], np.random.default_rng(seed)
    far = rng.random(len(deals)) < np.where(deals["status"] == "won", 0.8, 0.15)
    began = pd.DataFrame({"deal_id": deals["deal_id"], "stage": "discovery", "changed_on": deals["opened_on"]})
    moved = began[far].assign(stage="negotiation", changed_on=began["changed_on"] + pd.Timedelta(days=1))
    stages = pd.concat([began, moved], ignore_index=True).astype({"stage": "str"})
    return replace(world, tables={**world.tables, "stage_changes": stages})


def test_a_model_that_only_relearns_the_stage_is_refused_even_where_the_stage_is_declared_a_criterion(tmp_path):
    world = with_a_telling_stage(software_company(n_deals=2000, as_of=AS_OF, seed=8, signal=False), seed=1)
    settings = settings_for(exported(world, tmp_path / "exports"))
    timing = settings.catalog.criteria["deal_timing"]
    stage = Criterion("purchase_maturity", {"en": "Stage"}, {"stage": timing.features["stage"]})
    settings = replace(
        settings, catalog=Catalog({**settings.catalog.criteria, "deal_timing": timing_only(timing), "stage": stage})
    )
    win = train(settings, as_of=AS_OF, home=tmp_path).metrics["win"]
    assert win["baselines"]["trees"]["auc"]["value"] > 0.6
    with pytest.raises(GateRefused, match="nothing to rank by"):
        promote(tmp_path)


def timing_only(timing: Criterion) -> Criterion:
    return replace(timing, features={name: spec for name, spec in timing.features.items() if name != "stage"})
