"""The gate: named checks that a challenger passes before it may become champion, each with its numbers."""

from dataclasses import asdict, dataclass

from winworth.models.evaluate import WinReport

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


def beats_base_rate(report: WinReport) -> Check:
    """Check that the chosen model predicts better than the base rate does, with 95 % certainty."""
    if report.chosen == "base rate":
        losses = {name: report.figures[name]["auc"] for name in ("ridge", "trees")}
        told = ", ".join(
            f"{name} AUC {figure.value:.3f} [{figure.low:.3f}-{figure.high:.3f}]" for name, figure in losses.items()
        )
        return Check("beats_base_rate", False, f"there is nothing to rank by: no model does better than the base rate ({told})")
    mean, error = report.loss_against("base rate")
    chance = report.chance_better_than("base rate")
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against the base rate, better with {chance:.0%} certainty"
    return Check("beats_base_rate", chance >= SURE, says + ("" if chance >= SURE else f"; {SURE:.0%} is asked"))


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
