"""An extract cut into parts: every row once, accounts whole, and named by the row of the file it came from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.crm.mapping import CrmMap
from winworth.crm.parts import n_accounts, read_part, split_extract
from winworth.crm.seen_keys import seen_keys
from winworth.crm.seen_whole import account_for, refuse_shares, without_empty
from winworth.errors import ConfigError, DataError


@pytest.fixture
def cut(exports, tmp_path):
    """Return a function that writes the exports as Parquet, cuts them and reads all parts, changed tables first."""
    n_cut = iter(range(99))

    def run(accounts_at_once=4, **changed):
        folder = tmp_path / f"cut{next(n_cut)}"
        (folder / "scratch").mkdir(parents=True)
        for name, lines in exports.lines.items():
            frame = pd.DataFrame([line.split(",") for line in lines[1:]], columns=lines[0].split(","), dtype="str")
            frame = changed.get(name, lambda same: same)(frame)
            frame.mask(frame == "").to_parquet(folder / f"{name}.parquet")
        tables = {name: replace(table_map, file=f"{name}.parquet") for name, table_map in exports.tables.items()}
        mapping = CrmMap("Test", tables, folder=str(folder))
        parts = split_extract(mapping, root=Path("/"), scratch=folder / "scratch", accounts_at_once=accounts_at_once)
        return parts, [read_part(parts, at, threads=1) for at in range(len(parts.folders))]

    return run


def test_every_row_is_in_one_part_with_all_others_of_its_account(cut, clean):
    parts, read = cut()
    assert len(read) == 3
    for name, frame in clean.tables.items():
        found = pd.concat([crm[name] for crm in read]).sort_values(list(frame), ignore_index=True)
        pd.testing.assert_frame_equal(found, frame.sort_values(list(frame), ignore_index=True))
    for name in ("deals", "activities"):
        assert all(set(crm[name]["account_id"]) <= set(crm["accounts"]["account_id"]) for crm in read)
    assert sum(count.n_read for crm in read for count in crm.report.files) == 130
    assert {count.file for count in read[0].report.files} == {"accounts.parquet", "deals.parquet", "activities.parquet"}


def test_a_part_without_a_row_of_a_table_keeps_the_table(cut):
    _, read = cut(activities=lambda frame: frame[frame["account_id"] == "A003"])
    assert sorted(len(crm["activities"]) for crm in read) == [0, 0, 6]


def test_a_faulty_row_is_named_by_its_place_in_the_extract(cut):
    _, read = cut(deals=lambda frame: frame.assign(amount=frame["amount"].where(frame.index != 41, "much")))
    put_aside = pd.concat([crm.report.quarantine for crm in read])
    assert put_aside[["file", "row", "value"]].values.tolist() == [["deals.parquet", 42, "much"]]
    assert "winworth" not in put_aside["raw_line"].iloc[0] and "deal_id=D041" in put_aside["raw_line"].iloc[0]


def test_ids_meet_whatever_blanks_stand_around_them(cut):
    _, read = cut(activities=lambda frame: frame.assign(account_id=" " + frame["account_id"]))
    assert sum(len(crm["activities"]) for crm in read) == 60


def test_long_and_short_ids_of_salesforce_are_one_account(cut):
    def short(frame):
        return frame.assign(account_id="001000000000" + frame["account_id"].str[1:])

    def long(frame):
        return frame.assign(account_id=short(frame)["account_id"] + "AAA")

    _, read = cut(accounts=long, deals=short, activities=short)
    assert all(set(crm["deals"]["account_id"]) <= set(crm["accounts"]["account_id"]) for crm in read)
    assert sum(len(crm["deals"]) for crm in read) == 60


def test_a_key_under_two_accounts_is_refused_and_named(cut, exports):
    exports.option("activities", key=True)
    first, other = (crm["activities"]["activity_id"].iloc[0] for crm in cut()[1][:2])

    def twice(frame):
        return frame.assign(activity_id=frame["activity_id"].replace(other, first))

    with pytest.raises(DataError, match="1 values of activity_id stand under two accounts, first activities.parquet, row"):
        cut(activities=twice)


def test_a_deal_under_two_accounts_is_refused_even_where_keys_are_not_asked_for(cut, exports):
    exports.option("deals", key=False)
    first, other = (crm["deals"]["deal_id"].iloc[0] for crm in cut()[1][:2])
    with pytest.raises(DataError, match="1 values of deal_id stand under two accounts"):
        cut(deals=lambda frame: frame.assign(deal_id=frame["deal_id"].replace(other, first)))


def test_keys_of_18_figures_are_no_ids_of_salesforce(cut, exports):
    exports.option("activities", key=True)
    _, read = cut(activities=lambda frame: frame.assign(activity_id=[f"202600000000012{k:03o}" for k in range(len(frame))]))
    assert sum(len(crm["activities"]) for crm in read) == 60


def test_rows_of_a_deal_alone_go_where_the_deal_lies(cut, exports):
    exports.add("stage_changes", ["deal_id,stage,changed_on", *(f"D{k:03d},talks,2024-02-01" for k in range(0, 60, 2))])
    _, read = cut()
    assert sum(len(crm["stage_changes"]) for crm in read) == 30
    assert all(set(crm["stage_changes"]["deal_id"]) <= set(crm["deals"]["deal_id"]) for crm in read)


def test_a_folder_of_parquet_as_spark_writes_it_is_one_table(exports, clean, tmp_path):
    for name in exports.tables:
        folder = tmp_path / f"{name}.parquet"
        folder.mkdir()
        (folder / "_SUCCESS").touch()
        rows = pd.read_csv(tmp_path / f"{name}.csv", dtype="str")
        for at, some in enumerate((rows[:25], rows[25:])):
            some.to_parquet(folder / f"part-{at:05}-f1.snappy.parquet", index=False)
            (folder / f".part-{at:05}-f1.snappy.parquet.crc").touch()
        exports.option(name, file=f"{name}.parquet")
    for name, frame in clean.tables.items():
        pd.testing.assert_frame_equal(exports.read()[name], frame)
    assert n_accounts(CrmMap("Test", exports.tables, folder=str(tmp_path)), Path("/")) == 10
    (tmp_path / "empty").mkdir()
    exports.option("deals", file="empty")
    with pytest.raises(DataError, match="empty is a folder without Parquet files"):
        exports.read()


def told(read):
    """Return what was put aside in all parts, and the counts of all."""
    counts = [vars(count) for crm in read for count in crm.report.files]
    return pd.concat([crm.report.quarantine for crm in read], ignore_index=True), counts


@pytest.mark.parametrize(("account", "says"), [("", "are faulty"), ("A999", "name no such account")])
def test_rows_of_no_account_lie_in_one_part_and_are_judged_among_all(cut, account, says):
    def spoilt(n):
        return lambda frame: frame.assign(account_id=frame["account_id"].where(frame.index >= n, account))

    parts, read = cut(activities=spoilt(3))
    assert max(len(crm.report.quarantine) for crm in read) == 3
    refuse_shares(*told(read), parts)
    parts, read = cut(activities=spoilt(4))
    with pytest.raises(DataError, match=f"4 of 60 rows .*{says}"):
        refuse_shares(*told(read), parts)


def test_a_table_without_a_row_in_any_part_is_no_table(cut):
    parts, read = cut(activities=lambda frame: frame.iloc[:0])
    left = without_empty(read[0], parts)
    assert sorted(left.tables) == ["accounts", "deals"]
    assert "activities.parquet has no rows" in left.report.warnings[-1]
    parts, read = cut(activities=lambda frame: frame.iloc[:1])
    assert all("activities" in without_empty(crm, parts) for crm in read)


def test_what_cannot_be_cut_says_why_and_how_else(exports, tmp_path):
    mapping = CrmMap("Test", exports.tables, folder=str(exports.folder))
    assert n_accounts(mapping, Path("/")) is None
    with pytest.raises(ConfigError, match=r"tables\.accounts is accounts\.csv.*--accounts-at-once 0"):
        split_extract(mapping, root=Path("/"), scratch=tmp_path, accounts_at_once=4)


def test_margins_that_must_be_filled_are_refused_as_their_rate_is_of_the_whole(cut, exports):
    exports.add(
        "invoices",
        ["account_id,invoiced_on,amount,margin", *(f"A{k:03d},2024-03-01,100,{'' if k == 4 else 40}" for k in range(10))],
    )
    with pytest.raises(DataError, match=r"1 rows of part \d have no margin"):
        cut()


def test_keys_met_in_two_parts_are_found_among_many(tmp_path):
    rng = np.random.default_rng(0)
    keys, parts = rng.integers(0, 2**62, 5000).astype(np.uint64), rng.integers(0, 9, 5000)
    with seen_keys(tmp_path) as seen:
        seen.add(keys, parts)
        seen.add(keys[:100], parts[:100])
        assert not len(seen.in_two_parts())
        seen.add(keys[:3], (parts[:3] + 1) % 9)
        assert seen.in_two_parts().tolist() == sorted(keys[:3].tolist())
    assert not list(tmp_path.iterdir())


def test_rows_that_parts_lost_or_counted_twice_are_an_error(cut):
    parts, read = cut()
    counts = [{"table": count.table, "n_read": count.n_read} for crm in read for count in crm.report.files]
    total = [{"table": name, "n_read": sum(c["n_read"] for c in counts if c["table"] == name)} for name in parts.files]
    account_for(total, parts)
    for change in (-1, 1):
        wrong = [count | {"n_read": count["n_read"] + change * (count["table"] == "deals")} for count in total]
        with pytest.raises(RuntimeError, match=r"deals\.parquet: 60 rows stand in it, (59|61) were read in parts"):
            account_for(wrong, parts)
