"""Does the champion still hold: drift, chances that came true or not, tiers beside what they brought, and a verdict."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from winworth.atomic import publish_folder
from winworth.bundle import Bundle
from winworth.config import Settings
from winworth.features.build import is_deal_level
from winworth.flows.extract_days import last_day
from winworth.flows.fresh import Fresh, Observed, first_day_known, fresh_examples, observe
from winworth.flows.learn import day_number
from winworth.flows.predict import open_champion
from winworth.flows.prepare import Prepared, prepare
from winworth.flows.promises import kept_promises
from winworth.flows.ranked import OLD
from winworth.flows.reference import unsettled_scores
from winworth.flows.scored import LANGUAGES, require_features
from winworth.flows.tiering import earlier_scores, seats_today
from winworth.flows.verdict import EXIT_CODES, Reason, reach_verdict
from winworth.lock import run_lock
from winworth.models.drift import LEAST, Shift, alarms, at_ages_of, drifted, out_of_range
from winworth.models.metrics import auc, with_interval
from winworth.models.power import FALL, chance_to_see, power_table
from winworth.models.promised import errors_when_announced, refit, sum_of_coins
from winworth.review.monitored import monitor_page
from winworth.scoring.inflation import SHARE_BAND
from winworth.scoring.scorer import Scorer
from winworth.scoring.seats import TIERS
from winworth.sheets import to_json
from winworth.tracked_monitoring import TrackedMonitoring
from winworth.tracking import record_monitoring

FEWEST_WINS = 20  # and as many not won, below which no slope is told


@dataclass(frozen=True)
class Monitored:
    """What was measured (monitor.json), and where it was published."""

    told: dict
    folder: Path

    @property
    def verdict(self) -> str:
        """go_on, recalibrate, retrain or stop."""
        return self.told["verdict"]

    @property
    def exit_code(self) -> int:
        """What a scheduler reads: 0 to go on, 10 to recalibrate, 11 to retrain, 12 to stop."""
        return EXIT_CODES[self.verdict]


def monitor(settings: Settings, *, as_of: date, home: Path) -> Monitored:
    """Set the champion beside all that is known on `as_of`, and write `home`/monitor/<as_of>: JSON and a page a language.

    Nothing is learnt and nothing changes: a verdict is advice. Raises DataError where deals have no dates.
    """
    with run_lock(home, "monitor"):
        bundle = open_champion(home, as_of)
        scorer = Scorer.from_files(bundle.contents)
        prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
        require_features(scorer, prepared)
        told = measured(bundle, scorer, prepared, settings, home)
        verdict, reasons = reach_verdict(told, oldest_days=OLD)
        told |= {"verdict": verdict, "exit_code": EXIT_CODES[verdict], "reasons": [one.to_dict() for one in reasons]}
        folder = home / "monitor" / as_of.isoformat()
        pages = {f"monitor-{lang}.html": monitor_page(told, lang=lang).encode() for lang in LANGUAGES}
        publish_folder(folder, {"monitor.json": to_json(told)} | pages)
        record_monitoring(home, _tracked(told, reasons))
    return Monitored(told, folder)


def measured(bundle: Bundle, scorer: Scorer, prepared: Prepared, settings: Settings, home: Path) -> dict:
    """Return all that monitor.json says but the verdict."""
    metrics, as_of = bundle.json("metrics.json"), prepared.snapshot.as_of
    observed = observe(prepared, scorer, bundle, settings)
    fresh = fresh_examples(observed, scorer, bundle, day=day_number(as_of))
    promises = kept_promises(home, prepared.snapshot, settings, horizon_days=metrics["horizon_days"])
    seed = settings.training.seed
    return {
        "company": settings.crm.company,
        "currency": settings.crm.currency,
        "as_of": as_of.isoformat(),
        "model_version": bundle.version,
        "model_as_of": bundle.as_of.isoformat(),
        "horizon_days": metrics["horizon_days"],
        "drift": drift_of(bundle, scorer, observed, as_of),
        "calibration": calibration_of(fresh, *known_then(bundle, scorer)),
        "ranking": ranking_of(fresh, metrics, bundle, seed=seed),
        "promises": None if promises is None else promises.to_dict(),
        "tiers": tier_shares(home, settings, metrics, as_of),
        "age": _age(prepared, bundle),
        "warnings": list(prepared.warnings),
    }


def drift_of(bundle: Bundle, scorer: Scorer, observed: Observed, as_of: date) -> dict:
    """Test what was observed since the reference was made, and the scores of what is open; nothing where it has none."""
    empty = {"since": None, "n": 0, "tests": [], "alarms": [], "lost": [], "out_of_range": []}
    if "reference.json" not in bundle.names:
        return empty
    reference, examples = bundle.json("reference.json"), observed.examples
    new = observed.task.histories.observed > day_number(date.fromisoformat(reference["as_of"]))
    accounts, tests, lost, outside = examples.account[new], [], [], []
    weight = at_ages_of(reference.get("ages"), examples.rows["age_days"].to_numpy()[new])
    for name, then in reference["features"].items():
        column = examples.features.loc[new, name]
        if len(column) >= LEAST and column.isna().all() and then["missing"]["share"] < 1:
            lost.append(name)
            continue
        tests += drifted(name, then, column, accounts, weight)
        if n := out_of_range(then, column):
            outside.append({"feature": name, "n": n, "of": len(column), "low": then["low"], "high": then["high"]})
    score, owners = unsettled_scores(scorer, examples, observed.task, day=day_number(as_of))
    tests += drifted("score", reference["score"], score, owners)
    found = alarms(tests)
    return {
        "since": reference["as_of"],
        "n": int(new.sum()),
        "n_accounts": len(np.unique(accounts)),
        "tests": [_shift(scorer, test) for test in tests],
        "alarms": [_shift(scorer, test) for test in found],
        "lost": lost,
        "out_of_range": outside,
    }


def known_then(bundle: Bundle, scorer: Scorer) -> tuple[float, float]:
    """Return how surely slope and shift of the chances were known when the version was made; 0 where it does not say."""
    if "calibration.json" not in bundle.names:
        return 0.0, 0.0
    rows = {name: np.asarray(column, dtype=float) for name, column in bundle.json("calibration.json").items()}
    return errors_when_announced(scorer.win.model.platt_.apply(rows["margin"]), rows["won"], rows["weight"])


def calibration_of(fresh: Fresh, slope_error: float = 0.0, shift_error: float = 0.0) -> dict:
    """Set wins beside those announced by now, a deal once; and slope and intercept over all examples.

    What was not surely known of the chances when they were announced is no drift: the errors of then are added to those of
    now, for the alarm of the slope in units of the slope found.
    """
    once = fresh.take(fresh.is_first)
    coins = sum_of_coins(once.announced, once.won, once.accounts, shift_error=shift_error)
    found = {"coins": asdict(coins), "refit": None}
    if min(once.won.sum(), (1 - once.won).sum()) < FEWEST_WINS:
        return found
    fit = refit(fresh.z, fresh.share, fresh.won, fresh.accounts)
    ends = {name: fit.interval(name) for name in ("slope", "intercept")}
    told = {
        name: {"value": getattr(fit.platt, name), "low": low, "high": high, "error": getattr(fit, f"{name}_error")}
        for name, (low, high) in ends.items()
    }
    both = float(np.hypot(fit.slope_error, slope_error * max(fit.platt.slope, 1.0)))
    return found | {"refit": told | {"n": fit.n, "alarm_error": both}}


def ranking_of(fresh: Fresh, metrics: dict, bundle: Bundle, *, seed: int) -> dict:
    """Set the AUC on deals whose outcome is known beside that of the locked quarter, with what such a test can see.

    p is that of a fall (one side), both figures' errors counted. None of it before the first horizon has passed.
    """
    then = (metrics["win"].get("out_of_time") or {}).get("auc")
    kept = fresh.take(fresh.weight > 0)
    deals = kept.take(kept.is_first)
    found = {"then": then, "auc": None, "p": None, "chance_to_see": None, "n_deals": int(len(deals.won)), "fall": FALL}
    found |= {"power": [], "from": first_day_known(bundle, metrics["horizon_days"])}
    if then is None or then["value"] is None:
        return found
    base = metrics["win"]["out_of_time"]["base_rate"]["value"]
    found["power"] = power_table(then["value"], won_share=base)
    if min(deals.won.sum(), (1 - deals.won).sum()) < FEWEST_WINS:
        return found
    now = with_interval(auc, kept.won, kept.z, kept.weight, kept.accounts, seed=seed).to_dict()
    found |= {"auc": now, "chance_to_see": chance_to_see(then["value"], len(deals.won), won_share=float(deals.won.mean()))}
    if now["low"] is None or then["low"] is None:
        return found
    errors = [(figure["high"] - figure["low"]) / 3.92 for figure in (now, then)]
    from scipy.stats import norm

    return found | {"p": float(norm.cdf((now["value"] - then["value"]) / max(np.hypot(*errors), 1e-9)))}


def tier_shares(home: Path, settings: Settings, metrics: dict, as_of: date) -> dict | None:
    """Return each tier's share in the latest scores, in the ones before, and whether A's is within its band."""
    latest = earlier_scores(home, as_of + timedelta(days=1))
    if latest is None or not len(latest.accounts):
        return None
    before = earlier_scores(home, latest.as_of)
    n, tiers = len(latest.accounts), latest.accounts["tier"]
    seats = min(seats_today(latest.accounts, settings.scoring, metrics).n["A"], n)
    share = {tier: float((tiers == tier).mean()) for tier in TIERS}
    was = None if before is None else {tier: float((before.accounts["tier"] == tier).mean()) for tier in TIERS}
    holds = was is None or abs(share["A"] - was["A"]) <= SHARE_BAND * was["A"]
    in_band = share["A"] * n >= (1 - SHARE_BAND) * seats and holds
    return {
        "scored_on": latest.as_of.isoformat(),
        "n": n,
        "share": share,
        "before": was,
        "seats": seats,
        "in_band": in_band,
    }


def _age(prepared: Prepared, bundle: Bundle) -> dict:
    as_of = prepared.snapshot.as_of
    last, is_silent = last_day(prepared.crm, prepared.snapshot)
    return {
        "last_day": None if last is None else last.isoformat(),
        "data_days": None if last is None else (as_of - last).days,
        "is_silent": is_silent,
        "model_days": (as_of - bundle.as_of).days,
    }


def _shift(scorer: Scorer, test: Shift) -> dict:
    spec = scorer.catalog.features.get(test.feature)
    return asdict(test) | {"is_large": test.is_large, "is_deal_level": spec is not None and is_deal_level(spec)}


def _tracked(told: dict, reasons: tuple[Reason, ...]) -> TrackedMonitoring:
    coins, fit, ranking = told["calibration"]["coins"], told["calibration"]["refit"], told["ranking"]
    largest = max((t["size"] for t in told["drift"]["tests"] if t["what"] == "values"), default=None)
    metrics = {
        "wins_seen_over_announced": coins["ratio"],
        "wins_z": coins["z"],
        "slope": fit and fit["slope"]["value"],
        "auc": ranking["auc"] and ranking["auc"]["value"],
        "largest_psi": largest,
        "n_drift_alarms": float(len(told["drift"]["alarms"])),
        "model_days": float(told["age"]["model_days"]),
    }
    tags = {"verdict": told["verdict"], "reasons": ", ".join(dict.fromkeys(reason.key for reason in reasons))}
    name = f"monitor {told['as_of']}"
    return TrackedMonitoring(told["company"], name, told["model_version"], told["as_of"], metrics, tags)
