"""Phrases, numbers, money and dates in the reader's language."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from winworth.errors import ConfigError, did_you_mean
from winworth.review.outside import is_missing

LOCALES = {"en": "en_GB", "fr": "fr_FR"}
Show = Callable[[float], str]


@dataclass(frozen=True)
class Words:
    """One language's phrase book, and how that language writes figures. What is missing is said, never printed as NaN."""

    lang: str
    phrases: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return a phrase with its blanks filled."""
        return self.phrases[key].format(**values)

    def count(self, n: int, noun: str) -> str:
        """Return a number of things: `noun`_one and `noun`_other are in the phrase book."""
        form = "one" if self._locale.plural_form(n) == "one" else "other"
        return self.say(f"{noun}_{form}", n=self.number(n))

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number with so many decimals."""
        if is_missing(value):
            return self.say("missing")
        return format_decimal(round(float(value), digits) + 0.0, format=_decimals("#,##0", digits), locale=self._locale)

    def percent(self, share: float | None) -> str:
        """Write a share as a percentage; below 1 % with one decimal."""
        if is_missing(share):
            return self.say("missing")
        small = 0 < share < 0.01
        if 0 < share < 0.0005:
            return "<\u00a0" + self.percent(0.001)
        pattern = _decimals(self._locale.percent_formats[None].pattern, 1 if small else 0)
        return format_percent(round(float(share), 3 if small else 2) + 0.0, format=pattern, locale=self._locale)

    def share(self, share: float | None) -> str:
        """Write a share as a percentage with one decimal: where tenths of a point are compared."""
        if is_missing(share):
            return self.say("missing")
        pattern = _decimals(self._locale.percent_formats[None].pattern, 1)
        return format_percent(round(float(share), 3) + 0.0, format=pattern, locale=self._locale)

    def signed(self, value: float | None, show: Show) -> str:
        """Write a difference with its sign, plus too."""
        return ("+" if not is_missing(value) and value > 0 else "") + show(value)

    def points(self, difference: float | None) -> str:
        """Write a difference of shares in points, with its sign."""
        return self.signed(difference, lambda value: self.number(None if is_missing(value) else 100 * value, 1))

    def money(self, amount: float | None, currency: str, digits: int | None = None) -> str:
        """Write an amount in whole units, below 100 to the cent unless `digits` says otherwise."""
        if is_missing(amount):
            return self.say("missing")
        digits = (2 if 0 < abs(amount) < 100 else 0) if digits is None else digits
        if not currency:
            return self.number(amount, digits)
        pattern = _decimals(self._locale.currency_formats["standard"].pattern.replace("0.00", "0"), digits)
        amount = round(float(amount), digits) + 0.0
        return format_currency(amount, currency, format=pattern, locale=self._locale, currency_digits=False)

    def day(self, day: date) -> str:
        """Write a date in full."""
        written = format_date(day, "long", locale=self._locale)
        return written.replace("1 ", "1er ", 1) if self.lang == "fr" and day.day == 1 else written

    def date_of(self, iso: str) -> str:
        """Write a date that is told as 2026-06-30."""
        return self.day(date.fromisoformat(iso))

    def period(self, name: str) -> str:
        """Write a quarter such as "2025 Q4" as the language does; any other name stays."""
        quarter = re.fullmatch(r"(\d{4}) ?Q([1-4])", name)
        return self.say("quarter", year=quarter[1], quarter=quarter[2]) if quarter else name

    def figure(self, figure: Mapping | None, show: Show) -> str:
        """Write a figure with its interval, where it has one: 0.76 [0.72 to 0.80]; one that is certain has none."""
        if not figure or is_missing(figure.get("value")):
            return self.say("missing")
        is_certain = figure.get("low") == figure["value"] == figure.get("high")
        span = "" if is_certain else self.span(figure.get("low"), figure.get("high"), show)
        return show(figure["value"]) + (f" [{span}]" if span else "")

    def money_figure(self, figure: Mapping | None, currency: str, *, is_signed: bool = False) -> str:
        """Write an amount with its interval: cents only where all of it lies below 100."""
        ends = [(figure or {}).get(name) for name in ("value", "low", "high")]
        is_large = any(not is_missing(end) and abs(end) >= 100 for end in ends)

        def show(amount: float) -> str:
            return self.money(float(round(amount)) if is_large else amount, currency, 0 if is_large else None)

        return self.figure(figure, (lambda amount: self.signed(amount, show)) if is_signed else show)

    def span(self, low: float | None, high: float | None, show: Show) -> str:
        """Write an interval; nothing where an end is missing."""
        return "" if is_missing(low) or is_missing(high) else self.say("span", low=show(low), high=show(high))

    @property
    def _locale(self) -> Locale:
        return Locale.parse(LOCALES[self.lang])


@cache
def words_in(lang: str) -> Words:
    """Open the phrase book of a language, a folder of files; an unknown one raises ConfigError."""
    if lang not in LOCALES:
        raise ConfigError(f'There is no phrase book for the language "{lang}". {did_you_mean(lang, LOCALES)}')
    folder = files("winworth.review").joinpath("phrases", lang)
    books = [json.loads(book.read_text(encoding="utf-8")) for book in sorted(folder.iterdir(), key=lambda book: book.name)]
    phrases = {key: text for book in books for key, text in book.items()}
    if len(phrases) < sum(map(len, books)):
        raise ConfigError(f"A phrase stands in two files of the phrase book {lang}. Give it one home.")
    return Words(lang, phrases)


def _decimals(pattern: str, digits: int) -> str:
    return pattern.replace("##0", "##0." + "0" * digits) if digits else pattern
