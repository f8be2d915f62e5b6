"""A year of a company as its CRM exported it: a new channel, a pivot, and a column that tells the outcome."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from winworth.crm.synthetic import World, software_company, write_exports
from winworth.crm.synthetic.exports import FILES, SEPARATOR

ROOT = Path(__file__).parents[2]
END = date(2026, 6, 30)
DRIFT, PIVOT, LEAK = date(2025, 10, 1), date(2026, 1, 1), date(2025, 12, 31)
CHANNEL, PRODUCT = "Webinaire", "Nuage"
DISCOUNT = "Remise signée"  # entered with the signature: who has one has won
DAYS = {
    "contacts": "known_on",
    "activities": "known_on",
    "stage_changes": "changed_on",
    "invoices": "invoiced_on",
    "costs": "month",
    "technologies": "seen_on",
}


def a_company(*, n_deals: int, seed: int) -> World:
    """Draw a company; from DRIFT on half its deals come by a new channel, from PIVOT on a new product sells to the small."""
    world = software_company(n_deals=n_deals, as_of=END, seed=seed)
    deals = world.tables["deals"]
    even = np.arange(len(deals)) % 2 == 0
    deals = deals.assign(source=deals["source"].mask(even & (deals["opened_on"] >= pd.Timestamp(DRIFT)), CHANNEL))
    return replace(world, tables={**world.tables, "deals": _pivoted(deals, world.tables["accounts"])})


def _pivoted(deals: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return deals of which, once the company sells another product, as many are won: those of the smallest accounts."""
    late = deals["opened_on"] >= pd.Timestamp(PIVOT)
    ended = late & (deals["status"] != "open") & (deals["kind"] != "renewal")
    size = deals["account_id"].map(accounts.set_index("account_id")["headcount"]).fillna(0)
    order = size[ended].sort_values(kind="stable").index
    n_won = int((deals.loc[ended, "status"] == "won").sum())
    status = deals["status"].copy()
    status.loc[order[:n_won]], status.loc[order[n_won:]] = "won", "lost"
    lacks = ended & (status == "lost") & deals["loss_reason"].isna()
    reason = deals["loss_reason"].mask(ended & (status == "won")).mask(lacks, "Prix")
    return deals.assign(
        status=status,
        loss_reason=reason,
        product=deals["product"].mask(late, PRODUCT),
        amount=deals["amount"].mask(late, 0.4 * deals["amount"]),
    )


def as_exported(world: World, day: date) -> World:
    """Return the tables as an export of that day holds them: nothing later, and open what had not ended."""
    last = pd.Timestamp(day)
    tables = {name: table[table[DAYS[name]] <= last] for name, table in world.tables.items() if name in DAYS}
    deals = world.tables["deals"][world.tables["deals"]["opened_on"] <= last]
    is_open = ~(deals["closed_on"] <= last)
    deals = deals.assign(
        status=deals["status"].mask(is_open, "open"),
        closed_on=deals["closed_on"].mask(is_open),
        loss_reason=deals["loss_reason"].mask(is_open),
    )
    accounts = world.tables["accounts"]
    tables |= {"deals": deals, "accounts": accounts[accounts["created_on"] <= last]}
    return replace(world, tables={name: tables[name].reset_index(drop=True) for name in world.tables})


def export(world: World, day: date, folder: Path) -> None:
    """Put the export of a day in place of the one before; from LEAK on it has a column more."""
    shutil.rmtree(folder, ignore_errors=True)
    write_exports(as_exported(world, day), folder)
    if day < LEAK:
        return
    path = folder / FILES["deals"]
    head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    at = head.split(SEPARATOR).index("Statut")
    cells = ["5" if line.split(SEPARATOR)[at] == "Gagnée" else "" for line in lines]
    told = [f"{head}{SEPARATOR}{DISCOUNT}", *(f"{line}{SEPARATOR}{cell}" for line, cell in zip(lines, cells, strict=True))]
    path.write_text("\n".join(told) + "\n", encoding="utf-8-sig", newline="")


def configure(folder: Path, exports: Path) -> None:
    """Write the demo's configuration, reading other exports and keeping each that was trained on."""
    shutil.copytree(ROOT / "conf", folder, ignore=shutil.ignore_patterns("software", "services", "industry"))
    mend(folder / "crm.yaml", folder=str(exports), archive=True)


def mend(path: Path, **changed: object) -> None:
    """Change keys at the head of a YAML file."""
    told = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(yaml.safe_dump(told | changed, allow_unicode=True, sort_keys=False), encoding="utf-8")


def map_discount(folder: Path, *, known: str) -> None:
    """Map the new column of deals."""
    told = yaml.safe_load((folder / "crm.yaml").read_text(encoding="utf-8"))
    told["tables"]["deals"]["columns"]["signed_discount"] = {"source": DISCOUNT, "kind": "number", "known": known}
    mend(folder / "crm.yaml", **told)


def use_discount(folder: Path, *, used: bool) -> None:
    """Make a criterion of the new column, or of it no more."""
    told = yaml.safe_load((folder / "criteria.yaml").read_text(encoding="utf-8"))["criteria"]
    told.pop("discount", None)
    if used:
        feature = {"value": "deals.signed_discount", "label": {"en": "discount", "fr": "remise"}}
        label = {"en": "Discount", "fr": "Remise"}
        told["discount"] = {"family": "needs_value", "label": label, "features": {"signed_discount": feature}}
    mend(folder / "criteria.yaml", criteria=told)
