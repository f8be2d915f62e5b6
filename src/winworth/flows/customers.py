"""What customers still bring, whatever becomes of their deals: learnt from invoices, judged on a year held out, kept."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.config import Settings
from winworth.crm.snapshot import Snapshot
from winworth.errors import DataError, IntegrityError
from winworth.flows.worth import customer_value, margin_log
from winworth.models.buy_till_die import IRREGULAR, expected_margin, gap_variation
from winworth.models.cqr import coverage_by_group
from winworth.models.purchases import Purchases, net_purchases
from winworth.models.retention import CustomerValue
from winworth.models.value_metrics import chance_behind, compare_values, decile_table, without_model
from winworth.scoring.scorer import as_json
from winworth.scoring.tiers import assign_tiers

_TOTALS = {"total": "total_ratio", "total_low": "total_ratio_low", "total_high": "total_ratio_high"}
HELD_OUT = 12  # months before the as-of date that values are judged on


def learn_customers(snapshot: Snapshot, settings: Settings) -> CustomerValue | None:
    """Learn what customers still bring, or return None where there are no invoices or too few of them."""
    log = margin_log(snapshot.tables.get("invoices"), settings.scoring.value)[0]
    if log is None:
        return None
    try:
        return customer_value(settings).fit(log, as_of=snapshot.as_of)
    except DataError:
        return None


def residual_values(customers: CustomerValue | None, snapshot: Snapshot, settings: Settings) -> pd.DataFrame:
    """Return account_id, value, low and high of each account that was ever invoiced: what it still brings from the day on."""
    log = None if customers is None else margin_log(snapshot.tables.get("invoices"), settings.scoring.value)[0]
    if log is None:
        return pd.DataFrame({"account_id": pd.Series(dtype="str"), "value": 0.0, "low": 0.0, "high": 0.0})
    return customers.predict(log, as_of=snapshot.as_of)


def judge_customers(snapshot: Snapshot, settings: Settings) -> dict | None:
    """Measure values on the last year: learnt from what was known before it, beside what needs no model.

    Returns, for metrics.json, `months`, `n` accounts, `ways` (figures by way of predicting), `deciles`, `challenger` (whether
    one for irregular buyers stands beside, and why), and `coverage_80` of all and by tier; None where there are no invoices,
    or too few before that year.
    """
    then = (pd.Timestamp(snapshot.as_of) - pd.DateOffset(months=HELD_OUT)).date()
    invoices, value = snapshot.tables.get("invoices"), settings.scoring.value
    before = None if invoices is None else invoices[invoices["invoiced_on"] <= pd.Timestamp(then)]
    log, known = margin_log(invoices, value)[0], margin_log(before, value)[0]  # a missing margin is filled by its own past
    if known is None:
        return None
    model = customer_value(settings).set_params(months=HELD_OUT)
    try:
        told = model.fit(known, as_of=then).predict(known, as_of=then).set_index("account_id")
    except DataError:
        return None
    came = _came(log, then, value.yearly_discount).reindex(told.index).fillna(0.0).to_numpy()
    purchases = net_purchases(known, as_of=then)
    challenger, rival_says = _challenger(purchases)
    ways = {"ours": told["value"].to_numpy()} | challenger | without_model(purchases, months=HELD_OUT)
    measured = compare_values(came, ways, seed=settings.training.seed, n_boot=settings.training.n_boot)
    last = ways["last 12 months"]
    behind = chance_behind(came, ways["ours"], last, seed=settings.training.seed, n_boot=settings.training.n_boot)
    deciles = decile_table(came, ways["ours"]).reset_index()
    tier = assign_tiers(told["value"], pd.Series(told.index, told.index), shares=settings.scoring.tiers)
    return {
        "months": HELD_OUT,
        "n": len(told),
        "ways": {way: _plain(row) for way, row in measured.rename(columns=_TOTALS).iterrows()},
        "deciles": [_plain(row) for row in deciles.to_dict("records")],
        "coverage_80": _coverage(came, told, tier.to_numpy()),
        "behind_last_12_months": behind,
        "challenger": rival_says,
        "basis": model.basis_,
    }


def _challenger(purchases: Purchases) -> tuple[dict[str, np.ndarray], str]:
    """Return what BG/NBD and Gamma-Gamma expect where gaps are irregular enough for them, and a sentence on it either way."""
    variation = gap_variation(purchases)
    if not variation >= IRREGULAR:
        told = "are not known" if np.isnan(variation) else f"vary by {variation:.2f}"
        return {}, f"gaps between purchases {told}, and BG/NBD + Gamma-Gamma needs {IRREGULAR:g}: it does not stand beside"
    value, fallback = expected_margin(purchases, weeks=HELD_OUT * 365.25 / 12 / 7)
    said = f"gaps between purchases vary by {variation:.2f}: BG/NBD + Gamma-Gamma stands beside"
    return {"BG/NBD + Gamma-Gamma": value}, said + (f" ({fallback})" if fallback else "")


def _came(log: pd.DataFrame, then: object, yearly_discount: float) -> pd.Series:
    """Return what each account brought after a day, discounted to it, credit notes netted."""
    later = log[log["invoiced_on"] > pd.Timestamp(then)]
    years = (later["invoiced_on"] - pd.Timestamp(then)).dt.days / 365.25
    return (later["margin"] * (1 + yearly_discount) ** -years).groupby(later["account_id"]).sum().clip(lower=0)


def _coverage(came: np.ndarray, told: pd.DataFrame, tier: np.ndarray) -> dict[str, dict] | None:
    """Return by tier, and for all, the share of accounts whose margin lay in its interval, and how many there are."""
    if told["low"].isna().all():
        return None
    ends = (told["low"].to_numpy(), told["high"].to_numpy())
    found = coverage_by_group(came, ends, np.full(len(came), "all")) | coverage_by_group(came, ends, tier)
    return {str(name): {"value": share, "n": n} for name, (share, n) in found.items()}


def _plain(row: Mapping) -> dict:
    return {str(name): (float(value) if np.isfinite(value) else None) for name, value in row.items()}


def customers_files(customers: CustomerValue | None) -> dict[str, bytes]:
    """Return the model version's files on customers: JSON and LightGBM's text, no pickle; none where nothing was learnt."""
    files = {} if customers is None else customers.to_files("customers")
    return {name: (value if isinstance(value, str) else as_json(value)).encode() for name, value in files.items()}


def read_customers(contents: Mapping[str, bytes]) -> CustomerValue | None:
    """Rebuild what `customers_files` wrote from the verified files of a model version; None where there is nothing."""
    own = {name: content.decode() for name, content in contents.items() if name.startswith("customers")}
    if not own:
        return None
    try:
        return CustomerValue.from_files({n: json.loads(c) if n.endswith(".json") else c for n, c in own.items()}, "customers")
    except KeyError as error:
        raise IntegrityError(
            f"The version's files on customers lack {error}: another winworth wrote them. Train a version and promote it."
        ) from error
