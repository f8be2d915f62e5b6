"""Warnings that the product writes are said in the reader's words."""

import json
import re

import pytest
from test_page import LANGUAGES, review_of, text_of

from winworth.review.page import render
from winworth.review.warned import FORMS, in_words
from winworth.review.words import words_in

SAID = {
    "deals: 1 row repeats an earlier row and was dropped.": ("Deals: repeated rows left out: 1", "Affaires : lignes répétées"),
    "deals: 4 rows repeat an earlier row and were dropped.": ("left out: 4", "laissées de côté : 4"),
    "activities: 12,345 rows of 20,000 have no known_on and count as known on happened_on.": ("12,345", "12 345 lignes"),
    "2566 of 3009 rows have a postcode that training saw too rarely, or never: it counts as other.": ("2,566", "2 566"),
    "16 won deals have no invoice yet: they count for winning and not for value.": ("16 won deals", "16 affaires gagnées"),
    "The override of engagement by Claire ended on 2026-03-31: it is ignored.": ("31 March 2026", "31 mars 2026"),
    "A is 31% of the accounts, and was 20% last time: what A means has changed. Look.": ("31%", "31 % des comptes"),
    "What moved since 2026-06-30 is not split by cause: overrides are in force.": ("30 June 2026", "30 juin 2026"),
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("warning", SAID)
def test_a_known_warning_is_said_in_the_language_with_its_figures(warning, lang):
    told = in_words(warning, words_in(lang)).replace("\u00a0", " ").replace("\u202f", " ")
    assert SAID[warning][LANGUAGES.index(lang)] in told


def test_every_form_has_its_phrase_and_fills_its_blanks():
    for key, form in FORMS.items():
        blanks = {*re.findall(r"<(\w+)>", form)}
        for lang in LANGUAGES:
            wanted = {*re.findall(r"{(\w+)}", words_in(lang).phrases[f"warned_{key}"])}
            assert wanted <= blanks, key


def test_an_unknown_warning_stays_as_it_is_and_says_its_language():
    html = render(review_of(warnings=["A thing nobody foresaw."]), lang="fr")
    assert '<li lang="en"><bdi>A thing nobody foresaw.</bdi></li>' in html
    assert "A thing nobody foresaw." in text_of(render(review_of(warnings=["A thing nobody foresaw."]), lang="en"))


def test_the_demo_warns_of_nothing_that_the_french_page_cannot_say(demo):
    metrics = json.loads((demo.home / "models" / demo.done.trained.version / "metrics.json").read_text(encoding="utf-8"))
    warnings = [*metrics["warnings"], *demo.done.predicted.run["warnings"]]
    assert warnings and [text for text in warnings if not in_words(text, words_in("fr"))] == []
