"""What sales and marketing do for a segment and tier: a complete play for each tier, refined where a segment differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any

import pandas as pd

from winworth.errors import ConfigError, did_you_mean, listed
from winworth.features.catalog import STRICT
from winworth.scoring.settings import Scoring

TIERS = ("A", "B", "C")


@dataclass(frozen=True)
class Said:
    """The same words in both languages."""

    __pydantic_config__ = STRICT

    en: str
    fr: str

    def __post_init__(self):
        empty = [lang for lang in ("en", "fr") if not getattr(self, lang).strip()]
        if empty:
            raise ValueError(f"{' and '.join(empty)} must say something")


@dataclass(frozen=True)
class Objection:
    """What a customer objects, and the answer to it."""

    __pydantic_config__ = STRICT

    objection: Said
    answer: Said


@dataclass(frozen=True)
class Pledges:
    """What marketing owes sales, and sales marketing (the service levels)."""

    __pydantic_config__ = STRICT

    marketing: Said
    sales: Said


@dataclass(frozen=True)
class Messages:
    """What is said to each role class."""

    __pydantic_config__ = STRICT

    decider: Said
    influencer: Said
    buyer: Said
    user: Said
    it: Said
    finance: Said
    legal: Said


@dataclass(frozen=True)
class Play:
    """One entry of the playbook; `quota` is how many such accounts a seller can work at once."""

    __pydantic_config__ = STRICT

    name: Said
    proposition: Said
    proofs: tuple[Said, ...]
    objections: tuple[Objection, ...]
    offer: Said
    channel: Said
    cadence: Said
    content: tuple[Said, ...]
    quota: int
    sla: Pledges
    messages: Messages

    def __post_init__(self):
        empty = [name for name in ("proofs", "objections", "content") if getattr(self, name) == ()]
        if empty:
            raise ValueError(f"{', '.join(empty)} must name at least one")
        if self.quota is not None and self.quota < 0:  # a segment may leave it to the tier
            raise ValueError(f"quota is {self.quota}; it is a number of accounts, 0 or more")


def _in_part(shape: type, nested: Mapping[type, type] = {}) -> type:  # noqa: B006 (read only)
    """Return the dataclass of which every field may be left out: what a segment changes of a tier's play."""
    optional = [(f.name, nested.get(f.type, f.type) | None, None) for f in fields(shape)]
    checks = {name: getattr(shape, name) for name in ("__post_init__",) if hasattr(shape, name)}
    own = {"__doc__": f"The fields of {shape.__name__} that change.", "__pydantic_config__": STRICT, "__module__": __name__}
    return make_dataclass(f"{shape.__name__}Change", optional, frozen=True, namespace=own | checks)


PledgesChange, MessagesChange = _in_part(Pledges), _in_part(Messages)
_NESTED = {Pledges: PledgesChange, Messages: MessagesChange}
PlayChange = _in_part(Play, _NESTED)


@dataclass(frozen=True)
class TierPlays:
    """The play of each tier; one may be left out where every live segment tells its own in full."""

    __pydantic_config__ = STRICT

    A: Play | None = None
    B: Play | None = None
    C: Play | None = None


@dataclass(frozen=True)
class SegmentPlays:
    """What a segment is called, where leadership has a better name, and what it changes of each tier's play."""

    __pydantic_config__ = STRICT

    label: Said | None = None
    A: PlayChange | None = None
    B: PlayChange | None = None
    C: PlayChange | None = None


@dataclass(frozen=True)
class Playbooks:
    """The whole of playbooks.yaml."""

    __pydantic_config__ = STRICT

    tiers: TierPlays
    segments: Mapping[str, SegmentPlays] = field(default_factory=dict)

    def play(self, segment: str, tier: str) -> Play:
        """Return the tier's play with what the segment changes; raises ConfigError where it lacks a field."""
        own = getattr(self.segments.get(segment), tier, None)
        lacking: list[str] = []
        values = _laid_over(Play, getattr(self.tiers, tier), own, lacking)
        if lacking:
            raise ConfigError(
                f"playbooks.yaml: there is no play for segment {segment} and tier {tier}, which accounts have now: "
                f"segments.{segment}.{tier} lacks {listed(lacking)}, and tiers.{tier} is not written. "
                f"Write tiers.{tier} in full, or the rest of segments.{segment}.{tier}."
            )
        return Play(**values)

    def strangers(self, live: Iterable[str]) -> list[str]:
        """Say which segments of the file no account is in; `live` are those that accounts are in."""
        known = sorted(set(live))
        return [
            f"playbooks.yaml: segments.{name} is the segment of no account. {did_you_mean(name, known)}"
            for name in self.segments
            if name not in known
        ]


def _laid_over(shape: type, base: Any, change: Any, lacking: list[str], path: str = "") -> dict:
    """Return each field as `change` has it, else as `base`; the dotted names of those that neither has go to `lacking`."""
    values = {}
    for each in fields(shape):
        old, new = getattr(base, each.name, None), getattr(change, each.name, None)
        if each.type in _NESTED and (old is None or new is not None):
            missed = len(lacking)
            inner = _laid_over(each.type, old, new, lacking, f"{path}{each.name}.")
            values[each.name] = each.type(**inner) if len(lacking) == missed else None
            continue
        values[each.name] = old if new is None else new
        if values[each.name] is None:
            lacking.append(path + each.name)
    return values


def check_quotas(playbooks: Playbooks, scoring: Scoring) -> None:
    """Raise ConfigError where what a seller is to work takes more hours a quarter than the one with most of them has."""
    most = max(scoring.sellers.values(), default=float("inf"))
    for segment in (None, *playbooks.segments):
        quotas = {tier: _quota(playbooks, segment, tier) for tier in TIERS}
        taken = sum((quota or 0) * scoring.serving.hours[tier] for tier, quota in quotas.items())
        if taken <= most + 1e-9:
            continue
        where = ", ".join(f"{_quota_path(playbooks, segment, tier)} {quota}" for tier, quota in quotas.items() if quota)
        raise ConfigError(
            f"playbooks.yaml: {where} together take {taken:g} hours a quarter by serving.hours in scoring.yaml, and no seller "
            f"has more than {most:g}. Lower a quota, or give the sellers in scoring.yaml their true hours."
        )


def _quota(playbooks: Playbooks, segment: str | None, tier: str) -> int | None:
    own = getattr(getattr(playbooks.segments.get(segment), tier, None), "quota", None)
    return getattr(getattr(playbooks.tiers, tier), "quota", None) if own is None else own


def _quota_path(playbooks: Playbooks, segment: str | None, tier: str) -> str:
    own = getattr(getattr(playbooks.segments.get(segment), tier, None), "quota", None)
    return f"tiers.{tier}.quota" if own is None else f"segments.{segment}.{tier}.quota"


def play_table(playbooks: Playbooks, live: pd.DataFrame, *, lang: str) -> pd.DataFrame:
    """Write out the plays of the segments and tiers that accounts have: one row each, lists one item a line.

    `live` has segment, tier and n_accounts. Raises ConfigError for a segment and tier without a play.

    >>> from winworth.config import built_in_playbooks
    >>> live = pd.DataFrame({"segment": ["S1"], "tier": ["A"], "n_accounts": [3]})
    >>> play_table(built_in_playbooks(), live, lang="en")[["segment", "tier", "play", "channel", "quota"]]
      segment tier             play                      channel  quota
    0      S1    A  Win it together  meetings, in person or live     15
    """
    plays = [playbooks.play(segment, tier) for segment, tier in zip(live["segment"], live["tier"], strict=True)]
    rows = [_row(play, lang) for play in plays]
    told = pd.DataFrame(rows, columns=_COLUMNS, index=live.index)
    return pd.concat([live, told], axis=1).reset_index(drop=True)


_COLUMNS = ["play", *(f.name for f in fields(Play) if f.name not in ("name", "sla", "messages"))]
_COLUMNS += [f"{owner}_owes" for owner in ("marketing", "sales")] + [f"to_{f.name}" for f in fields(Messages)]


def _row(play: Play, lang: str) -> list:
    told: list = []
    for name in (f.name for f in fields(Play)):
        value = getattr(play, name)
        if isinstance(value, Pledges | Messages):
            told += [getattr(getattr(value, f.name), lang) for f in fields(value)]
        elif isinstance(value, tuple):
            told.append("\n".join(_line(item, lang) for item in value))
        else:
            told.append(value if isinstance(value, int) else getattr(value, lang))
    return told


def _line(item: Said | Objection, lang: str) -> str:
    if isinstance(item, Said):
        return getattr(item, lang)
    return f"{getattr(item.objection, lang)} -> {getattr(item.answer, lang)}"
