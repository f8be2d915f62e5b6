"""A review with something in every section, made without training anything: the same bytes everywhere."""

from datetime import date

import numpy as np
import pandas as pd
from test_page import accounts_of, figure, metrics_of, review_of, weights_of

from winworth.features.catalog import Catalog
from winworth.review.decided import AccountSince, Decision, Outcome
from winworth.review.moved import moved_between
from winworth.review.pack import Review
from winworth.scoring.playbooks import play_table
from winworth.weights.bins import LevelBins, NumberBins
from winworth.weights.scorecard import FeatureTable, Losses, PairTable, Scorecard

AS_OF = date(2026, 6, 30)
NAMES = ("budget", "engagement", "company_size", "automation_maturity", "time_since_contact")


def catalog() -> Catalog:
    """Return a catalogue with one numeric feature a criterion, and a sector."""
    told = {
        name: {
            "family": "firmographic",
            "label": {"en": name.replace("_", " "), "fr": f"{name.replace('_', ' ')} (fr)"},
            "features": {f"{name}_n": {"value": f"accounts.{name}"}},
        }
        for name in NAMES
    }
    told["company_size"]["features"]["sector"] = {"value": "accounts.sector", "label": {"en": "sector", "fr": "secteur"}}
    return Catalog.from_dict({"criteria": told})


def card() -> Scorecard:
    """Return points for every feature, and a two-way table."""
    bins = {name: NumberBins(f"{name}_n", (10.0, 250.0)) for name in NAMES}
    tables = [FeatureTable(name, bins[name], (-12, 3, 20, 0), (40, 50, 30, 0)) for name in NAMES]
    tables.append(FeatureTable("company_size", LevelBins("sector", ("it", "steel")), (5, -5, 1, 0), (60, 40, 20, 0)))
    cells = ((2, 0, 0, 0), (0, 1, 0, 0), (0, 0, -4, 0), (0, 0, 0, 0))
    pair = PairTable(bins["budget"], bins["engagement"], {"budget": cells, "engagement": cells}, ((9,) * 4,) * 4)
    weights = dict(zip(NAMES, (34, 22, 18, 14, 12), strict=True))
    return Scorecard(weights, tuple(tables), (pair,), (), Losses(3.0, 0.98))


def pictures() -> dict:
    """Return a sample of attributions, cycles and survival."""
    at = np.arange(60)
    wave = {name: np.round(0.4 * np.sin(at * (k + 1)) / (k + 1), 3).tolist() for k, name in enumerate(NAMES)}
    features = {f"{name}_n": {"value": [*(at[:-1] * 9.0).tolist(), None], "part": wave[name]} for name in NAMES}
    features["sector"] = {"value": ["it", "steel", ""] * 20, "part": [0.1, -0.1, 0.0] * 20}
    curve = {"days": [10, 40, 90, 200], "share": [0.1, 0.4, 0.6, 0.8], "n": 300}
    survival = {"days": [200, 400, 900], "share": [0.1, 0.2, 0.4], "n": 80, "silence_days": 183}
    sample = {"n": 60, "criteria": wave, "features": features}
    return {"attributions": sample, "cycles": {"PME": curve, "ETI": curve | {"n": 120}}, "survival": survival}


def kpis() -> pd.DataFrame:
    """Return four quarters of two KPIs of all accounts."""
    rows = []
    for at, quarter in enumerate(("2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2")):
        for name, value in (("win_rate", 0.2 + 0.02 * at), ("cycle", 60.0 + at), ("cac", 4000.0 + 100 * at)):
            mark = "too early" if name == "win_rate" and at == 3 else ""
            told = [np.nan] * 3 if mark else [value, value * 0.9, value * 1.1]
            figures = dict(zip(("value", "low", "high"), told, strict=True))
            rows.append(
                {"kpi": name, "group": "all", "level": "all", "quarter": quarter, "n": 200 + at, "mark": mark} | figures
            )
    return pd.DataFrame(rows)


def profile() -> dict:
    """Return what metrics.json says of segments, the ideal customer, personae and size classes."""
    sentence = {"en": "headcount at least 200", "fr": "effectif d'au moins 200"}
    rule = {"precision": 0.9, "coverage": 0.8, "sentence": sentence}
    one = {"rule": rule, "win_rate": figure(0.3), "mean_value": figure(60_000, 8_000)}
    two = {"rule": None, "win_rate": figure(0.1), "mean_value": figure(20_000, 8_000)}
    label = {"en": "large, much technology", "fr": "grands, beaucoup de technologie"}
    other = {"en": "small, little technology", "fr": "petits, peu de technologie"}
    held = {"coverage": 0.07, "lift": figure(4.2, 1.1), "win_rate": figure(0.32)}
    cell = {"segment": "all", "role": "decider", "age_days": 0.0, "difference": 0.09, "is_clear": True}
    cell |= {"won": 0.67, "not_won": 0.58, "n_won": 1062, "n_not_won": 3554}
    row = {"n_deals": 90, "n_won": 30, "cycle_days": figure(57, 4), "basket_median": figure(9_000, 500), "basket_mean": None}
    return {
        "segments": {"segments": {"S1": one | {"label": label}, "S2": two | {"label": other}}},
        "icp": {"rules": [{"words": sentence, "locked": held}], "n_locked": 522, "n_tried": 5510, "period": "2025 Q4"},
        "personas": {"cells": [cell, cell | {"segment": "S1", "role": "it", "age_days": 30.0}]},
        "size_classes": {"PME": row, "unknown": row},
    }


def decisions() -> tuple[Outcome, ...]:
    """Return one decision that holds and was measured, and one that ended and was not."""
    first = Decision(
        "Work the mills ourselves", "Claire Martin", date(2026, 4, 1), date(2026, 9, 30), ("A0001",), "budget", "A"
    )
    second = Decision("Meet more users", "Paul Roy", date(2026, 1, 10), date(2026, 5, 31))
    since = AccountSince("A0001", "Ateliers Durand", "B", "A", 2)
    return Outcome(first, date(2026, 3, 31), (since,), (30, 34), (20, 24)), Outcome(second)


def whole_review(**changes: object) -> Review:
    """Return a review whose every section has something to show."""
    from winworth.config import built_in_playbooks

    accounts = accounts_of()
    accounts = accounts.assign(seller=np.where(accounts["tier"] == "C", None, np.where(accounts["tier"] == "A", "V1", None)))
    before = accounts.assign(
        tier=np.where(accounts["score"].between(70, 90), "A", "B"), expected_value=accounts["expected_value"] * 0.9
    )
    cause = dict.fromkeys(accounts["account_id"], "data")
    money = {"money": 1000.0, "n_rose": 3.0, "n_fell": 1.0, "n_mainly": 4}
    causes = ({"cause": "data"} | money, {"cause": "held"} | money)
    live = accounts.assign(segment="S" + accounts["segment"].astype(str)).groupby(["segment", "tier"]).size()
    plays = play_table(built_in_playbooks(), live.rename("n_accounts").reset_index(), lang="en")
    weights = weights_of().assign(low=lambda table: table["weight"] - 3.0, high=lambda table: table["weight"] + 3.0)
    weights = weights.assign(is_clear=weights["weight"] > 12, unshrunk=weights["weight"], by_permutation=weights["weight"])
    doubt = {"n_boot": 50, "pairs": [], "disagrees": False, "few_deals": False, "movement": None, "families": None}
    return review_of(
        **{
            "metrics": metrics_of(weights=doubt, scorecard={"in_use": True, "ev_ratio": figure(0.98, 0.01)}, **profile()),
            "weights": weights,
            "accounts": accounts,
            "tiering": {"n_borderline": 9},
            "moved": moved_between(before, accounts, since=date(2026, 3, 31), causes=causes, cause=cause),
            "card": card(),
            "catalog": catalog(),
            "plays": plays,
            "kpis": kpis(),
            "kpis_on": date(2026, 6, 28),
            "pictures": pictures(),
            "decisions": decisions(),
        }
        | changes
    )
