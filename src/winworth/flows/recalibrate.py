"""Slope and intercept of the champion's chances fitted anew on recent deals: a new version, where it earns its place."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from winworth.bundle import Bundle, save_version, set_challenger
from winworth.config import Settings
from winworth.errors import ConfigError, DataError, GateRefused
from winworth.flows.card import model_card
from winworth.flows.fresh import Fresh, fresh_examples, observe
from winworth.flows.gate import SLOPES, Check, gate_record
from winworth.flows.learn import day_number
from winworth.flows.predict import open_champion
from winworth.flows.prepare import prepare
from winworth.flows.record import labelled_weights
from winworth.flows.reigning import MOST_WORSE
from winworth.flows.scored import require_features
from winworth.lock import run_lock
from winworth.models.calibration import Platt
from winworth.models.metrics import log_loss_rows, paired_difference
from winworth.models.promised import refit, sum_of_coins
from winworth.scoring.scorer import Scorer, as_json
from winworth.tracking import TrackedRun, record_run

HELD_OUT = 1 / 3  # of the deals, the latest ones: they judge what the others taught
FEWEST = 50  # of deals won by now, and of deals not won: what a slope and an intercept take (as training asks)
OFF_BY = 0.15


@dataclass(frozen=True)
class Recalibrated:
    """The new version, and what was fitted and judged (the block `recalibrated` of its metrics.json)."""

    version: str
    record: dict


def recalibrate(settings: Settings, *, as_of: date, home: Path) -> Recalibrated:
    """Copy the champion with its calibration fitted anew, as the challenger.

    Only deals that taught the champion nothing are used, each as far as it has been followed by `as_of`. What is judged is a
    fit on the earlier deals, on the later third: raises GateRefused with the numbers where its chances do not come true there
    or are worse than the champion's; DataError where there are too few deals.
    """
    with run_lock(home, "recalibrate"):
        bundle = open_champion(home, as_of)
        if bundle.as_of >= as_of:
            raise ConfigError(f"The champion is of {bundle.as_of}: no deal that it has not learnt from is known on {as_of}.")
        scorer = Scorer.from_files(bundle.contents)
        prepared = prepare(settings, as_of=as_of, catalog=scorer.catalog)
        require_features(scorer, prepared)
        fresh = fresh_examples(observe(prepared, scorer, bundle, settings), scorer, bundle, day=day_number(as_of))
        _require_enough(fresh, as_of)
        checks = judge(fresh)
        refused = [f"{check.name}: {check.says}" for check in checks if not check.passed]
        if refused:
            raise GateRefused(
                f"{bundle.version} is not recalibrated, and stays as it is:\n" + "\n".join(f"- {says}" for says in refused)
            )
        record = _record(bundle, fresh, checks)
        files = recalibrated_files(bundle, scorer, fresh, record, as_of)
        version = save_version(home / "models", files, as_of=as_of)
        set_challenger(home / "models", version)
        record_run(home, _tracked(settings, record, version, home))
    return Recalibrated(version, record)


def judge(fresh: Fresh) -> list[Check]:
    """Fit on the earlier deals, and judge the chances on the later third beside those that the champion announced."""
    train, test = apart_in_time(fresh)
    fit = refit(train.z, train.share, train.won, train.accounts).platt
    z = fit.apply(test.z)
    return [_come_true(test, z), _no_worse(test, z)]


def apart_in_time(fresh: Fresh) -> tuple[Fresh, Fresh]:
    """Return the examples of the deals first seen earlier, and of the later third; no account stands on both sides."""
    first_seen = fresh.rows.groupby("deal_id")["observed_on"].transform("min")
    deals = first_seen[~fresh.rows["deal_id"].duplicated()].sort_values(kind="stable")
    cut = deals.iloc[int(len(deals) * (1 - HELD_OUT))]
    later = (first_seen > cut).to_numpy()
    return fresh.take(~later & ~np.isin(fresh.accounts, fresh.accounts[later])), fresh.take(later)


def _come_true(test: Fresh, z: np.ndarray) -> Check:
    once = test.is_first
    coins = sum_of_coins(test.share[once] * expit(z[once]), test.won[once], test.accounts[once])
    says = f"wins seen over wins expected {coins.ratio:.2f} [{coins.low:.2f}-{coins.high:.2f}] on {coins.n} later deals"
    passed = coins.low <= 1 + OFF_BY and coins.high >= 1 - OFF_BY
    found = refit(z, test.share, test.won, test.accounts)
    low, high = found.interval("slope")
    says += f", slope {found.platt.slope:.2f} [{low:.2f}-{high:.2f}]"
    passed &= low <= SLOPES[1] and high >= SLOPES[0]
    return Check("calibrated", bool(passed), says + ("" if passed else "; wins within 15 % and a slope of .7 to 1.4 are asked"))


def _no_worse(test: Fresh, z: np.ndarray) -> Check:
    """Check that the log loss on later deals is no more than 1 % above the champion's, with 95 % certainty, by account."""
    loss, before = (log_loss_rows(test.won, test.share * expit(one)) for one in (z, test.z))
    mean, error = paired_difference(loss, before, np.ones(len(loss)), test.accounts)
    n = len(np.unique(test.accounts))
    worst = mean + float(student.ppf(0.95, max(n - 1, 1))) * error
    passed = worst < MOST_WORSE * float(before.mean())
    says = f"log loss {mean:+.4f} (standard error {error:.4f}) against the champion on {n} accounts' later deals"
    return Check("better_than_champion", bool(passed), says + ("" if passed else "; at most 1 % worse is asked"))


def recalibrated_files(bundle: Bundle, scorer: Scorer, fresh: Fresh, record: dict, as_of: date) -> dict[str, bytes]:
    """Return the champion's files with the calibration replaced, and what is read on its scale moved along."""
    before, ratio = scorer.win.model.platt_, record["slope"]["value"]
    after = Platt(ratio * before.slope, record["intercept"]["value"] + ratio * before.intercept)
    win = bundle.json("win.json") | {"platt": after.to_dict()}
    weights = bundle.json("weights.json")
    weights["reference"]["winning"] = [value * ratio for value in weights["reference"]["winning"]]
    metrics = bundle.json("metrics.json")
    gate = gate_record([Check(**check) for check in record["checks"]])
    metrics |= {"as_of": as_of.isoformat(), "recalibrated": record, "gate": gate}
    metrics["warnings"] = [
        *metrics["warnings"],
        f"Recalibrated on {as_of} from {record['from']}; its weights are those of then.",
    ]
    files = {**bundle.contents}
    for name, document in (("win.json", win), ("weights.json", weights), ("metrics.json", metrics)):
        files[name] = as_json(document).encode()
    known = fresh.take(fresh.weight > 0)
    if len(known.won):
        files["calibration.json"] = as_json(_rows(known)).encode()
    told = model_card(metrics, labelled_weights(scorer.weights, scorer, "en"))
    return files | {"model_card.md": told.encode()}


def _gate(before: dict, checks: list[dict]) -> dict:
    """Return the gate that the champion passed, or was let through by a signature, with the checks that were made anew."""
    anew = {check["name"] for check in checks}
    kept = [check for check in before["checks"] if check["name"] not in anew]
    told = gate_record([Check(**check) for check in [*kept, *checks]])
    return told | ({"overruled": before["overruled"]} if before.get("overruled") else {})


def _rows(known: Fresh) -> dict:
    """Return the rows that intervals of single deals are read from, as training writes them."""
    order = np.argsort(known.margin, kind="stable")
    told = {"margin": known.margin, "won": known.won, "weight": known.weight}
    return {name: np.round(values[order], 6).tolist() for name, values in told.items()}


def _record(bundle: Bundle, fresh: Fresh, checks: list[Check]) -> dict:
    fit, once = refit(fresh.z, fresh.share, fresh.won, fresh.accounts), fresh.take(fresh.is_first)
    told = {}
    for name in ("slope", "intercept"):
        low, high = fit.interval(name)
        told[name] = {"value": getattr(fit.platt, name), "low": low, "high": high}
    counts = {"n_deals": len(once.won), "n_won": int(once.won.sum()), "n_examples": fit.n}
    return {"from": bundle.version, "trained_on": _trained_on(bundle), **counts, **told, "checks": [asdict(c) for c in checks]}


def _trained_on(bundle: Bundle) -> str:
    """Return the day the weights were learnt on, whatever was recalibrated since."""
    before = bundle.json("metrics.json").get("recalibrated")
    return before["trained_on"] if before else bundle.as_of.isoformat()


def _require_enough(fresh: Fresh, as_of: date) -> None:
    once = fresh.take(fresh.is_first)
    won, rest = int(once.won.sum()), int((1 - once.won).sum())
    if min(won, rest) < FEWEST:
        raise DataError(
            f"By {as_of}, {won} of {won + rest} deals that the champion has not learnt from are won and {rest} are not: at "
            f"least {FEWEST} of each are needed for a slope and an intercept. Wait for more, or train again."
        )


def _tracked(settings: Settings, record: dict, version: str, home: Path) -> TrackedRun:
    return TrackedRun(
        experiment=settings.crm.company,
        name=version,
        bundle=home / "models" / version,
        model_version=version,
        params={"recalibrated_from": record["from"], "n_deals": str(record["n_deals"])},
        metrics={name: record[name]["value"] for name in ("slope", "intercept")},
        tags={"mode": "recalibrated", "gate": "passed"},
    )
