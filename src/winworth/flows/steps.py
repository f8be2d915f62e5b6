"""What a month and a quarter consist of: each step, what it says, what it leaves below home, and what it reads there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path

from winworth.bundle import challenger, champion
from winworth.config import Settings
from winworth.crm.archive import archive_extract
from winworth.crm.read import read_crm
from winworth.errors import ConfigError
from winworth.flows.check import check
from winworth.flows.compare import Question, asked_before, compare
from winworth.flows.monitor import monitor
from winworth.flows.predict import predict
from winworth.flows.promote import promote
from winworth.flows.record import read_record
from winworth.flows.review import review
from winworth.flows.train import train
from winworth.models.track import Track, untracked
from winworth.review.monitored import verdict_in
from winworth.review.words import words_in


@dataclass(frozen=True)
class Turn:
    """One month or quarter to be gone through: by which configuration, for which day, in which folder.

    `question` is what to compare before and after; without one, what was compared last is compared anew.
    """

    settings: Settings
    as_of: date
    home: Path
    cadence: str
    lang: str = "en"
    question: Question | None = None
    track: Track = untracked


@dataclass(frozen=True)
class Left:
    """What a step that did not refuse leaves: a sentence, files and folders below home, how many warnings, the code that it
    advises (monitor alone), the version it made, and by table the hash of the files that it read.
    """

    says: str
    wrote: tuple[Path, ...] = ()
    n_warnings: int = 0
    advises: int = 0
    version: str = ""
    read: Mapping[str, str] = field(default_factory=dict)


Earlier = Mapping[str, Mapping]  # what the record says of the steps before, by name


@dataclass(frozen=True)
class Step:
    """A step: its verb, what runs it, and patterns of what it reads below home, other than what steps before it wrote.

    Of scores only those of earlier days count, of other dated folders those up to the day.
    """

    name: str
    run: Callable[[Turn, Earlier], Left]
    reads: tuple[str, ...] = ()

    def inputs(self, turn: Turn) -> list[Path]:
        """Return the files that it reads below home, as they are now."""
        return [path for pattern in self.reads for path in turn.home.glob(pattern) if _is_known(path, turn)]


def _is_known(path: Path, turn: Turn) -> bool:
    room, *rest = path.relative_to(turn.home).parts
    day = rest[0] if len(rest) > 1 else ""
    return day < turn.as_of.isoformat() if room in ("scores", "archive") else day <= turn.as_of.isoformat()


def _archive(turn: Turn, earlier: Earlier) -> Left:
    settings = turn.settings
    report = read_crm(settings.crm, root=settings.folder, threads=settings.training.threads).report
    files_from = settings.folder / settings.crm.folder if settings.crm.archive else None
    kept = archive_extract(turn.home, report, as_of=turn.as_of, files_from=files_from)
    what = "their copies and hashes are" if kept.has_files else "their hashes are (archive: true in crm.yaml keeps copies)"
    return Left(f"{len(kept.hashes)} files: {what} kept.", (kept.folder,), read=_hashes(read_record(report)))


def _check(turn: Turn, earlier: Earlier) -> Left:
    found = check(turn.settings, as_of=turn.as_of)
    n_read, n_aside = (sum(count[key] for count in found.read) for key in ("n_read", "n_quarantined"))
    deals = ", ".join(f"{n:,} {status}" for status, n in found.statuses.items())
    says = f"{n_read:,} rows, {n_aside:,} put aside; deals: {deals}."
    return Left(says, n_warnings=len(found.warnings), read=_hashes(found.read))


def _train(turn: Turn, earlier: Earlier) -> Left:
    done = train(turn.settings, as_of=turn.as_of, home=turn.home, track=turn.track)
    failed = [check["name"] for check in done.metrics["gate"]["checks"] if not check["passed"]]
    rival = [check["says"] for check in done.metrics["gate"]["checks"] if check["name"] == "better_than_champion"]
    gate = f"Its gate fails: {', '.join(failed)}." if failed else "Its gate is passed."
    says = " ".join([f"{done.version} is the challenger.", gate, *(f"The champion: {told}." for told in rival)])
    wrote, read = (turn.home / "models" / done.version,), _hashes(done.metrics["read"])
    return Left(says, wrote, len(done.metrics["warnings"]), version=done.version, read=read)


def _compare(turn: Turn, earlier: Earlier) -> Left:
    """Compare what is asked, or what was compared last, with what has come since."""
    questions = (turn.question,) if turn.question else asked_before(turn.home, turn.as_of)
    if not questions:
        return Left("Nothing to compare: no --split is given, and nothing was compared before.")
    done = [compare(turn.settings, question, as_of=turn.as_of, home=turn.home) for question in questions]
    told = ", ".join(f"{', '.join(one.question.treated)} from {one.question.split} on" for one in done)
    return Left(f"Before and after: {told}.", tuple(one.folder for one in done))


def _promote(turn: Turn, earlier: Earlier) -> Left:
    """Promote what this quarter trained; what someone promoted by hand meanwhile, or went back to, stays."""
    models, trained, before = (
        turn.home / "models",
        *(earlier.get(name, {}).get("version", "") for name in ("train", "promote")),
    )
    asked, king = challenger(models), champion(models) if (models / "champion").exists() else ""
    if king == asked:
        return Left(f"{asked} is in use.", (models / "champion",), version=asked)
    if before and before != king:
        raise ConfigError(
            f"This quarter promoted {before}, and {king or 'none'} is in use by now. To go on with that: --from predict; to "
            "promote the challenger again: --from promote."
        )
    if trained and asked != trained:
        raise ConfigError(
            f"This quarter trained {trained}, and the challenger is {asked} by now. Run winworth promote, or winworth promote "
            f"--to {trained}, and go on with --from predict."
        )
    done = promote(turn.home)
    says = f"{done.version} is in use" + (f" in place of {done.replaced}." if done.replaced else ", the first.")
    return Left(says, (models / "champion",), version=done.version)


def _predict(turn: Turn, earlier: Earlier) -> Left:
    done = predict(turn.settings, as_of=turn.as_of, home=turn.home, lang=turn.lang)
    tiers = ", ".join(f"{n:,} {tier}" for tier, n in done.run["tiers"].items())
    says = f"{done.run['n_accounts']:,} accounts ({tiers}), {done.run['n_open_deals']:,} open deals."
    return Left(says, (done.folder,), len(done.run["warnings"]), read=_hashes(done.run["read"]))


def _monitor(turn: Turn, earlier: Earlier) -> Left:
    if "opened_on" not in turn.settings.crm.tables["deals"].columns:
        return Left("Nothing to monitor: deals have no dates.")
    done = monitor(turn.settings, as_of=turn.as_of, home=turn.home)
    return Left(verdict_in(done.told, words_in("en")), (done.folder,), len(done.told["warnings"]), done.exit_code)


def _review(turn: Turn, earlier: Earlier) -> Left:
    done = review(turn.settings, as_of=turn.as_of, home=turn.home, lang=turn.lang, cadence=turn.cadence)
    return Left(done.page.relative_to(turn.home).as_posix(), (done.page, done.workbook))


def _hashes(read: list[dict]) -> dict[str, str]:
    """Return by table the hash of its file, or one of all of them: what is read in parts tells of all at once."""
    of_table: dict[str, list[str]] = {}
    for count in read:
        of_table.setdefault(count["table"], []).append(count["sha256"])
    return {
        table: found[0] if len(found) == 1 else sha256("".join(found).encode()).hexdigest() for table, found in of_table.items()
    }


CHECK = Step("check", _check)
PREDICT = Step("predict", _predict, ("models/champion", "models/overrides.jsonl", "scores/*/run.json"))
MONITOR = Step("monitor", _monitor, ("models/champion", "scores/*/run.json"))
REVIEW = Step(
    "review",
    _review,
    (
        "models/champion",
        "scores/*/run.json",
        "monitor/*/monitor.json",
        "kpi/*/kpi.parquet",
        "compared/*/*/compare.json",
        "backtest/*/backtest.json",
        "advice/*/advice.json",
    ),
)
PLANS: dict[str, tuple[Step, ...]] = {
    "monthly": (CHECK, PREDICT, MONITOR, REVIEW),
    "quarterly": (
        Step("archive", _archive),
        CHECK,
        Step("train", _train, ("tuning/tuned.yaml", "archive/*/extract.json")),
        Step("compare", _compare, ("scores/*/run.json",)),
        Step("promote", _promote, ("models/challenger",)),
        PREDICT,
        REVIEW,
    ),
}
