"""What check, predict, explain, review and demo print."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.text import Text

from winworth.printed.agreements import overruled_parts
from winworth.printed.report import Report, money, plain, plain_table, warned
from winworth.printed.tiers import cuts, moved
from winworth.printed.training import quality, read_table
from winworth.printed.weights import weights_document, weights_told

if TYPE_CHECKING:
    from winworth.flows.check import Checked
    from winworth.flows.demo import Demonstrated
    from winworth.flows.explain import Explained
    from winworth.flows.predict import Predicted
    from winworth.flows.review import Reviewed


def checked(found: "Checked") -> Report:
    """Say where the rows of each file went, and what may not be used."""
    parts: list[Any] = [read_table(found.read)]
    deals = ", ".join(f"{n} {status}" for status, n in found.statuses.items())
    parts.append(f"Deals as known on the day: {deals}.")
    if found.rules:
        parts.append("Put aside by rule: " + ", ".join(f"{rule} {n}" for rule, n in found.rules.items()) + ".")
    if found.proposed_horizon_days is not None:
        proposed, set_ = found.proposed_horizon_days, found.horizon_days
        parts.append(f"Four wins in five come within {proposed} days of opening; win.horizon_days is {set_}.")
    if found.refused:
        parts.append("Not for features: " + ", ".join(found.refused) + ".")
    return Report(parts + warned(found.warnings), asdict(found))


def predicted(done: "Predicted") -> Report:
    """Show the tiers, the first accounts and where the files are."""
    tiers = ", ".join(f"{n} {tier}" for tier, n in done.run["tiers"].items())
    parts: list[Any] = [f"{done.run['n_accounts']} accounts ({tiers}), {done.run['n_open_deals']} open deals."]
    if len(done.accounts):
        parts += first_accounts(done.accounts)
    parts += overruled_parts(done.run["overrides"]) if done.run["overrides"] else []
    parts += [*cuts(done.run["tiering"]), *moved(done.run["movement"])]
    parts += [*warned(done.run["warnings"]), f"Scores: {done.folder}"]
    return Report(parts, {"folder": str(done.folder), "run": done.run})


def reviewed(done: "Reviewed") -> Report:
    """Say where the page and the workbook are."""
    document = {"page": str(done.page), "workbook": str(done.workbook), "lang": done.lang}
    return Report([f"Review ({done.lang}): {done.page}", f"Workbook: {done.workbook}"], document)


def explained(done: "Explained") -> Report:
    """Show an account's scorecard; the points add up to its score."""
    deal = f"deal {done.deal_id}" if done.deal_id else "its next deal"
    head = f"Account {done.account_id}, {deal}: score {done.figures['score']:.1f}, "
    head += f"win probability {done.figures['win_probability']:.0%}, expected value {money(done.figures['expected_value'])}, "
    head += f"of which {money(done.figures['residual_value'])} comes whatever becomes of its deals"
    table = plain_table(f"Score {done.figures['score']:.1f}", ["criterion", "values", "0-100", "weight", "points"], n_text=2)
    for line in done.lines:
        table.add_row(line["criterion"], line["values"], f"{line['score']:.0f}", str(line["weight"]), f"{line['points']:.1f}")
    return Report([head, table, *_lifted(done.lift)], asdict(done))


_NO_LIFT = {
    "not_scored": "What would move it a tier up is told once the day is scored: run winworth predict.",
    "version": "What would move it a tier up is not told: another version scored the day. Run winworth predict again.",
    "value": "What would move it a tier up is not told: no value is known, so that tiers are cut by chance alone.",
    "card": "What would move it a tier up is not told: this version has no scorecard.",
    "top": "No tier above its own is published.",
}


def _lifted(lift: dict) -> list[str]:
    """Say what would move an account a tier up; what it is, its size or sector, is never among it."""
    if lift["why"]:
        return [_NO_LIFT[lift["why"]]]
    head = f"Tier {lift['tier']}; it moves to {lift['goal']} from an agreed value of {money(lift['at'])} on."
    if not lift["ways"]:
        return [head, "No change of what a sales team can change would be enough, as far as this history tells."]
    ways = [" and ".join(f"{c['label']} {c['to']} (now {c['from']})" for c in way) for way in lift["ways"]]
    close = "This is what accounts of that tier look like; it does not say that changing it brings the deal."
    return [head, "Enough would be:", *(f"- {way}" for way in ways), close]


def demonstrated(done: "Demonstrated") -> Report:
    """Show what matters, five scored accounts and where everything is."""
    parts: list[Any] = [quality(done.trained.metrics["win"]), *weights_told(done.trained)]
    parts += first_accounts(done.predicted.accounts)
    parts += [f"Model: {done.trained.version}", f"Scores: {done.predicted.folder}"]
    parts += [f"Review ({page.lang}): {page.page}" for page in done.reviews]
    document = {
        "version": done.trained.version,
        "weights": weights_document(done.trained),
        "accounts": plain(done.predicted.accounts.head(5)),
        "scores": str(done.predicted.folder),
        "reviews": [str(page.page) for page in done.reviews],
    }
    return Report(parts, document)


def first_accounts(accounts: pd.DataFrame) -> list[Any]:
    """Show the five accounts of highest expected value, with their reasons below."""
    table = plain_table("First accounts", ["account", "tier", "score", "win", "value", "as customer", "expected"])
    lines = []
    for row in accounts.head(5).to_dict("records"):
        name = row["name"] if isinstance(row["name"], str) else row["account_id"]
        numbers = [f"{row['score']:.0f}", f"{row['win_probability']:.0%}"]
        worth = [money(row[part]) for part in ("lifetime_value", "residual_value", "expected_value")]
        table.add_row(Text(name[:40]), row["tier"], *numbers, *worth)
        told = "; ".join(reason for reason in (row[f"reason_{k}"] for k in (1, 2, 3)) if isinstance(reason, str) and reason)
        lines.append(f"{name[:40]}: {told}")
    return [table, *lines]
