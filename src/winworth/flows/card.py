"""The model card and the info sheet on leakage, written from the run; what was not measured says so."""

from collections.abc import Mapping

import pandas as pd

from winworth.flows.worth import BASES
from winworth.models.learning_curve import MORE

NOT_MEASURED = "not measured"
_RIVALS = {"stage": "win rate by stage", "crm": "the CRM's or the seller's own chance", "champion": "the champion's recipe"}


def model_card(metrics: Mapping, weights: pd.DataFrame) -> str:
    """Return the model card in Markdown."""
    return "\n".join(
        [
            f"# Model card, as of {metrics['as_of']}",
            *_overruled(metrics),
            *_data(metrics),
            *_quality(metrics),
            *_gate(metrics),
            *_leakage(metrics),
            *_weights(weights),
            *_limits(metrics),
        ]
    )


def told_definition(metrics: Mapping) -> str:
    """Say what lifetime value means in a run: what it is read from, over how many months, at what discount."""
    told = metrics["value_definition"]
    basis = BASES[told["basis"]]
    if told["basis"] not in ("margin", "turnover"):
        return basis
    form = "one Tweedie model" if told["form"] == "tweedie" else "two parts"
    return f"{basis}, {told['months']} months, discounted at {told['yearly_discount']:.0%} a year; learnt by {form}"


def _overruled(metrics: Mapping) -> list[str]:
    signed = metrics["gate"].get("overruled")
    if not signed:
        return []
    return ["", f"**Promoted against its gate** by {signed['who']}: {signed['why']}."]


def _data(metrics: Mapping) -> list[str]:
    win = metrics["win"]
    deals = f"{win['n_deals']} deals: {win['n_won']} won, {win['n_lost']} lost, {win['n_open']} open and censored"
    lines = ["", "## Data", "", f"- {deals}; {win['n_examples']} examples, horizon {metrics['horizon_days']} days"]
    first, last = metrics.get("opened") or (None, None)
    lines.append(
        f"- Period: deals opened from {first} to {last}" if first else f"- Period: {NOT_MEASURED}, deals have no dates"
    )
    for count in metrics["read"]:
        kept = f"{count['n_used']} of {count['n_read']} rows used, {count['n_quarantined']} quarantined"
        lines.append(f"- {count['table']}: {kept}; SHA-256 {count['sha256'][:16]}")
    return lines


def _quality(metrics: Mapping) -> list[str]:
    win = metrics["win"]
    lines = ["", "## Quality", "", f"- Model: {win['chosen']}; judged on: {win['period']}"]
    for key in ("out_of_time", "cross_validated", "new_accounts"):
        lines.append(f"- {key.replace('_', ' ').capitalize()}: {_told(win[key])}")
    lines += [f"- Baseline {name}: {_told(found)}" for name, found in win["baselines"].items()]
    absent = [told for name, told in _RIVALS.items() if name not in win["baselines"]]
    lines += [f"- Baseline {told}: {NOT_MEASURED}, there is none" for told in absent]
    lines += _history(win)
    for feature, levels in (metrics.get("slices") or {}).items():
        for level, found in levels.items():
            lines.append(f"- {feature} {level}: {_pair(found, 'auc')}, {_pair(found, 'observed_over_expected')}")
    if not metrics.get("slices"):
        lines.append(f"- By size class and sector: {NOT_MEASURED}")
    lines.append(f"- Value: {told_definition(metrics)}" + ("" if metrics["value"] else f"; quality {NOT_MEASURED}"))
    for name, figure in (metrics["value"] or {}).items():
        lines.append(f"  - {name}: {_figure(figure)}, n = {figure['n']}")
    return lines + _customers(metrics.get("customers"))


def _customers(judged: Mapping | None) -> list[str]:
    """Say how what customers still bring was judged, beside what needs no model."""
    if judged is None:
        return [f"- What customers still bring: {NOT_MEASURED}"]
    lines = [f"- What customers still bring, on the last {judged['months']} months held out, {judged['n']} accounts:"]
    for way, figures in judged["ways"].items():
        told = ", ".join(f"{name} {NOT_MEASURED if v is None else f'{v:,.3f}'}" for name, v in figures.items())
        lines.append(f"  - {way}: {told}")
    held = ", ".join(f"{name} {found['value']:.2f} of {found['n']}" for name, found in (judged["coverage_80"] or {}).items())
    return [*lines, f"  - Challenger: {judged['challenger']}", f"  - 80 % intervals held: {held or NOT_MEASURED}"]


def _history(win: Mapping) -> list[str]:
    """Say what a history of this size may try, what more of it would buy, and how the chances that came true are parted."""
    ladder, lines = win["data_ladder"], []
    lines.append(f"- {ladder['n_telling']} telling deals may try: {', '.join(ladder['may_try'])}")
    curve = win.get("learning_curve")
    bought = _figure(curve["gain_of_more"]) if curve else NOT_MEASURED
    lines.append(f"- Another {MORE} closed deals would take off the log loss: {bought} (80 % interval)")
    parts = win.get("reliability")
    told = (
        f"miscalibration {parts['miscalibration']:.4f}, discrimination {parts['discrimination']:.4f}" if parts else NOT_MEASURED
    )
    return [*lines, f"- Brier score parted by pool-adjacent-violators (CORP): {told}"]


def _gate(metrics: Mapping) -> list[str]:
    gate = metrics["gate"]
    lines = ["", "## Gate", "", f"- {'Passed' if gate['passed'] else 'Refused'}"]
    return lines + [f"- {'pass' if c['passed'] else 'REFUSED'} {c['name']}: {c['says']}" for c in gate["checks"]]


def _leakage(metrics: Mapping) -> list[str]:
    """Say what was done about each of the eight kinds of leakage of Kapoor and Narayanan (2023)."""
    win, tax = metrics["win"], metrics["leak_tax"]
    forward = bool(win["out_of_time"])
    tested = f"locked quarter {win['period']}, read by the gate only" if forward else "none: folds, since there are no dates"
    choice = "in folds forward in time" if win.get("chosen_forward") else "in folds apart by account or group"
    refused = f"AUC {tax['auc_without']:.3f} without, {tax['auc_with']:.3f} with {', '.join(tax['columns'])}" if tax else ""
    random = win.get("random_split_auc")
    split = f"random split {NOT_MEASURED}"
    if random:
        split = f"a random split would have reported AUC {random:.3f}, folds forward in time gave {win['forward_auc']:.3f}"
    leaks = metrics.get("leaks")
    n_found = sum(bool(finding["found"]) for finding in leaks["findings"]) if leaks else 0
    found = NOT_MEASURED if leaks is None else f"{n_found} findings of the leak tests"
    rows = [
        ("no test set", tested),
        ("pre-processing on training and test rows", "levels, medians and scales are learnt on training rows of each fold"),
        ("feature selection on training and test rows", f"no features are selected; the model is chosen {choice}"),
        ("duplicates", "rows with the same inputs never stand on both sides of a split; repeated keys are dropped or refused"),
        ("illegitimate features", refused or f"no column was refused; leak tax {NOT_MEASURED}"),
        ("temporal leakage", f"features see what was known on the example's day; {found}"),
        ("dependence between training and test rows", f"new accounts are judged apart; {split}"),
        (
            "a test period that is not what is scored",
            "deployment mix and new accounts side by side; drift is not measured here",
        ),
    ]
    return ["", "## Leakage, by kind", "", "| kind | what was done |", "|---|---|", *[f"| {a} | {b} |" for a, b in rows]]


def _weights(weights: pd.DataFrame) -> list[str]:
    head = "| criterion | weight | 80 % range | through winning | through worth | |"
    lines = ["", "## Criteria weights", "", head, "|---|--:|--:|--:|--:|---|"]
    for name, row in weights.iterrows():
        ranged = f"{row['low']:.1f} to {row['high']:.1f}" if pd.notna(row.get("low")) else NOT_MEASURED
        noise = "not distinguishable from noise" if pd.notna(row.get("is_clear")) and not row["is_clear"] else ""
        numbers = f"{row['weight']} | {ranged} | {row['through_winning']} | {row['through_worth']}"
        lines.append(f"| {name} | {numbers} | {noise} |" if row["family"] != "context" else f"| {name} | context | | | | |")
    return lines


def _limits(metrics: Mapping) -> list[str]:
    said = [
        "Weights describe association in this history; changing what they measure does not by itself change who buys.",
        "Effects of sellers' effort are in the history and cannot be told apart here.",
    ]
    return ["", "## Limits and warnings", "", *[f"- {line}" for line in [*said, *metrics["warnings"]]], ""]


def _told(figures: Mapping | None) -> str:
    if not figures or "auc" not in figures:
        return NOT_MEASURED
    names = ("auc", "log_loss", "brier", "calibration_slope", "calibration_intercept")
    return f"{', '.join(_pair(figures, name) for name in names)}, n = {figures['auc']['n']}"


def _pair(figures: Mapping, name: str) -> str:
    return f"{name.replace('_', ' ')} {_figure(figures[name])}"


def _figure(figure: Mapping) -> str:
    if figure["value"] is None:
        return NOT_MEASURED
    interval = f" [{figure['low']:.3f}, {figure['high']:.3f}]" if figure["low"] is not None else ""
    return f"{figure['value']:.3f}{interval}"
