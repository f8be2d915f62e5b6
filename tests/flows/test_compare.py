"""Before and after, from files to words; a change of prices is a regime, and segments are never told by what came later."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.errors import ConfigError, DataError
from winworth.flows.compare import Question, compare
from winworth.flows.prepare import prepare
from winworth.kpi.quarters import Regime
from winworth.printed import comparison

AS_OF, SPLIT = date(2026, 6, 30), date(2025, 7, 1)
BY_SIZE = Question(SPLIT, ("ETI",), "size_class")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    exports = tmp_path_factory.mktemp("exports")
    write_exports(software_company(n_deals=1500, as_of=AS_OF, seed=4), exports)
    settings = load_settings(Path(__file__).parents[2] / "conf")
    return replace(settings, crm=replace(settings.crm, folder=str(exports)))


@pytest.fixture(scope="module")
def found(settings, tmp_path_factory):
    return compare(settings, BY_SIZE, as_of=AS_OF, home=tmp_path_factory.mktemp("home"))


def test_a_company_in_which_nothing_changed_is_told_so(found):
    assert [one.outcome for one in found.differences["ETI"]] == ["won", "amount_won", "days_open", "upsells", "revenue"]
    assert found.untold == ({"outcome": "acquisition_cost", "why": "absent"},)
    assert not any(one.is_causal for one in found.differences["ETI"])
    assert found.rate.rate + found.rate.mix + found.rate.interaction == pytest.approx(found.rate.after - found.rate.before)
    assert found.without_action["seen"].std() > found.without_action["expected"].std()
    report = comparison.compared(found)
    assert "adjusted for 5 comparisons" in report.parts[1]
    assert report.document["n_deals"] == found.n_deals
    for lang, said in (("en", "Not compared, since the export lacks"), ("fr", "Non comparé, faute dans l’export")):
        assert any(said in part for part in comparison.compared(found, lang).parts if isinstance(part, str))


def test_no_deal_younger_than_the_horizon_is_counted(settings, found, tmp_path):
    earlier = compare(settings, BY_SIZE, as_of=date(2026, 3, 31), home=tmp_path)
    assert earlier.n_deals < found.n_deals
    assert earlier.rate.before == pytest.approx(found.rate.before, abs=0.01)


def test_a_comparison_across_a_regime_change_of_the_configuration_says_so(settings, tmp_path):
    training = replace(settings.training, regimes=(Regime(date(2025, 3, 1), "new price list"),))
    found = compare(replace(settings, training=training), BY_SIZE, as_of=AS_OF, home=tmp_path)
    assert "goes across new price list (2025-03-01)" in comparison.compared(found).parts[1]


def test_segments_are_those_of_scores_published_before_the_change(settings, found, tmp_path):
    question = Question(SPLIT, ("ETI",))
    folder = tmp_path / "scores" / "2025-06-30"
    with pytest.raises(ConfigError, match="No scores were published before 2025-07-01"):
        compare(settings, question, as_of=AS_OF, home=tmp_path)
    folder.mkdir(parents=True)
    accounts = pd.read_csv(Path(settings.crm.folder) / "comptes.csv", sep=";", dtype=str)
    scored = pd.DataFrame({"account_id": accounts["Identifiant compte"], "segment": accounts["Taille"]})
    scored.to_parquet(folder / "account_scores.parquet")
    scored.to_parquet(folder / "deal_scores.parquet")
    (folder / "run.json").write_text("{}")
    scored = compare(settings, question, as_of=AS_OF, home=tmp_path)
    assert scored.differences["ETI"][0].effect.value == pytest.approx(found.differences["ETI"][0].effect.value, abs=0.02)


def publish_by_past_wins(settings, home, day):
    """Publish segments that lean on what was won until a day: 1 has won, 2 has not."""
    deals = prepare(settings, as_of=AS_OF).snapshot["deals"]
    won = deals.loc[(deals["status"] == "won") & (deals["closed_on"] <= day), "account_id"]
    ids = pd.Series(sorted(deals["account_id"].dropna().unique()))
    lucky = ids.isin(won) ^ (np.random.default_rng(0).random(len(ids)) < 0.2)
    folder = home / "scores" / day
    folder.mkdir(parents=True)
    for name in ("account", "deal"):
        pd.DataFrame({"account_id": ids, "segment": 2 - lucky.astype(int)}).to_parquet(folder / f"{name}_scores.parquet")
    (folder / "run.json").write_text("{}")


def test_a_return_to_the_mean_of_segments_told_by_past_wins_is_not_the_changes_doing(settings, tmp_path):
    """Nothing changed; who had not won until then wins as others do afterwards."""
    publish_by_past_wins(settings, tmp_path, "2025-06-30")
    found = compare(settings, Question(SPLIT, ("S2",), outcomes=("won",)), as_of=AS_OF, home=tmp_path)
    one = found.differences["S2"][0]
    assert one.p < 0.05 and one.relative.low > 0.3  # what a naive reader would call the change's doing
    assert one.is_selected and not one.is_causal
    for lang, said in (("en", "a return to the mean"), ("fr", "un retour à la moyenne")):
        assert said in comparison.compared(found, lang).parts[1]


def test_segments_told_a_year_before_are_compared_in_the_quarters_since(settings, tmp_path):
    publish_by_past_wins(settings, tmp_path, "2025-06-30")
    publish_by_past_wins(settings, tmp_path, "2024-05-15")
    found = compare(settings, Question(SPLIT, ("S2",), outcomes=("won",)), as_of=AS_OF, home=tmp_path)
    one = found.differences["S2"][0]
    assert not one.is_selected and one.trend.n_earlier == 4 and min(found.starts) == -4
    assert one.relative.low < 0 < one.relative.high


def test_a_segment_too_thin_to_compare_takes_no_other_with_it(settings, tmp_path):
    few = prepare(settings, as_of=AS_OF).snapshot["accounts"]
    folder = tmp_path / "scores" / "2025-06-30"
    folder.mkdir(parents=True)
    names = few["size_class"].mask(np.arange(len(few)) < 5, "Rare")
    for name in ("account", "deal"):
        few[["account_id"]].assign(segment=names).to_parquet(folder / f"{name}_scores.parquet")
    (folder / "run.json").write_text("{}")
    found = compare(settings, Question(SPLIT, ("Rare", "ETI"), outcomes=("won",)), as_of=AS_OF, home=tmp_path)
    assert [one.outcome for one in found.differences["ETI"]] == ["won"] and not found.differences["Rare"]
    assert found.untold == ({"outcome": "won", "why": "thin", "segment": "Rare"},)
    assert any("Rare, win rate." in part for part in comparison.compared(found).parts if isinstance(part, str))


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (Question(SPLIT, ("ETI",), "health_score"), ConfigError, "known at_creation"),
        (Question(SPLIT, ("3",), "billing_day"), ConfigError, "is a number"),
        (Question(SPLIT, ("ETA",), "size_class"), DataError, "Did you mean ETI"),
        (Question(SPLIT, ("PME", "ETA"), "size_class"), DataError, "Did you mean ETI"),
        (Question(SPLIT, ("TPE", "PME", "ETI", "GE"), "size_class"), DataError, "none is left to compare them with"),
        (Question(date(2030, 1, 1), ("ETI",), "size_class"), DataError, "No deal|no deals|one side"),
    ],
)
def test_what_cannot_be_compared_is_said(settings, tmp_path, question, error, says):
    with pytest.raises(error, match=says):
        compare(settings, question, as_of=AS_OF, home=tmp_path)
