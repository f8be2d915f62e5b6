"""What a deal said earlier: a history of changes becomes stage_changes, and deal_versions where it has one column a field."""

import re
from collections.abc import Mapping

from winworth.draft.drafted import DraftColumn, DraftTable
from winworth.draft.look import Look
from winworth.draft.names import plain_words
from winworth.draft.relate import share_met
from winworth.draft.sample import Exported
from winworth.draft.tabled import table_locale

_DEAL = re.compile(r"(opportunity|deal|record|object|affaire|opportunite)( id)?|objectid|opportunityid|record name|id affaire")
_FIELD = re.compile(r"field( event)?|property( name)?|changed field|attribute|champ( modifie)?|propriete")
_VALUE = re.compile(r"new value|(property )?value|nouvelle valeur|valeur|to value")
_DAY = re.compile(r"(created|changed|edit|modified|entered)( date| on| at)?|date( time)?|timestamp|created on|depuis( le)?")
_STAGE_FIELD = re.compile(
    r"(deal|opportunity|sales|pipeline)? ?(stage|stage name|stagename|step name|stepname|phase|etape)|dealstage|salesstage"
)
_STAGE = re.compile(r"(to )?(stage( name)?|deal stage|etape)")
ENOUGH = 0.9


def add_histories(drafted: dict[str, DraftTable], looked: list[tuple[Exported, dict[str, Look]]]) -> dict[str, DraftTable]:
    """Add stage_changes, and deal_versions where a history has one column a field, from files no other table uses."""
    deals = drafted.get("deals")
    key = deals.column("deal_id") if deals is not None else None
    if key is None:
        return drafted
    keys = next(looks for export, looks in looked if export.file == deals.export.file)[key.source]
    used = {table.export.file for table in drafted.values() if table.name not in ("stage_changes", "deal_versions")}
    found: dict[str, DraftTable] = {}
    for export, looks in looked:
        if export.file in used:
            continue
        deal, day = _first(looks, _DEAL, ("id", "level", "number", "text")), _first(looks, _DAY, ("date",))
        if deal is None or day is None or share_met(looks[deal], keys) < ENOUGH:
            continue
        for table in _long(export, looks, deal, day) or _wide(export, looks, deal, day):
            found.setdefault(table.name, table)
    return drafted | {name: table for name, table in found.items() if name not in drafted}


def _first(looks: Mapping[str, Look], pattern: re.Pattern, kinds: tuple[str, ...]) -> str | None:
    return next((h for h, look in looks.items() if look.kind in kinds and pattern.fullmatch(plain_words(h))), None)


def _base(looks: Mapping[str, Look], deal: str, day: str) -> list[DraftColumn]:
    day_look = looks[day].day
    options = {"format": day_look.format or "?"}
    questions = () if day_look.format else (f"Is it {' or '.join(day_look.could_be)}? Write the right one.",)
    return [
        DraftColumn("deal_id", deal, None, None, {}, looks[deal].evidence),
        DraftColumn("changed_on", day, None, None, options, f"{looks[day].evidence}; {day_look.proof}", questions),
    ]


def _long(export: Exported, looks: Mapping[str, Look], deal: str, day: str) -> list[DraftTable]:
    """Draft stage_changes from a history with a row a field; rows of other fields are out of scope, new ones an error."""
    field, value = _first(looks, _FIELD, ("level",)), _first(looks, _VALUE, ("level", "id", "text", "number", "date"))
    if field is None or value is None:
        return []
    words = list(looks[field].counts.index)
    stages = [word for word in words if _STAGE_FIELD.fullmatch(plain_words(word))]
    if not stages:
        return []
    options: dict[str, object] = {"values": {word: "stage" for word in stages}}
    others = [word for word in words if word not in stages]
    options |= {"missing_values": others} if others else {}
    options["missing"] = "out_of_scope"
    columns = [
        DraftColumn("field", field, "level", None, options, f"{looks[field].evidence}; only changes of stage count"),
        *_base(looks, deal, day),
        DraftColumn("stage", value, None, None, {}, looks[value].evidence),
    ]
    asked = (
        f"Changes of {', '.join(map(repr, others[:6]))} have a row each, which no table takes: export them one column a field."
        if others
        else ""
    )
    notes = ("a history has no row for the stage a deal began in, unless the CRM writes one",)
    return [
        DraftTable("stage_changes", export, tuple(columns), known="dated", notes=notes, questions=(asked,) if asked else ())
    ]


def _wide(export: Exported, looks: Mapping[str, Look], deal: str, day: str) -> list[DraftTable]:
    """Draft stage_changes and deal_versions from a history with one column a field."""
    stage = _first(looks, _STAGE, ("level", "id", "text"))
    if stage is None:
        return []
    base = _base(looks, deal, day)
    staged = DraftColumn("stage", stage, None, None, {}, looks[stage].evidence)
    tables = [DraftTable("stage_changes", export, (*base, staged), known="dated")]
    amount, chance = (
        _first(looks, re.compile("amount|montant"), ("number",)),
        _first(looks, re.compile(r"probability( percent)?|probabilite"), ("number",)),
    )
    versions = [staged]
    versions += [DraftColumn("amount", amount, None, None, {}, looks[amount].evidence)] if amount else []
    versions += [DraftColumn("probability", chance, None, None, {}, looks[chance].evidence)] if chance else []
    if amount:
        asked = "Amounts have a history here: deals.amount may say `known: dated`, and features then read what it was."
        locale = table_locale(versions, looks)
        tables.append(DraftTable("deal_versions", export, (*base, *versions), known="dated", locale=locale, questions=(asked,)))
    return tables
