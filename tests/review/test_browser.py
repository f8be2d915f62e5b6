"""The demo's page in a real browser, in both languages, on a desk and on a phone."""

import pytest
from chromium import MISSING, WHERE, Chromium

WIDTHS = (1280, 390)
# What sticks out of the page, unless it lies in a part that scrolls by itself.
STICKS_OUT = """[...document.querySelectorAll('main *, header *')]
  .filter(it => !it.closest('.scroll, nav') && it.checkVisibility() && it.getBoundingClientRect().right > innerWidth + 1
    && !it.closest('svg'))
  .map(it => it.tagName + ' ' + (it.textContent || '').trim().slice(0, 40)).slice(0, 5)"""

pytestmark = pytest.mark.skipif(WHERE is None, reason=MISSING)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_page_opens_without_an_error_a_request_or_anything_that_sticks_out(demo, browser, lang, width):
    page = next(reviewed.page for reviewed in demo.done.reviews if reviewed.lang == lang)
    seen = browser.open(page, width=width)
    assert browser.run("document.documentElement.lang") == lang
    assert browser.run("document.querySelectorAll('details').forEach(it => it.open = true); document.title").strip()
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(STICKS_OUT) == []
    assert browser.run("document.querySelectorAll('main section').length") >= 12
    assert seen.errors == []
    assert [url for url in seen.requests if url != page.as_uri()] == []


def test_a_page_that_asks_the_network_sticks_out_and_fails_is_caught(tmp_path, browser):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><body><main><p style='width:3000px'>wide</p></main><img src='http://127.0.0.1:9/x.png'>"
        "<script>throw new Error('planted')</script>"
    )
    seen = browser.open(page, width=1280)
    assert browser.run("document.documentElement.scrollWidth") > 1280
    assert browser.run(STICKS_OUT) == ["P wide"]
    assert any("planted" in error for error in seen.errors)
    assert "http://127.0.0.1:9/x.png" in seen.requests


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_link_of_the_page_leads_to_a_part_of_it_and_text_stands_out_from_its_ground(demo, browser, lang):
    browser.open(next(reviewed.page for reviewed in demo.done.reviews if reviewed.lang == lang), width=1280)
    assert browser.run("[...document.querySelectorAll('a')].filter(a => !document.querySelector(a.hash)).length") == 0
    assert browser.run(CONTRAST) == []


# Texts whose contrast with the ground behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3); large ones below 3 to 1.
CONTRAST = """(() => {
  const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = numbers(c); return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
  const ground = it => { for (; it; it = it.parentElement) { const c = getComputedStyle(it).backgroundColor;
    if (numbers(c).length < 4 || numbers(c)[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('body *')].filter(it => !it.closest('svg') && it.checkVisibility()
      && [...it.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).filter(it => {
    const style = getComputedStyle(it), a = light(style.color), b = light(ground(it));
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && +style.fontWeight >= 700);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < (large ? 3 : 4.5);
  }).map(it => it.className + ' ' + it.textContent.trim().slice(0, 30)).slice(0, 5);
})()"""
