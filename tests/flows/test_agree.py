"""Leadership's weights, from overrides.yaml to the scores of the demo company."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from winworth.agreed import read_record
from winworth.errors import ConfigError
from winworth.flows.agree import agree
from winworth.flows.explain import explain, standing
from winworth.flows.predict import predict
from winworth.printed.agreements import agreed, overruled_parts
from winworth.printed.scores import explained
from winworth.weights.overrides import Override

DAY = date(2026, 6, 30)
ONE = Override("engagement", 40, "C. Martin", "won by meetings", date(2026, 6, 1), date(2026, 9, 30))


def test_an_override_holds_once_it_is_agreed_and_not_before(demo_copy):
    home, settings = demo_copy.home, replace(demo_copy.settings, overrides=(ONE,))
    with pytest.raises(ConfigError, match="1 overrides in overrides.yaml are not in the record, the first engagement = 40"):
        predict(settings, as_of=DAY, home=home)
    done = agree(settings, as_of=DAY, home=home)
    assert done.ruled.after["engagement"] == 40 and done.ruled.after.sum() == 100
    assert done.ruled.price.change_share.value < 0 and done.ruled.price.in_money
    assert (done.moved["tier"] == "A").sum() == (done.moved["agreed_tier"] == "A").sum() > 10
    assert any("Recorded: agreed engagement = 40 by C. Martin" in str(part) for part in agreed(done).parts)
    scored = predict(settings, as_of=DAY, home=home)
    told = scored.run["overrides"]
    assert told["weights"]["engagement"] == {"learnt": int(done.ruled.before["engagement"]), "agreed": 40}
    assert "Price on" in overruled_parts(told)[-1]
    before = demo_copy.done.predicted.accounts.set_index("account_id")
    now = scored.accounts.set_index("account_id").loc[before.index]
    assert (now["expected_value"] == before["expected_value"]).all()
    criteria = now[list(done.ruled.after.index)]
    assert now["score"].to_numpy() == pytest.approx((criteria @ done.ruled.after / 100).to_numpy(), abs=0.2)
    moved = done.moved.set_index("account_id")
    assert set(now.index[now["tier"] != before["tier"]]) == set(moved.index)


def test_what_is_no_longer_agreed_is_recorded_as_withdrawn_and_nothing_twice(demo_copy):
    home, settings = demo_copy.home, replace(demo_copy.settings, overrides=(ONE,))
    agree(settings, as_of=DAY, home=home)
    assert agree(settings, as_of=DAY, home=home).changes == ()
    gone = agree(replace(settings, overrides=()), as_of=DAY, home=home)
    assert [change["change"] for change in gone.changes] == ["withdrawn"]
    assert len(read_record(gone.record)) == 2 and gone.moved.empty


def test_an_account_is_told_what_would_move_it_up_and_never_its_size(demo):
    scores = demo.done.predicted.accounts
    below = scores[scores["tier"] == "B"].iloc[0]
    done = explain(demo.settings, below["account_id"], as_of=DAY, home=demo.home)
    assert done.lift["goal"] == "A" and done.lift["at"] > done.figures["expected_value"]
    labels = {change["label"] for way in done.lift["ways"] for change in way}
    assert labels and not labels & {"headcount", "size class", "sector", "announced budget", "source of the deal"}
    assert "Enough would be:" in explained(done).parts
    top = explain(demo.settings, scores.iloc[0]["account_id"], as_of=DAY, home=demo.home)
    assert top.lift["why"] == "top" and top.lift["ways"] == []


@pytest.mark.parametrize(
    ("since", "before", "times"), [(None, "", 0), ("2026-03-31", "", 1), ("2026-03-31", "B", 2), ("2026-03-31", "A", 0)]
)
def test_what_moves_an_account_up_allows_for_the_noise_that_is_held_against_it(tmp_path, since, before, times):
    folder = tmp_path / "scores" / DAY.isoformat()
    folder.mkdir(parents=True)
    told = {"account_id": ["X"], "tier": ["B"], "previous_tier": [before], "model_version": ["v"]}
    pd.DataFrame(told).to_parquet(folder / "account_scores.parquet")
    cut = {"threshold": 100.0, "noise": 0.2}
    tiering = {"published": ["A", "B", "C"], "cuts": {"A": cut}, "since": since, "in_money": True}
    (folder / "run.json").write_text(json.dumps({"tiering": tiering}))
    found = standing(tmp_path, DAY, "X", "v")
    assert (found.above, found.goal) == ("A", pytest.approx(100 * np.exp(0.2 * times)))
    assert standing(tmp_path, DAY, "X", "another").why == "version"
    assert standing(tmp_path, DAY, "Y", "v").why == "not_scored"
