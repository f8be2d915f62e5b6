"""The page with every section filled: its text in both languages, its order, its cadences, and hostile text in it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_effects import advised, backtested, claimed, compared, difference, figure, recommendation
from test_page import HOSTILE, LANGUAGES, Outline, base_rate_review, review_of, text_of
from whole import whole_review

from winworth.review.effects import advice_sentences, backtest_sentences, compare_sentences
from winworth.review.page import MONTHLY, SECTIONS, render
from winworth.review.words import words_in

HERE = Path(__file__).parent
# Words of machine learning and statistics that a page for people who sell does without, before its appendix.
BANNED = {
    "en": r"models?|algorithms?|shap|auc|calibrat\w+|features?|clusters?|regression\w*|p-values?|bootstrap\w*|lightgbm|ridge|"
    r"overfit\w*|log.?loss|brier|cross.validat\w+|attributions?|machine|hyperparam\w+|gradient|boosting|train(?:ed|ing)|"
    r"percentiles?|quantiles?|odds|spearman|gini|k-means|gate|rungs?|champion|challenger",
    "fr": r"modèles?|algorithmes?|shap|auc|calibr\w+|variables? explicatives?|features?|clusters?|régression\w*|valeurs? p|"
    r"bootstrap\w*|lightgbm|ridge|surapprentissage|apprentissage|log.?loss|brier|validation croisée|attributions?|machine|"
    r"hyperparam\w+|gradient|boosting|entraîn\w+|percentiles?|quantiles?|spearman|gini|k-means|champion|challenger",
}


def before_appendix(html: str) -> str:
    return text_of(html[: html.index('<section id="appendix"')])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_text_of_the_page_is_what_was_agreed(lang, tmp_path):
    """To agree to a change, read the difference and copy the file that the message names."""
    text = re.sub(r"(?<=[.!?»”:]) ", "\n", text_of(render(whole_review(), lang=lang))) + "\n"
    agreed = HERE / f"page-{lang}.txt"
    written = tmp_path / agreed.name
    written.write_text(text, encoding="utf-8")
    assert agreed.exists() and text == agreed.read_text(encoding="utf-8"), f"cp {written} {agreed}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sections_stand_in_the_order_in_which_leadership_decides(lang):
    html = render(whole_review(), lang=lang)
    assert re.findall(r'<section id="(\w+)"', html) == list(SECTIONS)
    assert list(SECTIONS)[0] == "short" and list(SECTIONS)[-1] == "appendix"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_month_shows_its_tactics_and_links_to_nothing_else(lang):
    html = render(whole_review(cadence="monthly"), lang=lang)
    assert re.findall(r'<section id="(\w+)"', html) == list(MONTHLY)
    assert {link for link in re.findall(r'<a href="#(\w+)"', html)} <= set(MONTHLY)
    assert words_in(lang).say("kicker_monthly") in html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_of_machine_learning_stands_before_the_appendix_of_a_whole_page(lang):
    found = re.findall(rf"\b(?:{BANNED[lang]})\b", before_appendix(render(whole_review(), lang=lang)), re.IGNORECASE)
    assert found == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_of_machine_learning_stands_before_the_appendix_of_the_demo(demo, lang):
    html = next(reviewed.page for reviewed in demo.done.reviews if reviewed.lang == lang).read_text(encoding="utf-8")
    assert re.findall(rf"\b(?:{BANNED[lang]})\b", before_appendix(html), re.IGNORECASE) == []
    assert not re.search(r"\b(nan|NaN|None|NaT|inf|null|<NA>)\b", text_of(html))
    assert len(html.encode()) < 1_000_000


def test_a_word_of_machine_learning_would_be_caught():
    html = render(whole_review(decisions=()), lang="en").replace("Plays: what is done", "The model: what is done")
    assert re.findall(rf"\b(?:{BANNED['en']})\b", before_appendix(html), re.IGNORECASE) == ["model"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_text_is_harmless_in_movers_plays_decisions_segments_and_card(lang):
    whole = whole_review()
    movers = whole.moved.movers.assign(name=HOSTILE, cause=HOSTILE, account_id=HOSTILE)
    plays = whole.plays.assign(play=HOSTILE, proofs=HOSTILE + "\n" + HOSTILE, segment=HOSTILE, to_decider="=cmd|'/c calc'!A1")
    named = replace(whole.decisions[0], accounts=(replace(whole.decisions[0].accounts[0], name=HOSTILE),))
    named = replace(named, decision=replace(named.decision, what=HOSTILE, who=HOSTILE, criterion=HOSTILE))
    metrics = dict(whole.metrics)
    for one in metrics["segments"]["segments"].values():
        one["label"], one["rule"] = {"en": HOSTILE}, {"precision": 1.0, "coverage": 1.0, "sentence": {"en": HOSTILE}}
    metrics["icp"]["rules"][0]["words"] = {"en": HOSTILE}
    metrics["personas"]["cells"][0] |= {"role": HOSTILE, "segment": HOSTILE}
    metrics["size_classes"] = {HOSTILE: metrics["size_classes"]["PME"]}
    pictures = whole.pictures | {"cycles": {HOSTILE: whole.pictures["cycles"]["PME"]}}
    kpis = whole.kpis.assign(mark=HOSTILE)
    changes = {"plays": plays, "metrics": metrics, "pictures": pictures, "kpis": kpis, "decisions": (named,)}
    html = render(replace(whole, moved=replace(whole.moved, movers=movers), **changes), lang=lang)
    assert "script" not in Outline(html).tags
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", html)


def test_a_name_of_ten_thousand_letters_is_cut_wherever_it_stands():
    whole, long = whole_review(), "N" * 10_000
    moved = replace(whole.moved, movers=whole.moved.movers.assign(name=long))
    named = replace(whole.decisions[0], decision=replace(whole.decisions[0].decision, what=long, who=long))
    plays = whole.plays.assign(play=long, proposition=long)
    html = render(
        replace(whole, moved=moved, decisions=(named,), plays=plays, accounts=whole.accounts.assign(name=long)), lang="fr"
    )
    assert max(map(len, re.findall("N+", html))) <= 1000
    assert "N" * 601 not in text_of(html)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_chart_says_its_message_its_axis_and_its_number(lang):
    html = render(whole_review(), lang=lang)
    figures = re.findall(r"<figure>(.*?)</figure>", html, re.DOTALL)
    assert len(figures) >= 13
    for drawn in figures:
        assert re.search(r"<figcaption>[^<]{12,}</figcaption>", drawn)
        assert re.search(r"<title>[^<]{12,}</title>", drawn)
        assert re.search(r'<p class="n">[^<]*\d', drawn)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_not_made_is_said_and_how_to_make_it(lang):
    text, words = text_of(render(review_of(), lang=lang)), words_in(lang)
    for key in ("moved_first", "plays_none", "kpis_none", "before_none", "advice_none", "overrides_none", "personas_none"):
        assert words.say(key).replace("\u00a0", " ") in text
    assert '<section id="decided"' not in render(review_of(), lang=lang)


def questions(**changes: object) -> list[str]:
    html = render(whole_review(**changes), lang="en")
    return re.findall(r'<li class="card"><h3>(.*?)</h3><p>(.*?)</p>', html)


def test_the_three_things_to_decide_follow_from_the_figures():
    whole = whole_review()
    asked = [title for title, _ in questions()]
    assert asked == ["1. Who is in tier A?", "2. Do these criteria stand as they are?", "3. Who works these accounts?"]
    said = dict(questions())["1. Who is in tier A?"]
    assert f"{whole.moved.n_in} have come in since the last scoring and {whole.moved.n_out} have left" in said
    assert "9 accounts of all tiers stand so near a limit" in said
    assert "with 12 of 100 points" in dict(questions())["2. Do these criteria stand as they are?"]


def test_fewer_things_are_asked_where_there_are_fewer():
    quiet = whole_review()
    settled = {"weights": quiet.weights.assign(is_clear=True), "decisions": (), "accounts": quiet.accounts.assign(seller="V1")}
    assert [title for title, _ in questions(**settled)] == ["1. Who is in tier A?"]
    nobody = settled | {"accounts": quiet.accounts.assign(tier="C", seller="V1")}
    assert questions(**nobody) == []
    assert words_in("en").say("ask_nothing") in render(whole_review(**nobody), lang="en")


@pytest.mark.parametrize(
    ("until", "high", "asks"), [("2026-07-20", 0.1, True), ("2026-12-20", 0.1, False), ("2026-12-20", -0.01, True)]
)
def test_an_override_is_asked_about_where_it_ends_soon_or_costs_beyond_chance(until, high, asks):
    one = {"criterion": "budget", "weight": 40, "who": "Claire", "why": "x", "agreed_on": "2026-06-01", "until": until}
    share = {"value": -0.05, "low": -0.07, "high": high, "n": 700}
    price = {"change": share, "change_share": share, "in_money": True}
    told = {"overrides": [one], "weights": {"budget": {"learnt": 34, "agreed": 40}}, "price": price}
    assert ("2. Does this override stay?" in [title for title, _ in questions(overrides=told)]) is asks


def test_an_accounts_change_of_tier_stands_with_its_money_and_its_main_cause():
    whole = whole_review()
    first = whole.moved.movers[whole.moved.movers["tier"] == "A"].iloc[0]
    text = text_of(render(whole, lang="en"))
    assert (
        f"{first['name']} mainly: new facts about accounts {first['previous_tier']} {first['tier']} +€{first['change']:,.0f}"
        in text
    )


def test_decisions_come_back_with_what_came_of_them():
    text = text_of(render(whole_review(), lang="en"))
    assert "Work the mills ourselves Claire Martin, 1 April 2026. Holds until 30 September 2026." in text
    assert "Budget weighed 30 of 100 points then, and weighs 34 now." in text
    assert "Accounts in tier A: 20 then, 24 now." in text and "Ateliers Durand B A 2" in text
    assert "Ended on 31 May 2026: renew or close. Not measured" in text


def test_points_of_the_card_stand_by_the_values_they_are_for():
    text = text_of(render(whole_review(), lang="en"))
    assert "below 10 −12 40 10 to below 250 +3 50 250 or more +20 30 unknown 0 0" in text
    assert "it +5 60 steel −5 40 any other +1 20" in text
    assert "Together, budget and engagement move it by another −4 to +2 points" in text


def test_kpis_show_what_can_be_told_and_why_not_otherwise():
    text = text_of(render(whole_review(), lang="en"))
    assert (
        "24% of the deals opened in Q1 2026 were won in time, and 22% of those of Q4 2025: chance alone may explain it" in text
    )
    assert "too early n = 203" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_without_signal_shows_no_card_and_no_price(lang):
    html = render(base_rate_review(), lang=lang)
    assert '<section id="card"' not in html and '<section id="overrides"' not in html
    assert re.findall(r"<ol", html) == [] or "tier A" in html or "priorité A" in html


def test_without_values_movers_have_no_money():
    whole = whole_review()
    movers = whole.moved.movers.assign(change=np.nan)
    assert "n/a" in text_of(render(replace(whole, moved=replace(whole.moved, movers=movers)), lang="en"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_compared_and_recommended_stands_on_the_page_and_is_asked_about(lang):
    words = words_in(lang)
    documents = {
        "compare.json": compared(difference()),
        "advice.json": advised(recommendation()),
        "backtest.json": backtested(claimed(figure(0.1, 0.02))),
    }
    text = text_of(render(whole_review(documents=documents), lang=lang))
    for said in (compare_sentences, advice_sentences, backtest_sentences):
        told = documents[said.__name__.replace("_sentences", ".json")]
        assert all(sentence.replace("\u00a0", " ").replace("\u202f", " ") in text for sentence in said(told, words))
    assert words.say("ask_advice").replace("\u00a0", " ") in text
    assert words.say("before_none").replace("\u00a0", " ") not in text
