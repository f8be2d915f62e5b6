import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from winworth.review import charts
from winworth.review.captions import calibration_caption
from winworth.review.words import words_in

GROUPS = [{"predicted": p, "observed": p, "low": p - 0.05, "high": p + 0.05, "n": 40} for p in np.linspace(0.05, 0.65, 10)]
GAIN = [{"share": s, "captured": s**0.5} for s in np.linspace(0, 1, 2001)]


def weights_of(labels: list[str]) -> pd.DataFrame:
    part = np.arange(len(labels), 0, -1)
    frame = pd.DataFrame({"label": labels, "family": "firmographic", "through_winning": part, "through_worth": part})
    frame = frame.assign(weight=2 * part, direction="up")
    context = {"label": "Season", "family": "context", "weight": 0, "through_winning": 0, "through_worth": 0, "direction": ""}
    return pd.concat([frame, pd.DataFrame([context])], ignore_index=True)


def every_chart(lang: str) -> dict[str, str]:
    return {
        "weights": charts.weights_chart(weights_of(["Budget", "Taille", "Secteur"]), lang),
        "calibration": charts.calibration_chart(GROUPS, lang),
        "gain": charts.gain_chart(GAIN, lang),
    }


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_charts_are_light_named_well_formed_and_stay_at_home(lang):
    for svg in every_chart(lang).values():
        assert ElementTree.fromstring(svg).get("role") == "img"
        assert svg.startswith("<svg") and "<title>" in svg and len(svg.encode()) < 60_000
        assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", svg)
        assert not re.search("<metadata|<style|<!|DejaVu|script", svg)


def test_the_same_figures_give_the_same_bytes():
    assert every_chart("fr") == every_chart("fr")


def test_no_two_charts_share_an_id():
    found = [re.findall(r'\bid="([^"]*)"', svg) for svg in every_chart("en").values()]
    names = [name for ids in found for name in ids]
    assert len(names) == len(set(names))


def test_text_stays_text_in_the_language():
    assert ">20\u00a0%</text>" in charts.gain_chart(GAIN, "fr")
    assert ">20%</text>" in charts.gain_chart(GAIN, "en")


def test_axes_bear_their_unit():
    svgs = every_chart("en")
    assert "weight (points of 100)" in svgs["weights"]
    assert "deals won (%)" in svgs["calibration"]
    assert "wins found (%)" in svgs["gain"]


def test_context_is_not_drawn():
    assert "Season" not in charts.weights_chart(weights_of(["Budget"]), "en")


def test_context_alone_draws_no_bar_and_says_so():
    assert "No weight is published" in charts.weights_chart(weights_of([]), "en")


@pytest.mark.parametrize("label", ["<script>&", "$x^2$", "$", "a\u202eb\x07", "会社の規模 🙂", "'DejaVu Sans'; x"])
def test_an_odd_label_is_drawn_as_text(label):
    svg = charts.weights_chart(weights_of([label, "Budget"]), "en")
    root = ElementTree.fromstring(svg)
    drawn = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert label.replace("\u202e", "").replace("\x07", "") in drawn


def test_more_than_twenty_criteria_draw_the_heaviest_twenty():
    svg = charts.weights_chart(weights_of([f"Criterion {k}" for k in range(30)]), "en")
    assert "Criterion 19" in svg and "Criterion 20" not in svg and len(svg.encode()) < 60_000


def test_the_machines_own_style_changes_nothing():
    import matplotlib

    before = charts.gain_chart(GAIN, "en")
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "black"}):
        assert charts.gain_chart(GAIN, "en") == before
        assert matplotlib.rcParams["font.size"] == 30


def test_the_calibration_title_counts_the_groups_that_agree():
    off = [{**group, "low": 0.9, "high": 1.0} for group in GROUPS[:3]] + GROUPS[3:]
    assert calibration_caption(off, words_in("en")).endswith("in 7 of 10 groups of deals")


def test_importing_charts_does_not_import_matplotlib():
    import subprocess
    import sys

    code = "import sys, winworth.review.page; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
