import numpy as np
import pandas as pd
import pytest

from winworth.errors import DataError
from winworth.weights.bins import LevelBins, NumberBins, bins_from_dict, cut_levels, cut_number, roundest


def test_a_boundary_belongs_to_the_interval_above_it():
    bins = NumberBins("x", (0.1, 5.0))
    values = pd.Series([np.nextafter(0.1, 0), 0.1, np.nextafter(5.0, 0), 5.0, -np.inf, np.inf, np.nan])
    assert bins.places_of(values).tolist() == [0, 1, 1, 2, 0, 2, 3]


def test_levels_are_told_apart_by_every_letter_and_blanks_are_missing():
    bins = LevelBins("x", ("it", "Steel"))
    values = pd.Series(["it", "IT", "it ", "Steel", None, "", "other"])
    assert bins.places_of(values).tolist() == [0, 2, 2, 1, 3, 3, 2]
    assert bins.places_of(values.astype("category")).tolist() == [0, 2, 2, 1, 3, 3, 2]


def test_the_tree_cuts_where_the_target_steps_and_not_at_quantiles():
    x = pd.Series(np.arange(1000.0), name="x")
    target = np.where(x < 37, 0.0, np.where(x < 990, 1.0, 5.0))
    assert cut_number(x, target, most=3, least=10).edges == (37.0, 990.0)


def test_a_tree_of_many_rows_finds_steps_between_values_that_float32_cannot_tell_apart():
    x = pd.Series(np.tile([16777216.0, 16777217.0], 50), name="x")
    assert cut_number(x, np.tile([0.0, 1.0], 50), most=6, least=10).edges == (16777217.0,)


def test_boundaries_are_the_roundest_numbers_that_part_the_same_rows():
    assert roundest(9996.2, 10004.0) == 10000.0
    assert roundest(0.0, 0.3) == 0.3
    assert roundest(-0.3, -0.1) == -0.1
    assert roundest(1.0, np.nextafter(1.0, 2)) is None
    rng = np.random.default_rng(0)
    for low, high in np.sort(rng.normal(0, 10.0 ** rng.integers(-6, 9, 500)[:, None], (500, 2))):
        found = roundest(low, high)
        assert low < found <= high
        assert float(f"{found:.10g}") == found


def test_a_constant_and_an_empty_feature_have_one_interval():
    for values in (np.ones(50), np.full(50, np.nan)):
        assert cut_number(pd.Series(values, name="x"), np.arange(50.0), most=6, least=5).edges == ()


def test_a_declared_direction_holds_in_the_tree():
    x = pd.Series(np.arange(300.0), name="x")
    assert cut_number(x, -x.to_numpy(), most=6, least=10, direction="up").edges == ()


@pytest.mark.parametrize("level", ["a\x00b", "_x0041_", "\ufffd", "x" * 300, "a\rb", "\x9f"])
def test_a_level_that_an_export_cannot_hold_is_pooled(level):
    assert cut_levels(pd.Series([level, "good"] * 20, name="x"), most=5, least=5).levels == ("good",)


def test_rare_levels_are_pooled_and_the_most_frequent_kept():
    column = pd.Series(["a"] * 30 + ["b"] * 20 + ["c"] * 10 + ["d"] * 4 + [None] * 9 + [""] * 9, name="x")
    assert cut_levels(column, most=2, least=5).levels == ("a", "b")
    assert cut_levels(column, most=9, least=5).levels == ("a", "b", "c")


def test_words_where_a_number_is_read_are_named():
    with pytest.raises(DataError, match="headcount is a number in the scorecard"):
        NumberBins("headcount", (1.0,)).places_of(pd.Series(["many"]))


def test_a_cut_comes_back_from_json():
    for bins in (NumberBins("x", (1.0, 2.5)), LevelBins("y", ("a",))):
        assert bins_from_dict(bins.to_dict()) == bins
