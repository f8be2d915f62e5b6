"""What every fault that costs one row must leave behind."""

from collections.abc import Callable

import pytest
from pandas.testing import assert_frame_equal

from winworth.tables import CrmTables


@pytest.fixture
def expect_put_aside(clean: CrmTables) -> Callable[..., None]:
    """Return a check: one row of deals is in quarantine, rows and amounts are conserved, and the rest is unchanged."""

    def check(tables: CrmTables, rule: str, line: int, raw_line: str, deal_id: str) -> None:
        (row,) = tables.report.quarantine.itertuples(index=False)
        assert (row.table, row.file, row.row, row.rule, row.raw_line) == ("deals", "deals.csv", line, rule, raw_line)
        count = next(count for count in tables.report.files if count.table == "deals")
        assert (count.n_read, count.n_used, count.n_quarantined) == (60, 59, 1)
        amounts = count.amounts["EUR"]
        assert amounts["read"] == amounts["used"] + amounts["quarantined"]
        kept = clean["deals"][clean["deals"]["deal_id"] != deal_id].reset_index(drop=True)
        assert_frame_equal(tables["deals"], kept)
        assert_frame_equal(tables["accounts"], clean["accounts"])

    return check
