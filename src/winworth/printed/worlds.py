"""What the demo of a world prints: where rows went, what was learnt or refused, and what was found beside what was planted."""

from typing import TYPE_CHECKING, Any

from winworth.models.metrics import Figure
from winworth.printed.report import Report, plain_table
from winworth.printed.scores import demonstrated
from winworth.printed.training import quality, read_table

if TYPE_CHECKING:
    from winworth.flows.demo import WorldShown


def world_shown(done: "WorldShown") -> Report:
    """Show the way of a world to its end."""
    rules = ", ".join(f"{rule} {n}" for rule, n in done.checked.rules.items())
    parts: list[Any] = [read_table(done.checked.read), f"Put aside by rule: {rules or 'nothing'}."]
    document: dict = {"read": done.checked.read, "rules": done.checked.rules}
    if done.demonstrated is None:
        said = str(done.refused)
        return Report([*parts, quality(done.trained.metrics["win"]), said], document | {"refused": said})
    whole = demonstrated(done.demonstrated)
    parts, document = [*parts, *whole.parts], document | whole.document
    if done.found is not None:
        parts += _found_beside_planted(done)
        document["compared"] = done.found.to_dict()
        document["planted"] = [
            {"segment": segment, "outcome": outcome, "relative": share} for (segment, outcome), share in done.planted.items()
        ]
    return Report(parts, document)


def _found_beside_planted(done: "WorldShown") -> list[Any]:
    n = sum(map(len, done.found.differences.values()))
    columns = ["segment", "outcome", "planted", "found", "80 %", "95 %", "p", "beyond noise"]
    table = plain_table(f"Plays changed on {done.split}: what was planted, and what compare found", columns, n_text=2)
    for segment, differences in done.found.differences.items():
        for one in differences:
            share = done.planted.get((segment, one.outcome))
            planted = "" if share is None else f"{share:+.1%}"
            told = [f"{one.relative.value:+.1%}", _ends(one.relative_80), _ends(one.relative), f"{one.p:.3f}"]
            table.add_row(segment, one.outcome, planted, *told, "yes" if one.is_causal else "no")
    return [table, f"p is adjusted for {n} comparisons. Where nothing stands under planted, nothing is claimed of it."]


def _ends(figure: Figure) -> str:
    return f"{figure.low:+.0%} to {figure.high:+.0%}"
