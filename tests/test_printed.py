"""What a terminal shows of a report."""

import pytest

from winworth.printed.report import Report, plain_table, printed


@pytest.mark.parametrize("width", [20, 24, 33, 47])
def test_no_line_of_a_terminal_parts_a_number_from_its_thousands_or_its_unit(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    amount, share = "6\u202f481\u00a0€", "17,8\u00a0%"
    table = plain_table("T", ["what", "how much"])
    table.add_row("sum", amount)
    printed(Report([f"lignes effectives {amount} et {share} de plus " * 6, table], {}))
    said = capsys.readouterr().out
    assert said.count(amount) == 7 and said.count(share) == 6
