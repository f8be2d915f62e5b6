import errno
import os
import resource
from pathlib import Path

import pytest

from winworth.atomic import publish_folder, restore, write_file
from winworth.errors import IntegrityError, ResourceError

OLD = {"a.txt": b"old a", "figures/b.svg": b"old b"}
NEW = {"a.txt": b"new a", "figures/b.svg": b"new b", "c/d/e.json": b"new e"}
CALLS = ("rename", "replace", "fsync")


def held(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def failing_at(monkeypatch, n, fail):
    """Let the n-th of all renames and fsyncs fail; return how many were asked for so far."""
    asked = [0]

    def wrapped(real):
        def call(*args, **kwargs):
            asked[0] += 1
            if asked[0] == n:
                fail()
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrapped(getattr(os, name)))
    return asked


def full_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_a_child(work):
    """Run `work` in a process of its own and return how it ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def steps_of_a_publish(tmp_path):
    """How many renames and fsyncs replacing a folder takes."""
    publish_folder(tmp_path / "count", OLD)
    with pytest.MonkeyPatch.context() as patch:
        asked = failing_at(patch, 0, full_disk)
        publish_folder(tmp_path / "count", NEW)
        return asked[0]


def test_a_file_holds_what_was_written_last(tmp_path):
    write_file(tmp_path / "new" / "a", "é")
    write_file(tmp_path / "new" / "a", b"two")
    assert held(tmp_path) == {"new/a": b"two"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO])
def test_a_refusing_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, code):
    write_file(tmp_path / "a", "old")

    def refuse(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ResourceError, match=rf"cannot write {tmp_path}/a: .*\. (What|Give|Check)") as raised:
        write_file(tmp_path / "a", "new")
    assert raised.value.exit_code == 7
    assert held(tmp_path) == {"a": b"old"}


def test_a_file_size_limit_of_the_system_is_a_resource_error(tmp_path):
    write_file(tmp_path / "a", "old")

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(ResourceError, match="File too large"):
            write_file(tmp_path / "a", b"x" * 100_000)

    assert in_a_child(work) == 0
    assert held(tmp_path) == {"a": b"old"}


def test_a_file_in_place_of_a_folder_is_a_resource_error(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(ResourceError, match="Check that"):
        write_file(tmp_path / "home" / "a", "new")


def test_the_rest_of_a_killed_write_goes_with_the_next(tmp_path):
    (tmp_path / ".a.winworth-tmp").write_text("half")
    write_file(tmp_path / "a", "whole")
    assert held(tmp_path) == {"a": b"whole"}


def test_a_published_folder_holds_these_files_and_no_others(tmp_path):
    publish_folder(tmp_path / "v", NEW)
    publish_folder(tmp_path / "v", OLD)
    assert held(tmp_path) == {f"v/{name}": content for name, content in OLD.items()}


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", ".", "a//b", "a/./b", "a\\b", "a\0b", "a/"])
def test_a_name_that_leaves_the_folder_is_refused_and_nothing_written(tmp_path, name):
    with pytest.raises(IntegrityError, match="not a file name"):
        publish_folder(tmp_path / "v", {"ok": b"", name: b""})
    assert not list(tmp_path.iterdir())


def test_a_publish_that_fails_at_any_step_leaves_old_or_new_and_no_rest(tmp_path):
    for n in range(1, steps_of_a_publish(tmp_path) + 1):
        target = tmp_path / str(n) / "v"
        publish_folder(target, OLD)
        with pytest.MonkeyPatch.context() as patch:
            failing_at(patch, n, full_disk)
            with pytest.raises(ResourceError, match="No space left"):
                publish_folder(target, NEW)
        assert held(target) in (OLD, NEW), n
        assert not list(target.parent.glob("*.winworth-new")), n
        publish_folder(target, NEW)
        assert held(target.parent) == {f"v/{name}": content for name, content in NEW.items()}


def test_a_publish_killed_at_any_step_leaves_old_or_new_to_a_reader(tmp_path):
    seen = []
    for n in range(1, steps_of_a_publish(tmp_path) + 1):
        target = tmp_path / str(n) / "v"
        publish_folder(target, OLD)

        def work(n=n, target=target):
            failing_at(pytest.MonkeyPatch(), n, lambda: os._exit(9))
            publish_folder(target, NEW)

        assert in_a_child(work) == 9
        restore(target)
        assert held(target) in (OLD, NEW), n
        seen.append(held(target) == NEW)
        publish_folder(target, NEW)
        assert held(target.parent) == {f"v/{name}": content for name, content in NEW.items()}
    assert seen == sorted(seen) and not seen[0] and seen[-1]


def test_what_killed_runs_left_beside_other_targets_goes_with_the_next_publish(tmp_path):
    (tmp_path / ".gone.winworth-new").mkdir()
    (tmp_path / ".aside.winworth-old").mkdir()
    (tmp_path / ".aside.winworth-old" / "a").write_bytes(b"kept")
    publish_folder(tmp_path / "v", {"a": b"1"})
    assert held(tmp_path) == {"aside/a": b"kept", "v/a": b"1"}


def test_restoring_where_nothing_is_set_aside_does_nothing(tmp_path):
    restore(tmp_path / "no" / "v")
    assert not list(tmp_path.iterdir())
