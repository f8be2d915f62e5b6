"""A starter criteria.yaml: size, sector, revenue potential, signs of intent, roles of deciders, as the data serve them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from winworth.draft.drafted import UNSURE, Draft, DraftColumn, DraftTable
from winworth.draft.names import plain_words
from winworth.draft.paper import scalar

_HEAD = """\
# Drafted by `winworth init`: criteria that leadership can name, measured by what the files hold. Rename, regroup, remove.
# A feature on a column that crm.yaml calls latest_only or at_close is refused by `winworth check`: answer the question there,
# or take the feature out here. `direction: up` (more can only help) or `down` keeps a model from learning the contrary.
# Owners and sellers are no features: they confound who works an account with how good it is.
"""


@dataclass(frozen=True)
class Theme:
    """A criterion to look for: its name, family, labels, and the words of the headers that may measure it."""

    name: str
    family: str
    en: str
    fr: str
    words: str


_THEMES = (
    Theme(
        "company_size",
        "firmographic",
        "Company size",
        "Taille de l'entreprise",
        r"size|employees?|headcount|effectifs?|taille|salaries|(annual )?revenue|turnover|chiffre d affaires"
        r"|seats|balance sheet|bilan",
    ),
    Theme("sector", "firmographic", "Sector", "Secteur", r"sector|industry|secteur|branche|vertical|naf"),
    Theme("territory", "firmographic", "Territory", "Territoire", r"country|pays|region|territor\w+|office location"),
    Theme(
        "revenue_potential",
        "needs_value",
        "Revenue potential",
        "Potentiel de chiffre d'affaires",
        r"budge?t|amount|montant|potential|potentiel|value|price|prix|deal size",
    ),
    Theme(
        "need",
        "needs_value",
        "Need",
        "Besoin",
        r"product|produit|needs?|besoin|scope|supplies|series|gamme|solution|competitors?|concurrents?",
    ),
    Theme(
        "decision_makers",
        "purchase_maturity",
        "Decision makers",
        "Décideurs",
        r"authority|decider|decision|decideurs?|pouvoir|buyer",
    ),
    Theme("source", "behavioural", "Source", "Origine", r"source|origine?|channel|canal|route|referral|campaign|provenance"),
)
_NOT_OF_A_COMPANY = re.compile(r"past|previous|passe|precedent|\b(deal|affaire|opportunity)\b")
_SIGNALS = ("meeting", "email_reply", "page_view")
_SHOWN_WAITING = 60


def criteria_yaml(draft: Draft) -> str:
    """Write criteria for what the draft maps; columns that no criterion reads are listed at the end."""
    blocks: list[str] = []
    used: set[tuple[str, str]] = set()
    for theme in _THEMES:
        features = [*_of_columns(draft, theme, used), *_of_events(draft, theme.name)]
        blocks += _block(theme.name, theme.family, theme.en, theme.fr, features) if features else []
    for name, family, en, fr in _FROM_EVENTS:
        features = _of_events(draft, name)
        blocks += _block(name, family, en, fr, features) if features else []
    head = _HEAD + ("\ncriteria:\n" if blocks else "\ncriteria: {}\n")
    return head + "\n".join(blocks) + ("\n" if blocks else "") + _waiting(draft, used)


_FROM_EVENTS = (
    ("engagement", "behavioural", "Signs of intent", "Signaux d'intention"),
    ("technologies", "technographic", "Technologies", "Technologies"),
    ("past_business", "purchase_maturity", "Past business", "Historique commercial"),
    ("deal_timing", "context", "Timing of the deal", "Moment de l'affaire"),
)


def _block(name: str, family: str, en: str, fr: str, features: list[tuple[str, str]]) -> list[str]:
    lines = [f"  {name}:", f"    family: {family}", f"    label: {{en: {scalar(en)}, fr: {scalar(fr)}}}", "    features:"]
    return [*lines, *(f"      {feature}: {{{spec}}}" for feature, spec in features), ""]


def _of_columns(draft: Draft, theme: Theme, used: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the features of a theme that read columns of deals and accounts, each column once."""
    found = []
    names = {pair[1] for pair in used}
    for table, column in _readable(draft):
        words = f"{plain_words(column.name)} {plain_words(column.source)}"
        if (table.name, column.name) in used or not re.search(rf"\b({theme.words})\b", words):
            continue
        if theme.name == "company_size" and _NOT_OF_A_COMPANY.search(words):
            continue
        feature = column.name if column.name not in names else f"{table.name}_{column.name}"
        names.add(column.name)
        used.add((table.name, column.name))
        found.append((feature, f"value: {table.name}.{column.name}"))
    return found


def _readable(draft: Draft) -> Iterable[tuple[DraftTable, DraftColumn]]:
    """Yield the columns of accounts and deals that a feature may read, once their question is answered."""
    for name in ("accounts", "deals"):
        table = draft.table(name)
        if table is None:
            continue
        joined = [column for join in table.joins for column in join.columns]
        for column in [*table.columns, *joined]:
            if column.known == UNSURE:
                yield table, column


def _of_events(draft: Draft, name: str) -> list[tuple[str, str]]:
    deals, activities, contacts = draft.table("deals"), draft.table("activities"), draft.table("contacts")
    if name == "decision_makers" and contacts is not None and "role" in contacts:
        roles = _levels(contacts.column("role"))
        counted = [("deciders_known", "count: contacts, where: {role: decider}, direction: up")] if "decider" in roles else []
        return [*counted, ("roles_known", "distinct: contacts.role, direction: up")]
    if name == "engagement" and activities is not None:
        kinds = [kind for kind in _SIGNALS if kind in _levels(activities.column("kind"))]
        where = f", where: {{kind: [{', '.join(kinds)}]}}" if kinds else ""
        return [
            ("signals_90d", f"count: activities{where}, within_days: 90, direction: up"),
            ("days_since_signal", f"days_since_last: activities{where}, direction: down"),
        ]
    if name == "technologies" and draft.table("technologies") is not None:
        return [("n_technologies", "distinct: technologies.technology, direction: up")]
    if name == "past_business":
        return _past(draft, deals)
    if name == "deal_timing" and deals is not None and "opened_on" in deals:
        staged = [("stage", "value: stage_changes.stage, by: deal")] if draft.table("stage_changes") is not None else []
        return [("deal_age", "value: example.age_days"), ("season", "value: example.quarter"), *staged]
    return []


def _past(draft: Draft, deals: DraftTable | None) -> list[tuple[str, str]]:
    found = []
    if deals is not None and {"account_id", "closed_on", "opened_on"} <= {column.name for column in deals.columns}:
        found = [
            ("deals_won_before", "deals_won: accounts, within_days: 730"),
            ("deals_lost_before", "deals_lost: accounts, within_days: 730"),
        ]
    if draft.table("invoices") is not None and (deals is None or "opened_on" in deals):
        found.append(("invoiced_1y", "invoiced: accounts, within_days: 365"))
    return found


def _levels(column: DraftColumn | None) -> set[str]:
    if column is None:
        return set()
    return {str(level) for option in ("values", "aliases") for level in dict(column.options.get(option, {})).values()}


def _waiting(draft: Draft, used: set[tuple[str, str]]) -> str:
    left = [f"{table.name}.{column.name}" for table, column in _readable(draft) if (table.name, column.name) not in used]
    if not left:
        return ""
    lines = [
        "",
        "# Columns that no criterion reads yet. Each would be, below a criterion of yours:  NAME: {value: TABLE.COLUMN}",
    ]
    return "\n".join([*lines, *(f"#   {name}" for name in left[:_SHOWN_WAITING])]) + "\n"
