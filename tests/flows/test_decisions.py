"""Decisions that leadership wrote down come back with what came of them."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.errors import ConfigError
from winworth.flows.decisions import outcomes
from winworth.flows.review import review
from winworth.review.decided import Decision

CONF = Path(__file__).parents[2] / "conf"
AS_OF = date(2026, 6, 30)
ONE = "{what: Work the mills, who: Claire, decided_on: 2026-04-01, until: 2026-09-30"


def settings_with(tmp_path: Path, decision: str):
    for path in CONF.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "decisions.yaml").write_text(f"decisions:\n- {decision}\n", encoding="utf-8")
    return load_settings(tmp_path)


def test_without_the_file_nothing_was_decided():
    assert load_settings(CONF).decisions == ()


def test_a_decision_is_read_with_all_it_names(tmp_path):
    made = settings_with(tmp_path, ONE + ", accounts: [A1], criterion: budget, tier: A}").decisions[0]
    assert made == Decision("Work the mills", "Claire", date(2026, 4, 1), date(2026, 9, 30), ("A1",), "budget", "A")


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        ("{what: x, who: y, decided_on: 2026-04-01}", r"decisions\.yaml: decisions\.0\.until is missing"),
        (ONE + ", tier: D}", r"decisions\.0: tier is \"D\"; it must be one of A, B, C"),
        (ONE + ", acounts: [A1]}", r"decisions\.0\.acounts is not a setting. Did you mean accounts"),
        ("{what: x, who: ' ', decided_on: 2026-04-01, until: 2026-05-01}", "a decision is signed"),
        ("{what: x, who: y, decided_on: 2026-04-01, until: 2026-03-01}", "until is 2026-03-01, before decided_on"),
        ("{what: x, who: y, decided_on: soon, until: 2026-05-01}", r"decisions\.0\.decided_on: .*found 'soon'"),
    ],
)
def test_a_decision_that_is_not_understood_is_an_error_that_names_the_field(tmp_path, decision, says):
    with pytest.raises(ConfigError, match=says):
        settings_with(tmp_path, decision)


def made(**changes: object) -> Decision:
    return replace(Decision("Work them", "Claire", date(2026, 3, 31), date(2026, 9, 30)), **changes)


def wins_by_hand(demo) -> dict[str, int]:
    """Count each account's deals won after 31 March 2026, each deal once, from the lines of the export."""
    found: dict[str, set[str]] = {}
    for line in (demo.home / "exports" / "affaires.csv").read_text(encoding="utf-8-sig").splitlines()[1:]:
        deal, account, _, _, closed, status, *_ = line.split(";")
        if status == "Gagnée" and re.fullmatch(r"\d{2}/0[456]/2026", closed):
            found.setdefault(account, set()).add(deal)
    return {account: len(deals) for account, deals in found.items()}


def test_what_came_of_accounts_a_criterion_and_a_tier_is_read_from_scores_and_deals(demo, tmp_path):
    now, wins = demo.done.predicted.accounts, wins_by_hand(demo)
    most = max(sorted(wins), key=wins.get)
    never = next(key for key in now["account_id"] if key not in wins)
    then = now.assign(tier="B")[now["account_id"].isin([most]) | (now.index < 50)]
    folder = tmp_path / "scores" / "2026-03-31"
    folder.mkdir(parents=True)
    then.to_parquet(folder / "account_scores.parquet")
    demo.done.predicted.deals.to_parquet(folder / "deal_scores.parquet")
    (folder / "run.json").write_text('{"overrides": {"weights": {"budget": {"learnt": 9, "agreed": 21}}}}')
    about = made(accounts=(most, never), criterion="budget", tier="B")
    settings = replace(demo.settings, decisions=(about, made(decided_on=date(2026, 7, 1))))
    (told,) = outcomes(settings, now, pd.Series({"budget": 12, "sector": 6}), as_of=AS_OF, home=tmp_path)
    assert (told.scored_on, told.weight) == (date(2026, 3, 31), (21, 12))
    assert told.n_in_tier == (len(then), int((now["tier"] == "B").sum()))
    tier = now.set_index("account_id")["tier"]
    assert [account.n_won for account in told.accounts] == [wins[most], 0]
    assert (told.accounts[0].tier_then, told.accounts[0].tier_now) == ("B", tier[most])


def test_what_cannot_be_measured_stays_unknown(demo, tmp_path):
    settings = replace(demo.settings, decisions=(made(), made(criterion="budget", tier="A")))
    bare, told = outcomes(settings, demo.done.predicted.accounts, pd.Series({"budget": 12}), as_of=AS_OF, home=tmp_path)
    assert (bare.scored_on, bare.weight, bare.n_in_tier, bare.accounts) == (None, None, None, ())
    assert told.weight == (None, 12) and told.n_in_tier[0] is None


@pytest.mark.parametrize(
    ("about", "says"), [({"criterion": "budgett"}, "budgett is no criterion"), ({"accounts": ("A-none",)}, "A-none is no")]
)
def test_a_decision_about_nothing_known_is_an_error(demo, about, says):
    settings = replace(demo.settings, decisions=(made(**about),))
    with pytest.raises(ConfigError, match=says):
        outcomes(settings, demo.done.predicted.accounts, pd.Series({"budget": 12}), as_of=AS_OF, home=demo.home)


def test_the_next_page_shows_the_decision(demo, tmp_path):
    import shutil

    home = tmp_path / "home"
    shutil.copytree(demo.home / "models", home / "models", symlinks=True)
    shutil.copytree(demo.home / "scores", home / "scores")
    settings = replace(demo.settings, decisions=(made(until=date(2026, 5, 31), tier="A"),))
    monthly = review(settings, as_of=AS_OF, home=home, lang="fr", cadence="monthly")
    text = monthly.page.read_text(encoding="utf-8")
    assert monthly.page.name == "review-monthly-fr.html"
    assert "Échue le 31\u00a0mai 2026" in text.replace(" mai", "\u00a0mai") or "Échue le 31 mai 2026" in text
    assert "Work them" in text and '<section id="matters"' not in text
