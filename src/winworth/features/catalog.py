"""What criteria.yaml says: criteria, and the features each is measured by."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

from winworth.errors import ConfigError, did_you_mean
from winworth.tables import TABLES

STRICT = {"extra": "forbid"}
Family = Literal["firmographic", "behavioural", "needs_value", "technographic", "purchase_maturity", "context"]
VERBS = (
    "value",
    "count",
    "sum",
    "mean",
    "distinct",
    "share",
    "days_since_first",
    "days_since_last",
    "trend",
    "decayed_count",
    "deals_won",
    "deals_lost",
    "invoiced",
)
_OF_COLUMN = ("value", "sum", "mean", "distinct")
_PAST = ("deals_won", "deals_lost", "invoiced")
_WINDOWED = ("count", "sum", "mean", "distinct", "share", "days_since_last", "trend", *_PAST)
_TAKEN_BY = {"within_days": _WINDOWED, "against_days": ("trend",), "half_life_days": ("decayed_count",), "among": ("share",)}
_TAKEN_BY |= {"in_wholes_of": ("value",)}
_CHANGING = ("count", "distinct", "share", "days_since_last", "trend", "decayed_count")
_LASTING = ("accounts", "deals", "example")  # one row each: what can be read there needs no conditions
Condition = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Feature:
    """One measured column: exactly one verb, what it reads, and where and when it looks.

    A verb names `table.column` (value, sum, mean, distinct) or a table (the others; an account's own past reads
    `accounts`). `where` keeps rows whose columns have the given levels; for `share` the rows of `where` are counted among
    those of `among`. `within_days` looks back so far from the as-of date, its own day included; `trend` compares that
    window with the `against_days` before it. `in_wholes_of: 1000` says of a number, in place of it, whether it was typed in
    whole thousands (1 or 0): a habit of those who fill in forms. `by: deal` reads the deal's own rows instead of the account's.
    """

    __pydantic_config__ = STRICT

    value: str | None = None
    count: str | None = None
    sum: str | None = None
    mean: str | None = None
    distinct: str | None = None
    share: str | None = None
    days_since_first: str | None = None
    days_since_last: str | None = None
    trend: str | None = None
    decayed_count: str | None = None
    deals_won: str | None = None
    deals_lost: str | None = None
    invoiced: str | None = None
    where: Condition = field(default_factory=dict)
    among: Condition = field(default_factory=dict)
    within_days: int | None = None
    against_days: int | None = None
    half_life_days: float | None = None
    in_wholes_of: float | None = None
    by: Literal["account", "deal"] = "account"
    direction: Literal["up", "down"] | None = None
    label: Mapping[str, str] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """The one verb that is set."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def reads(self) -> str:
        """The table that the feature reads."""
        if self.verb in _PAST:
            return "invoices" if self.verb == "invoiced" else "deals"
        return getattr(self, self.verb).split(".")[0]

    @property
    def column(self) -> str | None:
        """The column that the verb names, if it names one."""
        return getattr(self, self.verb).split(".")[1] if self.verb in _OF_COLUMN else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the feature reads, conditions included."""
        named = {*self.where, *self.among} | ({self.column} if self.column else set())
        return tuple(sorted(named))


@dataclass(frozen=True)
class Criterion:
    """What leadership can name: a label in each language and the features that measure it.

    `actionable` says whether a sales team can change it; unless said, what is counted of events can be changed in the
    families behavioural and purchase_maturity, and nothing else.
    """

    __pydantic_config__ = STRICT

    family: Family
    label: Mapping[str, str]
    features: Mapping[str, Feature]
    actionable: bool | None = None

    def can_change(self, feature: str) -> bool:
        """Tell whether a sales team can change one of its features; what an account already is, it cannot."""
        if self.actionable is not None:
            return self.actionable
        return self.family in ("behavioural", "purchase_maturity") and self.features[feature].verb in _CHANGING


@dataclass(frozen=True)
class Catalog:
    """The criteria by name, checked: each feature has one verb with what it needs, and belongs to one criterion."""

    criteria: Mapping[str, Criterion]

    def __post_init__(self):
        seen: dict[str, str] = {}
        for name, criterion in self.criteria.items():
            if not criterion.features:
                raise ConfigError(f"criteria.yaml: the criterion {name} has no features. Give it one, or remove it.")
            for feature, spec in criterion.features.items():
                if feature in seen:
                    raise ConfigError(
                        f"criteria.yaml: the feature {feature} stands in {seen[feature]} and in {name}. A feature counts once: "
                        "remove it from one, or rename it."
                    )
                seen[feature] = name
                _check(f"criteria.yaml: {name}.{feature}", spec)

    @cached_property
    def features(self) -> dict[str, Feature]:
        """All features by name, in the order of the file."""
        return {name: spec for criterion in self.criteria.values() for name, spec in criterion.features.items()}

    @cached_property
    def criterion_of(self) -> dict[str, str]:
        """The criterion each feature belongs to."""
        return {feature: name for name, criterion in self.criteria.items() for feature in criterion.features}

    def to_dict(self) -> dict:
        """Return the criteria for JSON, as criteria.yaml writes them."""
        return {"criteria": {name: _without_blanks(asdict(criterion)) for name, criterion in self.criteria.items()}}

    @classmethod
    def from_dict(cls, learnt: dict) -> "Catalog":
        """Rebuild what `to_dict` wrote."""
        criteria = {}
        for name, spec in learnt["criteria"].items():
            features = {feature: Feature(**_with_tuples(options)) for feature, options in spec["features"].items()}
            criteria[name] = Criterion(spec["family"], spec.get("label", {}), features, spec.get("actionable"))
        return cls(criteria)

    @property
    def context(self) -> tuple[str, ...]:
        """The criteria of the family context, which enter the win model and are reported apart."""
        return tuple(name for name, criterion in self.criteria.items() if criterion.family == "context")


def _without_blanks(node: object) -> object:
    if not isinstance(node, dict):
        return list(node) if isinstance(node, tuple) else node
    return {name: _without_blanks(value) for name, value in node.items() if value is not None and value != {}}


def _with_tuples(options: dict) -> dict:
    """Turn the lists of words that JSON holds back into tuples, so that what is read equals what was written."""
    conditions = {name: options[name] for name in ("where", "among") if name in options}
    words = {
        name: {column: tuple(levels) if isinstance(levels, list) else levels for column, levels in condition.items()}
        for name, condition in conditions.items()
    }
    return {**options, **words}


def _check(where: str, spec: Feature) -> None:
    """Raise where a feature does not have exactly one verb with all it needs."""
    verbs = [verb for verb in VERBS if getattr(spec, verb) is not None]
    if len(verbs) != 1:
        found = " and ".join(verbs) or "none"
        raise ConfigError(f"{where} needs exactly one verb and has {found}. Verbs: {', '.join(VERBS)}.")
    verb, target = verbs[0], getattr(spec, verbs[0])
    if verb in _OF_COLUMN and target.count(".") != 1:
        raise ConfigError(f"{where}: {verb} reads a column, as in {verb}: table.column, not {target}.")
    if verb in _PAST and target != "accounts":
        raise ConfigError(f"{where}: {verb} counts an account's own past: write {verb}: accounts, not {target}.")
    if verb not in _OF_COLUMN and "." in target:
        raise ConfigError(f"{where}: {verb} reads a table, not the column {target}. Use where for conditions on columns.")
    _check_table(where, verb, target.split(".")[0])
    needs = {"trend": ("within_days", "against_days"), "decayed_count": ("half_life_days",), "share": ("where",)}
    for option in needs.get(verb, ()):
        if not getattr(spec, option):
            raise ConfigError(f"{where}: {verb} needs {option}.")
    for option in ("within_days", "against_days", "half_life_days", "in_wholes_of"):
        given = getattr(spec, option)
        if given is not None and given <= 0:
            raise ConfigError(f"{where}: {option} is {given}; it must be above 0.")
    ignored = [option for option, verbs in _TAKEN_BY.items() if getattr(spec, option) and verb not in verbs]
    if spec.where and verb == "value" and spec.reads in _LASTING:
        ignored.append("where")
    if ignored:
        raise ConfigError(
            f"{where}: {verb} of {target} takes no {' and no '.join(ignored)}. Remove it, or choose another verb."
        )


def _check_table(where: str, verb: str, table: str) -> None:
    """Raise where there is no such table, or where it holds no events and the verb needs them."""
    if table not in TABLES and not (table == "example" and verb == "value"):
        raise ConfigError(f"{where}: there is no table {table}. {did_you_mean(table, TABLES)}")
    if verb not in ("value", *_PAST) and table != "deals" and not TABLES[table].is_event:
        events = ", ".join(name for name in TABLES if name == "deals" or TABLES[name].is_event)
        raise ConfigError(f"{where}: {verb} needs events, and {table} holds none. Tables of events: {events}.")
    if verb == "value" and table == "costs":
        raise ConfigError(f"{where}: costs belong to no account. Read another table.")
