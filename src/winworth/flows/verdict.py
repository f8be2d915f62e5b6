"""What to do with the champion, from what monitoring measured: go on, recalibrate, retrain or stop, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.stats import false_discovery_control

from winworth.flows.gate import SLOPES
from winworth.models.promised import Z99

EXIT_CODES = {"go_on": 0, "recalibrate": 10, "retrain": 11, "stop": 12}
OFF_BY = 0.15  # how far wins may be from those announced, as the gate allows
FEWEST_COINS = 20
POWER = 0.8
LEVEL = 0.01


@dataclass(frozen=True)
class Reason:
    """One fact that speaks for a verdict, and the figures it is told with."""

    verdict: str
    key: str
    values: Mapping[str, object]

    def to_dict(self) -> dict:
        """Return it for JSON."""
        return {"verdict": self.verdict, "key": self.key, **self.values}


def reach_verdict(told: Mapping, *, oldest_days: int) -> tuple[str, tuple[Reason, ...]]:
    """Return the gravest verdict that a reason asks for, and all reasons, the gravest first.

    A drift of features alone asks for nothing where deals that have closed since would have shown a lesser ranking and did
    not. Each alarm must be beyond chance (99 %) and large enough to matter, so that all together stay rare without drift.
    """
    reasons = [*_of_data(told), *_of_ranking(told), *_of_drift(told), *_of_calibration(told), *_of_promises(told)]
    if told["age"]["model_days"] > oldest_days:
        reasons.append(Reason("retrain", "old", {"days": told["age"]["model_days"], "most": oldest_days}))
    order = list(EXIT_CODES)
    reasons.sort(key=lambda reason: -order.index(reason.verdict))
    return (reasons[0].verdict if reasons else "go_on"), tuple(reasons)


def _of_data(told: Mapping) -> list[Reason]:
    found = [Reason("stop", "silent", {"day": told["age"]["last_day"]})] if told["age"]["is_silent"] else []
    return found + [Reason("stop", "lost", {"feature": name}) for name in told["drift"]["lost"]]


def _of_ranking(told: Mapping) -> list[Reason]:
    ranking = told["ranking"]
    if ranking["p"] is None or ranking["p"] > LEVEL:
        return []
    now = ranking["auc"]
    key, verdict = ("blind", "stop") if now["low"] <= 0.5 else ("fell", "retrain")
    return [Reason(verdict, key, {"then": ranking["then"]["value"], "now": now["value"], "n": ranking["n_deals"]})]


def _of_drift(told: Mapping) -> list[Reason]:
    alarms = told["drift"]["alarms"]
    ranking = told["ranking"]
    holds = ranking["chance_to_see"] is not None and ranking["chance_to_see"] >= POWER and (ranking["p"] or 1.0) > LEVEL
    verdict = "go_on" if holds else "retrain"
    return [Reason(verdict, f"drift_{alarm['what']}", dict(alarm)) for alarm in alarms]


def _of_calibration(told: Mapping) -> list[Reason]:
    coins, fit = told["calibration"]["coins"], told["calibration"]["refit"]
    found = []
    if coins["n"] >= FEWEST_COINS and abs(coins["z"]) > Z99 and abs(coins["ratio"] - 1) > OFF_BY:
        found.append(Reason("recalibrate", "wins", coins))
    if fit is not None:
        slope, spread = fit["slope"], Z99 * fit["alarm_error"]
        low, high = slope["value"] - spread, slope["value"] + spread
        if not SLOPES[0] <= slope["value"] <= SLOPES[1] and not low <= 1 <= high:
            found.append(Reason("recalibrate", "slope", dict(slope)))
    return found


def _of_promises(told: Mapping) -> list[Reason]:
    promises = told["promises"]
    if promises is None or promises["version"] != told["model_version"]:
        return []  # what another version announced speaks neither for nor against this one
    groups = [group for group in promises["groups"] if group["kind"] == "tier" and group["p"] is not None]
    if not groups:
        return []
    adjusted = false_discovery_control([group["p"] for group in groups])
    off = [g for g, p in zip(groups, adjusted, strict=True) if p <= LEVEL and abs(g["ratio"] - 1) > OFF_BY]
    return [
        Reason(
            "recalibrate",
            "tier",
            {"tier": g["name"], "n": g["n"], "now": g["win_rate"]["value"], "then": g["announced_rate"]},
        )
        for g in off
    ]
