"""A month or a quarter as one command: its steps in order up to the first that refuses, on one record, to go on from."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from winworth.atomic import write_file
from winworth.errors import ConfigError, DataError, IntegrityError, WinworthError, did_you_mean, listed
from winworth.flows.inputs import code_version, configuration_hash, files_hash
from winworth.flows.steps import PLANS, Left, Step, Turn
from winworth.flows.verdict import EXIT_CODES
from winworth.lock import run_lock
from winworth.sheets import to_json

FOLDER = "cadence"
ADVICE = {code: verdict for verdict, code in EXIT_CODES.items() if code}


@dataclass(frozen=True)
class Went:
    """How a month or quarter went: its record, where that is, the steps that ran now, and those still to run."""

    record: dict
    path: Path
    ran: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """The code of the step that refused; else what monitor advises; else 0."""
        return self.record["exit_code"]

    @property
    def refused(self) -> dict | None:
        """What the record says of the step that refused."""
        return _refused(self.record["steps"])


def go_through(turn: Turn, *, begin: str | None = None, again: bool = False) -> Went:
    """Take the steps of a month or quarter, and record each in `home`/cadence/<as_of>-<cadence>.json as it ends.

    The first step reads the extract, always. Those after it stay as they were up to the first that had refused, that stands
    on something else by now (configuration, extract, code, what it reads below home), or whose files are not what it wrote.
    `begin` takes a step and all after it, whatever is recorded; `again` takes all. A verdict of monitor stops nothing.
    Raises LockedError where another month or quarter is under way in this home, ConfigError for a step that is none.
    """
    steps = PLANS[turn.cadence]
    names = [step.name for step in steps]
    if begin is not None and begin not in names:
        raise ConfigError(f"--from {begin} is no step of {turn.cadence}. {did_you_mean(begin, names)}")
    with run_lock(turn.home / FOLDER, turn.cadence):
        book = _Book.opened(turn)
        kept = {} if again else book.kept()
        start = names.index(begin) if begin else 0
        ran = _through(book, steps, kept, start)
        return Went(book.record(), book.path, ran, tuple(name for name in names[start:] if not book.has_done(name)))


@dataclass
class _Book:
    """The record while it is written: what the run stands on, the extract that was read (None before), an entry a step."""

    turn: Turn
    path: Path
    inputs: dict
    extract: dict[str, str] | None = None
    entries: dict[str, dict] = field(default_factory=dict)
    is_over: bool = False

    @classmethod
    def opened(cls, turn: Turn) -> "_Book":
        question = None if turn.question is None else json.loads(json.dumps(asdict(turn.question), default=str))
        inputs = {"configuration": configuration_hash(turn.settings), "lang": turn.lang, "question": question}
        path = turn.home / FOLDER / f"{turn.as_of.isoformat()}-{turn.cadence}.json"
        return cls(turn, path, inputs | {"winworth": code_version()})

    def kept(self) -> dict[str, dict]:
        """Return what an earlier run recorded, by step, and take up its extract; nothing where it stood on something else."""
        before = _recorded(self.path)
        inputs = dict(before["inputs"]) if before else {}
        extract = inputs.pop("extract", None)
        if inputs != self.inputs:
            return {}
        self.extract = extract
        return {entry["step"]: entry for entry in before["steps"]}

    def has_done(self, name: str) -> bool:
        return name in self.entries and "error" not in self.entries[name]

    def write(self, entry: dict) -> None:
        self.entries[entry["step"]] = entry
        write_file(self.path, to_json(self.record()))

    def record(self) -> dict:
        """Return the record: no clock in it, and the same however often the run was taken up again."""
        entries = list(self.entries.values())
        failed = _refused(entries)
        advised = next((entry["exit_code"] for entry in entries if entry["exit_code"] in ADVICE), 0)
        verdict = "refused" if failed else ADVICE.get(advised, "done") if self.is_over else "unfinished"
        return {
            "cadence": self.turn.cadence,
            "as_of": self.turn.as_of.isoformat(),
            "verdict": verdict,
            "exit_code": failed["exit_code"] if failed else advised,
            "steps": entries,
            "inputs": self.inputs | {"extract": self.extract},
        }


def _through(book: _Book, steps: Sequence[Step], kept: dict[str, dict], start: int) -> tuple[str, ...]:
    """Take the steps from `start` on that do not hold, up to the first that refuses; return their names."""
    book.entries |= {step.name: _passed_over(kept[step.name]) for step in steps[:start] if step.name in kept}
    ran: list[str] = []
    for step in steps[start:]:
        if not start and len(ran) == 1 and _holds(book.turn, step, kept.get(step.name)):
            book.write(kept[step.name])
            continue
        ran.append(step.name)
        if start or len(ran) > 1:
            told = _taken(book, step, book.entries if start else kept | book.entries)
        else:
            told = _first(book, step, kept)
        book.write(told)
        if "error" in told:
            break
    book.is_over = True
    write_file(book.path, to_json(book.record()))
    return tuple(ran)


def _passed_over(entry: dict) -> dict:
    """Mark a refusal that someone goes on after, by --from: it stays on record and no longer ends the run."""
    return entry | {"passed_over": True} if "error" in entry else entry


def _refused(entries: Sequence[dict]) -> dict | None:
    return next((entry for entry in entries if "error" in entry and not entry.get("passed_over")), None)


def _first(book: _Book, step: Step, kept: dict[str, dict]) -> dict:
    """Take the first step; what was recorded of another extract than the one it reads is dropped."""
    before, book.extract = book.extract, None
    told = _taken(book, step, {})
    if book.extract != before:
        kept.clear()
    return told


def _holds(turn: Turn, step: Step, told: dict | None) -> bool:
    if told is None or "error" in told or told["stands_on"] != files_hash(turn.home, step.inputs(turn)):
        return False
    return told["wrote_sha256"] == files_hash(turn.home, [turn.home / name for name in told["wrote"]])


def _taken(book: _Book, step: Step, earlier: dict[str, dict]) -> dict:
    """Run a step, and return its entry in the record, whether it refuses or not."""
    home = book.turn.home
    stands_on = files_hash(home, step.inputs(book.turn))
    try:
        left = step.run(book.turn, earlier)
        _check_extract(book, step, left)
    except WinworthError as error:
        return {"step": step.name, "exit_code": error.exit_code, "error": type(error).__name__, "says": str(error)}
    wrote = {"wrote": [path.relative_to(home).as_posix() for path in left.wrote], "wrote_sha256": files_hash(home, left.wrote)}
    entry = {"step": step.name, "exit_code": left.advises, "says": left.says, "n_warnings": left.n_warnings}
    return entry | wrote | {"stands_on": stands_on} | ({"version": left.version} if left.version else {})


def _check_extract(book: _Book, step: Step, left: Left) -> None:
    """Raise DataError where files changed since the first step read them; a database is of another moment each time."""
    if not left.read:
        return
    first, now = book.extract, dict(left.read)
    if first is None:
        book.extract = now
    elif first != now and book.turn.settings.crm.database is None:
        changed = sorted(name for name in first | now if first.get(name) != now.get(name))
        raise DataError(
            f"{len(changed)} tables' files changed between the first step and {step.name}: {listed(changed)}. Wait for the "
            f"export to end and run winworth {book.turn.cadence} again, without --from."
        )


def _recorded(path: Path) -> dict:
    """Read the record of an earlier run; {} where there is none."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all("step" in entry for entry in found["steps"]) and isinstance(found["inputs"], dict):
            return found
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{path} is no record of a month or quarter. Remove it and run again.") from error
    raise IntegrityError(f"{path} is no record of a month or quarter. Remove it and run again.")
