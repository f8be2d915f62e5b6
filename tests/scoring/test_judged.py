import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from winworth.scoring.judged import combine, judge, kappa, stratum_draws


def world(n, rng, *, knows=0.0):
    """Draw accounts of which the model sees one half of the truth and the sellers, in part, the other."""
    seen, unseen = rng.normal(0, 1, n), rng.normal(0, 1, n)
    won = (rng.random(n) < expit(seen + unseen - 1)).astype(float)
    model, seller = expit(seen - 1), expit(knows * unseen + (1 - knows) * rng.normal(0, 1, n) - 1)
    tiers = [pd.cut(p, [-1, 0.2, 0.4, 2], labels=list("CBA")).astype(str) for p in (model, seller)]
    return pd.DataFrame(
        {
            "account_id": [f"a{k}" for k in range(n)],
            "stratum": tiers[0],
            "tier": tiers[0],
            "win_probability": model,
            "seller_tier": tiers[1],
            "seller_chance": seller.round(2),
            "won": won,
        }
    ).assign(size=lambda t: t["stratum"].map({"A": 50, "B": 200, "C": 700}))


def weights(rows):
    return (rows["size"] / rows.groupby("stratum")["size"].transform("size")).to_numpy()


@pytest.mark.parametrize("seed", range(5))
def test_kappa_and_aucs_are_those_of_scikit_learn(seed):
    rows = world(80, np.random.default_rng(seed), knows=0.5)
    found, w = judge(rows, seed=1, n_boot=20), weights(rows)
    assert found.agreement.value == pytest.approx(cohen_kappa_score(rows["seller_tier"], rows["tier"], sample_weight=w))
    assert found.same_tier.value == pytest.approx(np.average(rows["seller_tier"] == rows["tier"], weights=w))
    for name, column in (("seller", "seller_chance"), ("model", "win_probability")):
        assert getattr(found, name).value == pytest.approx(roc_auc_score(rows["won"], rows[column], sample_weight=w))
    both = roc_auc_score(rows["won"], combine(rows["seller_chance"], rows["win_probability"]), sample_weight=w)
    assert found.combined.value == pytest.approx(both)
    assert found.gain.value == pytest.approx(both - found.model.value)


def test_a_kappa_with_its_chance_worked_out_by_hand():
    first, second = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    by_chance = (3 * 2 + 2 * 2 + 1 * 2) / 36
    assert kappa(first, second, np.ones(6)) == pytest.approx((4 / 6 - by_chance) / (1 - by_chance))
    assert np.isnan(kappa(np.zeros(4, int), np.zeros(4, int), np.ones(4)))


def test_answers_left_out_change_no_figure_but_their_count():
    rows = world(120, np.random.default_rng(1))
    silent = rows.index % 3 == 0
    part = rows.assign(seller_tier=rows["seller_tier"].mask(silent), seller_chance=rows["seller_chance"].mask(silent))
    found, only = judge(part, seed=1, n_boot=20), judge(rows[~silent], seed=1, n_boot=20)
    assert found.agreement == only.agreement and found.seller == only.seller
    assert found.agreement.n == 80


def test_accounts_without_a_chance_count_for_tiers_alone():
    rows = world(120, np.random.default_rng(1))
    idle = rows.index % 3 == 0
    rows = rows.assign(stratum=rows["stratum"].where(~idle, rows["stratum"] + " without a deal"))
    part = rows.assign(win_probability=rows["win_probability"].mask(idle), won=rows["won"].mask(idle))
    found, asked = judge(part, seed=1, n_boot=20), judge(part[~idle], seed=1, n_boot=20)
    assert found.agreement.n == 120 and found.agreement.value == judge(rows, seed=1, n_boot=20).agreement.value
    for name in ("seller", "model", "combined", "gain"):
        assert getattr(found, name).value == getattr(asked, name).value and getattr(found, name).n == 80
    alike = part.assign(seller_tier=part["tier"])
    assert not set(judge(alike, seed=1, n_boot=5).disagreements["account_id"]) & set(rows["account_id"][idle])


def test_sellers_who_know_what_the_model_does_not_add_to_it_and_those_who_guess_do_not():
    gains = {k: judge(world(3000, np.random.default_rng(2), knows=k), seed=1, n_boot=100).gain for k in (0.0, 1.0)}
    assert gains[1.0].low > 0.02
    assert gains[0.0].high < 0


def test_without_outcomes_or_with_too_few_no_auc_is_told():
    rows = world(60, np.random.default_rng(3))
    unknown = judge(rows.assign(won=np.nan), seed=1, n_boot=20)
    few = judge(rows.assign(won=(np.arange(60) < 9).astype(float)), seed=1, n_boot=20)
    for found in (unknown, few):
        assert np.isnan([found.seller.value, found.model.value, found.combined.value, found.gain.value]).all()
    assert np.isfinite(unknown.agreement.value)


def test_no_answer_at_all_is_no_figure():
    rows = world(20, np.random.default_rng(3)).assign(seller_tier=None, seller_chance=np.nan)
    found = judge(rows.astype({"seller_tier": "str"}), seed=1, n_boot=20)
    assert np.isnan([found.agreement.value, found.same_tier.value, found.seller.value]).all()
    assert len(found.disagreements) == 0


def test_two_tiers_apart_comes_first_and_small_differences_are_no_talk():
    rows = world(6, np.random.default_rng(0)).assign(
        tier=list("AABCCA"),
        seller_tier=["C", "B", "B", "C", None, "A"],
        win_probability=[0.5, 0.5, 0.5, 0.1, 0.1, 0.5],
        seller_chance=[0.5, 0.1, 0.6, 0.12, 0.9, np.nan],
    )
    assert judge(rows, seed=1, n_boot=5).disagreements["account_id"].tolist() == ["a0", "a1", "a4"]


def test_rows_are_drawn_anew_within_their_stratum():
    stratum = pd.Series(list("AAABBC"))
    draws = stratum_draws(stratum, seed=1, n_boot=500)
    for name, n in (("A", 3), ("B", 2), ("C", 1)):
        assert draws[:, stratum == name].sum(axis=1) == pytest.approx(np.full(500, n))
    assert draws.mean(axis=0) == pytest.approx(np.ones(6), abs=0.15)


@pytest.mark.slow
def test_nineteen_intervals_of_twenty_hold_the_kappa_and_the_auc_of_all_accounts():
    rng = np.random.default_rng(0)
    everyone = world(4000, rng, knows=0.5)
    everyone = everyone.assign(size=everyone.groupby("stratum")["stratum"].transform("size"))
    true = cohen_kappa_score(everyone["seller_tier"], everyone["tier"])
    auc = roc_auc_score(everyone["won"], everyone["seller_chance"])
    held = []
    for k in range(80):
        sheet = pd.concat([part.sample(40, random_state=k) for _, part in everyone.groupby("stratum")])
        found = judge(sheet, seed=k, n_boot=100)
        held.append([f.low <= truth <= f.high for f, truth in ((found.agreement, true), (found.seller, auc))])
    assert (np.mean(held, axis=0) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 80)).all()


def test_kappa_is_one_where_all_agree_and_nothing_where_answers_are_independent():
    pairs = np.array(list(itertools.product(range(3), range(3))))
    assert kappa(pairs[:, 0], pairs[:, 1], np.ones(9)) == pytest.approx(0)
    assert kappa(pairs[:, 0], pairs[:, 0], np.ones(9)) == pytest.approx(1)
