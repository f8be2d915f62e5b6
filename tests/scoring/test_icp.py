import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.models.metrics import Figure
from winworth.scoring.icp import Held, Icp, Period, apply_rules, hold_to, icp_features, learn_icp, read_rules
from winworth.scoring.icp_search import Found, find_rules
from winworth.scoring.lift import Realised, chance, lift_of, log_lifts, win_rate_of
from winworth.scoring.rules import Condition, Rule, conditions_on
from winworth.weights.reasons import Wording

LABELS = {
    "headcount": {"en": "headcount", "fr": "effectif"},
    "sector": {"en": "sector", "fr": "secteur"},
    "level": {"en": "level", "fr": "niveau"},
    "day": {"en": "day", "fr": "jour"},
}
CATALOG = Catalog({n: Criterion("firmographic", said, {n: Feature(value=f"accounts.{n}")}) for n, said in LABELS.items()})
WORDINGS = {lang: Wording(CATALOG, lang) for lang in ("en", "fr")}
FIRST = Rule((Condition("headcount", "at_least", 100.0), Condition("sector", "is", "steel")))
SECOND = Rule((Condition("sector", "is", "bank"), Condition("level", "at_least", 4.0)))


def drawn(n, seed, *, rates=(0.2, 0.2, 0.2)):
    """Draw deals won at one rate where FIRST holds, at another where SECOND does, and at a third elsewhere."""
    rng = np.random.default_rng(seed)
    account = rng.integers(0, max(int(0.7 * n), 1), n)
    of = np.random.default_rng(seed + 1)
    features = pd.DataFrame(
        {
            "headcount": np.exp(of.normal(4.4, 1.6, n)).round()[account],
            "sector": of.choice(["steel", "it", "retail", "health", "bank"], n)[account],
            "level": of.integers(1, 6, n).astype(float)[account],
            "day": of.integers(1, 29, n).astype(float)[account],
        }
    )
    features["headcount"] = features["headcount"].where(rng.random(n) > 0.03)
    rate = np.array([rates[2], *rates[:2]])[apply_rules([FIRST, SECOND], features)]
    won = rng.random(n) < rate
    money = np.where(won, np.exp(rng.normal(10, 0.6, n)), np.nan)
    return Period(features, Realised.of(won, money, np.ones(n), account))


def times_none_published(n_worlds, n, *, loose=False):
    none = 0
    for seed in range(n_worlds):
        past, locked = drawn(n, 7 * seed), drawn(n // 3, 7 * seed + 3)
        found = some_noise(past) if loose else find_rules(past.features, past.realised)[0]
        none += not hold_to(found, locked, seed=seed).rules
    return none


def some_noise(past):
    """Return the five rules of two conditions that shone most on past deals, whatever chance says."""
    every = [Rule(pair) for pair in product(conditions_on(past.features, least=0.05)[::4], repeat=2)]
    holds = np.column_stack([rule.holds(past.features) for rule in every])
    lift = np.where(holds.sum(axis=0) >= 0.05 * len(past), log_lifts(holds, past.realised)[0], -np.inf)
    return tuple(Found(every[k], 0.0, 0.0, 0.0) for k in np.argsort(-lift)[:5])


@pytest.fixture(scope="module")
def planted():
    past, locked = drawn(4000, 1, rates=(0.75, 0.5, 0.15)), drawn(1200, 2, rates=(0.75, 0.5, 0.15))
    return learn_icp(past, locked, seed=0), past, locked


def test_planted_rules_come_back_in_order_and_hold(planted):
    icp, _, locked = planted
    first, second = (found.rule.conditions for found, _ in icp.rules)
    assert [(c.feature, c.kind) for c in first] == [(c.feature, c.kind) for c in FIRST.conditions]
    assert [c.value for c in first] == [pytest.approx(100, rel=0.35), "steel"]
    assert second == SECOND.conditions
    told = icp.apply(locked.features)
    assert np.mean(told == apply_rules([FIRST, SECOND], locked.features)) > 0.95


def test_published_figures_are_those_of_the_locked_deals(planted):
    icp, _, locked = planted
    told = icp.apply(locked.features)
    value, won = locked.realised.value, locked.realised.won
    for k, (_, held) in enumerate(icp.rules, 1):
        own = told == k
        assert held.coverage == pytest.approx(own.mean())
        assert held.lift.value == pytest.approx(value[own].mean() / value.mean())
        assert held.win_rate.value == pytest.approx(won[own].mean())
        assert held.lift.low < held.lift.value < held.lift.high
        assert held.p <= 0.05
    assert icp.rest.coverage == pytest.approx((told == 0).mean())
    assert icp.rest.lift.value == pytest.approx(value[told == 0].mean() / value.mean())


def test_rules_that_no_longer_hold_are_reported_and_not_applied():
    past, locked = drawn(4000, 1, rates=(0.75, 0.5, 0.15)), drawn(1200, 2, rates=(0.75, 0.15, 0.15))
    icp = learn_icp(past, locked, seed=0)
    assert {"bank"} not in words_of(icp.rules)
    assert {"steel"} in words_of(icp.rules)
    assert {"bank"} in words_of(icp.not_held)
    assert set(icp.apply(locked.features)) == set(range(len(icp.rules) + 1))


def words_of(pairs):
    return [{c.value for c in found.rule.conditions if c.kind == "is"} for found, _ in pairs]


def test_where_nothing_matters_no_rule_is_published():
    assert times_none_published(20, 500) >= 18


@pytest.mark.slow
def test_in_a_hundred_null_worlds_at_least_ninety_have_no_rule():
    assert times_none_published(100, 1500) >= 90


@pytest.mark.slow
def test_the_locked_quarter_alone_refuses_noise_that_shone_in_the_past():
    assert times_none_published(100, 900, loose=True) >= 90


def test_shuffled_labels_have_no_rule():
    past, locked = drawn(3000, 5, rates=(0.6, 0.4, 0.15)), drawn(1000, 6, rates=(0.6, 0.4, 0.15))
    r, order = past.realised, np.random.default_rng(0).permutation(3000)
    shuffled = Period(past.features, Realised(r.value[order], r.won[order], r.weight, r.account))
    assert learn_icp(shuffled, locked, seed=0).rules == ()


def test_every_rule_of_one_condition_is_seen_as_brute_force_sees_it():
    deals = drawn(400, 3, rates=(0.2, 0.2, 0.2))
    value = np.where(deals.features["level"] >= 4, 3.0, 1.0) * deals.realised.won
    realised = Realised(value, deals.realised.won, deals.realised.weight, np.arange(400))
    bounds = {}
    for condition in conditions_on(deals.features, least=0.05):
        own = np.array([condition_holds(condition, cell) for cell in deals.features[condition.feature]])
        if own.sum() >= 20:
            bounds[condition] = lower_bound(own, value)
    best = max(bounds, key=bounds.get)
    found = find_rules(deals.features, realised)[0]
    assert [f.rule.conditions for f in found][0] == (best,)
    assert found[0].bound == pytest.approx(bounds[best], rel=1e-6)


def condition_holds(condition, cell):
    if condition.kind == "is":
        return cell == condition.value
    return cell >= condition.value if condition.kind == "at_least" else cell < condition.value


def lower_bound(own, value):
    """Follow the delta method row by row: the log of a mean over another of which it is a part."""
    inside, mean = value[own].mean(), value.mean()
    off = [(v - inside) / inside / own.sum() * o - (v - mean) / mean / len(value) for o, v in zip(own, value, strict=True)]
    n = len(value)
    return inside / mean * np.exp(-1.6448536 * np.sqrt(sum(x * x for x in off) * n / (n - 1)))


def test_errors_of_lifts_are_those_that_new_worlds_show():
    some = [log_lifts(FIRST.holds(w.features)[:, None], w.realised) for w in (drawn(1500, s) for s in range(0, 800, 4))]
    lift, error = (np.array(x)[:, 0] for x in zip(*some, strict=True))
    assert error.mean() == pytest.approx(lift.std(), rel=0.12)


def test_rows_of_one_account_count_once():
    deals = drawn(600, 4, rates=(0.6, 0.4, 0.2))
    chosen = FIRST.holds(deals.features)
    r = deals.realised
    alone = Realised(r.value, r.won, r.weight, np.arange(600))
    twice = Realised(*(np.tile(x, 2) for x in (r.value, r.won, r.weight)), np.tile(np.arange(600), 2))
    assert log_lifts(np.tile(chosen, 2)[:, None], twice)[1] == pytest.approx(log_lifts(chosen[:, None], alone)[1])
    assert chance(np.tile(chosen, 2), twice, seed=0) == chance(chosen, alone, seed=0)
    same, double = (lift_of(c, x, seed=0) for c, x in ((chosen, alone), (np.tile(chosen, 2), twice)))
    assert (double.low, double.high) == pytest.approx((same.low, same.high))


def test_the_chance_of_a_lift_is_level_where_there_is_none():
    told = [chance(SECOND.holds(w.features), w.realised, seed=s, n_draws=199) for s in range(300) for w in [drawn(200, 9 * s)]]
    assert np.mean(np.array(told) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(told) <= 0.5) == pytest.approx(0.5, abs=0.09)


@pytest.mark.parametrize(("few", "many"), [(1, 10), (10, 1)])
def test_the_chance_is_level_where_the_chosen_accounts_have_fewer_deals_than_others_or_more(few, many):
    account = np.r_[np.repeat(np.arange(60), few), np.repeat(np.arange(60, 260), many)]
    chosen, told = account < 60, []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        won = (rng.random(len(account)) < rng.beta(2, 3, 260)[account]).astype(float)
        told.append(chance(chosen, Realised(won, won, np.ones(len(account)), account), seed=seed, n_draws=99))
    assert np.mean(np.array(told) <= 0.05) == pytest.approx(0.05, abs=0.045)
    assert np.mean(np.array(told) <= 0.5) == pytest.approx(0.5, abs=0.12)


def test_the_order_of_rows_changes_nothing(planted):
    _, past, locked = planted
    order, other = np.random.default_rng(3).permutation(len(past)), np.random.default_rng(4).permutation(len(locked))
    again = learn_icp(taken(past, order), taken(locked, other), seed=0)
    first = learn_icp(past, locked, seed=0)
    assert [f.rule for f, _ in again.rules] == [f.rule for f, _ in first.rules]
    for (_, one), (_, two) in zip(first.rules, again.rules, strict=True):
        assert (one.coverage, one.p) == pytest.approx((two.coverage, two.p))
        assert list(one.lift.__dict__.values()) == pytest.approx(list(two.lift.__dict__.values()))
        assert one.win_rate == two.win_rate


def taken(period, rows):
    r = period.realised
    parts = (x[rows] for x in (r.value, r.won, r.weight, r.account))
    return Period(period.features.iloc[rows].reset_index(drop=True), Realised(*parts))


def test_what_is_missing_meets_no_condition():
    rows = pd.DataFrame({"headcount": [np.nan, 5.0, 500.0], "sector": [None, "steel", np.nan]}).astype({"sector": "str"})
    for kind in ("at_least", "below"):
        assert not Condition("headcount", kind, 50.0).holds(rows)[0]
    assert Condition("sector", "is", "steel").holds(rows).tolist() == [False, True, False]
    assert conditions_on(rows.assign(headcount=np.nan, sector=None).astype({"sector": "str"}), least=0.05) == []


def test_a_rule_is_written_in_both_languages():
    rule = Rule((Condition("headcount", "at_least", 1500.0), Condition("headcount", "below", 5000.5), *FIRST.conditions[1:]))
    assert rule.words(WORDINGS["en"]) == "headcount at least 1,500 and below 5,000.5 and sector steel"
    assert rule.words(WORDINGS["fr"]) == "effectif d'au moins 1\u202f500 et inférieur à 5\u202f000,5 et secteur steel"


def test_rules_survive_json_and_number_rows_by_the_first_that_holds(planted):
    icp, _, locked = planted
    kept = json.loads(json.dumps(icp.to_dict(WORDINGS), allow_nan=False))
    assert apply_rules(read_rules(kept), locked.features).tolist() == icp.apply(locked.features).tolist()
    assert kept["rules"][0]["words"]["fr"].startswith("effectif d'au moins")
    assert kept["n_tested"] == len(icp.rules) + len(icp.not_held)


def test_only_what_an_account_has_before_anyone_sells_to_it_says_who_it_is():
    features = {
        "company": ("firmographic", Feature(value="accounts.headcount")),
        "tools": ("technographic", Feature(distinct="technologies.technology")),
        "budget": ("needs_value", Feature(value="deals.budget")),
        "need": ("needs_value", Feature(value="accounts.need")),
        "mails": ("behavioural", Feature(count="activities")),
        "roles": ("purchase_maturity", Feature(distinct="contacts.role")),
        "age": ("context", Feature(value="example.age_days")),
    }
    criteria = {name: Criterion(family, {}, {name: spec}) for name, (family, spec) in features.items()}
    trained = Criterion("technographic", {}, {"trained": Feature(value="accounts.trained")}, actionable=True)
    catalog = Catalog(criteria | {"trained": trained})
    assert icp_features(catalog, [*features, "trained"]) == ["company", "tools", "need"]


def test_a_win_of_unknown_value_counts_as_the_mean_and_a_mistyped_one_within_reason():
    won = np.array([1, 1, 1, 1, 0, 1])
    money = np.array([90.0, 100.0, 110.0, 1e12, np.nan, np.nan])
    value = Realised.of(won, money, np.ones(6), np.arange(6)).value
    assert value[:3].tolist() == pytest.approx([90, 100, 110])
    assert value[3] < 1000
    assert value[4] == 0
    assert value[5] == pytest.approx(value[:4].mean())
    assert Realised.of(won, np.full(6, np.nan), np.ones(6), np.arange(6)).value.tolist() == won.tolist()


@pytest.mark.parametrize("n", [0, 5])
def test_too_few_deals_have_no_rule(n):
    few = drawn(n, 1) if n else taken(drawn(5, 1), np.arange(0))
    assert learn_icp(few, few, seed=0) == Icp(n_tried=0)


def test_a_win_rate_has_wilsons_interval():
    deals = Realised(np.ones(20), np.r_[1.0, np.zeros(19)], np.ones(20), np.arange(20))
    figure = win_rate_of(np.ones(20, dtype=bool), deals)
    assert (figure.low, figure.high) == pytest.approx((0.0089, 0.2361), abs=1e-4)


def test_the_interval_of_a_win_rate_holds_the_truth_where_deals_of_an_account_end_alike():
    account, held = np.repeat(np.arange(20), 10), 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        won = (rng.random(200) < rng.beta(0.4, 0.6, 20)[account]).astype(float)
        figure = win_rate_of(np.ones(200, dtype=bool), Realised(won, won, np.ones(200), account))
        held += figure.low <= 0.4 <= figure.high
    assert held >= 180  # some 120, where every deal counts as a case of its own


@pytest.mark.parametrize(
    ("low", "p", "holds"), [(1.2, 0.01, True), (1.2, 0.06, False), (0.9, 0.01, False), (1.2, np.nan, False)]
)
def test_a_rule_holds_where_both_its_interval_and_its_corrected_chance_say_so(low, p, holds):
    lift, rate = Figure(1.5, low, 1.8, 100), Figure(0.3, 0.2, 0.4, 100)
    assert Held(0.1, lift, rate, p).holds is holds


def test_a_lift_that_few_accounts_are_behind_has_no_interval_and_does_not_hold():
    won = np.r_[np.ones(12), np.zeros(188)]
    deals = Realised(won, won, np.ones(200), np.r_[np.zeros(12, dtype=int), np.arange(1, 189)])
    figure = lift_of(won == 1, deals, seed=0)
    assert figure.value == pytest.approx(200 / 12) and np.isnan([figure.low, figure.high]).all()
    assert not Held(0.06, figure, figure, p=0.001).holds
