"""An extract that is kept can be read again as it was, or says that it cannot."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from winworth.crm.archive import archive_extract, latest_older, read_archived
from winworth.crm.mapping import CrmMap
from winworth.errors import ConfigError, DataError, IntegrityError

SPRING, SUMMER, AUTUMN = date(2024, 3, 31), date(2024, 6, 30), date(2024, 9, 30)


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def kept(exports, home, day):
    return archive_extract(home, exports.read().report, as_of=day, files_from=exports.folder)


def test_a_kept_extract_reads_as_it_was_though_the_export_has_changed(exports, home):
    before = exports.read()
    archived = kept(exports, home, SPRING)
    exports.spoil("deals", 2, "D000,A000,lost,1.0,2024-01-01,2024-02-01")
    extract = read_archived(archived, CrmMap("Test", exports.tables))
    assert extract.as_of == SPRING
    for name in before.tables:
        pd.testing.assert_frame_equal(extract.crm[name], before[name])
    assert exports.read()["deals"].loc[0, "status"] != before["deals"].loc[0, "status"]


def test_hashes_are_kept_without_the_files_and_such_an_extract_is_no_older_one(exports, home):
    report = exports.read().report
    archived = archive_extract(home, report, as_of=SPRING)
    assert archived.hashes == {count.file: count.sha256 for count in report.files}
    assert [path.name for path in archived.folder.iterdir()] == ["extract.json"]
    assert latest_older(home, report, as_of=SUMMER) is None


def test_the_latest_extract_that_is_four_weeks_older_is_found(exports, home):
    for at, day in enumerate((date(2023, 12, 31), SPRING, date(2024, 6, 20))):
        exports.spoil("deals", 2, f"D000,A000,won,{at}.0,2024-01-01,2024-02-01")
        kept(exports, home, day)
    exports.spoil("deals", 2, "D000,A000,won,9.0,2024-01-01,2024-02-01")
    report = exports.read().report
    assert latest_older(home, report, as_of=SUMMER).as_of == SPRING
    assert latest_older(home, report, as_of=date(2023, 12, 31)) is None
    assert latest_older(home, report, as_of=date(2024, 1, 5)).as_of == date(2023, 12, 31)


def test_an_extract_of_the_same_files_is_passed_over(exports, home):
    kept(exports, home, SPRING)
    assert latest_older(home, exports.read().report, as_of=SUMMER) is None


def test_a_later_run_of_the_same_day_replaces_what_was_kept(exports, home):
    kept(exports, home, SPRING)
    exports.spoil("deals", 2, "D000,A000,lost,1.0,2024-01-01,2024-02-01")
    archived = kept(exports, home, SPRING)
    assert read_archived(archived, CrmMap("Test", exports.tables)).crm["deals"].loc[0, "status"] == "lost"
    assert archive_extract(home, exports.read().report, as_of=SPRING) == archived


def test_a_folder_that_a_killed_run_left_counts_for_nothing(exports, home):
    (kept(exports, home, SPRING).folder / "extract.json").unlink()
    exports.spoil("deals", 2, "D000,A000,lost,1.0,2024-01-01,2024-02-01")
    assert latest_older(home, exports.read().report, as_of=SUMMER) is None


def test_a_kept_file_that_was_touched_is_refused(exports, home):
    archived = kept(exports, home, SPRING)
    path = archived.folder / "files" / "deals.csv"
    path.write_text(path.read_text().replace("D001,", "D777,"))
    with pytest.raises(IntegrityError, match="deals.csv .* is not the file that was kept on 2024-03-31"):
        read_archived(archived, CrmMap("Test", exports.tables))


def test_a_file_that_changes_after_it_was_read_is_not_kept_as_the_one_that_was(exports, home):
    report = exports.read().report
    exports.spoil("deals", 2, "D000,A000,lost,1.0,2024-01-01,2024-02-01")
    with pytest.raises(DataError, match="deals.csv changed after it was read"):
        archive_extract(home, report, as_of=AUTUMN, files_from=exports.folder)
    assert latest_older(home, report, as_of=date(2025, 1, 1)) is None


def test_a_file_outside_the_folder_of_exports_is_refused_by_name(exports, home):
    report = exports.read().report
    outside = replace(report, files=(replace(report.files[0], file="../deals.csv"),))
    with pytest.raises(ConfigError, match=r"\.\./deals.csv lies outside"):
        archive_extract(home, outside, as_of=AUTUMN, files_from=exports.folder)


def test_a_spoilt_list_of_hashes_is_named(exports, home):
    archived = kept(exports, home, SPRING)
    (archived.folder / "extract.json").write_text("{")
    with pytest.raises(IntegrityError, match="extract.json is not a list of hashes"):
        latest_older(home, exports.read().report, as_of=SUMMER)
