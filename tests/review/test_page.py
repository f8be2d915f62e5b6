import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from winworth.errors import ConfigError
from winworth.flows.review import NO_ACCOUNTS
from winworth.review.page import Review, render
from winworth.review.words import words_in
from winworth.review.workbook import to_workbook

LANGUAGES = ("en", "fr")
FIGURES = ("auc", "log_loss", "brier", "base_rate", "calibration_slope", "calibration_intercept", "lift_at_capacity")
VALUES = (0.76, 0.52, 0.17, 0.31, 0.97, -0.04, 2.1)
CRITERIA = {
    "budget": ("Budget", "needs_value", 34, 12, "up"),
    "engagement": ("Engagement", "behavioural", 22, 20, "up"),
    "company_size": ("Company size", "firmographic", 18, 5, ""),
    "automation_maturity": ("Automation maturity", "technographic", 14, 9, "up"),
    "time_since_contact": ("Time since last contact", "behavioural", 12, 12, "down"),
    "season": ("Season", "context", 0, 0, ""),
}
HOSTILE = "<script>alert(1)</script> & \u202egnp.exe\u0007" + "x" * 200


def figure(value: float, spread: float = 0.04, n: int = 412) -> dict:
    return {"value": value, "low": value - spread, "high": value + spread, "n": n}


def figures(auc: float = 0.76) -> dict:
    return {name: figure(value) for name, value in zip(FIGURES, (auc, *VALUES[1:]), strict=True)}


def metrics_of(**changes: object) -> dict:
    groups = [
        {"predicted": p, "observed": p + 0.02, "low": max(p - 0.06, 0), "high": p + 0.1, "n": 41}
        for p in np.linspace(0.05, 0.7, 10)
    ]
    win = {"out_of_time": figures(), "cross_validated": None, "new_accounts": figures(0.73), "period": "2025 Q4"}
    win |= {"baselines": {"base_rate": figures(0.5), "ridge": figures(0.75), "trees": figures(0.74)}, "chosen": "average"}
    win |= {"ladder": [{"rung": "ridge", "log_loss": 0.53, "behind_best": 0.01, "standard_error": 0.004}]}
    win |= {"n_deals": 2000, "n_won": 520, "n_lost": 1310, "n_open": 170, "n_examples": 4100}
    return {
        "as_of": "2026-06-30",
        "mode": "model",
        "horizon_days": 180,
        "win": win,
        "value": {name: figure(0.6) for name in ("mae", "spearman", "gini", "total_ratio", "coverage_80")},
        "value_definition": {"months": 24, "yearly_discount": 0.1, "basis": "margin", "share_seen": 0.6},
        "leak_tax": {"columns": ["deals.loss_reason"], "auc_without": 0.78, "auc_with": 0.97, "rung": "average"},
        "gate": {"passed": True, "reasons": [], "checks": [{"name": "enough_deals", "passed": True, "says": "520 won"}]},
        "weights_published": True,
        "curves": {"calibration": groups, "gain": [{"share": s, "captured": s**0.5} for s in np.linspace(0, 1, 21)]},
        "read": [
            {
                "table": "deals",
                "file": "deals.csv",
                "n_read": 2010,
                "n_used": 2000,
                "n_quarantined": 6,
                "n_duplicate": 4,
                "n_out_of_scope": 0,
            }
        ],
        "warnings": ["12 activities have no known_on: they count as known on their own date."],
    } | changes


def weights_of(criteria: dict = CRITERIA) -> pd.DataFrame:
    rows = [
        {
            "label": label,
            "family": family,
            "weight": weight,
            "through_winning": won,
            "through_worth": weight - won,
            "direction": way,
        }
        for label, family, weight, won, way in criteria.values()
    ]
    return pd.DataFrame(rows, index=pd.Index(criteria, name="criterion"))


def accounts_of(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    probability, value = rng.beta(2, 4, n), np.exp(rng.normal(10.5, 0.8, n))
    expected = probability * value
    rank = (-expected).argsort().argsort()
    return pd.DataFrame(
        {
            "account_id": [f"A{k:04d}" for k in range(n)],
            "name": [f"Ateliers Durand & Fils {k}" for k in range(n)],
            "basis": np.where(np.arange(n) % 3 == 0, "next_deal", "open_deal"),
            "win_probability": probability,
            "lifetime_value": value,
            "value_low": value / 2.4,
            "value_high": value * 2.1,
            "expected_value": expected,
            "score": 95 - 70 * rank / n,
            "tier": np.select([rank < n * 0.2, rank < n * 0.5], ["A", "B"], "C"),
            "segment": 1 + np.arange(n) % 3,
            "segment_label": [f"headcount high, sector {k % 3}" for k in range(n)],
            "reason_1": "announced budget: 250,000 (+9 points)",
            "reason_2": "meetings held, 90 days: 4 (+6 points)",
            "reason_3": "",
        }
    )


def review_of(**changes: object) -> Review:
    return replace(
        Review(
            "Mécanique du Rhône",
            "EUR",
            date(2026, 6, 30),
            "2026-06-30-1f3a",
            "2026-03-31",
            metrics_of(),
            weights_of(),
            accounts_of(),
            ["The extract is 3 days old."],
        ),
        **changes,
    )


def without_value(accounts: pd.DataFrame) -> pd.DataFrame:
    return accounts.assign(**dict.fromkeys(["lifetime_value", "value_low", "value_high", "expected_value"], np.nan))


def base_rate_review() -> Review:
    win = metrics_of()["win"] | {
        "out_of_time": None,
        "new_accounts": None,
        "ladder": [],
        "chosen": "base rate",
        "period": "none",
    }
    win |= {"baselines": {"base_rate": {"base_rate": figure(0.3)}}, "n_won": 6, "n_lost": 14}
    check = {"name": "enough_deals", "passed": False, "says": "6 won and 14 lost deals"}
    gate = {"passed": False, "reasons": ["enough_deals: 6 won"], "checks": [check]}
    metrics = metrics_of(mode="base_rate", win=win, value=None, leak_tax=None, gate=gate, weights_published=False, curves=None)
    return review_of(metrics=metrics, weights=weights_of({}), accounts=without_value(accounts_of()).assign(segment=0))


def refused_metrics() -> dict:
    check = {"name": "calibrated", "passed": False, "says": "slope 0.2"}
    return metrics_of(gate={"passed": False, "reasons": ["calibrated"], "checks": [check]})


def undated_review() -> Review:
    win = metrics_of()["win"] | {"out_of_time": None, "cross_validated": figures(), "new_accounts": None, "period": "no dates"}
    return review_of(metrics=metrics_of(win=win))


def refused_review() -> Review:
    checks = [
        {"name": "beats_context", "passed": False, "says": "log loss +0.001"},
        {"name": "odd_one", "passed": False, "says": "no"},
    ]
    return review_of(metrics=metrics_of(gate={"passed": False, "reasons": ["beats_context: log loss"], "checks": checks}))


REVIEWS = {"whole": review_of, "base rate": base_rate_review, "undated": undated_review, "refused": refused_review}
EVERY = [pytest.param(make, lang, id=f"{name} {lang}") for name, make in REVIEWS.items() for lang in LANGUAGES]


class Outline(HTMLParser):
    """The tags, attributes and headings of a page, and its text without style and script."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.attributes, self.levels, self.open, self.parts = [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


def text_of(html: str) -> str:
    return Outline(html).text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_no_missing_number_is_printed(make, lang):
    assert not re.search(r"\b(nan|NaN|None|NaT|inf|null|<NA>)\b", text_of(render(make(), lang=lang)))


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_nothing_leaves_the_page(make, lang):
    html = render(make(), lang=lang)
    bare = re.sub(r'xmlns(:xlink)?="[^"]*"|http-equiv', "", html)
    outline = Outline(html)
    assert "http" not in bare and "//" not in bare
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert not {"script", "link", "iframe", "object", "img", "form", "base"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert all(v.startswith("#") for name, v in outline.attributes if name in ("href", "src", "xlink:href"))


@pytest.mark.parametrize(("make", "lang"), EVERY)
def test_headings_stand_in_order_and_the_language_is_named(make, lang):
    html = render(make(), lang=lang)
    levels = Outline(html).levels
    assert f'<html lang="{lang}">' in html
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_same_review_gives_the_same_bytes(lang):
    assert render(review_of(), lang=lang) == render(review_of(), lang=lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_light(lang):
    assert len(render(review_of(), lang=lang).encode()) < 200_000


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_text_is_harmless_everywhere(lang):
    criteria = {"budget": (HOSTILE, "needs_value", 60, 40, "up"), "sector": (HOSTILE, HOSTILE, 40, 40, "up")}
    texts = dict.fromkeys(["name", "segment_label", "reason_1", "basis"], HOSTILE)
    metrics = metrics_of(value_definition={"basis": HOSTILE}, warnings=[HOSTILE])
    metrics["read"][0]["file"] = metrics["leak_tax"]["columns"][0] = metrics["win"]["chosen"] = HOSTILE
    review = review_of(
        company=HOSTILE,
        metrics=metrics,
        weights=weights_of(criteria),
        accounts=accounts_of().assign(**texts),
        warnings=[HOSTILE],
    )
    html = render(review, lang=lang)
    outline = Outline(html)
    assert "script" not in outline.tags
    assert "<script>alert(1)</script> & gnp.exe" in outline.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", html)


def test_a_long_name_is_cut_and_kept_as_title():
    html = render(review_of(accounts=accounts_of().assign(name="N" * 10_000)), lang="en")
    assert f'<bdi title="{"N" * 1000}">{"N" * 119}…</bdi>' in html


def test_a_lone_surrogate_does_not_stop_the_page():
    accounts = accounts_of()
    accounts = accounts.assign(name=pd.Series(["a\ud800b"] * len(accounts), dtype=object))
    assert render(review_of(accounts=accounts), lang="fr").encode()


def test_both_phrase_books_hold_the_same_phrases_and_blanks():
    books = [words_in(lang).phrases for lang in LANGUAGES]
    assert list(books[0]) == list(books[1])
    blanks = [{key: sorted(re.findall(r"{(\w+)}", text)) for key, text in book.items()} for book in books]
    assert blanks[0] == blanks[1]


def test_every_phrase_is_used():
    folder = files("winworth.review")
    modules = [*folder.iterdir(), *folder.joinpath("sections").iterdir()]
    source = " ".join(path.read_text() for path in modules if path.name.endswith(".py"))
    templates = [*folder.joinpath("templates").iterdir(), *folder.joinpath("templates", "sections").iterdir()]
    source += " ".join(path.read_text() for path in templates if path.name.endswith(".j2"))
    source += " ".join(
        path.read_text()
        for room in ("printed", "flows")
        for path in files(f"winworth.{room}").iterdir()
        if path.name.endswith(".py")
    )
    made = r"outcome_|compare_(absent|thin)|backtest_(of|scored)_|advice_(of|do|why|lacks|group|accounts|now|then|marginal)|"
    made += r"warned_|table_|cause_|play_|role_|bin_|kicker_|private_|check_|kpi_|basis_|family_|direction_|by_|value_of_|way_|"
    made += (
        r"monitor_(verdict|reason|group)_|monitored_(recalibrate|retrain|stop)$|block_|name_|means_|.*_(one|other|heading|nav)$"
    )
    unused = [key for key in words_in("en").phrases if not re.match(made, key) and not re.search(rf"""["']{key}["']""", source)]
    assert unused == []


def test_french_signs_are_bound_to_their_word():
    assert not [text for text in words_in("fr").phrases.values() if re.search(r" [:;?!%»]|« ", text)]


def test_an_unknown_language_is_an_error():
    with pytest.raises(ConfigError, match="no phrase book"):
        render(review_of(), lang="de")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_of_machine_learning_stands_before_the_appendix(lang):
    text = text_of(render(doubted(), lang=lang)).lower()
    before = text[: text.rindex({"en": "appendix for statisticians", "fr": "annexe pour statisticiens"}[lang])]
    banned = r"\b(auc|log.?loss|brier|ridge|trees|arbres|shap|lightgbm|calibration|bootstrap|features?|models?|modèles?|"
    banned += (
        r"cross.validat\w+|regression|régression|algorithm\w*|machine|apprentissage|spearman|gini|lift|overfit\w*|feature)\b"
    )
    assert re.findall(banned, before) == []


def test_the_three_sentences_come_from_the_figures():
    accounts = accounts_of()
    best = accounts[accounts["tier"] == "A"]["expected_value"].sum()
    text = text_of(render(review_of(), lang="en"))
    assert f"Tier A: 24 accounts with €{best:,.0f} of expected value" in text
    assert f"That is {best / accounts['expected_value'].sum():.0%} of the total, held by 20% of the accounts." in text
    assert "Budget matters most, with 34 of 100 points; then Engagement, with 22." in text
    assert "ranks the won one first in 76% [72% to 80%] of cases" in text
    assert "412 observations of Q4 2025" in text


def test_french_writes_numbers_money_and_dates_its_way():
    text = text_of(render(review_of(), lang="fr"))
    assert "Situation au 30 juin 2026" in text
    assert "76 % [72 % à 80 %]" in text
    assert "412 observations (T4 2025)" in text
    words = words_in("fr")
    assert words.money(1234.56, "EUR").replace("\u202f", " ").replace("\u00a0", " ") == "1 235 €"
    assert words.money(34.5, "EUR").replace("\u00a0", " ") == "34,50 €"


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "0%"), (0.0001, "<\u00a00.1%"), (0.004, "0.4%"), (0.345, "34%"), (1.0, "100%")]
)
def test_small_shares_do_not_become_zero(share, said):
    assert words_in("en").percent(share) == said


def test_an_amount_without_a_currency_is_a_number():
    assert words_in("en").money(1234.0, "") == "1,234"


def test_best_accounts_stand_by_expected_value():
    accounts = accounts_of()
    best = accounts[accounts["tier"] == "A"].nlargest(20, "expected_value")["name"]
    shown = re.findall(r"\d+\. <bdi>(.*?)</bdi>", render(review_of(accounts=accounts), lang="en"))
    assert [name.replace("&amp;", "&") for name in shown] == best.tolist()


def test_an_account_without_a_name_is_shown_by_its_id():
    accounts = accounts_of().assign(name=None)
    assert accounts.nlargest(1, "expected_value")["account_id"].iloc[0] in text_of(
        render(review_of(accounts=accounts), lang="en")
    )


@pytest.mark.parametrize(
    ("lang", "no", "why"), [("en", "No.", "nothing of the account"), ("fr", "Non.", "rien savoir du compte")]
)
def test_a_refused_gate_is_said_at_the_head_and_beside_the_order(lang, no, why):
    text = text_of(render(refused_review(), lang=lang))
    assert re.search(rf"{re.escape(no)} .*{why}.*odd one", text)
    assert words_in(lang).say("who_warning").replace("\u00a0", " ") in text


def test_a_gate_that_was_never_run_is_no_yes():
    text = text_of(render(review_of(metrics=metrics_of(gate=None)), lang="en"))
    assert "No. Do not decide by the order on this page" in text


@pytest.mark.parametrize(("lang", "said"), [("en", "cannot be known without dates"), ("fr", "ne peut pas savoir sans dates")])
def test_without_dates_the_page_says_what_cannot_be_known(lang, said):
    text = text_of(render(undated_review(), lang=lang))
    assert said in text
    assert "no dates" not in text[: text.rindex("AUC")].replace("The deals have no dates", "")


@pytest.mark.parametrize(
    ("lang", "missing", "said"), [("en", "n/a", "could not be learnt"), ("fr", "n. d.", "n'a pas pu être apprise")]
)
def test_without_a_value_accounts_stand_by_win_probability(lang, missing, said):
    accounts = without_value(accounts_of())
    html = render(review_of(accounts=accounts, metrics=metrics_of(value=None)), lang=lang)
    text = text_of(html).replace("’", "'")
    first = accounts[accounts["tier"] == "A"].nlargest(1, "win_probability")["name"].iloc[0]
    assert f"1. {first}" in text and missing in text and said in text


DOUBT = {
    "n_boot": 50,
    "pairs": [{"first": "size", "second": "budget", "correlation": 0.7, "weight": 41.2}],
    "disagrees": False,
    "few_deals": True,
    "movement": {"moved": 12.0, "by_chance": 8.4, "is_beyond_chance": True, "since": "2026-03-31-0f2c"},
    "families": {"family": ["firmographic", "needs_value"], "weight": [60, 40], "low": [50.0, 33.0], "high": [66.0, 47.0]},
}


def doubted() -> Review:
    """Return a review whose last criterion does not stand out from noise."""
    weights = weights_of()
    names = [name for name in weights.index if weights.loc[name, "family"] != "context"]
    low = pd.Series(3.0, names)
    doubt = pd.DataFrame({"low": low, "high": low + 9, "is_clear": [*[True] * (len(names) - 1), False], "unshrunk": 4.0})
    pair = {"first": names[0], "second": names[1], "correlation": 0.7, "weight": 41.2}
    metrics = metrics_of(weights=DOUBT | {"pairs": [pair]})
    return review_of(weights=weights.join(doubt.assign(by_permutation=5.0)), metrics=metrics)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            [
                "not distinguishable from noise",
                "3\u00a0to\u00a012",
                "50\u00a0to\u00a066",
                "they weigh 41 of 100",
                "more than chance alone would (8)",
            ],
        ),
        (
            "fr",
            [
                "ne se distingue pas du bruit",
                "3\u00a0à\u00a012",
                "50\u00a0à\u00a066",
                "ils pèsent 41 points",
                "plus que ne le ferait le seul hasard (8)",
            ],
        ),
    ],
)
def test_the_page_says_how_surely_each_criterion_weighs(lang, said):
    page = render(doubted(), lang=lang)
    assert [phrase for phrase in said if phrase not in page] == []
    assert page.count(f'<span class="sub">{said[0]}</span>') == 1


def test_a_page_of_weights_without_doubt_shows_no_range():
    page = render(review_of(), lang="en")
    assert "not distinguishable" not in page and "Likely range" not in page


@pytest.mark.parametrize(("lang", "said"), [("en", "No weights are published"), ("fr", "Aucun poids n’est publié")])
def test_the_base_rate_publishes_no_weights_and_no_charts(lang, said):
    html = render(base_rate_review(), lang=lang)
    assert said in html and "<svg" not in html
    assert "520" not in text_of(html)


def test_no_account_in_tier_a_is_said():
    assert "No account is in tier A." in text_of(render(review_of(accounts=accounts_of().assign(tier="C")), lang="en"))


def test_no_accounts_at_all_still_gives_a_page():
    assert "No account is scored." in text_of(render(review_of(accounts=accounts_of().head(0)), lang="en"))


def test_warnings_beyond_thirty_are_counted():
    text = text_of(render(review_of(warnings=[f"warning {k}" for k in range(40)]), lang="en"))
    assert "warning 29" in text and "warning 30" not in text and "and 11 more" in text


def test_phrase_books_are_plain_json():
    for lang in LANGUAGES:
        for path in files("winworth.review").joinpath("phrases", lang).iterdir():
            assert all(isinstance(text, str) and text for text in json.loads(path.read_text()).values())


def overruled(price):
    told = {"who": HOSTILE, "why": "won by meetings", "agreed_on": "2026-06-01", "until": "2026-09-30"}
    weights = {
        name: {"learnt": weight, "agreed": weight} for name, (_, _, weight, _, _) in CRITERIA.items() if name != "season"
    }
    weights["engagement"]["agreed"] = 40
    return {"overrides": [{"criterion": "engagement", "weight": 40} | told], "weights": weights, "price": price}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_leadership_overruled_is_told_with_both_weights_and_its_price(lang):
    price = {"change": figure(-42_000, 10_000), "change_share": figure(-0.05, 0.02), "in_money": True}
    page = render(review_of(overrides=overruled(price)), lang=lang)
    plain = re.sub(r"<[^>]+>", "", page).replace("\u202f", " ").replace("\xa0", " ")
    assert "40" in plain and "22" in plain and "<script>alert" not in page
    assert {"en": "-€42,000 (-5.0% [-7.0% to -3.0%])", "fr": "-42 000 €"}[lang] in plain
    assert {"en": "is not measured", "fr": "n’est pas mesuré"}[lang] in render(review_of(overrides=overruled(None)), lang=lang)


def test_the_first_of_a_month_is_written_as_the_french_do():
    days = (date(2025, 7, 1), date(2025, 7, 11), date(2025, 7, 21))
    assert [words_in("fr").day(day) for day in days] == ["1er juillet 2025", "11 juillet 2025", "21 juillet 2025"]


def test_a_certain_figure_has_no_interval_and_money_no_cents_beside_thousands():
    words, sure = words_in("en"), {"value": 0.5, "low": 0.5, "high": 0.5}
    assert words.figure(sure, words.percent) == "50%"
    wide = {"value": 7.89, "low": -2130.4, "high": 1881.0}
    assert words.money_figure(wide, "EUR", is_signed=True) == "+€8 [-€2,130\u00a0to\u00a0+€1,881]"
    assert words.money_figure({"value": 7.891, "low": 1.2, "high": 9.0}, "EUR") == "€7.89 [€1.20\u00a0to\u00a0€9.00]"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_version_that_is_not_in_use_has_its_page_without_accounts(lang):
    review = review_of(accounts=NO_ACCOUNTS, metrics=refused_metrics())
    text = text_of(html := render(review, lang=lang))
    assert {"en": "No account is scored", "fr": "Aucun compte n’est noté"}[lang] in text
    assert words_in(lang).say("trust_no") in text and words_in(lang).say("tiers_heading") not in html
    assert to_workbook(review, lang=lang)
