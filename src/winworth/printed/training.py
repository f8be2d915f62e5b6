"""What train, tune and promote print."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from winworth.printed.profile import profiled
from winworth.printed.report import Report, money, plain_table, short, value, warned
from winworth.printed.weights import weights_document, weights_told

if TYPE_CHECKING:
    from winworth.flows.promote import Promoted
    from winworth.flows.train import Trained
    from winworth.flows.tune import Tuned

_BASELINES = {"stage": "rate by stage", "crm": "CRM's chance"}
_READ = ("table", "n_read", "n_used", "n_quarantined", "n_duplicate", "n_out_of_scope")


def trained(done: "Trained") -> Report:
    """Say what was chosen, how it did beside its baselines, what the leak tax is and what weighs what."""
    from winworth.flows.card import told_definition

    m = done.metrics
    win = m["win"]
    parts: list[Any] = [
        read_table(m["read"]),
        f"{win['n_deals']} deals ({win['n_won']} won, {win['n_lost']} lost, {win['n_open']} open), "
        f"{win['n_examples']} examples. Judged on: {win['period']}. Chosen: {win['chosen']}.",
    ]
    parts += [_data_ladder(win["data_ladder"])]
    if win["ladder"]:
        parts += [_ladder(win["ladder"]), quality(win)]
    else:
        parts.append(f"Base rate: {short(win['baselines']['base_rate']['base_rate'])} of the deals that ended were won.")
    if m["value"]:
        told = ", ".join(f"{name} {short(figure)}" for name, figure in m["value"].items())
        parts.append(f"Value if won ({told_definition(m)}): {told}.")
    parts += _customers(m["customers"]) if m["customers"] else []
    if m["leak_tax"]:
        tax = m["leak_tax"]
        parts.append(
            f"Leak tax: AUC {tax['auc_without']:.3f} without and {tax['auc_with']:.3f} with what was refused "
            f"({', '.join(tax['columns'])})."
        )
    parts += weights_told(done) if m["weights_published"] else []
    parts += profiled(m)
    parts += [
        f"Gate: {'pass' if check['passed'] else 'REFUSED'} {check['name']}: {check['says']}." for check in m["gate"]["checks"]
    ]
    parts += [*warned(m["warnings"]), f"Challenger: {done.version}"]
    return Report(parts, {"version": done.version, "metrics": m, "weights": weights_document(done)})


def tuned(done: "Tuned") -> Report:
    """Say what was tried, what was best, and whether the defaults stay."""
    trials, best = done.search.trials, done.search.best
    n_pruned = sum(trial.is_pruned for trial in trials)
    parts = [
        f"{len(trials)} trials ({done.search.n_resumed} from before, {n_pruned} given up early) in {', '.join(done.folds)}.",
        f"Log loss: {done.default_loss:.4f} by {done.default}, {done.best_loss:.4f} by trial {best.number}.",
    ]
    if done.search.importances:
        told = ", ".join(f"{name} {share:.0%}" for name, share in done.search.importances.items())
        parts.append(f"What mattered: {told}.")
    figures = [str(path) for path in done.figures]
    parts += [done.says, f"Written: {done.path}", f"Figures: {', '.join(figures)}", *warned(done.warnings)]
    return Report(parts, asdict(done) | {"says": done.says, "figures": figures})


def promoted(done: "Promoted") -> Report:
    """Name the new champion and what it passed."""
    parts = [f"{check['name']}: {check['says']}." for check in done.checks]
    replaced = f" (in place of {done.replaced})" if done.replaced and done.replaced != done.version else ""
    return Report([*parts, f"Champion: {done.version}{replaced}"], asdict(done))


def read_table(read: list[dict]) -> Table:
    """Show where the rows of each table went."""
    table = plain_table("Rows read", ["table", "read", "used", "quarantined", "duplicate", "out of scope"])
    for count in read:
        table.add_row(*[str(count[name]) for name in _READ])
    return table


def _ladder(ladder: list[dict]) -> Table:
    table = plain_table("Models in the folds", ["model", "log loss", "behind the best", "standard error"])
    for rung in ladder:
        table.add_row(rung["rung"], f"{rung['log_loss']:.4f}", f"{rung['behind_best']:+.4f}", f"{rung['standard_error']:.4f}")
    return table


def _data_ladder(found: dict) -> str:
    """Say what a history of this size may try, and when it may try more."""
    told = f"{found['n_telling']} telling deals may try {', '.join(found['may_try'])}"
    more = [f"{name} from {least:,} on" if least else name for name, least in found["further"].items()]
    return f"{told}; not yet: {', '.join(more)}." if more else f"{told}."


def quality(win: dict) -> Table:
    """Show the chosen model beside its baselines."""
    shown = {"chosen": win["out_of_time"] or win["cross_validated"], "new accounts": win["new_accounts"]}
    shown |= {_BASELINES.get(name, name.replace("_", " ")): figures for name, figures in win["baselines"].items()}
    table = plain_table(f"Judged on: {win['period']}", ["model", "AUC", "log loss", "Brier", "slope", "lift", "n"])
    for name, figures in shown.items():
        if figures:
            plain = [value(figures[key]) for key in ("log_loss", "brier", "calibration_slope", "lift_at_capacity")]
            table.add_row(name, short(figures["auc"]), *plain, str(figures["auc"]["n"]))
    return table


def _customers(judged: dict) -> list[Any]:
    """Set what customers brought in the year held out beside what was expected of them, and what needs no model."""
    title = f"Customers' margin of the last {judged['months']} months, {judged['n']} accounts"
    names = ["mae", "spearman", "gini", "total_ratio", "decile_wape", "top_share"]
    table = plain_table(title, ["expected by", "error", "Spearman", "Gini", "total", "deciles off", "top 10 %"])
    for way, figures in judged["ways"].items():
        table.add_row(way, money(figures["mae"]), *(value({"value": figures[name]}) for name in names[1:]))
    told = [f"{name} {found['value']:.0%} of {found['n']}" for name, found in (judged["coverage_80"] or {}).items()]
    held = f"80 % intervals held: {', '.join(told)}." if told else "80 % intervals: not measured."
    return [table, f"Challenger: {judged['challenger']}.", held]
