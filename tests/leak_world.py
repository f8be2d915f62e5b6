"""A company with eleven features of which eight leak, as its CRM would export it on any day."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from winworth.crm.archive import Extract
from winworth.crm.outcomes import attach_outcomes
from winworth.crm.snapshot import take_snapshot
from winworth.crm.synthetic import software_company
from winworth.features.build import build_features
from winworth.features.catalog import Catalog, Criterion, Feature
from winworth.features.examples import training_examples
from winworth.tables import TABLES, CrmTables, ReadReport

END = date(2026, 6, 30)
EARLIER = END - timedelta(days=91)
CLEAN = ("acts_as_of", "account_win_rate_as_of", "deal_number")
LEAKS = (
    "acts_all_time",
    "headcount_filled_at_win",
    "current_stage",
    "days_since_modified",
    "life_to_modified",
    "amount_negotiated",
    "n_invoices",
    "account_win_rate_full",
)
# What someone would write who takes the export at its word: each column "at_creation".
DECLARED = {
    "acts_as_of": Feature(count="activities", by="deal"),
    "account_win_rate_as_of": Feature(share="deals", where={"status": "won"}),
    "deal_number": Feature(value="deals.number"),
    "headcount_filled_at_win": Feature(value="accounts.headcount"),
    "current_stage": Feature(value="deals.stage"),
    "days_since_modified": Feature(value="deals.days_since_modified"),
    "life_to_modified": Feature(value="deals.life_days"),
    "amount_negotiated": Feature(value="deals.amount"),
}
CATALOG = Catalog({"all": Criterion("behavioural", {"en": "All"}, DECLARED)})


@dataclass(frozen=True)
class Company:
    """All that ever happened, and which accounts had their headcount entered without having bought."""

    tables: dict[str, pd.DataFrame]
    has_headcount: pd.Series

    def extract(self, day: date) -> Extract:
        """Return what the CRM exports on a day: its present state, the past overwritten."""
        now, tables = pd.Timestamp(day), {}
        for name, frame in self.tables.items():
            happened = TABLES[name].happened_on or {"deals": "opened_on", "accounts": "created_on", "costs": "month"}[name]
            known = frame[["known_on", happened]].max(axis=1) if "known_on" in frame else frame[happened]
            tables[name] = frame[known <= now].reset_index(drop=True)
        tables["deals"] = self._deals(tables, now)
        won = tables["deals"].loc[tables["deals"]["status"] == "won", "account_id"]
        accounts = tables["accounts"]
        is_filled = accounts["account_id"].isin(won) | accounts["account_id"].map(self.has_headcount)
        tables["accounts"] = accounts.assign(headcount=accounts["headcount"].where(is_filled))
        known = {(name, column): "dated" for name, frame in tables.items() for column in frame if TABLES[name].is_event}
        known |= {(name, column): "at_creation" for name in ("deals", "accounts") for column in tables[name]}
        return Extract(CrmTables(tables, known, ReadReport((), pd.DataFrame())), day)

    def _deals(self, tables: dict[str, pd.DataFrame], now: pd.Timestamp) -> pd.DataFrame:
        deals = tables["deals"]
        is_open = ~(deals["closed_on"] <= now)
        stage = tables["stage_changes"].sort_values("changed_on").groupby("deal_id")["stage"].last()
        stage = deals["deal_id"].map(stage).astype("str").where(is_open, "closed " + deals["status"])
        touched = deals["deal_id"].map(tables["activities"].groupby("deal_id")["happened_on"].max())
        modified = pd.concat([deals["opened_on"], touched, deals["closed_on"].where(~is_open)], axis=1).max(axis=1)
        return deals.assign(
            status=deals["status"].where(~is_open, "open"),
            closed_on=deals["closed_on"].where(~is_open),
            amount=deals["amount"].where(~is_open, deals["budget"]),
            loss_reason=deals["loss_reason"].where(~is_open),
            stage=stage,
            days_since_modified=(now - modified).dt.days.astype(float),
            life_days=(modified - deals["opened_on"]).dt.days.astype(float),
        )


def company(seed: int, n_deals: int = 600) -> Company:
    """Draw the company; its deals are numbered in the order in which they were opened."""
    tables = dict(software_company(n_deals=n_deals, as_of=END, seed=seed).tables)
    tables["deals"] = tables["deals"].assign(number=np.arange(len(tables["deals"]), dtype=float))
    ids = tables["accounts"]["account_id"]
    return Company(tables, pd.Series(np.random.default_rng(seed).random(len(ids)) < 0.1, index=ids))


def observe(extract: Extract) -> pd.DataFrame:
    """List the examples of an extract with what became of them."""
    snapshot = take_snapshot(extract.crm, as_of=extract.as_of)
    return attach_outcomes(training_examples(snapshot, exclude_kinds=("renewal",)), snapshot)


def build(extract: Extract, rows: pd.DataFrame) -> pd.DataFrame:
    """Measure all eleven: eight as declared, and three that a script counts in the export without asking for a day."""
    measured = build_features(rows, take_snapshot(extract.crm, as_of=extract.as_of), CATALOG)
    crm = extract.crm
    ended = crm["deals"][crm["deals"]["status"] != "open"]
    rate = (ended["status"] == "won").groupby(ended["account_id"]).mean()
    counts = {name: crm[name].groupby(key).size() for name, key in (("activities", "deal_id"), ("invoices", "account_id"))}
    return measured.assign(
        acts_all_time=rows["deal_id"].map(counts["activities"]).fillna(0.0).to_numpy(),
        n_invoices=rows["account_id"].map(counts["invoices"]).fillna(0.0).to_numpy(),
        account_win_rate_full=rows["account_id"].map(rate).to_numpy(),
    )
