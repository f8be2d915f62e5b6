"""The gate: named checks that a challenger passes before it may become champion, each with its numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from winworth.models.evaluate import WinReport
from winworth.models.ladder import SAYS_NOTHING
from winworth.models.metrics import Figure, with_interval

SURE = 0.95
TOTALS = (0.8, 1.25)
SLOPES = (0.7, 1.4)


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, and what it says."""

    name: str
    passed: bool
    says: str


def enough_deals(n_won: int, n_lost: int, *, least_wins: int, least_losses: int) -> Check:
    """Check that there are enough wins and losses to learn from."""
    passed = n_won >= least_wins and n_lost >= least_losses
    says = f"{n_won} won and {n_lost} lost deals; at least {least_wins} and {least_losses} are needed to learn who wins"
    return Check("enough_deals", passed, says)


def nothing_filled_late(late: Mapping[str, tuple[float, float]] | None) -> Check:
    """Check that no column of deals is empty while a deal is open and filled in when it ends."""
    if late is None:
        return Check("nothing_filled_late", True, "not measured: fewer than 20 deals are open")
    if not late:
        return Check("nothing_filled_late", True, "no column is much emptier on open deals than on closed ones")
    told = ", ".join(f"{name} is missing on {a:.0%} of open and {b:.0%} of closed deals" for name, (a, b) in late.items())
    out = "declare it at_close or latest_only, or put deals without it out of scope (missing: out_of_scope)"
    return Check("nothing_filled_late", False, f"{told}: its being empty tells the outcome; {out}")


def beats_context(report: WinReport) -> Check:
    """Check that the chosen model predicts better than context alone (or the base rate) does, with 95 % certainty."""
    name, rival = "beats_context", report.rival
    known = [model for model in ("criteria", "ridge", "trees") if model in report.figures]
    found = {model: report.figures[model]["auc"] for model in known}
    told = ", ".join(f"{model} AUC {f.value:.3f} [{f.low:.3f}-{f.high:.3f}]" for model, f in found.items())
    if report.chosen in SAYS_NOTHING:
        return Check(name, False, f"there is nothing to rank by: no model does better than {rival} alone ({told})")
    chance, says = _told_against(report, rival, f"{rival} alone")
    alone = report.chance_better_than("base rate", "criteria") if "criteria" in report.judged.p else 1.0
    if alone < SURE:
        says += f"; the criteria without context do better than the base rate with {alone:.0%} certainty only"
    if min(chance, alone) >= SURE:
        return Check(name, True, says)
    return Check(name, False, f"there is nothing to rank by: {says}, and {SURE:.0%} is asked ({told})")


def beats_stage(report: WinReport) -> Check:
    """Check that the chosen model predicts better than the win rate of the deal's stage does, with 95 % certainty."""
    name = "beats_stage"
    if "stage" not in report.judged.p:
        return Check(name, True, "not measured: no table tells a deal's stage on the day it was observed")
    mean, error = report.loss_against("stage")
    chance = report.chance_better_than("stage")
    says = (
        f"log loss {mean:+.4f} (standard error {error:.4f}) against the win rate by stage, better with {chance:.0%} certainty"
    )
    return Check(name, chance >= SURE, says + ("" if chance >= SURE else f"; {SURE:.0%} is asked"))


def holds_against_ridge(report: WinReport) -> Check:
    """Check that the chosen model does not lose to ridge by more than one standard error."""
    if report.chosen == "ridge":
        return Check("holds_against_ridge", True, "the chosen model is ridge")
    mean, error = report.loss_against("ridge")
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against ridge; behind by one standard error at most is asked"
    return Check("holds_against_ridge", mean <= error, says)


def value_holds(value: Mapping[str, Figure] | None) -> Check:
    """Check that predicted values add up to about what was seen, and do not put deals in an order worse than chance."""
    name = "value_holds"
    if value is None:
        return Check(name, True, "not measured: too few won deals have a value")
    total, order = value["total_ratio"], value["gini"]
    says = f"predicted values are {total.value:.2f} [{total.low:.2f}-{total.high:.2f}] of those seen, Gini {order.value:.2f}"
    passed = total.low <= TOTALS[1] and total.high >= TOTALS[0] and not order.high < 0
    return Check(name, passed, says + ("" if passed else "; .80 to 1.25 and an order no worse than chance are asked"))


def customers_hold(judged: Mapping | None) -> Check:
    """Check that what customers were expected to bring adds up on the year held out, in no worse an order than last year's."""
    name = "customers_hold"
    if judged is None:
        return Check(name, True, "not measured: there are no invoices, or too few before the last year")
    ours, behind = judged["ways"]["ours"], judged["behind_last_12_months"]
    total = f"{ours['total_ratio']:.2f} [{ours['total_ratio_low']:.2f}-{ours['total_ratio_high']:.2f}]"
    says = f"customers' margin of {judged['months']} months: {total} of what came, "
    says += f"behind the order of the last 12 months with {behind:.0%} certainty"
    passed = ours["total_ratio_low"] <= TOTALS[1] and ours["total_ratio_high"] >= TOTALS[0] and behind < SURE
    return Check(name, passed, says + ("" if passed else "; .80 to 1.25 and no worse an order are asked"))


def calibrated(report: WinReport) -> Check:
    """Check that announced chances come true on the rows judged: slope within .7-1.4, wins near those expected."""
    y, p, w = report.judged.y, report.judged.p[report.chosen], report.judged.weight
    slope = report.figures[report.chosen]["calibration_slope"].value
    rows = (y, p, w, report.judged.accounts)
    ratio = with_interval(lambda y, p, w: float((w @ y) / (w @ p)), *rows, seed=0, n_boot=200)
    says = f"slope {slope:.2f}, wins seen over wins expected {ratio.value:.2f} [{ratio.low:.2f}-{ratio.high:.2f}]"
    passed = SLOPES[0] <= slope <= SLOPES[1] and ratio.low <= 1.15 and ratio.high >= 0.85
    return Check("calibrated", passed, says + ("" if passed else "; a slope of .7 to 1.4 and wins within 15 % are asked"))


def _told_against(report: WinReport, rival: str, named: str) -> tuple[float, str]:
    mean, error = report.loss_against(rival)
    chance = report.chance_better_than(rival)
    return chance, f"log loss {mean:+.4f} (standard error {error:.4f}) against {named}, better with {chance:.0%} certainty"


def gate_record(checks: list[Check]) -> dict:
    """Return the gate for metrics.json: passed, the reasons of a refusal, and every check."""
    reasons = [f"{check.name}: {check.says}" for check in checks if not check.passed]
    return {"passed": not reasons, "reasons": reasons, "checks": [asdict(check) for check in checks]}
