"""Before and after, from files to words; a change of prices is a regime, and segments are never told by what came later."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.errors import ConfigError, DataError
from winworth.flows.compare import Question, compare
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


@pytest.mark.parametrize(
    ("question", "error", "says"),
    [
        (Question(SPLIT, ("ETI",), "health_score"), ConfigError, "known at_creation"),
        (Question(SPLIT, ("3",), "billing_day"), ConfigError, "is a number"),
        (Question(SPLIT, ("ETA",), "size_class"), DataError, "Did you mean ETI"),
        (Question(date(2030, 1, 1), ("ETI",), "size_class"), DataError, "No deal|no deals|one side"),
    ],
)
def test_what_cannot_be_compared_is_said(settings, tmp_path, question, error, says):
    with pytest.raises(error, match=says):
        compare(settings, question, as_of=AS_OF, home=tmp_path)
