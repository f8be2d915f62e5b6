"""What may not be read is listed, and built on purpose only to say what it would have flattered."""

import pandas as pd
import pytest

from winworth.features.refused import refused_columns, refused_features
from winworth.tables import CrmTables, ReadReport


@pytest.fixture
def crm():
    days = pd.to_datetime(pd.Series(["2024-01-01", None])).astype("datetime64[s]")
    deals = pd.DataFrame({"deal_id": ["D0", "D1"], "status": ["won", "open"], "amount": [1.0, 2.0], "closed_on": days})
    deals = deals.assign(signed_on=days, source=["a", "b"])
    accounts = pd.DataFrame({"account_id": ["A0"], "health": [9.0], "sector": ["steel"]})
    known = {
        ("deals", "status"): "at_close",
        ("deals", "closed_on"): "at_close",
        ("deals", "amount"): "at_close",
        ("deals", "signed_on"): "at_close",
        ("deals", "source"): "at_creation",
        ("accounts", "health"): "latest_only",
        ("accounts", "sector"): "latest_only",
        ("activities", "kind"): "latest_only",
    }
    return CrmTables({"deals": deals, "accounts": accounts}, known, ReadReport((), None))


def test_what_is_refused_is_late_or_overwritten_and_not_signed_for_and_never_the_outcome(crm):
    columns = refused_columns(crm, frozenset({("accounts", "sector")}))
    assert columns == [("accounts", "health"), ("deals", "amount"), ("deals", "signed_on")]


def test_what_is_refused_stands_as_the_extract_has_it_and_dates_are_left_out(crm):
    examples = pd.DataFrame({"deal_id": ["D1", "D0", "D1"], "account_id": ["A0", None, "A7"]}, index=[5, 6, 7])
    found = refused_features(examples, crm, refused_columns(crm))
    assert list(found) == ["accounts.health", "accounts.sector", "deals.amount"]
    assert list(found["deals.amount"]) == [2.0, 1.0, 2.0]
    assert found["accounts.health"].fillna(-1).tolist() == [9.0, -1, -1]
    assert list(found.index) == [5, 6, 7]
