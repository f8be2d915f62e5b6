"""People's names, e-mail addresses and phone numbers stay outside, and are masked in what is written word for word."""

import pytest

from winworth.crm.masking import without_people
from winworth.errors import ConfigError, DataError
from winworth.features.build import check_catalog
from winworth.features.catalog import Catalog, Criterion, Feature

ADDRESSES = [
    "anne.roy@acme.fr",
    "06 12 34 56 78",
    "+33 6 12 34 56 78",
    "+33(0)6.12.34.56.78",
    "0033612345678",
    "(555) 123-4567",
]
NO_ADDRESSES = [
    "1 250,50",
    "2026-06-30",
    "30/06/2025",
    "A000463",
    "12345678",
    "00123",
    "732 829 320 00074",
    "0,0612345678",
    "1.23E+11",
]
CONTACTS = ["contact_id,account_id,known_on,Prénom,E-mail,seat", "C1,A001,2024-01-02,Anne,anne@acme.fr,4"]


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_masked_wherever_it_stands(text):
    for line in (text, f"D1;{text};12", f'"{text}"', f"call {text}, please"):
        assert text not in without_people(line)
        assert "(e-mail)" in without_people(line) or "(phone)" in without_people(line)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_stays(text):
    assert without_people(f"D1;{text};x") == f"D1;{text};x"


def test_a_long_line_without_an_address_is_looked_at_in_no_time():
    assert without_people("a" * 2_000_000) == "a" * 2_000_000


def with_contacts(exports, *lines: str):
    exports.add("contacts", [CONTACTS[0], *(lines or CONTACTS[1:])])
    for column, source in (("first", "Prénom"), ("mail", "E-mail"), ("seat", "seat")):
        exports.column("contacts", column, source=source, kind="level", known="dated")
    columns = {name: rule for name, rule in exports.tables["contacts"].columns.items() if name not in ("Prénom", "E-mail")}
    exports.option("contacts", columns=columns)


def test_columns_that_name_or_reach_people_are_dropped_and_told(exports):
    with_contacts(exports)
    crm = exports.read()
    assert list(crm["contacts"]) == ["contact_id", "account_id", "known_on", "seat"]
    told = [warning for warning in crm.report.warnings if "was dropped" in warning]
    assert len(told) == 2 and "personal: true" in told[0]


def test_a_column_is_kept_on_purpose(exports):
    with_contacts(exports)
    exports.column("contacts", "mail", personal=True)
    assert exports.read()["contacts"]["mail"].tolist() == ["anne@acme.fr"]


def test_addresses_are_told_by_their_values_in_any_table(exports):
    header, *deals = exports.lines["deals"]
    exports.add("deals", [f"{header},buyer", *(f"{line},person{at}@acme.fr" for at, line in enumerate(deals))])
    exports.column("deals", "buyer", kind="level", known="at_creation")
    crm = exports.read()
    assert "buyer" not in crm["deals"]
    assert any("deals.buyer holds e-mail addresses" in warning for warning in crm.report.warnings)


def test_quarantine_holds_no_address_and_no_line_of_a_contact(exports):
    with_contacts(
        exports,
        *CONTACTS[1:] * 1,
        "C2,A001,2024-02-30,Paul,paul@acme.fr,2",
        *(f"C{k},A001,2024-01-02,,,1" for k in range(3, 60)),
    )
    exports.spoil("deals", 3, "D001,A001,won,x@y.org,2024-01-02,2024-04-02")
    crm = exports.read()
    written = crm.report.quarantine.to_csv()
    assert len(crm.report.quarantine) == 2
    assert "@" not in written and "Paul" not in written
    assert "D001,A001,won,(e-mail),2024-01-02" in written


def test_an_error_shows_no_address(exports):
    for at in range(2, 40):
        exports.spoil("deals", at, f"D{at:03d},A001,won,someone{at}@acme.fr,2024-01-02,2024-04-02")
    with pytest.raises(DataError) as caught:
        exports.read()
    assert "@" not in str(caught.value) and "(e-mail)" in str(caught.value)


def test_the_seller_is_no_feature_unless_someone_signs(exports):
    header, *deals = exports.lines["deals"]
    exports.add("deals", [f"{header},owner_id", *(f"{line},V{at % 3}" for at, line in enumerate(deals))])
    exports.column("deals", "owner_id", known="at_creation")
    crm = exports.read()
    seller = Criterion("firmographic", {"en": "Seller", "fr": "Vendeur"}, {"seller": Feature(value="deals.owner_id")})
    with pytest.raises(ConfigError, match=r"reads deals\.owner_id: it would score accounts by who works them.*leak_waivers"):
        check_catalog(Catalog({"seller": seller}), crm)
    try:
        check_catalog(Catalog({"seller": seller}), crm, frozenset({("deals", "owner_id")}))
    except ConfigError as error:
        assert "works them" not in str(error)
