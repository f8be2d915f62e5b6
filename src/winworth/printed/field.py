"""What validate prints: where the blind sheet is, and what it says when it comes back."""

from typing import TYPE_CHECKING, Any

from rich.text import Text

from winworth.flows.validate import verdict
from winworth.printed.report import Report, plain, plain_table, short

if TYPE_CHECKING:
    from winworth.flows.validate import CameBack, SentOut

_SAID = {
    "agreement": "kappa of the tiers",
    "same_tier": "same tier",
    "seller": "AUC, sellers",
    "model": "AUC, model",
    "combined": "AUC, both (mean log-odds)",
    "gain": "both minus model",
}


def sent_out(done: "SentOut") -> Report:
    """Say where the sheet and its key are, and what was held out."""
    drawn = ", ".join(f"{n} {name}" for name, n in done.strata.items())
    parts: list[Any] = [f"Sheet: {done.sheet} ({sum(done.strata.values())} accounts: {drawn})."]
    parts.append(f"Key: {done.folder}. Keep it from who fills in the sheet: it tells tiers and chances.")
    if done.n_borderline:
        parts.append(f"Held out by a coin: {done.n_hold_out} of {done.n_borderline} borderline accounts (holdout.csv there).")
    else:
        parts.append("No account's tier is in doubt, or the scores do not tell: nothing was held out.")
    document = {"sheet": str(done.sheet), "folder": str(done.folder), "strata": done.strata}
    return Report(parts, document | {"n_borderline": done.n_borderline, "n_hold_out": done.n_hold_out})


def came_back(done: "CameBack") -> Report:
    """Show how well sellers and model agree and rank, and the accounts worth a talk."""
    parts: list[Any] = [f"{done.n_answered} of {done.n_sent} accounts were judged."]
    table = plain_table("Sellers and model", ["figure", "value [95 %]", "n"])
    for name, figure in done.figures.items():
        table.add_row(_SAID[name], short(figure.to_dict()), str(figure.n))
    parts.append(table)
    if done.n_won is None:
        parts.append(f"What came of them is complete on {done.known_from}: read the sheet again then, with that --as-of.")
    else:
        parts.append(f"{done.n_won} of {done.n_asked} accounts with an open deal signed one within the horizon.")
    if len(done.disagreements):
        parts.append(_talks(done))
    parts.append(f"Answers: {done.folder}")
    document = verdict(done) | {"folder": str(done.folder), "disagreements": plain(done.disagreements)}
    return Report(parts, document)


def _talks(done: "CameBack") -> Any:
    columns = ["account", "model's reason", "sellers' comment", "sellers", "model", "sellers", "model"]
    table = plain_table("Worth a talk", columns, n_text=3)
    for row in plain(done.disagreements):
        chances = ["" if row[name] is None else f"{row[name]:.0%}" for name in ("seller_chance", "win_probability")]
        told = [Text(str(row[name] or "")[:60]) for name in ("account_id", "reason_1", "comment")]
        table.add_row(*told, row["seller_tier"] or "", row["tier"], *chances)
    return table
