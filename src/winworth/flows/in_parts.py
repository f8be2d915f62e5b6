"""Score an extract too large for memory: part by part, ranked beside each other, and published in order."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from winworth.atomic import TEMPORARY, naming_the_disk
from winworth.crm.parts import WHOLE, Parts, read_part, split_extract
from winworth.crm.seen_whole import account_for, refuse_shares, without_empty
from winworth.flows.movement import Replay
from winworth.flows.playing import PLAY_COLUMNS
from winworth.flows.prepare import as_prepared
from winworth.flows.ranked import LEAD, Ranked, rank_accounts, with_words
from winworth.flows.scored_part import TEXTS, ScoredPart, Task, score_part
from winworth.merged import Merged, write_merged
from winworth.sheets import to_parquet

NARROW = ["account_id", "name", "win_probability", "lifetime_value", "expected_value", "residual_value", "score", "segment"]
NARROW += ["owner_id", "region", "shift"]
PLACE = "winworth_place"
_SCRATCH = f".parts{TEMPORARY}"  # what a killed run left goes with the next run of any verb


@contextmanager
def scratch_in(home: Path) -> Iterator[Path]:
    """Make a folder for parts in `home`, which is locked, and remove it."""
    scratch = Path(home) / _SCRATCH
    with naming_the_disk(scratch):
        scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def embedded(task: Task, parts: Parts) -> list["StoredPart"]:
    """Score the parts one after another, here."""
    return [score_to_disk(task, parts, at, into=parts.folders[at]) for at in range(len(parts.folders))]


def ranked_in_parts(
    task: Task, scratch: Path, *, accounts_at_once: int, lang: str, engine: "Engine" = embedded
) -> tuple[Ranked, ScoredPart, dict[str, Path]]:
    """Score an extract in parts of about so many accounts, and rank all; return the files of scores to publish, too."""
    crm, root = task.settings.crm, task.settings.folder
    parts = split_extract(crm, root=root, scratch=scratch, accounts_at_once=accounts_at_once)
    stored = engine(task, parts)
    whole, order = joined([part.narrow for part in stored])
    account_for(whole.read, parts)
    refuse_shares(whole.quarantine, whole.read, parts)
    ranked = rank_accounts(task, whole, lang=lang)
    return ranked, whole, publish_parts(task, stored, ranked, order, lang=lang, scratch=scratch)


@dataclass(frozen=True)
class StoredPart:
    """A part that was scored: its figures in files below `folder`, and in memory what ranking looks at."""

    folder: Path
    narrow: ScoredPart


Engine = Callable[[Task, Parts], list[StoredPart]]  # in the order of the parts


def score_to_disk(task: Task, parts: Parts, at: int, *, into: Path) -> StoredPart:
    """Score one part and put its rows on disk."""
    crm = without_empty(read_part(parts, at, threads=task.settings.training.threads), parts)
    part = score_part(task, as_prepared(task.settings, crm, as_of=task.as_of, catalog=task.scorer.catalog))
    for name, table, words in (("accounts", part.accounts, part.words), ("deals", part.deals, part.deal_words)):
        told = {f"{column}:{lang}": said[column] for lang, said in words.items() for column in TEXTS}
        (into / f"{name}-scored.parquet").write_bytes(to_parquet(table.assign(**told)))
    labels = {lang: said[["segment_label"]].astype("category") for lang, said in part.words.items()}
    nothing = pd.DataFrame()
    return StoredPart(into, replace(part, accounts=part.accounts[NARROW], words=labels, deals=nothing, deal_words={}))


def joined(parts: list[ScoredPart]) -> tuple[ScoredPart, np.ndarray]:
    """Return the parts as one, sorted by account, and the place that each of its rows has among the rows of the parts."""
    accounts = pd.concat([part.accounts for part in parts], ignore_index=True)
    order = accounts["account_id"].argsort(kind="stable").to_numpy()
    first = parts[0]
    words = {lang: pd.concat([part.words[lang].astype("str") for part in parts], ignore_index=True) for lang in first.words}
    words = {lang: said.astype("category").loc[order].reset_index(drop=True) for lang, said in words.items()}
    refused = next((part.replay.refused for part in parts if part.replay.refused), "")
    values = {} if refused else {key: pd.concat([part.replay.values[key] for part in parts]) for key in first.replay.values}
    strange = sum((part.strange for part in parts[1:]), first.strange)
    return (
        ScoredPart(
            accounts.loc[order].reset_index(drop=True),
            first.deals,
            words,
            {},
            Replay(values, refused),
            pd.concat([part.due for part in parts], ignore_index=True).sort_values("deal_id", ignore_index=True),
            strange,
            summed(part.read for part in parts),
            put_aside([part.quarantine for part in parts]),
            one_voice([part.warnings for part in parts]),
            sum(part.n_deals for part in parts),
        ),
        order,
    )


def summed(records: Iterable[list[dict]]) -> list[dict]:
    """Add up where the rows of each table went; a table of no account, which every part has, counts once."""
    total: dict[str, dict] = {}
    for record in records:
        for count in record:
            known = total.setdefault(count["table"], dict.fromkeys(count, 0))
            is_whole = count["table"] in WHOLE
            for name, value in count.items():
                known[name] = known[name] + value if name.startswith("n_") and not is_whole else value
    return list(total.values())


def put_aside(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows that parts put aside, in the order of the files; those of a table that every part has, once."""
    every = pd.concat([parts[0], *(part[~part["table"].isin(WHOLE)] for part in parts[1:])], ignore_index=True)
    return every.sort_values(["table", "file", "row"], kind="stable", ignore_index=True)


def one_voice(warnings: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Say once what several parts say; where only numbers differ, the first that said it and how many others did.

    >>> one_voice([("3 rows lack a day.", "No rates."), ("5 rows lack a day.", "No rates.")])
    ('3 rows lack a day. (Part 1 of 2; 1 other says the same of its own rows.)', 'No rates.')
    """
    said: dict[str, list[tuple[int, str]]] = {}
    for at, of_part in enumerate(warnings):
        for warning in of_part:
            said.setdefault(re.sub(r"\d[\d.,]*", "#", warning), []).append((at, warning))
    return tuple(_in_one(cases, len(warnings)) for cases in said.values())


def _in_one(cases: list[tuple[int, str]], n_parts: int) -> str:
    at, first = cases[0]
    if n_parts == len(cases) and len({warning for _, warning in cases}) == 1:
        return first
    others = len(cases) - 1
    say = "1 other says the same of its own rows" if others == 1 else f"{others} others say the same of their own rows"
    more = f"; {say}" if others else ""
    return f"{first} (Part {at + 1} of {n_parts}{more}.)"


def publish_parts(task: Task, stored: list[StoredPart], ranked: Ranked, order: np.ndarray, *, lang: str, scratch: Path) -> dict:
    """Write the scores of all parts in the order in which accounts are ranked, and return the files to publish."""
    place = np.empty(len(order), dtype=np.int64)
    place[order[ranked.order]] = np.arange(len(order))
    ends = np.cumsum([0, *(len(part.narrow.accounts) for part in stored)])
    for part, start, end in zip(stored, ends, ends[1:], strict=False):
        _finish(part, ranked, place[start:end], lang)
    folders, written = [part.folder for part in stored], {}
    names = {"account_scores": ([PLACE], [PLACE]), "deal_scores": (["account_id", "deal_id"], [])}
    names |= {f"account_texts_{code}": ([PLACE], [PLACE]) for code in ranked.texts}
    for name, (by, left_out) in names.items():
        merged = Merged([folder / f"{name}.parquet" for folder in folders], by, left_out)
        parquet, csv = (scratch / f"{name}.{kind}" for kind in ("parquet", "csv"))
        is_table = not name.startswith("account_texts")
        write_merged(merged, parquet, csv if is_table else None, scratch=scratch, excel_fr=task.wanted.excel_fr)
        written |= {path.name: path for path in (parquet, *((csv,) if is_table else ()))}
    return written


def _finish(part: StoredPart, ranked: Ranked, place: np.ndarray, lang: str) -> None:
    """Put tiers and plays beside the figures of a part, and write what is published of it."""
    deals, words = _read_back(part.folder / "deals-scored.parquet")
    (part.folder / "deal_scores.parquet").write_bytes(to_parquet(with_words(deals, words[lang])))
    accounts, words = _read_back(part.folder / "accounts-scored.parquet")
    accounts = accounts.drop(columns=["owner_id", "region", "shift"])
    now = ranked.accounts.iloc[place].reset_index(drop=True)
    given = [name for name in now if name not in accounts and name not in TEXTS]
    texts = {code: text.iloc[place].reset_index(drop=True) for code, text in ranked.texts.items()}
    words = {code: said.assign(segment_label=texts[code]["segment_label"].astype("str")) for code, said in words.items()}
    accounts = with_words(accounts.assign(**now[given]), words[lang])
    lead = [*LEAD, *PLAY_COLUMNS]
    accounts = accounts[lead + [name for name in accounts if name not in lead]]
    (part.folder / "account_scores.parquet").write_bytes(to_parquet(accounts.assign(**{PLACE: place})))
    for code, text in texts.items():
        told = text.drop(columns="segment_label")
        told = pd.concat([told[["account_id"]], words[code], told.drop(columns="account_id")], axis=1)
        (part.folder / f"account_texts_{code}.parquet").write_bytes(to_parquet(told.assign(**{PLACE: place})))


def _read_back(path: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Read what was put on disk, its texts apart by language."""
    table = pd.read_parquet(path)
    codes = {name.split(":")[1]: None for name in table if name.startswith(f"{TEXTS[0]}:")}
    words = {code: table[[f"{name}:{code}" for name in TEXTS]].set_axis(TEXTS, axis=1) for code in codes}
    return table.drop(columns=[name for name in table if ":" in name and name.split(":")[0] in TEXTS]), words
