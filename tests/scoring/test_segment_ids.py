"""Ids live as long as their segment does."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from segment_world import SHARES, drawn

from winworth.scoring.find_segments import Effort, find_segments
from winworth.scoring.segment_ids import all_born, matched
from winworth.scoring.segment_tests import overlaps

QUICK = Effort(n_boot=10)


def trained(world, **options):
    return find_segments(world.features, SHARES, drawn(seed=100).held_out(), effort=QUICK, **{"seed": 0, **options}).segments


@pytest.fixture(scope="module")
def world():
    return drawn()


@pytest.fixture(scope="module")
def old(world):
    """Four segments, of which the ids are in no order and one was born late."""
    return replace(trained(world), ids=("S7", "S2", "S5", "S1"), n_born=9)


def sharing(old, new, features):
    """Return the share of rows that have the same id in both."""
    return np.mean(old.assign(features).segment == new.assign(features).segment)


def test_ids_survive_a_retrain_on_other_draws_of_the_rows(world, old):
    rows = np.random.default_rng(1).integers(900, size=900)
    again = drawn()
    again = replace(again, features=again.features.iloc[rows].reset_index(drop=True))
    new, kin = matched(trained(again, seed=3), old, world.features)
    assert set(new.ids) == set(old.ids) and not kin.births and not kin.deaths
    assert min(kin.kept.values()) > 0.9
    assert sharing(old, new, world.features) > 0.95
    assert new.n_born == 9


def test_ids_survive_another_company_of_the_same_kind(old):
    later = drawn(seed=8, sizes=(0.2, 0.2, 0.3, 0.3))
    new, kin = matched(trained(later), old, later.features)
    assert set(new.ids) == set(old.ids) and not kin.births
    assert sharing(old, new, later.features) > 0.9


def test_centres_move_with_their_ids_only(world, old):
    fresh = trained(world)
    new, kin = matched(fresh, old, world.features)
    assert new.ids == old.ids and set(kin.kept.values()) == {1.0}
    assert new.centres.tolist() == fresh.centres.tolist()


def test_a_segment_that_splits_keeps_its_id_in_the_larger_part_and_the_other_is_born():
    world = drawn(sizes=(0.45, 0.15, 0.2, 0.2))
    four = trained(world)
    place = four.nearest(world.features)[0]
    first, second = (np.bincount(place[world.true == k]).argmax() for k in (0, 1))
    rest = [k for k in range(4) if k not in (first, second)]
    joined = four.space.place(world.features)[np.isin(place, (first, second))].mean(axis=0)
    old = replace(four, centres=np.vstack([joined, four.centres[rest]]), ids=("S1", "S2", "S3"), n_born=3)
    new, kin = matched(four, old, world.features)
    assert kin.births == ("S4",) and not kin.deaths and new.n_born == 4
    assert new.ids[first] == "S1" and new.ids[second] == "S4"
    assert 0.5 < kin.kept["S1"] < 0.85


def test_a_segment_that_is_gone_dies_and_its_id_is_never_given_again(world, old):
    three = replace(old, centres=old.centres[:3], ids=old.ids[:3])
    new, kin = matched(three, old, world.features)
    assert kin.deaths == ("S1",) and new.ids == ("S7", "S2", "S5")
    back, kin = matched(trained(world), new, world.features)
    assert kin.births == ("S10",) and "S1" not in back.ids


def test_what_shares_less_than_half_is_another_segment(world, old):
    far = replace(old, centres=old.centres[:1] * 0, ids=("S3",))
    new, kin = matched(trained(world), far, world.features)
    assert kin.deaths == ("S3",) and kin.births == ("S10", "S11", "S12", "S13") and new.n_born == 13


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.4])
def test_the_pairing_is_the_best_of_all_pairings(world, old, scale):
    blurred = replace(old, centres=old.centres + np.random.default_rng(2).normal(scale=scale, size=old.centres.shape))
    similar = overlaps(blurred.nearest(world.features)[0], old.nearest(world.features)[0], shape=(4, 4))
    similar[similar < 0.5] = 0
    best = max(permutations(range(4)), key=lambda order: sum(similar[k, order[k]] for k in range(4)))
    by_hand = {old.ids[best[k]]: (k, similar[k, best[k]]) for k in range(4) if similar[k, best[k]] > 0}
    new, kin = matched(blurred, old, world.features)
    assert kin.kept == pytest.approx({name: overlap for name, (_, overlap) in by_hand.items()})
    assert all(new.ids[k] == name for name, (k, _) in by_hand.items())
    assert len(kin.births) == len(kin.deaths) == 4 - len(by_hand)


def test_ids_survive_the_loss_of_a_small_feature_and_a_change_of_its_kind(world, old):
    without = world.features.drop(columns="postcode").assign(loud_0="high")
    lasting = trained(replace(world, features=without.drop(columns="loud_0")))
    new, kin = matched(lasting, old, without)
    assert set(new.ids) == set(old.ids) and min(kin.kept.values()) > 0.9


def test_challengers_of_one_champion_bear_no_id_twice(world, old):
    three = replace(old, centres=old.centres[:3], ids=old.ids[:3])
    first, kin = matched(trained(world), three, world.features)
    other = replace(trained(world), centres=trained(world).centres + np.eye(4, old.centres.shape[1]) * 0.01)
    second, kin_too = matched(other, three, world.features, written=(three, first))
    assert kin.births == ("S10",) and kin_too.births == ("S11",) and second.n_born == 11


def test_ids_born_since_are_not_given_again_after_a_return_to_an_older_champion(world, old):
    rolled_back = replace(old, centres=old.centres[:3], ids=old.ids[:3], n_born=9)
    newer = replace(old, centres=old.centres * 2, ids=("S7", "S2", "S10", "S14"), n_born=14)
    new, kin = matched(trained(world), rolled_back, world.features, written=(rolled_back, newer))
    assert kin.births == ("S15",) and new.n_born == 15


def test_a_training_that_is_repeated_gives_the_same_ids(world, old):
    three = replace(old, centres=old.centres[:3], ids=old.ids[:3])
    first = matched(trained(world), three, world.features, written=(three,))[0]
    again = matched(trained(world), three, world.features, written=(three, first))[0]
    assert again.to_dict() == first.to_dict()


def test_where_the_champion_has_no_segments_ids_follow_those_ever_given(world, old):
    new = replace(trained(world), centres=old.centres * 2)
    assert all_born(new, (old,)).ids == ("S10", "S11", "S12", "S13")
    assert all_born(new, ()).ids == ("S1", "S2", "S3", "S4")
