"""A-first judged from files: a company in which effort changes nothing, one in which it does, and what is refused."""

import json
import shutil
from datetime import date

import numpy as np
import pandas as pd
import pytest
from effect_world import AS_OF, publish_scores, settings_for, worked_company

from winworth.errors import ConfigError
from winworth.flows.backtest import BACK, backtest, scores_before
from winworth.flows.kpi import book_of, quarters_of
from winworth.flows.prepare import prepare
from winworth.flows.published import newest
from winworth.printed.backtested import backtested


def judged(tmp_path, world, *, scored_on="2025-12-31", **overrides):
    tables, scores, _ = world
    settings = settings_for(tmp_path / "exports", tables, **{"kpi.quarters": 1} | overrides)
    publish_scores(tmp_path, scored_on, scores)
    return backtest(settings, as_of=AS_OF, home=tmp_path)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    """Judge a company in which effort changes nothing."""
    home = tmp_path_factory.mktemp("nothing")
    return judged(home, worked_company(3)), home


def test_where_effort_changes_nothing_files_to_words_say_0_and_naive_says_58_percent(nothing):
    done, _ = nothing
    claim = done.found.claim
    assert claim.naive == pytest.approx(0.58, abs=0.15)
    assert claim.gain.low < 0 < claim.gain.high
    assert (done.outcome, done.effort, done.n_accounts) == ("won", "hours", 1400)
    for lang, said in (("en", "no gain and no loss beyond noise"), ("fr", "ni gain ni perte au-delà du bruit")):
        assert any(said in part for part in backtested(done, lang).parts)


def test_a_true_gain_comes_through_files(tmp_path):
    world = worked_company(1, effect=3.0)
    done = judged(tmp_path, world)
    gain = done.found.claim.gain
    assert world[2] > 0.1
    assert 0 < gain.low < world[2] < gain.high
    assert any("hidden reasons" in part for part in backtested(done).parts)


def test_rows_are_what_was_known_before_the_quarter_and_what_came_in_it(nothing):
    done, home = nothing
    told = json.loads((done.folder / "backtest.json").read_text())
    assert told["quarters"] == [{"quarter": "2026 Q1", "day": "2025-12-31", "scored": "published"}]
    assert told == json.loads(json.dumps(done.to_dict()))
    assert newest(home, "backtest", as_of=AS_OF) == (told,)
    assert newest(home, "backtest", as_of=date(2026, 3, 30)) == ()
    tables, _, _ = worked_company(3)
    n_worked = tables["activities"]["hours"].gt(0).sum()
    assert sum(row["worked"] for row in told["claim"]["overlap"]["table"]) == n_worked


def test_effort_that_is_not_logged_is_a_description(tmp_path):
    done = judged(tmp_path, worked_company(3, is_logged=False))
    assert done.effort is None and done.found.claim is None
    assert "Not causal: effort is not logged" in " ".join(backtested(done).parts)
    assert done.found.fifth.low < done.found.fifth.value < done.found.fifth.high


def test_scores_of_a_later_day_are_refused_with_the_reason(tmp_path):
    with pytest.raises(ConfigError, match="Scores of a later day know who bought"):
        judged(tmp_path, worked_company(3, n=200), scored_on="2026-01-01")


def test_scores_that_know_the_outcome_would_look_good_and_do_not_enter(tmp_path):
    """Beside the scores from before the quarter stand some of its end that rank by what came: nothing changes."""
    tables, scores, _ = worked_company(3, n=400)
    once = judged(tmp_path / "once", (tables, scores, 0.0))
    publish_scores(tmp_path / "twice", "2026-03-31", scores.assign(score=tables["deals"]["amount"].rank().to_numpy()))
    twice = judged(tmp_path / "twice", (tables, scores, 0.0))
    assert twice.to_dict() == once.to_dict()


def test_without_amounts_invoices_say_what_was_brought(tmp_path):
    tables, scores, gain = worked_company(3, n=400)
    deals = tables["deals"]
    invoices = deals[["account_id"]].assign(invoiced_on=deals["closed_on"], amount=deals["amount"] * 2, margin=deals["amount"])
    tables = {"deals": deals.drop(columns="amount"), "activities": tables["activities"], "invoices": invoices}
    found = judged(tmp_path / "margin", (tables, scores, gain))
    assert found.outcome == "margin"
    other = judged(tmp_path / "won", (worked_company(3, n=400)[0], scores, gain))
    assert found.found.claim.gain.value == pytest.approx(other.found.claim.gain.value, abs=1e-6)


def test_a_version_learnt_before_the_quarter_gives_the_scores_it_would_have_published(demo, tmp_path):
    shutil.copytree(demo.home / "models", tmp_path / "models", symlinks=True)
    later = date(2026, 9, 30)
    prepared = prepare(demo.settings, as_of=later)
    book = book_of(demo.settings, prepared, later, {})
    quarters = quarters_of(prepared.snapshot, later, 2)
    found = scores_before(book, quarters, prepared, demo.settings, tmp_path)
    assert list(found) == ["2026 Q3"] and found["2026 Q3"].how == BACK
    published = pd.read_parquet(demo.home / "scores" / "2026-06-30" / "account_scores.parquet").set_index("account_id")["score"]
    given = found["2026 Q3"].accounts.set_index("account_id")["score"]
    assert np.allclose(given.reindex(published.index), published)
