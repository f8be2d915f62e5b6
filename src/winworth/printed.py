"""What each verb prints: lines and small tables for people, and the same facts as one document."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from winworth.flows.check import Checked
    from winworth.flows.demo import Demonstrated
    from winworth.flows.explain import Explained
    from winworth.flows.predict import Predicted
    from winworth.flows.promote import Promoted
    from winworth.flows.review import Reviewed
    from winworth.flows.train import Trained
    from winworth.flows.tune import Tuned
    from winworth.weights.criteria import CriteriaWeights

_BASELINES = {"stage": "rate by stage", "crm": "CRM's chance"}
_READ = ("table", "n_read", "n_used", "n_quarantined", "n_duplicate", "n_out_of_scope")


@dataclass(frozen=True)
class Report:
    """Parts for people (text or rich tables), and the document that --json prints."""

    parts: list[Any]
    document: dict


def checked(found: "Checked") -> Report:
    """Say where the rows of each file went, and what may not be used."""
    parts: list[Any] = [_read_table(found.read)]
    deals = ", ".join(f"{n} {status}" for status, n in found.statuses.items())
    parts.append(f"Deals as known on the day: {deals}.")
    if found.rules:
        parts.append("Put aside by rule: " + ", ".join(f"{rule} {n}" for rule, n in found.rules.items()) + ".")
    if found.proposed_horizon_days is not None:
        proposed, set_ = found.proposed_horizon_days, found.horizon_days
        parts.append(f"Four wins in five come within {proposed} days of opening; win.horizon_days is {set_}.")
    if found.refused:
        parts.append("Not for features: " + ", ".join(found.refused) + ".")
    return Report(parts + _warned(found.warnings), asdict(found))


def trained(done: "Trained") -> Report:
    """Say what was chosen, how it did beside its baselines, what the leak tax is and what weighs what."""
    from winworth.flows.card import told_definition

    m = done.metrics
    win = m["win"]
    parts: list[Any] = [
        _read_table(m["read"]),
        f"{win['n_deals']} deals ({win['n_won']} won, {win['n_lost']} lost, {win['n_open']} open), "
        f"{win['n_examples']} examples. Judged on: {win['period']}. Chosen: {win['chosen']}.",
    ]
    parts += [_data_ladder(win["data_ladder"])]
    if win["ladder"]:
        parts += [_ladder(win["ladder"]), _quality(win)]
    else:
        parts.append(f"Base rate: {_short(win['baselines']['base_rate']['base_rate'])} of the deals that ended were won.")
    if m["value"]:
        told = ", ".join(f"{name} {_short(figure)}" for name, figure in m["value"].items())
        parts.append(f"Value if won ({told_definition(m)}): {told}.")
    parts += _customers(m["customers"]) if m["customers"] else []
    if m["leak_tax"]:
        tax = m["leak_tax"]
        parts.append(
            f"Leak tax: AUC {tax['auc_without']:.3f} without and {tax['auc_with']:.3f} with what was refused "
            f"({', '.join(tax['columns'])})."
        )
    parts += _weights(done) if m["weights_published"] else []
    parts += [
        f"Gate: {'pass' if check['passed'] else 'REFUSED'} {check['name']}: {check['says']}." for check in m["gate"]["checks"]
    ]
    parts += [*_warned(m["warnings"]), f"Challenger: {done.version}"]
    return Report(parts, {"version": done.version, "metrics": m, "weights": _weights_document(done)})


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
    parts += [done.says, f"Written: {done.path}", f"Figures: {', '.join(figures)}", *_warned(done.warnings)]
    return Report(parts, asdict(done) | {"says": done.says, "figures": figures})


def promoted(done: "Promoted") -> Report:
    """Name the new champion and what it passed."""
    parts = [f"{check['name']}: {check['says']}." for check in done.checks]
    replaced = f" (in place of {done.replaced})" if done.replaced and done.replaced != done.version else ""
    return Report([*parts, f"Champion: {done.version}{replaced}"], asdict(done))


def predicted(done: "Predicted") -> Report:
    """Show the tiers, the first accounts and where the files are."""
    tiers = ", ".join(f"{n} {tier}" for tier, n in done.run["tiers"].items())
    parts: list[Any] = [f"{done.run['n_accounts']} accounts ({tiers}), {done.run['n_open_deals']} open deals."]
    if len(done.accounts):
        parts += _accounts(done.accounts)
    parts += [*_warned(done.run["warnings"]), f"Scores: {done.folder}"]
    return Report(parts, {"folder": str(done.folder), "run": done.run})


def reviewed(done: "Reviewed") -> Report:
    """Say where the page is."""
    return Report([f"Review ({done.lang}): {done.page}"], {"page": str(done.page), "lang": done.lang})


def explained(done: "Explained") -> Report:
    """Show an account's scorecard; the points add up to its score."""
    deal = f"deal {done.deal_id}" if done.deal_id else "its next deal"
    head = f"Account {done.account_id}, {deal}: score {done.figures['score']:.1f}, "
    head += f"win probability {done.figures['win_probability']:.0%}, expected value {_money(done.figures['expected_value'])}, "
    head += f"of which {_money(done.figures['residual_value'])} comes whatever becomes of its deals"
    table = _table(f"Score {done.figures['score']:.1f}", ["criterion", "values", "0-100", "weight", "points"], n_text=2)
    for line in done.lines:
        table.add_row(line["criterion"], line["values"], f"{line['score']:.0f}", str(line["weight"]), f"{line['points']:.1f}")
    return Report([head, table], asdict(done))


def demonstrated(done: "Demonstrated") -> Report:
    """Show what matters, five scored accounts and where everything is."""
    parts: list[Any] = [_quality(done.trained.metrics["win"]), *_weights(done.trained)]
    parts += _accounts(done.predicted.accounts)
    parts += [f"Model: {done.trained.version}", f"Scores: {done.predicted.folder}"]
    parts += [f"Review ({page.lang}): {page.page}" for page in done.reviews]
    document = {
        "version": done.trained.version,
        "weights": _weights_document(done.trained),
        "accounts": _plain(done.predicted.accounts.head(5)),
        "scores": str(done.predicted.folder),
        "reviews": [str(page.page) for page in done.reviews],
    }
    return Report(parts, document)


def _table(title: str, columns: list[str], n_text: int = 1) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < n_text else "right", overflow="fold")
    return table


def _read_table(read: list[dict]) -> Table:
    table = _table("Rows read", ["table", "read", "used", "quarantined", "duplicate", "out of scope"])
    for count in read:
        table.add_row(*[str(count[name]) for name in _READ])
    return table


def _ladder(ladder: list[dict]) -> Table:
    table = _table("Models in the folds", ["model", "log loss", "behind the best", "standard error"])
    for rung in ladder:
        table.add_row(rung["rung"], f"{rung['log_loss']:.4f}", f"{rung['behind_best']:+.4f}", f"{rung['standard_error']:.4f}")
    return table


def _data_ladder(found: dict) -> str:
    """Say what a history of this size may try, and when it may try more."""
    told = f"{found['n_telling']} telling deals may try {', '.join(found['may_try'])}"
    more = [f"{name} from {least:,} on" if least else name for name, least in found["further"].items()]
    return f"{told}; not yet: {', '.join(more)}." if more else f"{told}."


def _quality(win: dict) -> Table:
    shown = {"chosen": win["out_of_time"] or win["cross_validated"], "new accounts": win["new_accounts"]}
    shown |= {_BASELINES.get(name, name.replace("_", " ")): figures for name, figures in win["baselines"].items()}
    table = _table(f"Judged on: {win['period']}", ["model", "AUC", "log loss", "Brier", "slope", "lift", "n"])
    for name, figures in shown.items():
        if figures:
            plain = [_value(figures[key]) for key in ("log_loss", "brier", "calibration_slope", "lift_at_capacity")]
            table.add_row(name, _short(figures["auc"]), *plain, str(figures["auc"]["n"]))
    return table


def _customers(judged: dict) -> list[Any]:
    """Set what customers brought in the year held out beside what was expected of them, and what needs no model."""
    title = f"Customers' margin of the last {judged['months']} months, {judged['n']} accounts"
    names = ["mae", "spearman", "gini", "total_ratio", "decile_wape", "top_share"]
    table = _table(title, ["expected by", "error", "Spearman", "Gini", "total", "deciles off", "top 10 %"])
    for way, figures in judged["ways"].items():
        table.add_row(way, _money(figures["mae"]), *(_value({"value": figures[name]}) for name in names[1:]))
    told = [f"{name} {found['value']:.0%} of {found['n']}" for name, found in (judged["coverage_80"] or {}).items()]
    return [table, f"80 % intervals held: {', '.join(told)}." if told else "80 % intervals: not measured."]


def _weights(done: "Trained") -> list[Any]:
    """Show what weighs what, the 80 % range of each weight, and below it what else is known of how surely."""
    weights, catalog = done.scorer.weights, done.scorer.catalog
    table = _table("Criteria weights", ["criterion", "family", "weight", "winning", "worth", "more of it"], n_text=2)
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


def _weights_document(done: "Trained") -> list[dict]:
    return _plain(done.scorer.weights.table.reset_index())


def _accounts(accounts: pd.DataFrame) -> list[Any]:
    """Show the five accounts of highest expected value, with their reasons below."""
    table = _table("First accounts", ["account", "tier", "score", "win", "value", "as customer", "expected"])
    lines = []
    for row in accounts.head(5).to_dict("records"):
        name = row["name"] if isinstance(row["name"], str) else row["account_id"]
        numbers = [f"{row['score']:.0f}", f"{row['win_probability']:.0%}"]
        money = [_money(row[part]) for part in ("lifetime_value", "residual_value", "expected_value")]
        table.add_row(Text(name[:40]), row["tier"], *numbers, *money)
        told = "; ".join(reason for reason in (row[f"reason_{k}"] for k in (1, 2, 3)) if isinstance(reason, str) and reason)
        lines.append(f"{name[:40]}: {told}")
    return [table, *lines]


def _warned(warnings: Any) -> list[str]:
    return [f"Note: {warning}" for warning in warnings]


def _short(figure: dict) -> str:
    if figure["value"] is None:
        return "n/a"
    interval = "" if figure["low"] is None else f" [{_three(figure['low'])}-{_three(figure['high'])}]"
    return f"{_three(figure['value'])}{interval}"


def _value(figure: dict) -> str:
    return "n/a" if figure["value"] is None else _three(figure["value"])


def _three(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def _money(value: float | None) -> str:
    return "n/a" if value is None or pd.isna(value) else f"{value:,.0f}"


def _plain(table: pd.DataFrame) -> list[dict]:
    return table.astype(object).where(table.notna(), None).to_dict("records")
