"""When a column's cells could be known: proposed by its name and by tests, and never silently `at_creation`."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from winworth.draft.drafted import UNSURE
from winworth.draft.look import Look
from winworth.draft.names import plain_words
from winworth.features.leak_names import late_word

TESTED = 20_000  # rows that tests look at
LEAST_ROWS = 30  # of each status, below which a test says nothing
MUCH_EMPTIER = 0.5
TELLS_ALONE = 0.9  # AUC of one column by itself
_NO_FEATURE = {"deal_id", "account_id", "group_id", "status", "opened_on", "closed_on", "currency", "modified_on", "created_on"}
_NO_FEATURE |= {"owner_id", "name", "parent_id"}
_STABLE = re.compile(
    r"sector|industry|secteur( d activite)?|branche|vertical|(billing |head office )?country( code)?|pays|office location"
    r"|region|(code )?postal( code)?|post ?code|zip( code)?|year (established|founded)|founded( year)?|annee de creation"
    r"|forme juridique|legal form|(lead |deal |original |referral )?source|origine?|provenance|((deal|opportunity) )?type"
)
_AFTERWARDS = re.compile(r"\b(churn\w*|health|sante|lifecycle|last activity|nps|score)\b")


@dataclass(frozen=True)
class WhenKnown:
    """A proposal: at_close, `UNSURE`, or None for what no feature reads; and why."""

    known: str | None
    why: str = ""


def when_known(table: str, column: str, look: Look, cells: pd.Series, statuses: pd.Series | None) -> WhenKnown:
    """Propose when a column of deals or accounts is known; `statuses` are won, lost or open by row of its file.

    at_creation is never proposed: no test of one extract can prove it, so a person has to say it.
    """
    if column in _NO_FEATURE:
        return WhenKnown(None)
    plain = plain_words(look.header)
    told = _tested(look, cells.head(TESTED), statuses.head(TESTED)) if statuses is not None else ""
    if told:
        return WhenKnown("at_close", told)
    if column in ("stage", "probability"):
        return WhenKnown("at_close", "a process column: it moves as the deal does")
    late = late_word(look.header) if table == "deals" else None
    if late:
        return WhenKnown("at_close", f'"{late}" in its name: filled in as the deal moves or ends')
    if table == "deals" and column == "amount":
        return WhenKnown("at_close", "as it stands in the end; at_creation only if typed on the first day and never changed")
    if _AFTERWARDS.search(plain):
        return WhenKnown("at_close", "by its name it tells what became of the account")
    return WhenKnown(UNSURE, "by its name it seldom changes" if _STABLE.fullmatch(plain) else "")


def _tested(look: Look, cells: pd.Series, statuses: pd.Series) -> str:
    """Return what in the cells says that a column is filled in when a deal ends, or an empty text."""
    filled = cells.str.strip() != ""
    won, lost, still_open = (filled[statuses == status] for status in ("won", "lost", "open"))
    closed = pd.concat([won, lost])
    said = []
    if min(len(still_open), len(closed)) >= LEAST_ROWS and still_open.mean() < MUCH_EMPTIER * closed.mean():
        said.append(f"filled on {still_open.mean():.0%} of open deals and {closed.mean():.0%} of closed ones: filled in late")
    if min(len(won), len(lost)) >= LEAST_ROWS:
        if min(won.mean(), lost.mean()) < MUCH_EMPTIER * max(won.mean(), lost.mean()):
            said.append(f"filled on {won.mean():.0%} of won and {lost.mean():.0%} of lost deals: filled in by the outcome")
        said.append(_tells_alone(look, cells, statuses))
    return "; ".join(part for part in said if part)


def _tells_alone(look: Look, cells: pd.Series, statuses: pd.Series) -> str:
    if look.kind == "number":
        mark = "," if look.numerals.locale == "fr" else "."
        plain = cells.str.replace(r"[^\d\-,.]", "", regex=True).str.replace("." if mark == "," else ",", "", regex=False)
        values = pd.to_numeric(plain.str.replace(",", ".", regex=False), errors="coerce")
        won, lost = values[statuses == "won"].dropna(), values[statuses == "lost"].dropna()
        if len(lost) >= LEAST_ROWS and (lost == 0).all() and (won != 0).mean() > 0.5:
            return f"0 on all {len(lost):,} lost deals: filled in by the outcome"
        auc = _auc(won.to_numpy(), lost.to_numpy())
        if max(auc, 1 - auc) > TELLS_ALONE:
            return f"by itself it tells won from lost (AUC {max(auc, 1 - auc):.2f}): too good for the first day"
    if look.kind == "level":
        closed = statuses.isin(["won", "lost"])
        by = pd.crosstab(cells[closed].str.strip(), statuses[closed])
        by = by[by.sum(axis=1) >= LEAST_ROWS]
        pure = by[(by.max(axis=1) >= 0.98 * by.sum(axis=1))]
        if len(by) and pure.to_numpy().sum() > 0.6 * by.to_numpy().sum() and pure.idxmax(axis=1).nunique() == 2:
            return "by itself it tells won from lost: too good for the first day"
    return ""


def _auc(won: np.ndarray, lost: np.ndarray) -> float:
    """Return the chance that a won deal has the higher value, ties counted half."""
    if min(len(won), len(lost)) < LEAST_ROWS:
        return 0.5
    ranks = pd.Series(np.concatenate([won, lost])).rank().to_numpy()
    return float((ranks[: len(won)].sum() - len(won) * (len(won) + 1) / 2) / (len(won) * len(lost)))
