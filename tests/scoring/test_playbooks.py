import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from winworth.config import built_in_playbooks, load_settings
from winworth.errors import ConfigError
from winworth.scoring.playbooks import TIERS, play_table

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "conf" / "playbooks.yaml").read_text(encoding="utf-8")


@pytest.fixture
def conf(tmp_path):
    """Return a copy of the demo's configuration."""
    return Path(shutil.copytree(ROOT / "conf", tmp_path / "conf"))


def written(conf, text):
    (conf / "playbooks.yaml").write_text(text, encoding="utf-8")
    return load_settings(conf).playbooks


def without(block: str, text: str = TEXT) -> str:
    """Return the file without the first key of that name, at any depth, and all that hangs on it."""
    return re.sub(rf"^( *){block}:.*\n(?:\1 .*\n|\n)*", "", text, count=1, flags=re.M)


LIVE = pd.DataFrame({"segment": ["S1", "S2", "S1"], "tier": ["A", "A", "C"], "n_accounts": [3, 5, 8]})


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_field_of_every_tier_says_something_in_both_languages(conf, lang):
    for plays in (load_settings(conf).playbooks, built_in_playbooks()):
        told = play_table(plays, pd.DataFrame({"segment": "S9", "tier": TIERS, "n_accounts": 1}), lang=lang)
        assert (told.drop(columns=["quota", "n_accounts"]).map(len) > 3).drop(columns=["segment", "tier"]).all(axis=None)
        assert (told["quota"] > 0).all()


def test_english_and_french_are_not_the_same_words(conf):
    en, fr = (play_table(load_settings(conf).playbooks, LIVE, lang=lang) for lang in ("en", "fr"))
    words = [name for name in en if name not in LIVE and name != "quota"]
    assert len(words) == 17
    assert (en[words] != fr[words]).all(axis=None)


def test_a_segment_changes_what_it_says_and_no_other_field_or_segment(conf):
    first, second = (play_table(load_settings(conf).playbooks, LIVE, lang="en").iloc[k] for k in (0, 1))
    assert first["to_it"].startswith("A meeting between our engineer")
    assert first["content"].startswith("A half-day workshop")
    same = [name for name in first.index if name not in ("segment", "n_accounts", "to_it", "content")]
    assert first[same].equals(second[same])


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (without("offer"), "playbooks.yaml: tiers.A.offer is missing. Write it."),
        (without("finance"), "playbooks.yaml: tiers.A.messages.finance is missing. Write it."),
        (without("marketing"), "playbooks.yaml: tiers.A.sla.marketing is missing. Write it."),
        (re.sub("      fr: Nous reprenons.*\n", "", TEXT), "playbooks.yaml: tiers.A.proposition.fr is missing. Write it."),
        (TEXT.replace("en: We take over", "en: ' '\n      # ", 1), "tiers.A.proposition: en must say something"),
        (TEXT.replace("    proofs:\n", "    proofs: []\n    hidden:\n", 1), "tiers.A.hidden is not a setting"),
        (TEXT.replace("cadence:", "cadense:", 1), "tiers.A.cadense is not a setting. Did you mean cadence?"),
        (TEXT.replace("      it:\n", "      itt:\n", 1), "tiers.A.messages.itt is not a setting. Did you mean it?"),
        (TEXT.replace("\n  C:\n", "\n  D:\n", 1), "tiers.D is not a setting."),
        (TEXT + "    C:\n      ofer: {en: a, fr: b}\n", "segments.S1.C.ofer is not a setting. Did you mean offer?"),
        (TEXT + "    C:\n      proofs: []\n", "segments.S1.C: proofs must name at least one"),
        (TEXT + "    C:\n      offer: {en: a}\n", "segments.S1.C.offer.fr is missing. Write it."),
        (TEXT.replace("quota: 15", "quota: -1"), "tiers.A: quota is -1; it is a number of accounts, 0 or more"),
        (TEXT.replace("quota: 15", "quota: many"), "tiers.A.quota: Input should be a valid integer"),
    ],
)
def test_a_fault_in_the_file_names_the_file_the_key_and_the_way_out(conf, spoiled, says):
    assert spoiled != TEXT
    with pytest.raises(ConfigError, match=re.escape(says)):
        written(conf, spoiled)


def test_a_quota_above_the_hours_of_a_seller_is_an_error_with_the_hours(conf):
    says = "playbooks.yaml: tiers.A.quota 30, tiers.B.quota 30, tiers.C.quota 120 together take 540 hours a quarter"
    with pytest.raises(ConfigError, match=f"{says} .* no seller has more than 420"):
        written(conf, TEXT.replace("quota: 15", "quota: 30"))


def test_a_segment_s_quota_counts_with_those_it_keeps(conf):
    with pytest.raises(ConfigError, match="tiers.A.quota 15, segments.S1.B.quota 60, tiers.C.quota 120 together take 480"):
        written(conf, TEXT + "    B:\n      quota: 60\n")


def test_without_the_sellers_hours_any_quota_passes(conf):
    path = conf / "scoring.yaml"
    path.write_text(re.sub(r"sellers: \{[^}]*\}", "", path.read_text()))
    assert written(conf, TEXT.replace("quota: 15", "quota: 300")).play("S1", "A").quota == 300


def test_a_live_segment_and_tier_without_a_play_is_an_error_that_says_what_is_lacking(conf):
    plays = written(conf, without("C") + "    C:\n      offer: {en: a trial, fr: un essai}\n")
    assert play_table(plays, LIVE[:2], lang="en")["play"].tolist() == ["Automation plan with the management"] * 2
    says = r"no play for segment S1 and tier C.*segments.S1.C lacks name, proposition, proofs.*Write tiers.C in full"
    with pytest.raises(ConfigError, match=says):
        play_table(plays, LIVE, lang="en")


def test_a_segment_may_tell_its_whole_play_where_the_tier_has_none(conf):
    tier = re.search(r"^  C:\n((?:    .*\n)+)", TEXT, re.M).group(1)
    whole = without("C") + "    C:\n" + re.sub("^", "  ", tier, flags=re.M).rstrip() + "\n"
    assert written(conf, whole).play("S1", "C").sla.sales.fr == "Leur répond sous deux jours ouvrés"


def test_a_segment_of_the_file_that_no_account_is_in_is_named_with_the_nearest(conf):
    said = written(conf, TEXT.replace("  S1:", "  S17:")).strangers(["S1", "S2"])
    assert said == ["playbooks.yaml: segments.S17 is the segment of no account. Did you mean S1?"]


def test_a_company_without_the_file_has_none(conf):
    (conf / "playbooks.yaml").unlink()
    assert load_settings(conf).playbooks is None
