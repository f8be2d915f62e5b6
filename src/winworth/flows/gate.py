"""The gate: named checks that a challenger passes before it may become champion, each with its numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from winworth.models.evaluate import WinReport
from winworth.models.ladder import SAYS_NOTHING

SURE = 0.95


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


def nothing_filled_late(late: Mapping[str, tuple[float, float]]) -> Check:
    """Check that no column of deals is empty while a deal is open and filled in when it ends."""
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
    mean, error = report.loss_against(rival)
    chance = report.chance_better_than(rival)
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against {rival} alone, better with {chance:.0%} certainty"
    if chance >= SURE:
        return Check(name, True, says)
    return Check(name, False, f"there is nothing to rank by: {says}, and {SURE:.0%} is asked ({told})")


def holds_against_ridge(report: WinReport) -> Check:
    """Check that the chosen model does not lose to ridge by more than one standard error."""
    if report.chosen == "ridge":
        return Check("holds_against_ridge", True, "the chosen model is ridge")
    mean, error = report.loss_against("ridge")
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against ridge; behind by one standard error at most is asked"
    return Check("holds_against_ridge", mean <= error, says)


def gate_record(checks: list[Check]) -> dict:
    """Return the gate for metrics.json: passed, the reasons of a refusal, and every check."""
    reasons = [f"{check.name}: {check.says}" for check in checks if not check.passed]
    return {"passed": not reasons, "reasons": reasons, "checks": [asdict(check) for check in checks]}
