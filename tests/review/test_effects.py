"""The documents of compare, backtest and advise as they are published, and what is said of them in both languages."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from winworth.kpi.recommend import ACTIONS, REASONS
from winworth.review.effects import (
    advice_sentences,
    backtest_sentences,
    compare_sentences,
    hours_rows,
    without_action_rows,
)
from winworth.review.trend_chart import trend_charts
from winworth.review.words import words_in

LANGUAGES = ("en", "fr")


def figure(value, half=0.0, n=400):
    return {"value": value, "low": value - half, "high": value + half, "n": n}


def difference(**changes):
    side = {"value": 0.2, "low": 0.1, "high": 0.3, "n": 90}
    sides = [{"side": side_, "period": at} | side for at in (-2, -1, 0) for side_ in ("treated", "untouched")]
    trend = {"n_earlier": 8, "p": 0.4, "held": True, "path": []}
    whole = {"outcome": "won", "effect": figure(0.05, 0.02), "relative": figure(0.2, 0.08), "p": 0.0001, "detectable": 0.03}
    return whole | {"trend": trend, "crossed": [], "is_causal": True, "sides": sides} | changes


def compared(*differences):
    rate = {name: figure(0.2, 0.02) for name in ("before", "after", "rate", "mix", "interaction")} | {"groups": []}
    question = {"split": "2025-07-01", "treated": ["ETI"], "by": "size_class"}
    without = [
        {"segment": name, "seen": figure(0.3, 0.1, n), "expected": figure(0.25, 0.1, n)} for name, n in (("ETI", 40), ("GE", 9))
    ]
    whole = {"as_of": "2026-06-30", "question": question, "currency": "EUR", "age_days": 180, "n_deals": 894, "rate": rate}
    starts = {"-2": "2025-01-01", "-1": "2025-04-01", "0": "2025-07-01"}
    return whole | {"starts": starts, "differences": {"ETI": list(differences)}, "without_action": without}


def backtested(claim, **changes):
    quarters = [{"quarter": f"2026 Q{k}", "day": "2025-12-31", "scored": "published"} for k in (1, 2)]
    whole = {"as_of": "2026-06-30", "currency": "EUR", "outcome": "won", "effort": "hours", "quarters": quarters}
    whole |= {"n_accounts": 700, "fifth": figure(0.55, 0.05, 1400), "capture": [], "claim": claim}
    return whole | {"is_causal": bool(claim and claim["overlap"]["is_enough"])} | changes


def claimed(gain, *, tipping=1.4, is_enough=True):
    overlap = {"table": [], "effective": 312.0, "trimmed": 0.02, "is_enough": is_enough}
    return {"gain": gain, "weighted": 0.05, "naive": 0.58, "tipping": tipping, "overlap": overlap}


def advised(*recommendations, **changes):
    plan = {"moves": [], "hours": [], "gain": figure(0.0), "p_equal": 0.4}
    hours = [{"group": "Nord", "n_accounts": 40, "now": 820.0, "planned": 900.0, "marginal": figure(210.0, 50.0, 40)}]
    whole = {"as_of": "2026-06-30", "currency": "EUR", "by": "region", "revenue": "invoices", "quarters": ["2026 Q1"]}
    whole |= {"recommendations": list(recommendations), "compared": [{"what": "hours", "p": 0.4}], "plan": plan}
    return whole | {"hours": hours, "missing": []} | changes


def recommendation(action="offer", kind="segment", names=("PME",), why="short_everywhere"):
    told = {"action": action, "kind": kind, "names": list(names), "why": why}
    return told | {"effect": figure(12_000.0, 4000.0), "p_adjusted": 0.01}


def plain(sentences):
    return " ".join(sentences).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_said_carries_its_interval_and_n(lang):
    words = words_in(lang)
    documents = [
        compare_sentences(compared(difference()), words),
        backtest_sentences(backtested(claimed(figure(0.08, 0.05))), words),
        advice_sentences(advised(recommendation()), words),
    ]
    for said in documents:
        assert "[" in plain(said) and "n = " in plain(said)
        assert not re.search(r"nan|None|\{", plain(said))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ("The change brought this", "C’est le changement qui l’a apporté")),
        ({"is_causal": False}, ("why is not known", "sans qu’on sache pourquoi")),
        ({"is_causal": False, "p": 0.3}, ("No difference beyond noise", "Aucune différence au-delà du bruit")),
        (
            {"crossed": ["new prices (2025-02-10)"]},
            ("goes across new prices (2025-02-10)", "enjambe : new prices (2025-02-10)"),
        ),
        ({"detectable": None}, ("cannot be told", "on ne peut dire")),
        ({"is_causal": False, "is_selected": True}, ("a return to the mean", "un retour à la moyenne")),
    ],
)
def test_a_difference_is_said_as_far_as_it_may_be(changes, said):
    for lang, part in zip(LANGUAGES, said, strict=True):
        assert part in plain(compare_sentences(compared(difference(**changes)), words_in(lang)))


def test_what_could_not_be_measured_is_not_said_to_be_noise():
    nothing = {"value": None, "low": None, "high": None, "n": 400}
    one = difference(effect=nothing, relative=nothing, p=1.0, is_causal=False, detectable=None)
    for lang, said in (("en", "no change can be told"), ("fr", "aucune évolution ne peut être dite")):
        told = plain(compare_sentences(compared(one), words_in(lang)))
        assert said in told and words_in(lang).phrases["compare_noise"].split("{")[0] not in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_outcome_without_a_name_or_a_figure_is_said_all_the_same(lang):
    nothing = {"value": None, "low": None, "high": None, "n": 400}
    said = plain(compare_sentences(compared(difference(outcome="odd_one", relative=nothing)), words_in(lang)))
    assert "odd_one" in said and words_in(lang).say("missing").replace("\u00a0", " ") in said


def test_a_segment_of_fewer_than_ten_deals_is_counted_and_not_told():
    rows = [[plain([cell]) for cell in row] for row in without_action_rows(compared(difference()), words_in("en"))]
    assert rows == [["ETI", "30.0% [20.0% to 40.0%]", "25.0% [15.0% to 35.0%]", "40"], ["GE", "n<10", "n<10", "9"]]


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (None, ("Not causal: effort is not logged", "l’effort n’est pas saisi")),
        (claimed(figure(0.3), is_enough=False), ("too unlike what was done", "ressemble trop peu")),
        (claimed(figure(0.01, 0.04)), ("no gain and no loss beyond noise", "ni gain ni perte au-delà du bruit")),
        (claimed(figure(0.08, 0.05)), ("1.40 times would undo it", "de 1,40 fois suffiraient à l’annuler")),
        (claimed(figure(0.08, 0.05), tipping=1.1), ("Not causal: if score", "Aucune cause : si score")),
        (claimed(figure(0.08, 0.05), tipping=20.0), ("more than 20 times", "plus de 20 fois")),
    ],
)
def test_a_backtest_claims_what_it_may(claim, said):
    for lang, part in zip(LANGUAGES, said, strict=True):
        assert part in plain(backtest_sentences(backtested(claim), words_in(lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_naive_claim_is_never_said(lang):
    assert "58" not in plain(backtest_sentences(backtested(claimed(figure(0.01, 0.04))), words_in(lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_action_and_reason_has_words(lang):
    words = words_in(lang)
    for action in ACTIONS:
        for why in REASONS:
            assert "adjusted p" in plain(advice_sentences(advised(recommendation(action, why=why)), words_in("en")))
            assert words.say(f"advice_do_{action}") and words.say(f"advice_why_{why}")


def test_where_nothing_calls_for_a_change_that_is_said_first():
    said = advice_sentences(advised(recommendation("none", why="more_than_others")), words_in("en"))
    assert said[0] == "Nothing to change: of 1 comparisons none calls for it."
    assert any(one.startswith("No move of hours: one more hour goes with as much everywhere") for one in said)


def test_a_move_is_said_with_what_would_make_it_wrong():
    move = recommendation("move", "hours", ("spare", "Nord"), "hour_brings_more")
    moved = advised(move, plan={"moves": [{}], "hours": [], "gain": figure(1.0), "p_equal": 0.001})
    assert "Hours from hours nobody works yet to Nord: move resources" in plain(advice_sentences(moved, words_in("en")))
    assert "si les heures apportent le chiffre d’affaires et ne le suivent pas" in plain(
        advice_sentences(moved, words_in("fr"))
    )
    cells = [plain([cell]) for cell in hours_rows(moved, words_in("en"))[0]]
    assert cells == ["Nord", "40", "820", "900", "€210 [€160 to €260]"]


def test_charts_are_well_formed_in_both_languages_and_name_the_day_of_the_change():
    drawn = trend_charts(compared(difference()))
    assert set(drawn) == {"charts/1-won-en.svg", "charts/1-won-fr.svg"}
    for content, day in zip(drawn.values(), ("1 July 2025", "1 juillet 2025"), strict=True):
        title = ElementTree.fromstring(content.decode())[0].text
        assert day in title.replace("1er", "1")
    assert trend_charts(compared(difference())) == drawn


@pytest.mark.parametrize(
    ("lang", "says"), [("en", "A change on 1 July 2025 in: ETI"), ("fr", "Changement du 1er juillet 2025 dans : ETI")]
)
def test_a_comparison_says_first_what_was_changed_when_and_where(lang, says):
    assert plain(compare_sentences(compared(difference()), words_in(lang))).startswith(says)
