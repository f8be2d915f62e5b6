"""A file damaged anywhere is read, or refused with a sentence; it never ends in a traceback or in rows lost unseen."""

import random

import pytest

from winworth.errors import WinworthError


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_read_or_refused_with_a_sentence(exports, seed):
    exports.tables = {"deals": exports.tables["deals"]}
    whole = "\n".join(exports.lines["deals"]).encode()
    dice = random.Random(seed)
    for _ in range(25):
        at = dice.randrange(len(whole))
        removed = dice.choice([0, 1, 1, 200])
        added = dice.choice([b"", b'"', b'"\n', b",", b"\n\n", b"\r", b"\0", bytes([dice.randrange(256)])])
        damaged = whole[:at] + added + whole[at + removed :]
        exports.write("deals.csv", damaged)
        try:
            (count,) = exports.read().report.files
        except WinworthError as refusal:
            assert "deals.csv" in str(refusal)
            continue
        assert count.n_read == count.n_used + count.n_quarantined + count.n_duplicate
        assert count.n_read >= min(60, damaged.replace(b"\r", b"\n").count(b"\n") - 2)
