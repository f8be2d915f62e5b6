"""The weights workshop: the page's own script finds what Python finds, and nothing from outside can harm it."""

import importlib
import json
import operator
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chromium import MISSING, WHERE, Chromium
from node import data_and_script, in_node
from test_page import HOSTILE, Outline, accounts_of, review_of, weights_of

from winworth.config import load_settings
from winworth.flows.agree import agree
from winworth.review.page import render
from winworth.review.words import words_in
from winworth.review.workshop import Workshop, script_source, workshop
from winworth.scoring.seats import Seats
from winworth.scoring.tiers import cut_tiers
from winworth.weights.overrides import LaterScores, Override, log_shift, price, rescaled

LEARNT = pd.Series({"budget": 34, "engagement": 22, "company_size": 18, "automation_maturity": 14, "time_since_contact": 12})
NAMES = list(LEARNT.index)


def later_of(n: int = 900, seed: int = 3, **changes: object) -> LaterScores:
    """Return later deals, some tied, some of one account."""
    rng = np.random.default_rng(seed)
    criteria = pd.DataFrame(rng.integers(0, 101, (n, len(NAMES))), columns=NAMES)
    logs = np.round(0.06 * (criteria.to_numpy() @ LEARNT.to_numpy()) / 100 + rng.normal(8, 0.4, n), 6)
    logs[: n // 20], criteria.iloc[: n // 20] = logs[0], criteria.iloc[0].to_numpy()
    told = {"unit": 0.06, "capacity": 0.2, "in_money": True} | changes
    criteria = criteria[NAMES[:0:-1]].assign(gone=rng.integers(0, 101, n))  # a card of before: another order, other criteria
    return LaterScores(criteria, logs, np.arange(n) // 2, np.zeros(n), np.ones(n), **told)


def world(n: int = 700, *, seed: int = 5, seats: Seats | None = None, overrides: tuple = (), tenths: bool = True):
    """Return accounts of whom some tie, some are worth nothing, and what other weights are tried on."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 1001, (n, len(NAMES))) / 10 if tenths else rng.integers(0, 101, (n, len(NAMES))) * 1.0
    accounts = accounts_of(n).join(pd.DataFrame(scores, columns=NAMES))
    worth = accounts["expected_value"].where(np.arange(n) % 50 != 7, 0.0).where(np.arange(n) % 90 != 3, 40_000.0)
    accounts = accounts.assign(expected_value=worth).sample(frac=1, random_state=1, ignore_index=True)
    seats = seats or Seats({"A": n // 5, "B": n * 3 // 10}, {"A": 9_000.0, "B": 2_000.0})
    return accounts, Workshop(LEARNT, 0.05, later_of(), accounts["expected_value"], seats, overrides)


def page_of(accounts: pd.DataFrame, it: Workshop, lang: str = "en", **changes: object) -> str:
    return render(review_of(accounts=accounts, workshop=it, **changes), lang=lang)


def told_by(
    accounts: pd.DataFrame, it: Workshop, held: list[dict[int, int]], lang: str = "en", **how: bool
) -> list[dict | None]:
    """Return what the page's script finds."""
    made = workshop(it, accounts, {}, "EUR", date(2026, 6, 30), words_in(lang))
    return in_node(json.loads(json.dumps(made["data"], allow_nan=False)), held, **how)


def moved_by_python(accounts: pd.DataFrame, it: Workshop, held: dict[int, int]) -> tuple[pd.DataFrame, pd.Series]:
    """Return accounts by worth with their tier under the learnt weights and others, as flows/agree.py finds them."""
    after = rescaled(LEARNT, {NAMES[k]: weight for k, weight in held.items()})
    shift = log_shift(accounts[NAMES], LEARNT, after, unit=it.unit)
    tiers = [cut_tiers(it.worth, accounts["account_id"], it.seats, shift=by).table["tier"] for by in (0.0, shift)]
    table = accounts.assign(before=tiers[0], after=tiers[1])
    return table.sort_values(["expected_value", "account_id"], ascending=[False, True]), after


HELD = [{}, {1: 40}, {0: 0}, {4: 100}, {2: 37, 3: 1}, {0: 34}, {1: 60, 2: 40}, {3: 15}]


@pytest.mark.parametrize("seats", [None, *(Seats({"A": n, "B": 0}, dict.fromkeys("AB", 0.0)) for n in (30, 0))])
def test_the_browser_gives_every_account_the_tier_that_python_does(seats):
    accounts, it = world(seats=seats)
    for held, told in zip(HELD, told_by(accounts, it, HELD), strict=True):
        table, after = moved_by_python(accounts, it, held)
        assert told["weights"] == after.tolist()
        assert [("A", "B", "C")[code] for code in told["tiers"]] == table["after"].tolist()
        risen, fallen = table[table["after"] < table["before"]], table[table["after"] > table["before"]]
        assert (told["up"], told["down"]) == (len(risen), len(fallen))
        assert told["moved"] == [risen["name"].head(10).tolist(), fallen["name"].head(10).tolist()]


def test_the_browser_finds_the_price_that_python_does():
    accounts, it = world()
    for held, told in zip(HELD[:3], told_by(accounts, it, HELD[:3], ranged=True), strict=True):
        after = rescaled(LEARNT, {NAMES[k]: weight for k, weight in held.items()})
        found = price(it.later, LEARNT, after, seed=it.seed, n_boot=it.n_boot)
        assert told["captured"] == pytest.approx(found.captured.value, rel=1e-12)
        assert told["change"] == pytest.approx(found.change.value, rel=1e-9, abs=1e-9 * found.captured.value)
        close = {"rel": 1e-9, "abs": 1e-9 * found.captured.value}
        assert told["low"] == pytest.approx(found.change.low, **close)
        assert told["high"] == pytest.approx(found.change.high, **close)


def test_the_browser_rescales_as_python_does_at_every_criterion():
    accounts, it = world(60)
    held = [{k: weight} for k in range(len(NAMES)) for weight in range(k, 101, 4)]
    for one, told in zip(held, told_by(accounts, it, held), strict=True):
        assert told["weights"] == rescaled(LEARNT, {NAMES[k]: weight for k, weight in one.items()}).tolist()


def test_points_that_no_other_criterion_can_take_are_refused_as_python_refuses_them():
    accounts, it = world(60)
    learnt = pd.Series([100, 0, 0, 0, 0], NAMES)
    it = Workshop(learnt, 0.05, it.later, it.worth, it.seats)
    assert told_by(accounts, it, [{0: 40}, {0: 40, 1: 60}])[0] is None


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_is_copied_is_what_winworth_agree_reads(lang, tmp_path):
    signed = {
        "criterion": "budget",
        "weight": 20,
        "who": '"C." Martin: head',
        "why": "won by #meetings",
        "agreed_on": "2026-06-01",
    }
    accounts, it = world(60, overrides=(signed | {"until": "2026-09-30"},))
    yaml = told_by(accounts, it, [{0: 20, 1: 40}], lang)[0]["yaml"]
    filled = re.sub(r"who:  #.*", "who: C. Martin", yaml)
    filled = re.sub(r"until:  # .*(\d{4}-\d\d-\d\d).*", r"until: \1", re.sub(r"why:  #.*", "why: a pilot", filled))
    conf = tmp_path / "conf"
    shutil.copytree(Path(__file__).parents[2] / "conf", conf)
    (conf / "overrides.yaml").write_text(filled, encoding="utf-8")
    first, second = load_settings(conf).overrides
    assert (first.criterion, first.weight, first.who, first.why) == ("budget", 20, signed["who"], signed["why"])
    assert (second.criterion, second.weight, second.agreed_on) == ("engagement", 40, date(2026, 6, 30))
    assert second.until == date(2026, 12, 31)


def test_a_company_too_large_for_the_page_is_counted_on_some_accounts_and_says_so(monkeypatch):
    module = importlib.import_module("winworth.review.workshop")
    monkeypatch.setattr(module, "MOST_TODAY", 40_000)
    monkeypatch.setattr(module, "MOST_NAMES", 1_000)
    accounts, it = world(9_000, seats=Seats({"A": 1800, "B": 2700}, {"A": 0.0, "B": 0.0}))
    made = workshop(it, accounts, {}, "EUR", date(2026, 6, 30), words_in("en"))
    today, step = made["data"]["today"], made["data"]["today"]["step"]
    assert step > 1 and f"Accounts are counted on one in {step}" in " ".join(made["notes"])
    assert sum(len(today[f"c{k}"]) for k in range(len(NAMES))) + len(today["fallen"]) <= 40_000
    table, _ = moved_by_python(accounts, it, {1: 40})
    told = in_node(made["data"], [{1: 40}])[0]
    assert told["up"] == pytest.approx((table["after"] < table["before"]).sum(), rel=0.1)
    assert None not in [name for names in told["moved"] for name in names]


def test_of_many_accounts_those_are_named_that_move_first(monkeypatch):
    monkeypatch.setattr(importlib.import_module("winworth.review.workshop"), "MOST_NAMES", 100)
    accounts, it = world(2_000, seats=Seats({"A": 400, "B": 600}, {"A": 0.0, "B": 0.0}))
    held = [{k: weight} for k in range(len(NAMES)) for weight in (0, 15, 40, 13, 31, 77)]
    n_named = n = 0
    for one, told in zip(held, told_by(accounts, it, held), strict=True):
        table, _ = moved_by_python(accounts, it, one)
        for names, moved in zip(
            told["moved"], (table["after"] < table["before"], table["after"] > table["before"]), strict=True
        ):
            first = table.loc[moved, "name"].head(10).tolist()
            assert [name or truth for name, truth in zip(names, first, strict=True)] == first
            assert None not in names or max(one.values()) % 5
            n, n_named = n + len(names), n_named + sum(name is not None for name in names)
    assert n_named > 0.9 * n


def test_the_demo_page_prices_and_moves_as_winworth_agree_does(demo_copy):
    """What agree counts is what predict then publishes: tests/flows/test_agree.py holds the two to each other."""
    html = demo_copy.done.reviews[0].page.read_text(encoding="utf-8")
    data = data_and_script(html)[0]
    one = Override("engagement", 40, "C. Martin", "won by meetings", date(2026, 6, 1), date(2026, 9, 30))
    done = agree(replace(demo_copy.settings, overrides=(one,)), as_of=date(2026, 6, 30), home=demo_copy.home)
    told = in_node(data, [{data["criteria"].index("engagement"): 40}])[0]
    assert told["weights"] == done.ruled.after.tolist()
    assert told["change"] == pytest.approx(done.ruled.price.change.value, rel=1e-9)
    risen, fallen = (done.moved[way(done.moved["agreed_tier"], done.moved["tier"])] for way in (operator.lt, operator.gt))
    assert (told["up"], told["down"]) == (len(risen), len(fallen)) and len(risen) > 10
    assert told["moved"] == [risen["name"].head(10).tolist(), fallen["name"].head(10).tolist()]


def test_accounts_held_within_noise_are_said_to_be_counted_without_it():
    accounts, it = world(60)
    same = (accounts, accounts.assign(tier_change_reason=["held"] * 7 + [""] * 53))
    notes = [" ".join(workshop(it, one, {}, "EUR", date(2026, 6, 30), words_in("en"))["notes"]) for one in same]
    assert "kept a tier because" not in notes[0] and "Today 7 accounts kept a tier because" in notes[1]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_only_this_script_may_run_and_nothing_is_called_from_an_attribute(lang):
    accounts, it = world(60)
    html = page_of(accounts, it, lang)
    outline, (_, script) = Outline(html), data_and_script(html)
    assert f'img-src data:; script-src {script_source(script)}">' in html
    assert outline.tags.count("script") == 2 and "unsafe-eval" not in html
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"|http-equiv', "", html) and "innerHTML" not in script


def test_hostile_names_stay_inside_their_data():
    hostile = "</script><script>alert(1)</script>=cmd|'/C calc'!A1\u202e" + "x" * 10_000
    accounts, it = world(60, overrides=({"criterion": "budget", "weight": 20, "who": hostile, "why": HOSTILE},))
    criteria = {name: (hostile, "behavioural", int(weight), 0, "up") for name, weight in LEARNT.items()}
    html = page_of(accounts.assign(name=hostile), it, weights=weights_of(criteria))
    assert Outline(html).tags.count("script") == 2 and "<script>alert" not in html and "\u202e" not in html
    told = in_node(data_and_script(html)[0], [{1: 40}])[0]
    names = {name for names in told["moved"] for name in names}
    assert names and all(len(name) == 40 and "\u202e" not in name for name in names)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_without_weights_or_later_deals_the_section_says_why_it_is_closed(lang):
    said = {"en": "cannot be tried here", "fr": "ne peuvent pas être essayés ici"}[lang]
    html = render(review_of(), lang=lang)
    assert said in html and "script-src" not in html and "<script" not in html


@pytest.mark.skipif(WHERE is None, reason=MISSING)
@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", r"Expected value within reach of the team: -€([\d,]+) \("),
        ("fr", r"Valeur attendue à portée de l’équipe : -([\d ]+) € \("),
    ],
)
def test_in_a_browser_a_moved_slider_changes_the_figures_and_nothing_complains(lang, said, tmp_path):
    accounts, it = world()
    (tmp_path / "page.html").write_text(page_of(accounts, it, lang), encoding="utf-8")
    found = price(it.later, LEARNT, rescaled(LEARNT, {"engagement": 23}), seed=0, n_boot=2).change.value
    with Chromium(tmp_path / "profile") as page:
        seen = page.open(tmp_path / "page.html", width=390)
        _until(page, "!document.getElementById('workshop-bench').hidden")
        assert page.run("document.getElementById('workshop-without').hidden")
        page.run("document.getElementById('workshop-slider-1').focus()")
        for kind in ("rawKeyDown", "keyUp"):
            page.ask("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
        _until(page, "document.getElementById('workshop-range').textContent !== ''")
        change = page.run("document.getElementById('workshop-change').textContent").replace("\u202f", " ").replace("\xa0", " ")
        assert int(re.sub(r"\D", "", re.search(said, change)[1])) == round(-found)
        assert page.run("document.getElementById('workshop-weight-1').textContent") == "23"
        assert "weight: 23" in page.run("document.getElementById('workshop-yaml').value")
        assert page.run("document.querySelectorAll('#workshop-up li').length") > 0
        page.run("document.getElementById('workshop-reset').click()")
        assert page.run("document.getElementById('workshop-yaml').value") == "overrides: []\n"
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert (seen.errors, [url for url in seen.requests if not url.startswith("file:")]) == ([], [])


@pytest.mark.skipif(WHERE is None, reason=MISSING)
def test_without_javascript_the_section_says_what_it_would_do(tmp_path):
    accounts, it = world(60)
    (tmp_path / "page.html").write_text(page_of(accounts, it), encoding="utf-8")
    with Chromium(tmp_path / "profile") as page:
        page.open(tmp_path / "page.html", width=1280, scripts=False)
        picture = page.run("document.getElementById('workshop').innerText")
    assert "With JavaScript, a slider for each weight stands here" in picture and "Copy as override" not in picture


def _until(page: Chromium, condition: str) -> None:
    script = f"new Promise((done) => {{ const look = () => ({condition}) ? done(1) : setTimeout(look, 20); look(); }})"
    page.run(script)
