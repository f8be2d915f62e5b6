"""What each row of a table must hold by itself: the cells it may not lack, and days in their order."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from winworth.crm.columns import CellRule
from winworth.crm.intake import Intake
from winworth.crm.ledger import OUT_OF_SCOPE
from winworth.crm.wording import rows
from winworth.tables import TABLES


def apply_row_rules(intake: Intake, rules: Mapping[str, CellRule]) -> Intake:
    """Put faulty rows aside and return the table with what is left in one sense.

    An open deal keeps no `closed_on`: what a CRM writes there is a day somebody expects.
    """
    _lacking_cells(intake, rules)
    if intake.name == "deals":
        intake = _without_expected_days(intake)
        _closed_before_opened(intake)
        intake = _numbered(intake)
    _say_what_counts_as_known(intake)
    return intake


def _lacking_cells(intake: Intake, rules: Mapping[str, CellRule]) -> None:
    """Do with the rows that lack a cell what the column's `missing` says."""
    frame = intake.frame
    for name, rule in rules.items():
        lacking = frame[name].isna().to_numpy()
        fault = "F32-missing"
        if intake.name == "deals" and name == "closed_on":
            lacking = lacking & (frame["status"] != "open").to_numpy()
            fault = "F45-no-closing-day"
        if rule.missing == "out_of_scope":
            intake.ledger.set_fate(lacking, OUT_OF_SCOPE)
        elif rule.missing == "quarantine":
            intake.ledger.quarantine(lacking, fault, name)


def _without_expected_days(intake: Intake) -> Intake:
    if "closed_on" not in intake.frame:
        return intake
    closed_on = intake.frame["closed_on"]
    expected = ((intake.frame["status"] == "open") & closed_on.notna()).to_numpy()
    n_expected = int((expected & intake.ledger.is_used).sum())
    if n_expected:
        intake.ledger.warnings.append(
            f"deals: closed_on of {rows(n_expected)} with status open was taken for an expected day and left out "
            f"({intake.ledger.cases(expected & intake.ledger.is_used)})."
        )
    return replace(intake, frame=intake.frame.assign(closed_on=closed_on.mask(expected)))


def _closed_before_opened(intake: Intake) -> None:
    frame = intake.frame
    if {"opened_on", "closed_on"} <= set(frame.columns):
        early = (frame["closed_on"] < frame["opened_on"]).to_numpy()
        intake.ledger.quarantine(early, "F45-closed-before-opened", "closed_on", frame["closed_on"].dt.strftime("%Y-%m-%d"))


def _numbered(intake: Intake) -> Intake:
    """Give deals without ids of their own the number of their row."""
    if "deal_id" in intake.frame:
        return intake
    return replace(intake, frame=intake.frame.assign(deal_id=pd.Series(intake.ledger.place).astype("str")))


def _say_what_counts_as_known(intake: Intake) -> None:
    table = TABLES.get(intake.name)
    if table is None or "known_on" not in table.columns or table.happened_on in (None, "known_on"):
        return
    used = intake.used
    n_without = int(used["known_on"].isna().sum()) if "known_on" in used else len(used)
    if n_without:
        intake.ledger.warnings.append(
            f"{intake.name}: {rows(n_without)} of {len(used):,} have no known_on and count as known on {table.happened_on}."
        )
