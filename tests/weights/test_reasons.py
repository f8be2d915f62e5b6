import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.weights.reasons import Wording, reasons

NBSP, THIN = "\u00a0", "\u202f"


def feature(name, **label):
    return Feature(value=f"accounts.{name}", label=label)


CATALOG = Catalog(
    {
        "size": Criterion(
            "firmographic",
            {"en": "Company size", "fr": "Taille"},
            {"headcount": feature("headcount", en="headcount", fr="effectif"), "turnover": feature("turnover")},
        ),
        "budget": Criterion("needs_value", {"en": "Budget"}, {"budget": feature("budget")}),
        "sector": Criterion("firmographic", {"en": "Sector", "fr": "Secteur"}, {"sector": feature("sector")}),
        "engagement": Criterion("behavioural", {"en": "Engagement"}, {"visits": feature("visits", en="visits")}),
    }
)
EN, FR = Wording(CATALOG, "en"), Wording(CATALOG, "fr")
WEIGHTS = pd.Series({"size": 40, "budget": 30, "sector": 20, "engagement": 10})


def told(scores, *, weights=WEIGHTS, wording=EN, parts=None, **values):
    """Return the three reasons of one account with these criterion scores."""
    row = pd.DataFrame([{"headcount": 2500.0, "turnover": 1e6, "budget": 0.5, "sector": "steel", "visits": 12.0} | values])
    by_feature = pd.DataFrame([{name: 0.1 for name in row} | {"headcount": 0.4} | (parts or {})])
    return reasons(row, by_feature, pd.DataFrame([scores]), weights, wording).loc[0].tolist()


ALL = {"size": 75.0, "budget": 10.0, "sector": 70.0, "engagement": 60.0}


def test_at_most_three_reasons_stand_in_the_order_of_their_points():
    assert told(ALL) == ["Budget: 0.5 (-12 points)", "headcount: 2,500 (+10 points)", "Sector: steel (+4 points)"]


def test_french_reasons_have_a_decimal_comma_and_spaces_that_do_not_break():
    lines = told(ALL, wording=FR)
    assert lines[0] == f"Budget{NBSP}: 0,5 (-12 points)"
    assert lines[1] == f"effectif{NBSP}: 2{THIN}500 (+10 points)"
    assert lines[2] == f"Secteur{NBSP}: steel (+4 points)"


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_value_is_said_to_be_unknown(missing):
    assert told({**ALL, "size": 50.0}, budget=missing)[0] == "Budget: unknown (-12 points)"
    assert told({**ALL, "size": 50.0}, budget=missing, wording=FR)[0] == f"Budget{NBSP}: inconnu (-12 points)"


def test_a_criterion_is_worded_by_its_strongest_feature():
    assert told(ALL, parts={"turnover": -0.9})[1] == "turnover: 1,000,000 (+10 points)"


def test_a_criterion_of_weight_zero_is_no_reason():
    lines = told(ALL, weights=WEIGHTS.replace({30: 0, 40: 70}))
    assert not any("Budget" in line for line in lines)
    assert lines[2] == "visits: 12 (+1 point)"


@pytest.mark.parametrize("score", [50.0, 51.0, 52.5, 47.5])
def test_half_a_point_or_less_is_no_reason(score):
    assert told({"sector": score}) == ["", "", ""]


def test_fewer_than_three_reasons_leave_the_rest_empty():
    assert told({"sector": 100.0}) == ["Sector: steel (+10 points)", "", ""]


def test_one_point_is_not_plural():
    assert told({"sector": 44.0, "engagement": 67.0}) == ["visits: 12 (+2 points)", "Sector: steel (-1 point)", ""]


@pytest.mark.parametrize(
    ("value", "en", "fr"),
    [
        (12.34, "12", "12"),
        (99.6, "100", "100"),
        (9.96, "10", "10"),
        (1.25, "1.2", "1,2"),
        (-0.333, "-0.33", "-0,33"),
        (3.0, "3", "3"),
        (0.0, "0", "0"),
        (1234567.8, "1,234,568", f"1{THIN}234{THIN}568"),
        ("SaaS, 2.0", "SaaS, 2.0", "SaaS, 2.0"),
    ],
)
def test_values_are_written_as_people_write_them(value, en, fr):
    assert (EN.value(value), FR.value(value)) == (en, fr)


def test_labels_fall_back_to_english_and_then_to_the_name():
    assert FR.criterion("engagement") == "Engagement"
    assert FR.feature("turnover") == "turnover"
    assert FR.feature("budget") == "Budget"
    assert Wording(Catalog({"x": Criterion("firmographic", {}, {"n_x": feature("n_x")})}), "fr").criterion("x") == "x"


def test_no_accounts_have_no_reasons():
    none = pd.DataFrame({"budget": np.empty(0)})
    assert reasons(none, none, none, WEIGHTS, EN).shape == (0, 3)
