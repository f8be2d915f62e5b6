"""Overrides: both weights, the price, and whom they move."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.text import Text

from winworth.printed.report import Report, money, plain, plain_table

if TYPE_CHECKING:
    from winworth.flows.agree import Agreed

MOST_NAMED = 10


def agreed(done: "Agreed") -> Report:
    """Show what was agreed, at what price, and which accounts it moves."""
    told = done.ruled.to_dict()
    parts = overruled_parts(told) if told["overrides"] else ["No override is in force: the learnt weights hold."]
    parts += [*done.ruled.notes, *_moved(done.moved)]
    for change in done.changes:
        one = change["override"]
        parts.append(
            f"Recorded: {change['change']} {one['criterion']} = {one['weight']} by {one['who']}, until {one['until']}."
        )
    if not done.changes:
        parts.append("Nothing is new: all of it was in the record.")
    parts.append(f"Record: {done.record}, last hash {done.last_hash[:12]}")
    document = told | {"moved": plain(done.moved), "changes": list(done.changes), "record": str(done.record)}
    return Report(parts, document)


def overruled_parts(told: dict) -> list[Any]:
    """Show learnt and agreed weights, who signed, and the price on later deals."""
    table = plain_table("Weights that leadership set", ["criterion", "learnt", "agreed"])
    for name, weight in told["weights"].items():
        table.add_row(name, str(weight["learnt"]), str(weight["agreed"]))
    said = [f"{o['criterion']} = {o['weight']} by {o['who']} until {o['until']}: {o['why']}" for o in told["overrides"]]
    return [table, *said, _price(told["price"])]


def _price(price: dict | None) -> str:
    if price is None:
        return "Price: not measured, this version keeps no later deals."
    share, change, wins = price["change_share"], price["change"], price["wins_change"]
    unit = "" if price["in_money"] else " wins"
    amount = f"{money(change['value']) if price['in_money'] else round(change['value'], 2)}{unit}"
    return (
        f"Price on {share['n']} later deals, within what the team can work: {amount} of expected value, {_percent(share)}; "
        f"the share of all wins within reach moves by {_percent(wins)}."
    )


def _percent(figure: dict) -> str:
    if figure["value"] is None:
        return "n/a"
    interval = "" if figure["low"] is None else f" [{figure['low']:+.1%} to {figure['high']:+.1%}]"
    return f"{figure['value']:+.1%}{interval}"


def _moved(moved: pd.DataFrame) -> list[Any]:
    """Name the accounts gained and lost by tier A, and count all that move."""
    if not len(moved):
        return ["No account changes tier today."]
    gained, lost = moved[moved["agreed_tier"] == "A"], moved[moved["tier"] == "A"]
    said = f"{len(moved)} accounts change tier today: A gains {len(gained)} and loses {len(lost)}."
    table = plain_table("Accounts that A gains and loses", ["account", "name", "tier", "agreed", "expected value"], n_text=4)
    for row in pd.concat([gained.head(MOST_NAMED), lost.head(MOST_NAMED)]).to_dict("records"):
        name = row["name"] if isinstance(row["name"], str) else ""
        table.add_row(row["account_id"], Text(name[:30]), row["tier"], row["agreed_tier"], money(row["expected_value"]))
    return [said, table] if len(gained) + len(lost) else [said]
