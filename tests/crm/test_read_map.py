"""The map is held to: what it asks beyond the contract is refused, and its look-ups and `known` are obeyed."""

import pytest

from winworth.crm.mapping import ColumnMap, Join
from winworth.errors import ConfigError, DataError


def _with_regions(exports, rows: list[str], **options) -> None:
    exports.write("regions.csv", "\n".join(["Sector name,Region,Rank", *rows]))
    added = {"region": ColumnMap("Region"), "rank": ColumnMap("Rank", kind="number", known="at_creation")}
    exports.option("accounts", joins=(Join("regions.csv", {"sector": "Sector name"}, added, **options),))


def test_a_look_up_adds_columns_and_names_what_it_does_not_find(exports):
    _with_regions(exports, ["retail,North,1"])
    tables = exports.read()
    accounts = tables["accounts"]
    assert accounts.loc[accounts["sector"] == "retail", "region"].eq("North").all()
    assert accounts.loc[accounts["sector"] == "steel", ["region", "rank"]].isna().all(axis=None)
    assert accounts["rank"].dtype == "float64"
    assert any('accounts: 5 rows find no sector in regions.csv: "steel" (5).' in text for text in tables.report.warnings)
    assert tables.known == {("accounts", "rank"): "at_creation"}


def test_a_look_up_with_a_key_twice_is_refused(exports):
    _with_regions(exports, ["retail,North,1", "steel,South,2", "retail,West,3"])
    with pytest.raises(DataError, match='regions.csv, line 2 and regions.csv, line 4: sector "retail" stands twice'):
        exports.read()


def test_known_is_a_default_for_the_columns_of_an_event_table(exports):
    exports.option("activities", known="at_creation")
    exports.column("activities", "kind", known="latest_only")
    exports.column("accounts", "sector", known="at_creation")
    known = exports.read().known
    assert known["activities", "kind"] == "latest_only"
    assert known["activities", "account_id"] == "at_creation"
    assert known["accounts", "sector"] == "at_creation"
    assert ("accounts", "name") not in known


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("deals", {"known": "at_creation"}, "deals.known: only a table of events"),
        ("deals", {"separator": ""}, "separator '' and quote"),
        ("deals", {"locale": "frr"}, "deals.locale is 'frr'. Did you mean fr"),
        (
            "accounts",
            {"columns": {"name": ColumnMap("name")}},
            r"accounts lacks the columns account_id. Map them in conf/crm.yaml",
        ),
        (
            "accounts",
            {"columns": {"account_id": ColumnMap("account_id"), "secter": ColumnMap("sector")}},
            "Did you mean sector",
        ),
        ("activities", {"key": True, "columns": {}}, "activities lacks the columns account_id, kind, happened_on"),
    ],
)
def test_a_map_that_breaks_the_contract_is_refused(exports, table, options, message):
    exports.option(table, **options)
    with pytest.raises(ConfigError, match=message):
        exports.read()


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        ("amount", {"kind": "level"}, "amount is a number in every company"),
        ("status", {"values": {"won": "Won"}}, "values: 'Won' is none of won, lost, open"),
        ("amount", {"known": "later"}, "known is 'later'"),
        ("opened_on", {"format": "%H:%M"}, "date format '%H:%M' is not understood"),
    ],
)
def test_a_column_that_breaks_the_contract_is_refused(exports, column, options, message):
    exports.column("deals", column, **options)
    with pytest.raises(ConfigError, match=message):
        exports.read()


def test_an_unknown_table_is_refused_with_the_nearest(exports):
    exports.tables["acounts"] = exports.tables["accounts"]
    with pytest.raises(ConfigError, match="There is no table acounts .* Did you mean accounts"):
        exports.read()


def test_deals_are_needed(exports):
    exports.tables.pop("deals")
    with pytest.raises(ConfigError, match="The table deals is needed"):
        exports.read()


def test_a_look_up_on_a_number_is_refused(exports):
    exports.option("deals", joins=(Join("x.csv", {"amount": "Amount"}, {"product": ColumnMap("Product")}),))
    with pytest.raises(ConfigError, match="x.csv is joined on amount, a number"):
        exports.read()
