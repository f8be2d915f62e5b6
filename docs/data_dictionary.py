"""Write data-dictionary.md from the contract of the tables: `make docs`; a test holds that the committed page is current."""

from pathlib import Path

from winworth.tables import TABLES, Column, Table

PAGE = Path(__file__).with_name("data-dictionary.md")
CUT_BY_DAY = (("deals", "status"), ("deals", "opened_on"), ("deals", "closed_on"))
TABLE_MEANINGS = {
    "deals": "one row an attempt to sell. A row that is open has no end; one that ended has its day.",
    "accounts": "one row a company that is sold to or might be. Without it scores are of open deals alone.",
    "contacts": "one row a person at an account, by role. Switches on decision makers, personas and `committee`.",
    "activities": "one row a call, mail, meeting, page view or other signal. Switches on engagement, no-shows, hours.",
    "stage_changes": "one row each time a deal entered a stage. Switches on the check `beats_stage`.",
    "deal_versions": "what a deal said from a day on: the history that makes a column of deals `dated`.",
    "account_versions": "what an account said from a day on: the history that makes a column of accounts `dated`.",
    "invoices": "one row an invoice or credit note (negative). Switches on lifetime value, residual value and churn.",
    "rates": "what a unit of a currency is worth in the company's own, from a day on. Needed with several currencies.",
    "costs": "what sales and marketing cost, by month. Switches on acquisition cost.",
    "technologies": "one row a technology seen at an account. Switches on technographic criteria.",
}
MEANINGS = {
    "account_id": "whose it is: the key of accounts",
    "activity_id": "its key",
    "amount": "money, without tax, in `currency`",
    "accounts.created_on": "the day it was entered; before it, its facts were not known",
    "accounts.business_model": "how it earns its money, in your words",
    "accounts.country": "where it is",
    "accounts.name": "what people call it; shown, and read by no feature unless you declare one",
    "accounts.parent_id": "the account above it; a circle is refused",
    "accounts.region": "where it is, more closely",
    "accounts.sector": "what it does, in your words",
    "activities.contact_id": "with whom",
    "activities.deal_id": "about which deal; empty before there is one",
    "activities.happened_on": "its day",
    "activities.hours": "seller hours it took",
    "activities.kind": "meeting, call, page_view, ... in your words; `meeting` is what no-shows are counted among",
    "activities.known_on": "the day it was entered; a feature does not see it earlier",
    "activities.outcome": "of a meeting: held, no_show, cancelled",
    "balance_sheet": "total of the balance sheet; one of the figures that size class is derived from",
    "business_model": "how the account earns its money",
    "changed_on": "the day from which it holds",
    "contacts.contact_id": "its key: a number, not a name",
    "contacts.known_on": "the day the contact was entered",
    "contacts.role": "decider, influencer, buyer, user, it, finance, legal: what plays speak to",
    "contacts.seniority": "how high, in your words",
    "costs.amount": "what was spent in the month",
    "costs.item": "on what",
    "costs.month": "the first day of the month",
    "country": "where the account is",
    "currency": "the ISO code; the company's own where it is not mapped",
    "deal_id": "the key of deals",
    "deals.amount": "what it was sold for; often known `at_close`",
    "deals.closed_on": "the day it was won or lost; the day somebody expects is no end",
    "deals.group_id": "rows that belong together (an import, a tender): never parted between learning and testing",
    "deals.kind": "new, renewal, upsell; `win.exclude_kinds` leaves renewals out of the win model",
    "deals.modified_on": "which of two rows of one key is the later; no feature may read it",
    "accounts.modified_on": "which of two rows of one key is the later; no feature may read it",
    "deals.opened_on": "the day the attempt began; entered late, it is that day all the same",
    "deals.owner_id": "the seller: shares out accounts, and is no feature unless someone signs",
    "deals.status": "how it stands",
    "headcount": "persons employed",
    "invoices.amount": "money without tax; negative for a credit note",
    "invoices.invoice_id": "its key",
    "invoices.invoiced_on": "its day",
    "invoices.margin": "gross margin in money; without it `value.margin_rate` stands in",
    "kind": "new, renewal, upsell",
    "probability": "the chance that the CRM or the seller gave, 0-1 or in per cent: a rival to be measured against",
    "product": "what is sold",
    "rates.rate": "units of the company's currency for one unit",
    "rates.valid_on": "the day from which it holds",
    "region": "where the account is, more closely",
    "revenue": "the account's own turnover a year",
    "sector": "what the account does",
    "size_class": "TPE, PME, ETI or GE by INSEE's thresholds; derived where it is not mapped",
    "source": "where the deal came from",
    "stage": "where it stands in your sales process",
    "technologies.seen_on": "the day it was first seen; a feature does not see it earlier",
    "technology": "its name",
}
HEAD = """\
# Data dictionary

Written by `make docs` from `src/winworth/tables.py`; do not edit. In [crm.yaml](../conf/crm.yaml) each column is winworth's
name, then the header in your export at `source`. What your exports lack is left out, and what needs it says so.

- **kind**: `id` and `level` are text as written (a postcode is a `level`: 06010 is no number), `number` and `date` are read by
  the declared `locale`. A column of your own needs its `kind`; a canonical one has it.
- **known** says when a cell could be known, and every column that a feature reads needs it: `at_creation` (stands from the
  first day and does not change), `dated` (a dated history exists), `latest_only` (overwritten in place), `at_close` (entered
  when the deal ended). A feature may read the first two. `latest_only` needs a signature in `leak_waivers.yaml`; `at_close` is
  read by no feature of the deal itself. In doubt, say the later one: a column too few costs little, a leak the whole ranking.
- An event counts from its day, or from the day it was entered where that is later (`known_on`).
- **Needed** columns must be mapped where the table is. Of a row without one, the row is put aside in quarantine.
"""
FOOT = """\
## What comes out

The columns of `account_scores` and `deal_scores` are explained in the
[README](../README.md#what-a-column-of-account_scores-means); the French words for them are in the [glossary](glossaire.md).
"""


def written() -> str:
    """Return the page as the contract of the tables has it now."""
    return "\n".join([HEAD, *(_section(table) for table in TABLES.values()), FOOT])


def _section(table: Table) -> str:
    facts = ["needed" if table.required else "optional"]
    facts += [f"key `{table.key}`"] if table.key else []
    facts += [f"events, by `{table.happened_on}`"] if table.happened_on else ["no events: each column says when it is known"]
    lines = [f"## {table.name}", "", f"{TABLE_MEANINGS[table.name][:1].upper()}{TABLE_MEANINGS[table.name][1:]}"]
    lines += [f"({'; '.join(facts)})", "", "| column | kind | needed | known | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(table, name, column) for name, column in table.columns.items()), ""])


def _row(table: Table, name: str, column: Column) -> str:
    meaning = MEANINGS.get(f"{table.name}.{name}") or MEANINGS[name]
    levels = f": {', '.join(f'`{level}`' for level in column.levels)}" if column.levels else ""
    cells = (f"`{name}`", column.kind, "needed" if column.required else "", _known(table, name, column), meaning + levels)
    return f"| {' | '.join(cells)} |"


def _known(table: Table, name: str, column: Column) -> str:
    if (table.name, name) in CUT_BY_DAY:
        return "cut by day, whatever is said"
    if column.kind in ("id", "date") and name != "owner_id":
        return ""
    if table.name in ("rates", "costs"):
        return "read by no feature"
    return "with its row: `known: dated` for the table" if table.is_event else "yours to say"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
