"""What leadership decided: who, until when, of which accounts, criterion or tier; and what came of it."""

from dataclasses import dataclass
from datetime import date

from winworth.features.catalog import STRICT

TIERS = ("A", "B", "C")


@dataclass(frozen=True)
class Decision:
    """One decision of a review, signed and dated; `accounts`, `criterion` and `tier` say what it is about, where they can.

    >>> Decision("Work the three mills ourselves", "Claire Martin", date(2026, 6, 30), date(2026, 9, 30), tier="A").has_ended(
    ...     date(2026, 10, 1)
    ... )
    True
    """

    __pydantic_config__ = STRICT

    what: str
    who: str
    decided_on: date
    until: date
    accounts: tuple[str, ...] = ()
    criterion: str = ""
    tier: str = ""

    def __post_init__(self):
        if not self.what.strip() or not self.who.strip():
            raise ValueError("what and who must say something: a decision is signed")
        if self.until < self.decided_on:
            raise ValueError(f"until is {self.until}, before decided_on {self.decided_on}")
        if self.tier and self.tier not in TIERS:
            raise ValueError(f'tier is "{self.tier}"; it must be one of {", ".join(TIERS)}')

    def has_ended(self, as_of: date) -> bool:
        """Say whether the decision ran out before the day."""
        return self.until < as_of


@dataclass(frozen=True)
class Decisions:
    """The whole of decisions.yaml."""

    __pydantic_config__ = STRICT

    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class AccountSince:
    """An account that a decision names: its tier at the scoring before the decision and now ("" unknown), deals won since
    (None: not known).
    """

    account_id: str
    name: str
    tier_then: str
    tier_now: str
    n_won: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a decision: of its accounts, its criterion's weight, its tier's number of accounts, then and now.

    `scored_on` is the scoring that "then" is read from, None where there is none; a pair holds None where it is not known.
    """

    decision: Decision
    scored_on: date | None = None
    accounts: tuple[AccountSince, ...] = ()
    weight: tuple[int | None, int | None] | None = None
    n_in_tier: tuple[int | None, int | None] | None = None
