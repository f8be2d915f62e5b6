"""Faults of the features that a trained model meets: levels and gaps that it never saw, and figures that cannot be."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from clean_crm import clean

from winworth.config import load_settings
from winworth.errors import ConfigError, WinworthError
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.flows import scored
from winworth.flows.learn import without_difference
from winworth.flows.unlike_training import refuse_impossible, strangeness_said, unlike_training
from winworth.models.matrix import FeatureMatrix

CATALOG = Catalog(
    {
        "size": Criterion("firmographic", {"en": "Size"}, {"headcount": Feature(value="accounts.headcount")}),
        "need": Criterion("needs_value", {"en": "Need"}, {"budget": Feature(value="deals.budget")}),
    }
)


@pytest.fixture
def matrix():
    """Return a matrix learnt from a table without a gap."""
    return FeatureMatrix().fit(pd.DataFrame({"headcount": np.arange(40.0), "budget": np.arange(40.0)}))


def test_f35_a_level_for_each_row_becomes_one_column_and_tells_no_rows_apart():
    deals = clean()["deals"][["deal_id", "source"]]
    matrix = FeatureMatrix().fit(deals)
    own = [column.level for column in matrix.columns_ if column.feature == "deal_id"]
    assert own == ["(other)", "(missing)"]
    assert len(np.unique(matrix.transform(deals[["deal_id"]].assign(source="Salon")), axis=0)) == 1


def test_f63_a_feature_that_nobody_has_is_said_in_training_and_in_scoring(matrix):
    table = pd.DataFrame({"headcount": [np.nan, np.nan], "budget": [1.0, np.nan]})
    assert without_difference(table) == ["No example has a headcount: it weighs nothing."]
    said = strangeness_said(unlike_training(matrix, CATALOG, table, pd.DataFrame({"basis": ["open_deal", "next_deal"]})))
    assert said == ("No row has a headcount. If training had some, the export has lost a column.",)


def test_f63_a_feature_that_is_the_same_everywhere_is_said():
    table = pd.DataFrame({"headcount": [5.0, 5.0], "budget": [5.0, np.nan]})
    assert without_difference(table) == ["Every example has the same headcount (5.0): it weighs nothing."]


def test_f64_a_gap_that_training_never_had_is_said_and_counts_as_the_median(matrix):
    table = pd.DataFrame({"headcount": [1.0, np.nan, 3.0], "budget": [1.0, 2.0, np.nan]})
    rows = pd.DataFrame({"basis": ["open_deal", "open_deal", "next_deal"]})
    says = "which no row lacked in training: they count as the median of those days."
    assert strangeness_said(unlike_training(matrix, CATALOG, table, rows)) == (f"1 of 3 rows have no headcount, {says}",)
    assert matrix.transform(table)[1, 0] == 19.5


@pytest.mark.parametrize(
    ("column", "value"), [("win_probability", 1.2), ("win_probability", np.nan), ("expected_value", np.inf), ("score", -1.0)]
)
def test_f76_a_figure_that_cannot_be_stops_the_scoring_with_its_account(column, value):
    table = pd.DataFrame({"win_probability": [0.2, 0.3], "score": 50.0, "value_if_won": 10.0, "expected_value": 2.0})
    rows = pd.DataFrame({"account_id": ["A1", "A2"]})
    refuse_impossible(table, rows, has_value=True)
    table.loc[1, column] = value
    with pytest.raises(WinworthError, match=f"1 of 2 rows have a {column} that cannot be: first .* of account A2") as caught:
        refuse_impossible(table, rows, has_value=True)
    assert type(caught.value) is WinworthError
    assert caught.value.exit_code == 1


def test_f76_scoring_ends_there_before_anything_is_made_of_the_figures(monkeypatch):
    rows = pd.DataFrame({"account_id": ["A1"], "basis": ["open_deal"]})
    table = pd.DataFrame({"win_probability": [np.nan], "score": 50.0, "value_if_won": 10.0, "expected_value": 2.0})
    monkeypatch.setattr(scored, "scoring_examples", lambda *_, **__: rows)
    monkeypatch.setattr(scored, "build_features", lambda *_: rows)
    scorer = SimpleNamespace(catalog=CATALOG, value=object(), explain=lambda *_: SimpleNamespace(table=table))
    bundle = SimpleNamespace(json=lambda _: {"exclude_kinds": ()})
    with pytest.raises(WinworthError, match="win_probability that cannot be"):
        scored.score_rows(scorer, SimpleNamespace(snapshot=None), bundle)


def test_f76_without_a_value_model_the_chances_alone_are_looked_at():
    table = pd.DataFrame({"win_probability": [0.2], "score": 50.0, "value_if_won": np.nan, "expected_value": np.nan})
    refuse_impossible(table, pd.DataFrame({"account_id": ["A1"]}), has_value=False)


def test_f82_references_that_unfold_without_end_are_refused(tmp_path):
    nine = "\n".join(f"x{k}: &x{k} [{', '.join([f'*x{k - 1}'] * 9)}]" for k in range(1, 10))
    (tmp_path / "crm.yaml").write_text("x0: &x0 lol\n" + nine)
    with pytest.raises(ConfigError, match=r"crm.yaml has more than 20 references") as caught:
        load_settings(tmp_path)
    assert caught.value.exit_code == 2


def test_f82_a_tag_that_makes_python_objects_is_refused(tmp_path):
    (tmp_path / "crm.yaml").write_text("company: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError, match="crm.yaml is not YAML: could not determine a constructor"):
        load_settings(tmp_path)


def test_f92_no_step_asks_what_time_it_is():
    """What a lock and MLflow write down beside a run has a time; nothing that a run reads or computes has."""
    may = {"lock.py", "tracking.py", "tracked_tuning.py"}
    asks = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
    for path in sorted(Path(scored.__file__).parents[1].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and path.name not in may:
                assert (node.value.id, node.attr) not in asks, f"{path}, line {node.lineno}"
                assert (node.value.id, node.attr) != ("Timestamp", "now"), f"{path}, line {node.lineno}"
