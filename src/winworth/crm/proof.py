"""Whether a column as a whole is what the map declares it to be: a wrong locale must not pass as a few faulty rows."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from winworth.crm.columns import CellRule
from winworth.crm.convert import Converted, convert
from winworth.crm.ledger import Ledger
from winworth.crm.mapping import LOCALES
from winworth.crm.wording import printable

MAX_UNREADABLE = 0.2
MIN_TO_DOUBT = 20
_DATE_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M:%S.%f%z")
_SHOWN_VALUES = 10


def column_faults(converted: Converted, rule: CellRule, ledger: Ledger, *, option: str) -> list[str]:
    """Return a sentence for each way in which a column contradicts its declaration; none where it fits."""
    checks = (_unmapped_values, _unreadable, _other_date_order, _unproven_date_order, _unproven_decimal)
    for check in checks:
        fault = check(converted, rule, ledger, f"{option}.columns.{rule.name}")
        if fault:
            return [fault]
    return []


def _unmapped_values(converted: Converted, rule: CellRule, ledger: Ledger, option: str) -> str | None:
    if not converted.unmapped.any():
        return None
    words, counts = converted.words[converted.unmapped], converted.count(converted.unmapped)
    order = np.argsort(-counts, kind="stable")
    shown = ", ".join(f'"{printable(words.iloc[at])}" ({counts[at]:,})' for at in order[:_SHOWN_VALUES])
    more = f" and {len(order) - _SHOWN_VALUES} more" if len(order) > _SHOWN_VALUES else ""
    first = ledger.where(int(np.flatnonzero(converted.holds(converted.unmapped))[0]))
    known = ", ".join(rule.levels) or "any level"
    return (
        f"{first}, column {rule.name}: values that are not mapped stand in {int(counts.sum()):,} of "
        f"{int((converted.codes >= 0).sum()):,} cells: {shown}{more}. "
        f"Map each to {known} in conf/crm.yaml under {option}.values."
    )


def _unreadable(converted: Converted, rule: CellRule, ledger: Ledger, option: str) -> str | None:
    bad = converted.holds(converted.rules.notna())
    n_bad, n_filled = int(bad.sum()), int((converted.codes >= 0).sum())
    if n_bad <= MAX_UNREADABLE * n_filled:
        return None
    return _said(converted, rule, ledger, bad, n_filled) + _likely(converted, rule, option)


def _said(converted: Converted, rule: CellRule, ledger: Ledger, bad: np.ndarray, n_filled: int) -> str:
    texts = pd.Series(converted.words.array.take(converted.codes, allow_fill=True))
    how = {
        "number": f'a number under locale {rule.locale_name} (decimal "{rule.locale.decimal}")',
        "date": f"a date under locale {rule.locale_name} (format {rule.locale.date_format})",
    }.get(rule.kind, f"a proper {rule.kind}")
    first = ledger.where(int(np.flatnonzero(bad)[0]))
    return (
        f'{first}, column {rule.name} ("{printable(rule.source)}"): {int(bad.sum()):,} of {n_filled:,} cells are not {how}: '
        f"{ledger.cases(bad, texts)}."
    )


def _likely(converted: Converted, rule: CellRule, option: str) -> str:
    """Say what the column looks like instead, where one other reading fits most of it."""
    if rule.kind == "number":
        others = {f"`locale: {name}`": locale for name, locale in reversed(LOCALES.items())}
    elif rule.kind == "date":
        formats = [date + time for time in _TIMES for date in _DATE_FORMATS]
        others = {f"`format: '{form}'`": replace(rule.locale, date_format=form) for form in formats}
    else:
        return " Export the column as text."
    shares = {how: _readable_share(converted, replace(rule, locale=locale)) for how, locale in others.items()}
    how = max(shares, key=shares.get)
    if shares[how] > 1 - MAX_UNREADABLE:
        table_option = option.split(".columns.")[0]
        scope = table_option if rule.kind == "number" else option
        return f" It reads with {how}: set it in conf/crm.yaml under {scope}."
    if rule.kind == "date" and converted.words.str.fullmatch(r"[2-7]\d{4}(?:[.,]\d+)?").mean() > 1 - MAX_UNREADABLE:
        return " These are Excel's own day numbers: give the column a date format in Excel and export again."
    return f" Mend the export or the declaration in conf/crm.yaml under {option}."


def _readable_share(converted: Converted, rule: CellRule) -> float:
    filled = np.isin(np.arange(len(converted.words)), converted.codes)
    again = convert(converted.words.where(filled), rule)
    readable = again.holds(again.rules.isna())
    counts = np.bincount(converted.codes[converted.codes >= 0], minlength=len(converted.words))
    return float(counts[readable].sum() / max(counts.sum(), 1))


def _other_date_order(converted: Converted, rule: CellRule, ledger: Ledger, option: str) -> str | None:
    """Refuse a column where no date proves the declared order of day and month, and some prove the other."""
    other = _swapped(rule)
    if other is None or (converted.values.dt.day > 12).any():
        return None
    bad = converted.rules.notna()
    again = convert(converted.words.where(bad), other)
    proves = again.holds(again.rules.isna())
    if not proves.any():
        return None
    cells = converted.holds(proves)
    return (
        _said(converted, rule, ledger, cells, int((converted.codes >= 0).sum()))
        + f" They have day and month the other way round, and no date in the column says otherwise: set `format: "
        f"'{other.locale.date_format}'` in conf/crm.yaml under {option}."
    )


def _unproven_date_order(converted: Converted, rule: CellRule, ledger: Ledger, option: str) -> str | None:
    """Refuse a column whose every date reads both ways, where the order comes from a locale and not from a format."""
    other = _swapped(rule)
    if other is None or rule.format_is_declared:
        return None
    dates = converted.take().dropna()
    if len(dates) < MIN_TO_DOUBT or (dates.dt.day > 12).any() or (dates.dt.day == dates.dt.month).all():
        return None
    return (
        f"{ledger.where(int(dates.index[0]))}, column {rule.name}: each of {len(dates):,} dates reads as day/month and as "
        f"month/day, so {rule.locale.date_format} is unproven. Declare `format: '{rule.locale.date_format}'` or `format: "
        f"'{other.locale.date_format}'` in conf/crm.yaml under {option}."
    )


def _unproven_decimal(converted: Converted, rule: CellRule, ledger: Ledger, option: str) -> str | None:
    """Refuse a column that no thousands mark is known for, where every mark that stands in it could be one.

    A number of four digits and more without a mark proves that thousands have none.
    """
    if rule.kind != "number" or rule.decimal_is_declared or rule.locale.thousands:
        return None
    mark = rule.locale.decimal
    marked = converted.words.str.contains(mark, regex=False) & converted.values.notna()
    proves = ~converted.words.str.fullmatch(rf"[+\-\u2212]?[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}", na=False)
    proves &= marked | converted.words.str.contains(r"\d{4}", na=False)
    cells = converted.holds(marked)
    if cells.sum() < MIN_TO_DOUBT or converted.holds(proves).any():
        return None
    first = int(np.flatnonzero(cells)[0])
    shown = printable(converted.words.iloc[converted.codes[first]])
    return (
        f'{ledger.where(first)}, column {rule.name}: each of {int(cells.sum()):,} numbers with a "{mark}" reads as '
        f'thousands and with three decimals ("{shown}"), so decimal "{mark}" is unproven. Declare `decimal: \'{mark}\'` in '
        f"conf/crm.yaml under {option}, or the other mark where these are thousands."
    )


def _swapped(rule: CellRule) -> CellRule | None:
    """Return the rule with day and month changed places, or None where the year comes first or the month is a word."""
    form = rule.locale.date_format
    day, month = form.find("%d"), form.find("%m")
    if rule.kind != "date" or min(day, month) < 0 or 0 <= form.find("%Y") < max(day, month):
        return None
    parts = form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    return replace(rule, locale=replace(rule.locale, date_format=parts))
