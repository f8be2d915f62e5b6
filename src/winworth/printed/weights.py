"""The weights: what weighs what, the 80 % range of each, and what else is known of how surely."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.text import Text

from winworth.printed.report import plain, plain_table

if TYPE_CHECKING:
    from winworth.flows.train import Trained
    from winworth.weights.criteria import CriteriaWeights


def weights_told(done: "Trained") -> list[Any]:
    """Show what weighs what, the 80 % range of each weight, and below it what else is known of how surely."""
    weights, catalog = done.scorer.weights, done.scorer.catalog
    table = plain_table("Criteria weights", ["criterion", "family", "weight", "winning", "worth", "more of it"], n_text=2)
    table.columns[1].no_wrap = True
    labels = {name: criterion.label.get("en", name) for name, criterion in catalog.criteria.items()}
    for name, row in weights.criteria.iterrows():
        told = {"up": "helps", "down": "hurts"}.get(row["direction"], "")
        ranged = str(row["weight"])
        if weights.doubt is not None:
            doubt = weights.doubt.table.loc[name]
            ranged += f" [{doubt['low']:.0f}-{doubt['high']:.0f}]" + ("  " if doubt["is_clear"] else " *")
        numbers = [str(row[key]) for key in ("through_winning", "through_worth")]
        table.add_row(Text(labels[name]), row["family"], ranged, *numbers, told)
    return [table, *_context(weights, labels), *_doubted(done.metrics["weights"], labels)]


def _context(weights: "CriteriaWeights", labels: dict[str, str]) -> list[str]:
    """Say how far context moves the models, in the unit of the weights: it is attributed apart, and never scored."""
    context = weights.table[weights.table["family"] == "context"]
    total = weights.criteria["dispersion"].sum()
    if context.empty or total == 0:
        return []
    told = ", ".join(f"{labels[name]} {100 * row['dispersion'] / total:.0f}" for name, row in context.iterrows())
    return [f"Context beside these 100 points, never scored: {told}."]


def _doubted(doubt: dict | None, labels: dict[str, str]) -> list[str]:
    if doubt is None:
        return []
    rows = pd.DataFrame(doubt["families"]).itertuples()
    families = ", ".join(f"{row.family} {row.weight} [{row.low:.0f}-{row.high:.0f}]" for row in rows)
    noise = [] if all(doubt["table"]["is_clear"]) else ["* not distinguishable from noise"]
    said = [
        *noise,
        f"By family: {families}.",
        f"In brackets: 80 % ranges, {doubt['n_boot']} draws of accounts, models trained anew.",
    ]
    for pair in doubt["pairs"]:
        names = f"{labels[pair['first']]} and {labels[pair['second']]}"
        said.append(f"{names} go together (correlation {pair['correlation']:.2f}): as one they weigh {pair['weight']:.0f}.")
    table = pd.DataFrame(doubt["table"]).set_index("criterion")
    if doubt["disagrees"]:
        said.append(f"Methods disagree: by permutation {_listed(table['by_permutation'], labels)}.")
    if doubt["few_deals"]:
        said.append(f"Fewer than 1,000 deals; unshrunk, the weights are {_listed(table['unshrunk'], labels)}.")
    moved = doubt["movement"]
    if moved:
        chance = f"chance alone moves up to {moved['by_chance']:.0f}"
        said.append(f"Weights moved by {moved['moved']:.0f} points since {moved['since']}; {chance}.")
    return said


def _listed(points: pd.Series, labels: dict[str, str]) -> str:
    return ", ".join(f"{labels[name]} {value:.0f}" for name, value in points.items())


def weights_document(done: "Trained") -> list[dict]:
    """Return the weights for JSON."""
    return plain(done.scorer.weights.table.reset_index())
