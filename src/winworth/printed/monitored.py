"""What monitor and recalibrate print."""

from typing import TYPE_CHECKING, Any

from winworth.printed.report import Report, plain_table, warned
from winworth.review.monitored import monitor_parts, verdict_in
from winworth.review.words import words_in

if TYPE_CHECKING:
    from winworth.flows.monitor import Monitored
    from winworth.flows.recalibrate import Recalibrated


def monitored(done: "Monitored", lang: str = "en") -> Report:
    """Say the verdict and why, then all that was measured."""
    words = words_in(lang)
    parts: list[Any] = [verdict_in(done.told, words)]
    for part in monitor_parts(done.told, words):
        parts += ["", part.title, *(f"  {sentence}" for sentence in part.sentences)]
        if part.headings:
            table = plain_table("", list(part.headings))
            for row in part.rows:
                table.add_row(*row)
            parts.append(table)
    parts += [*warned(done.told["warnings"]), words.say("monitor_where", folder=done.folder)]
    return Report(parts, done.told | {"folder": str(done.folder)})


def recalibrated(done: "Recalibrated") -> Report:
    """Say what was fitted on how many deals, and each check of the gate."""
    slope, shift = done.record["slope"], done.record["intercept"]
    parts: list[Any] = [
        f"{done.version}: recalibrated from {done.record['from']} on {done.record['n_deals']} deals that it had "
        f"not learnt from ({done.record['n_won']} won by now).",
        f"Slope {slope['value']:.3f} [{slope['low']:.3f}-{slope['high']:.3f}], "
        f"intercept {shift['value']:+.3f} [{shift['low']:+.3f} to {shift['high']:+.3f}], on the log-odds announced before.",
        *(f"{check['name']}: {check['says']}" for check in done.record["checks"]),
        "It is the challenger: make promote lets it in; promote --to rolls back.",
    ]
    return Report(parts, {"version": done.version, **done.record})
