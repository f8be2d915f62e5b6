"""What can be read and yet looks odd: said to a person with the first case, and changed by nobody."""

import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.crm.intake import Intake
from winworth.crm.wording import printable, quoted, rows

MOST_LEVELS = 1000  # beyond them a column is text, and words that differ by a capital say nothing
FEWEST = 20  # rows below which shares say nothing
LARGEST_SHARE = 0.2
LOSSES_OF_ONE_DAY = 0.25
THOUSANDFOLD = (2.5, 3.5)  # powers of ten between amounts in units and in thousands
_OF_A_GROUP = 5


def say_doubts(intakes: Mapping[str, Intake]) -> None:
    """Add to each table's warnings what a person should look at before believing a figure."""
    for intake in intakes.values():
        used = intake.used
        for name in used.columns:
            if isinstance(used[name].dtype, pd.StringDtype) and not name.endswith("_id"):
                _wrong_encoding(intake, used[name])
                _one_word_in_several_ways(intake, used[name])
        if intake.name in ("deals", "invoices") and "amount" in used:
            _one_row_is_most(intake, used)
            _thousandfold(intake, used)
        if intake.name == "deals":
            _one_outcome_only(intake, used)
            _won_for_nothing(intake, used)
            _lost_on_one_day(intake, used)


def _wrong_encoding(intake: Intake, cells: pd.Series) -> None:
    """Name words that were UTF-8, read as cp1252 and written again before they came here."""
    odd = {word: _read_again(word) for word in cells.dropna().unique() if not word.isascii()}
    odd = {word: meant for word, meant in odd.items() if meant}
    if not odd:
        return
    held = cells.isin(list(odd))
    n = int(held.sum())
    intake.ledger.warnings.append(
        f"{intake.name}: {n:,} cell{'s' * (n > 1)} of {cells.name} look damaged "
        f"by a wrong encoding: {_cases(intake, held, cells)}; meant may be {quoted(odd.values(), limit=3)}. Mend "
        "the export; until then they are words of their own."
    )


def _read_again(word: str) -> str | None:
    try:
        meant = word.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return meant if meant != word else None


def _one_word_in_several_ways(intake: Intake, cells: pd.Series) -> None:
    counts = cells.value_counts()
    if len(counts) > MOST_LEVELS or len(counts) > len(cells) / 2:
        return
    folded = counts.index.to_series().map(_folded)
    twins = folded[folded.duplicated(keep=False)]
    if twins.empty:
        return
    groups = (group.index for _, group in twins.groupby(twins, sort=False))
    pairs = [" and ".join(f'"{printable(word)}" ({counts[word]:,})' for word in group) for group in groups]
    more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    intake.ledger.warnings.append(
        f"{intake.name}: {cells.name} has what may be one word in several ways: {'; '.join(pairs[:3])}{more}. If so, mend them "
        f"with `aliases` in conf/crm.yaml under tables.{intake.name}.columns.{cells.name}."
    )


def _folded(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).casefold().split())


def _one_row_is_most(intake: Intake, used: pd.DataFrame) -> None:
    amounts = used["amount"][used["amount"] > 0]
    if len(amounts) < FEWEST or _has_currencies(used):
        return
    share = amounts.max() / amounts.sum()
    if share < LARGEST_SHARE:
        return
    intake.ledger.warnings.append(
        f"{intake.name}: one row has {share:.0%} of all amount: {amounts.max():,.0f} "
        f"({intake.ledger.where(amounts.idxmax())}). If it is mistyped, mend it: every total hangs on it."
    )


def _thousandfold(intake: Intake, used: pd.DataFrame) -> None:
    """Say where the amounts of some owners, sources or files are about a thousandth of the others'."""
    logs = np.log10(used["amount"].where(used["amount"] > 0))
    if logs.notna().sum() < FEWEST or _has_currencies(used):
        return
    files = pd.Series([file.plain.name for file in intake.ledger.files], dtype="str")
    of_file = files.take(intake.ledger.file[used.index]).set_axis(used.index)
    groupings = {"file": of_file} | {name: used[name] for name in ("owner_id", "source") if name in used}
    for name, groups in groupings.items():
        found = logs.groupby(groups).agg(["median", "count"])
        medians = found.loc[found["count"] >= _OF_A_GROUP, "median"].sort_values()
        gaps = medians.diff().to_numpy()[1:]
        if not len(gaps) or not THOUSANDFOLD[0] <= gaps.max() <= THOUSANDFOLD[1]:
            continue
        low = medians.iloc[: int(gaps.argmax()) + 1]
        held = groups.isin(low.index)
        intake.ledger.warnings.append(
            f"{intake.name}: amount is about 1,000 times smaller where {name} is {quoted(low.index)} "
            f"({rows(int(held.sum()))}, first {intake.ledger.where(held.idxmax())}) than elsewhere. If it is in "
            "thousands there, mend the export."
        )
        return


def _has_currencies(used: pd.DataFrame) -> bool:
    return "currency" in used and used["currency"].nunique() > 1


def _one_outcome_only(intake: Intake, used: pd.DataFrame) -> None:
    ended = used["status"][used["status"] != "open"]
    if len(ended) < FEWEST or ended.nunique() > 1:
        return
    none = "lost" if ended.iloc[0] == "won" else "won"
    intake.ledger.warnings.append(
        f"deals: {len(ended):,} have ended and none is {none}, so that who wins cannot be learnt. Some CRMs delete lost "
        "deals, and some exports leave them out: export both, and look at how conf/crm.yaml maps "
        "tables.deals.columns.status.values."
    )


def _won_for_nothing(intake: Intake, used: pd.DataFrame) -> None:
    if "amount" not in used:
        return
    nothing = (used["status"] == "won") & ~(used["amount"] > 0)
    n = int(nothing.sum())
    if n:
        where = intake.ledger.where(used.index[nothing][0])
        intake.ledger.warnings.append(
            f"deals: {n:,} won deal{'s have' if n > 1 else ' has'} no amount above 0: first {where}. They tell who wins, and "
            "not what winning brings."
        )


def _lost_on_one_day(intake: Intake, used: pd.DataFrame) -> None:
    if "closed_on" not in used:
        return
    days = used.loc[used["status"] == "lost", "closed_on"].value_counts()
    if days.sum() < FEWEST or days.iloc[0] < LOSSES_OF_ONE_DAY * days.sum():
        return
    intake.ledger.warnings.append(
        f"deals: {days.iloc[0]:,} of {days.sum():,} losses are on {days.index[0]:%Y-%m-%d}. If the CRM was tidied on "
        "that day, these deals were lost earlier: what is said of time to close is too long."
    )


def _cases(intake: Intake, held: pd.Series, cells: pd.Series) -> str:
    first = held.index[held][:3]
    return ", ".join(f'"{printable(cells[row])}" ({intake.ledger.where(row)})' for row in first)
