"""Placing rows: nearest centre, borderline, outside; in any order, in any number, from a file."""

import json
from dataclasses import replace
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from segment_world import SHARES, drawn

from winworth.errors import DataError, IntegrityError
from winworth.scoring.find_segments import Effort, find_segments
from winworth.scoring.segment_space import Space
from winworth.scoring.segments import Rule, Segments


@pytest.fixture(scope="module")
def table():
    return drawn().features


@pytest.fixture(scope="module")
def segments(table):
    return find_segments(table, SHARES, drawn(seed=100).held_out(), seed=0, effort=Effort(n_boot=10)).segments


@pytest.fixture
def on_a_line():
    """Centres at 0, 10 and 40 on a line, where a row is where its one number says; the edge is 4 away."""
    space = Space.learn(pd.DataFrame({"x": np.linspace(-1000, 1000, 2001)}), pd.Series({"x": 1.0}))
    space = replace(space, centre=np.zeros(1), spread=np.ones(1))
    return Segments(space, np.array([[0.0], [10.0], [40.0]]), 4.0, ("S1", "S4", "S2"), 4)


def placed(segments, x):
    found = segments.assign(pd.DataFrame({"x": np.atleast_1d(np.array(x, dtype=float))}))
    return list(zip(found.segment, found.mark, strict=True))


def test_a_row_belongs_to_its_nearest_centre(on_a_line):
    assert placed(on_a_line, [0, 3, 8, 41]) == [("S1", ""), ("S1", ""), ("S4", ""), ("S2", "")]


def test_a_row_is_borderline_when_the_next_centre_is_hardly_further(on_a_line):
    wide = replace(on_a_line, edge=100.0)
    at = 90 / 19  # where the nearest is 0.9 times as far as the next
    assert placed(wide, [at - 1e-6, at + 1e-6, 10 - at - 1e-6]) == [("S1", ""), ("S1", "borderline"), ("S4", "borderline")]


def test_between_two_centres_the_first_is_taken(on_a_line):
    assert placed(replace(on_a_line, edge=100.0), [5]) == [("S1", "borderline")]


def test_a_row_beyond_the_edge_is_outside_whether_borderline_or_not(on_a_line):
    assert placed(on_a_line, [-4, -4.001, 5, 500]) == [("S1", ""), ("S1", "outside"), ("S1", "outside"), ("S2", "outside")]


def test_a_single_segment_has_no_borderline(on_a_line):
    alone = replace(on_a_line, centres=np.array([[0.0]]), ids=("S1",))
    assert placed(alone, [0, 4, 5]) == [("S1", ""), ("S1", ""), ("S1", "outside")]


def test_one_training_row_in_a_hundred_is_outside(segments, table):
    assert (segments.assign(table).mark == "outside").sum() == 9


def test_a_row_unlike_all_others_is_outside(segments):
    strange = pd.DataFrame({"size": [0.1], "visits": [40.0], "sector": ["fishing"], "postcode": ["z"]})
    strange = strange.assign(**{f"loud_{k}": 0.0 for k in range(4)})
    assert segments.assign(strange).mark.tolist() == ["outside"]


def test_the_same_row_has_the_same_segment_in_any_company(segments, table):
    told, order = segments.assign(table), np.random.default_rng(1).permutation(len(table))
    again = segments.assign(table.iloc[order, ::-1])
    assert again.segment.tolist() == told.segment[order].tolist()
    assert again.mark.tolist() == told.mark[order].tolist()
    assert [segments.assign(table[k : k + 1]).segment[0] for k in range(20)] == told.segment[:20].tolist()


def test_chunks_change_nothing(segments, table, monkeypatch):
    told = segments.nearest(table)
    monkeypatch.setattr("winworth.scoring.segments.CHUNK", 7)
    for whole, parts in zip(told, segments.nearest(table), strict=True):
        assert whole.tolist() == parts.tolist()


def test_segments_survive_json(segments, table):
    rules = (Rule({"en": "headcount at least 5"}, None, 0, 0.0, 12), *[None] * (len(segments.ids) - 1))
    segments = replace(segments, labels=tuple({"en": name, "fr": name} for name in segments.ids), rules=rules)
    again = Segments.from_dict(json.loads(json.dumps(segments.to_dict(), allow_nan=False)))
    assert again.to_dict() == segments.to_dict()
    for name in ("segment", "mark"):
        assert getattr(again.assign(table), name).tolist() == getattr(segments.assign(table), name).tolist()


def test_segments_written_before_they_had_ids_are_refused_with_the_way_out():
    with pytest.raises(IntegrityError, match="has format 1, and this winworth reads 2. Train a version with it and promote"):
        Segments.from_dict({"matrix": {}, "centres": []})


def test_labels_are_found_by_id(segments):
    named = replace(segments, labels=tuple({"en": f"name {name}"} for name in segments.ids))
    assert named.label_of(np.array(["S2", "", "S1"], dtype=object), "en").tolist() == ["name S2", "", "name S1"]


def test_no_rows_have_no_segment(segments, table):
    found = segments.assign(table[:0])
    assert found.segment.shape == found.mark.shape == (0,)


def test_a_lacking_column_is_named(segments, table):
    with pytest.raises(DataError, match="lacks 1 columns the model was trained on: size"):
        segments.assign(table.drop(columns="size"))


def test_skewed_numbers_are_in_logs_and_the_tails_are_held(table):
    space = Space.learn(table, SHARES)
    logged = {column.feature for column, log in zip(space.matrix.columns_, space.log, strict=True) if log}
    assert logged >= {"size"} and not logged & {f"loud_{k}" for k in range(4)}
    huge = space.place(table[:2].assign(size=[1e12, table["size"].quantile(0.99)]))
    at = [column.feature for column in space.matrix.columns_].index("size")
    assert huge[0, at] == pytest.approx(huge[1, at])


def test_200_000_rows_are_placed_in_seconds(segments, table):
    many = pd.concat([table] * 223, ignore_index=True)[:200_000]
    start = perf_counter()
    segments.assign(many)
    assert perf_counter() - start < 5
