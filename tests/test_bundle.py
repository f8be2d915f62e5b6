import json
import os
import pickle
import shutil
from datetime import date

import pytest

from winworth import bundle
from winworth.bundle import challenger, champion, open_version, save_version, set_challenger, set_champion, versions
from winworth.errors import ConfigError, IntegrityError

AS_OF = date(2026, 10, 31)
FILES = {"win.txt": b"tree\nleaf=0.25\n", "tiers.json": b'{"A": 0.2}\n', "figures/weights.svg": "<svg>é</svg>".encode()}


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def folder(models):
    return models / save_version(models, FILES, as_of=AS_OF)


def refused(folder, match):
    with pytest.raises(IntegrityError, match=match) as raised:
        open_version(folder)
    assert raised.value.exit_code == 5


def edit_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}, indent=2, sort_keys=True) + "\n")


def test_a_version_opens_as_it_was_saved(folder):
    opened = open_version(folder)
    assert {name: opened.bytes(name) for name in opened.names} == FILES
    assert (opened.version, opened.as_of) == (folder.name, AS_OF)
    assert opened.json("tiers.json") == {"A": 0.2}
    assert opened.text("figures/weights.svg") == "<svg>é</svg>"


def test_the_same_files_give_the_same_version_and_the_same_bytes(models, folder, tmp_path):
    again = tmp_path / "again"
    assert save_version(again, dict(reversed(FILES.items())), as_of=AS_OF) == folder.name
    assert (again / folder.name / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    before = (folder / "win.txt").stat().st_ino
    assert save_version(models, FILES, as_of=AS_OF) == folder.name
    assert (folder / "win.txt").stat().st_ino == before


def test_other_contents_names_or_dates_give_another_version(models, folder):
    others = [{**FILES, "win.txt": b"x"}, {"win.text" if name == "win.txt" else name: FILES[name] for name in FILES}]
    names = {save_version(models, files, as_of=AS_OF) for files in others} | {
        save_version(models, FILES, as_of=date(2026, 1, 1))
    }
    assert len(names | {folder.name}) == 4
    assert set(versions(models)) == names | {folder.name}


def test_saving_again_mends_a_damaged_version(models, folder):
    (folder / "win.txt").write_bytes(b"flipped")
    save_version(models, FILES, as_of=AS_OF)
    assert open_version(folder).bytes("win.txt") == FILES["win.txt"]


def test_a_flipped_byte_anywhere_is_refused(folder):
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
            with pytest.raises(IntegrityError):
                open_version(folder)
        path.write_bytes(content)
    open_version(folder)


def test_a_truncated_file_is_refused(folder):
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        for length in (0, 1, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:length])
            with pytest.raises(IntegrityError):
                open_version(folder)
        path.write_bytes(content)


def test_an_unknown_file_is_refused_and_never_unpickled(folder, tmp_path):
    class Fires:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "fired"),)

    (folder / "figures" / "model.pkl").write_bytes(pickle.dumps(Fires()))
    refused(folder, "holds 1 files not in its manifest: figures/model.pkl")
    assert not (tmp_path / "fired").exists()


def test_a_missing_file_is_refused(folder):
    (folder / "tiers.json").unlink()
    refused(folder, "lacks 1 files of its manifest: tiers.json")


def test_a_missing_manifest_is_refused(folder):
    (folder / "manifest.json").unlink()
    refused(folder, "has no manifest.json")


def test_a_missing_folder_is_refused(models):
    refused(models / "2026-10-31-00000000", "no model version at")


@pytest.mark.parametrize("name", ["win.txt", "manifest.json", "figures"])
def test_a_link_is_refused_even_to_the_right_contents(folder, tmp_path, name):
    shutil.move(folder / name, tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    refused(folder, "is a link")


def test_a_pipe_is_refused_without_waiting(folder):
    (folder / "win.txt").unlink()
    os.mkfifo(folder / "win.txt")
    refused(folder, "no regular file")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "figures/../../secret"])
def test_a_manifest_name_that_leaves_the_folder_is_refused(folder, name):
    (folder.parent / "secret").write_bytes(b"")
    edit_manifest(folder, files={name: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"})
    refused(folder, "not a file name within a folder")


def test_a_newer_format_says_how_to_go_on(folder):
    edit_manifest(folder, format_version=2)
    refused(folder, "has format 2, and this winworth reads up to 1. Install")


@pytest.mark.parametrize("written", ["", "[]", "null", "{}", '"x"', "[" * 100_000, '{"format_version": true}', "\x00"])
def test_a_manifest_that_says_nothing_is_refused(folder, written):
    (folder / "manifest.json").write_text(written)
    refused(folder, "manifest.json")


@pytest.mark.parametrize(
    "changes",
    [{"as_of": "2026-10-30"}, {"as_of": 7}, {"version": "other"}, {"files": []}, {"extra": 1}, {"format_version": 1.0}],
)
def test_a_manifest_that_was_edited_is_refused(folder, changes):
    edit_manifest(folder, **changes)
    refused(folder, "manifest.json")


def test_what_was_verified_is_what_is_read(folder):
    opened = open_version(folder)
    (folder / "win.txt").write_bytes(b"changed since")
    assert opened.bytes("win.txt") == FILES["win.txt"]


def test_a_file_that_a_version_lacks_is_named(folder):
    with pytest.raises(IntegrityError, match=r"has no tier.json. Did you mean tiers.json\?"):
        open_version(folder).json("tier.json")


def test_a_version_set_aside_by_a_killed_publish_opens(folder):
    folder.rename(folder.with_name(f".{folder.name}.winworth-old"))
    assert open_version(folder).version == folder.name


def test_without_a_champion_the_error_says_the_way(models):
    with pytest.raises(ConfigError, match="no champion in .*models. Run winworth train, then winworth promote."):
        champion(models)
    with pytest.raises(ConfigError, match="no challenger in .*models. Run winworth train."):
        challenger(models)


def test_champion_and_challenger_are_two_pointers(models, folder):
    other = save_version(models, {"a": b""}, as_of=AS_OF)
    set_champion(models, folder.name)
    set_challenger(models, other)
    assert (champion(models), challenger(models)) == (folder.name, other)
    assert (models / "champion").read_text() == f"{folder.name}\n"


def test_a_damaged_version_cannot_become_champion(models, folder):
    other = save_version(models, {"a": b""}, as_of=AS_OF)
    set_champion(models, other)
    (folder / "win.txt").write_bytes(b"flipped")
    with pytest.raises(IntegrityError):
        set_champion(models, folder.name)
    assert champion(models) == other


def test_a_version_under_another_name_cannot_become_champion(models, folder):
    folder.rename(models / "2027-01-01-00000000")
    with pytest.raises(IntegrityError, match="another version than its name says"):
        set_champion(models, "2027-01-01-00000000")


def test_an_unknown_version_cannot_become_champion(models, folder):
    with pytest.raises(ConfigError, match=f"Did you mean {folder.name}"):
        set_champion(models, folder.name[:-1] + ("0" if folder.name[-1] != "0" else "1"))


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", "", "2026-10-31-0123456g", "2026-10-31-01234567\nx"])
def test_a_pointer_that_is_no_version_name_is_refused(models, folder, name):
    (models / "champion").write_text(name)
    with pytest.raises(IntegrityError, match="no version name"):
        champion(models)
    with pytest.raises(IntegrityError, match="no version name"):
        set_champion(models, name)


def test_a_pointer_that_is_a_link_is_refused(models, folder, tmp_path):
    (tmp_path / "pointer").write_text(folder.name)
    (models / "champion").symlink_to(tmp_path / "pointer")
    with pytest.raises(IntegrityError, match="cannot read"):
        champion(models)


def test_a_version_cannot_bring_its_own_manifest(models):
    with pytest.raises(IntegrityError, match="cannot bring its own"):
        save_version(models, {bundle.MANIFEST: b""}, as_of=AS_OF)


def test_a_manifest_written_anew_for_other_files_does_not_fit_its_folder_s_name(tmp_path):
    first, other = (save_version(tmp_path, {"a.txt": text}, as_of=date(2026, 6, 30)) for text in (b"1", b"2"))
    for name in ("a.txt", "manifest.json"):
        (tmp_path / first / name).write_bytes((tmp_path / other / name).read_bytes())
    refused(tmp_path / first, "holds another version than its name says")
