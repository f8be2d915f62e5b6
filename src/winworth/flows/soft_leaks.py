"""The soft leak tests, L3 to L7: what looks like a leak and may have a reason, so that a person has to sign for it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.features.catalog import Catalog, Feature
from winworth.features.leak_names import late_word
from winworth.flows.gate import enough_deals
from winworth.flows.learn import Examples, plan_folds, win_task
from winworth.flows.prepare import Prepared
from winworth.flows.record import Counts
from winworth.models import leak_tests
from winworth.models.folds import Fold
from winworth.models.task import WinTask
from winworth.tables import TABLES, CrmTables

LATER = 30  # days at which a feature that grows with its deal is compared with day 0


def soft_findings(
    prepared: Prepared, examples: Examples, catalog: Catalog, settings: Settings
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return one row a feature and test (test, feature, figure, limit, kind, found), and by test why it did not run.

    All is measured in the folds in which models are chosen, never in the locked quarter.
    """
    words = hints(catalog, settings, prepared.crm)
    named = [(name, np.nan, np.nan, bool(word)) for name, word in words.items()]
    parts, counts = [_rows("L7", named, "hint")], Counts.of(examples.rows)
    win = settings.training.win
    enough = enough_deals(counts.n_won, counts.n_lost, least_wins=win.least_wins, least_losses=win.least_losses)
    if not enough.passed:
        return parts[0], dict.fromkeys(("L3", "L4", "L5", "L6"), f"not run: {enough.says}")
    task = win_task(examples, catalog, settings, prepared.snapshot)
    folds = plan_folds(examples, task, settings, as_of=prepared.snapshot.as_of).choice
    splits = leak_tests.splits_of(task, folds)
    parts += [_alone(task, folds, splits, [name for name, word in words.items() if word])]
    parts += [_missing(task, splits, words)]
    notes = {}
    if prepared.snapshot.has_dates:
        parts += [_day_zero(task, examples, splits, catalog), _closed_against_open(examples, prepared.snapshot.as_of)]
        notes["L3"] = f"features of the deal's own events, on day 0 and day {LATER}"
    return pd.concat([part for part in parts if len(part)], ignore_index=True), notes


def hints(catalog: Catalog, settings: Settings, crm: CrmTables) -> dict[str, str | None]:
    """Return by feature that reads a column without a day the word in its names that speaks of a deal's end, or None.

    Looked at are the feature's own name, its column and the header in the export.
    """
    return {
        name: late_word(name, spec.column, *_headers(spec, settings))
        for name, spec in catalog.features.items()
        if is_undated(spec, crm)
    }


def is_undated(spec: Feature, crm: CrmTables) -> bool:
    """Tell whether a feature is a column that says nothing of when it was filled in."""
    lasting = spec.verb == "value" and spec.reads in TABLES and not TABLES[spec.reads].is_event
    return lasting and crm.known.get((spec.reads, spec.column)) != "dated"


def _headers(spec: Feature, settings: Settings) -> list[str]:
    table = settings.crm.tables[spec.reads]
    maps = [table.columns, *(join.columns for join in table.joins)]
    return [columns[spec.column].source for columns in maps if spec.column in columns]


def _alone(task: WinTask, folds: Sequence[Fold], splits: list, named: list[str]) -> pd.DataFrame:
    """L4: a feature alone that is too strong, or tells more than all others; those with telling names, together; and what
    all others rest on where together they are too good to be true.

    Telling more has to be beyond two standard errors, or a small history would call its best feature a leak.
    """
    features, strong, found = list(task.features), leak_tests.STRONG_ALONE, []
    for name in features:
        figure = leak_tests.single_auc(task.features[name], splits)
        limit = leak_tests.TOO_STRONG_ALONE
        if strong < figure <= limit and len(features) > 2:
            others = leak_tests.auc_of_features(task, [other for other in features if other != name], folds)
            limit = min(limit, others + leak_tests.noise(figure, splits))
        found.append((name, figure, limit, figure > limit))
    rest = [name for name in features if name not in named]
    if len(named) > 1 and rest:
        together, others = (leak_tests.auc_of_features(task, names, folds) for names in (named, rest))
        limit = max(leak_tests.STRONG_TOGETHER, others + leak_tests.noise(together, splits))
        if together > limit:
            told = {name: (name, together, limit, True) for name in named}
            found = [row if row[3] else told.get(row[0], row) for row in found]
    unsuspected = [name for name, _, _, is_found in found if not is_found]
    together, resting = leak_tests.carriers(task.with_features(task.features[unsuspected]), folds[-2:])
    told = {name: (name, together, leak_tests.TOO_GOOD, True) for name in resting}
    return _rows("L4", [row if row[3] else told.get(row[0], row) for row in found], "soft")


def _missing(task: WinTask, splits: list, undated: Sequence[str]) -> pd.DataFrame:
    """L6: whether a column without a day is filled in tells the outcome; of events, being missing is dated."""
    limit = leak_tests.MISSINGNESS
    figures = {name: leak_tests.missing_auc(task.features[name], splits) for name in undated}
    return _rows("L6", [(name, figure, limit, figure > limit) for name, figure in figures.items()], "soft")


def _day_zero(task: WinTask, examples: Examples, splits: list, catalog: Catalog) -> pd.DataFrame:
    """L3: what should grow with its deal tells as much on the first day as a month later."""
    age, found = examples.rows["age_days"].to_numpy(), []
    for name, spec in catalog.features.items():
        if spec.by == "deal" and spec.reads in TABLES and TABLES[spec.reads].is_event:
            at = [leak_tests.single_auc(task.features[name], [s.among(age == day) for s in splits]) for day in (0, LATER)]
            limit = max(leak_tests.DAY_ZERO * at[1], leak_tests.STRONG_AT_ZERO)
            found.append((name, at[0], limit, leak_tests.too_early(*at)))
    return _rows("L3", found, "soft")


def _closed_against_open(examples: Examples, as_of: object) -> pd.DataFrame:
    """L5: the feature tells which deals are closed by now, on the day they opened and among deals of one quarter."""
    first = (examples.rows["age_days"] == examples.rows["age_days"].min()).to_numpy()
    rows, limit = examples.rows[first], leak_tests.CLOSED_AGAINST_OPEN
    is_open = (rows["status"] == "open").to_numpy()
    cohort = pd.factorize(rows["observed_on"].dt.to_period("Q"))[0]
    figures = {
        name: leak_tests.closed_against_open_auc(column[first].reset_index(drop=True), is_open, cohort, examples.account[first])
        for name, column in examples.features.items()
    }
    return _rows("L5", [(name, figure, limit, figure > limit) for name, figure in figures.items()], "soft")


def _rows(test: str, found: list[tuple[str, float, float, bool]], kind: str) -> pd.DataFrame:
    table = pd.DataFrame(found, columns=["feature", "figure", "limit", "found"])
    return table.assign(test=test, kind=kind, found=table["found"].astype(bool))
