"""A champion of an earlier day in a second: a ridge on what was known then, judged and calibrated on the year before."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from winworth.bundle import Bundle, save_version, set_challenger, set_champion
from winworth.config import Settings, load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.dates import learn_dates
from winworth.flows.learn import Recipe, day_number, examples_of, win_task
from winworth.flows.prepare import prepare, without_absent
from winworth.flows.reference import reference_of
from winworth.flows.weigh import no_weights
from winworth.models.calibration import fit_platt
from winworth.models.metrics import auc, with_interval
from winworth.models.task import Rung
from winworth.scoring.scorer import Scorer, as_json

ROOT = Path(__file__).parents[2]
END = date(2026, 6, 30)
RUNG = Rung("ridge", C=0.01)
GATE = {"passed": True, "reasons": [], "checks": []}


@dataclass(frozen=True)
class Watched:
    """A home with a champion, and the settings that read its company's exports."""

    home: Path
    settings: Settings
    version: str


def settings_of(folder: Path) -> Settings:
    """Return the demo's settings, reading other exports."""
    settings = load_settings(ROOT / "conf")
    return replace(settings, crm=replace(settings.crm, folder=str(folder)))


def company(home: Path, *, n_deals: int, seed: int, spoil=None) -> Settings:
    """Write a company's exports up to END below `home`; `spoil` may change the world first."""
    world = software_company(n_deals=n_deals, as_of=END, seed=seed)
    folder = home / "exports"
    folder.mkdir(parents=True)
    write_exports(world if spoil is None else spoil(world), folder)
    return settings_of(folder)


def crown(settings: Settings, home: Path, *, on: date, base: Bundle | None = None) -> Watched:
    """Train on what was known on a day and make it the champion, with the rest of its record from `base` (or hardly any)."""
    prepared = prepare(settings, as_of=on)
    catalog = without_absent(settings.catalog, prepared.crm)
    examples = examples_of(prepared.snapshot, catalog, settings)
    task, day = win_task(examples, catalog, settings, prepared.snapshot), day_number(on)
    before, until = day - 540, day - 180
    earlier = np.flatnonzero(task.histories.observed <= before)
    later = np.flatnonzero((task.histories.observed > before) & (task.histories.observed <= until))
    margin = task.margin(task.fit(earlier, before, RUNG), later)
    y, w = task.outcomes(later, day)
    platt = fit_platt(margin, y, w)
    then = with_interval(auc, y, expit(margin), w, task.accounts[later], seed=1)
    scorer = Scorer(catalog, Recipe(RUNG, platt, day).fit(task), None, no_weights(catalog, list(task.features.columns)), None)
    base_rate = {"value": float(np.average(y, weights=w)), "low": None, "high": None, "n": len(y)}
    metrics = {} if base is None else base.json("metrics.json")
    metrics |= {"as_of": on.isoformat(), "horizon_days": 180, "exclude_kinds": ["renewal"], "mode": "model"}
    metrics |= {"gate": metrics.get("gate", GATE), "warnings": [], "tiers": None}
    measured = (metrics.get("win") or {}).get("out_of_time") or {}
    told = measured | {"auc": then.to_dict(), "base_rate": base_rate}
    metrics["win"] = metrics.get("win", {}) | {"out_of_time": told}
    files = scorer.to_files() | learn_dates(task, examples.rows, as_of=on).to_files()
    files |= {
        "reference.json": as_json(reference_of(scorer, examples, task, as_of=on)).encode(),
        "metrics.json": as_json(metrics).encode(),
        "calibration.json": as_json({"margin": margin.tolist(), "won": y.tolist(), "weight": w.tolist()}).encode(),
    }
    version = save_version(home / "models", files, as_of=on)
    set_challenger(home / "models", version)
    set_champion(home / "models", version)
    return Watched(home, settings, version)
