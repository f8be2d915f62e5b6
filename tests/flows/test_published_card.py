"""What leadership sees is what runs: the published card gives every score, in Python, as a table and in SQL."""

import json
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

from winworth.bundle import champion, open_version
from winworth.features.build import build_features
from winworth.features.examples import scoring_examples
from winworth.flows.learn import Reference
from winworth.flows.prepare import prepare
from winworth.flows.scorecard import card_check, card_files, card_holds, card_record, learn_card
from winworth.flows.weigh import Weighed
from winworth.models.metrics import Figure
from winworth.scoring.scorer import Scorer
from winworth.weights.fidelity import Fidelity


def fidelity(ratio: float) -> Fidelity:
    figure = Figure(ratio, ratio - 0.01, ratio + 0.01, 500)
    return Fidelity(figure, figure, figure, figure)


@pytest.fixture(scope="module")
def scored(demo):
    """Return the champion's files, its scorer, and the features of what is scored, with what its accounts were given."""
    bundle = open_version(demo.home / "models" / champion(demo.home / "models"))
    scorer = Scorer.from_files(bundle.contents)
    prepared = prepare(demo.settings, as_of=bundle.as_of, catalog=scorer.catalog)
    rows = scoring_examples(prepared.snapshot, exclude_kinds=("renewal",))
    return bundle, scorer, rows, build_features(rows, prepared.snapshot, scorer.catalog)


def test_every_score_of_an_open_deal_is_that_of_the_published_card(demo, scored):
    bundle, scorer, rows, features = scored
    assert bundle.json("metrics.json")["scorecard"]["in_use"]
    score = scorer.card.score(features, (rows["basis"] == "next_deal").to_numpy())
    deals = demo.done.predicted.deals.set_index("deal_id")["score"]
    published = deals.reindex(rows["deal_id"].dropna())
    assert np.allclose(score[rows["deal_id"].notna()], published, atol=1e-9)


def test_the_sql_of_the_bundle_gives_the_same_scores(scored):
    bundle, scorer, rows, features = scored
    no_deal = (rows["basis"] == "next_deal").to_numpy()
    account_features = features.assign(account_id=np.arange(len(rows)).astype(str), has_no_deal=no_deal)
    with duckdb.connect() as base:
        base.register("account_features", account_features)
        told = base.sql(bundle.text("scorecard.sql")).df().set_index("account_id")["score"]
    assert np.allclose(told.loc[account_features["account_id"]], scorer.card.score(features, no_deal))


def test_the_parts_shown_for_an_account_add_up_to_its_criterion_scores(scored):
    _, scorer, rows, features = scored
    found = scorer.explain(features, (rows["basis"] == "next_deal").to_numpy())
    for name, criterion in scorer.catalog.criteria.items():
        own = [feature for feature in criterion.features if feature in found.by_feature]
        if name in found.criteria and not scorer.card.pairs:
            assert ((50 + found.by_feature[own].sum(axis=1)).clip(0, 100) == found.criteria[name]).all()


def test_a_card_that_keeps_too_little_explains_and_the_models_score(scored):
    bundle, scorer, _, features = scored
    assert card_holds(fidelity(0.98)) and not card_holds(fidelity(0.95)) and not card_holds(None)
    assert "the models rank, and the scorecard explains" in card_check(fidelity(0.95)).says
    kept = {name: content for name, content in bundle.contents.items() if name != "scorecard.json"}
    files = kept | {"scorecard.json": card_files(scorer.card, scorer.catalog, in_use=False)["scorecard.json"]}
    plain = Scorer.from_files(files)
    assert plain.card is None
    assert not np.allclose(plain.score(features[:50])["score"], scorer.score(features[:50])["score"])
    assert np.allclose(plain.score(features[:50])["expected_value"], scorer.score(features[:50])["expected_value"])


def test_where_nothing_weighs_there_is_no_card_and_the_record_says_so(scored):
    scorer = scored[1]
    nothing = replace(scorer.weights, table=scorer.weights.table.assign(weight=0))
    reference = Reference(pd.DataFrame({"a": [1.0]}), np.zeros(1, dtype=int), np.zeros(1, dtype=bool), True)
    assert learn_card(Weighed(nothing, pd.DataFrame()), reference, scorer.catalog, seed=0) is None
    assert card_files(None, scorer.catalog, in_use=False) == {} and card_record(None, None) is None
    assert "not measured" in card_check(None).says
    assert json.dumps(card_record(scorer.card, None))
