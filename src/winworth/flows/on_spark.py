"""The one door to Spark: the parts of an extract are scored on many machines by the code that scores them on one.

Spark carries to its workers where a part and the model version lie, and back what ranking looks at; all else is read and
written below `home`, which must be on a disk that all share.
"""

import os
import pickle  # of what Spark itself carries as pickles between its driver and its workers; nothing is kept
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from winworth.bundle import open_version
from winworth.config import Settings
from winworth.crm.parts import Parts
from winworth.errors import ConfigError, WinworthError
from winworth.flows.in_parts import Engine, StoredPart, score_to_disk
from winworth.flows.scored import Wanted
from winworth.flows.scored_part import Task, task_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ANSWER = "part long, answer binary"


@dataclass(frozen=True)
class Errand:
    """What a worker is told: enough to open the model version anew, verified, and to find the parts. `run` is never the same
    twice, so that no worker goes on with what it opened for another run.
    """

    run: str
    home: Path
    version: Path
    as_of: date
    settings: Settings
    wanted: Wanted
    parts: Parts

    @classmethod
    def of(cls, task: Task, parts: Parts, home: Path) -> "Errand":
        """Gather it, with whole paths; a worker has one thread, as Spark gives it one core."""
        settings = replace(task.settings, training=replace(task.settings.training, threads=1))
        parts = replace(parts, folders=tuple(folder.resolve() for folder in parts.folders))
        version = task.bundle.folder.resolve()
        return cls(uuid.uuid4().hex, home.resolve(), version, task.as_of, settings, task.wanted, parts)


def on_spark(home: Path) -> Engine:
    """Return an engine whose parts are scored by the Spark session that runs, or by one that is started now.

    Raises ConfigError where PySpark or Java is absent.
    """
    session = _session()

    def engine(task: Task, parts: Parts) -> list[StoredPart]:
        errand = pickle.dumps(Errand.of(task, parts, Path(home)))

        def answers(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for at in batch.column(0).to_pylist():
                    yield pa.RecordBatch.from_pydict({"part": [at], "answer": [_answer(errand, at)]}, _schema())

        n_parts = len(parts.folders)
        rows = session.range(0, n_parts, 1, n_parts).mapInArrow(answers, _ANSWER).collect()
        return [_stored(row.answer) for row in sorted(rows, key=lambda row: row.part)]

    return engine


def _session() -> "SparkSession":
    """Return the session that runs, or start one as Spark's own settings say: without any, on all cores of this machine."""
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError('--engine spark needs PySpark. Run pip install "winworth[spark]", or leave --engine out.') from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return SparkSession.builder.appName("winworth").getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        raise ConfigError(
            f"Spark does not start: {str(error).splitlines()[0]} It needs Java 17 or later (JAVA_HOME, or java on the PATH), "
            "and settings that hold (spark-defaults.conf in SPARK_CONF_DIR). Mend them, or leave --engine out."
        ) from error


def _schema() -> pa.Schema:
    return pa.schema({"part": pa.int64(), "answer": pa.binary()})


def _answer(errand: bytes, at: int) -> bytes:
    """Score a part on a worker; a fault that a person can mend is an answer, which Spark need not try again."""
    try:
        return pickle.dumps(_scored(errand, at))
    except WinworthError as fault:
        return pickle.dumps(fault)


def _scored(errand: bytes, at: int) -> StoredPart:
    told, task = _opened(errand)
    from pyspark import TaskContext

    into = told.parts.folders[at] / f"attempt-{TaskContext.get().taskAttemptId()}"  # Spark may try a part twice at a time
    into.mkdir()
    return score_to_disk(task, told.parts, at, into=into)


@lru_cache(maxsize=1)
def _opened(errand: bytes) -> tuple[Errand, Task]:
    """Open the model version on a worker, once a run."""
    told = pickle.loads(errand)
    if not told.parts.folders[0].is_dir():
        raise ConfigError(f"A Spark worker does not see {told.home}. Put --home on a disk that driver and workers share.")
    task = task_for(told.settings, open_version(told.version), as_of=told.as_of, home=told.home, wanted=told.wanted)
    return told, task


def _stored(answer: bytes) -> StoredPart:
    """Return the part that was scored, or raise what kept it from that, of several parts the first."""
    found = pickle.loads(answer)
    if isinstance(found, WinworthError):
        raise found
    return found
