"""The scorecard of a retrain: learnt as the criteria were weighed, and held to the models on rows later than its own."""

from dataclasses import dataclass, replace

import numpy as np

from winworth.features.catalog import Catalog
from winworth.flows.gate import Check
from winworth.flows.learn import Recipe, Reference, learn_value
from winworth.flows.weigh import Question, Weighed, weigh_criteria
from winworth.flows.worth import Worth
from winworth.models.folds import Fold
from winworth.models.track import Track
from winworth.scoring.scorer import as_json
from winworth.sheets import to_csv
from winworth.weights.effort import Effort
from winworth.weights.fidelity import Fidelity, LaterRows, fidelity, keeps_enough
from winworth.weights.fit_card import CardRows, fit_scorecard
from winworth.weights.overrides import LaterScores, log_unit
from winworth.weights.reasons import Wording
from winworth.weights.scorecard import Scorecard
from winworth.weights.scorecard_rows import card_rows
from winworth.weights.scorecard_sheet import to_workbook
from winworth.weights.scorecard_sql import to_sql

QUICK = Effort(n_boot=0, n_repeats=1, most_asked=3000)
MOST_PAST = 15_000  # rows that card and models are learnt from anew to be compared: whole accounts, drawn by the seed


@dataclass(frozen=True)
class Before:
    """What was known before the rows that the card is held to: the fold, what deals were worth then, each example's deal (an
    int code), and how to judge.
    """

    fold: Fold
    worth: Worth
    deals: np.ndarray
    most_rows: int
    capacity: float
    n_boot: int


@dataclass(frozen=True)
class JudgedCard:
    """What a card of before kept of the models on later rows, these rows as it scores them (other weights are priced on them),
    and the weights that it was learnt with, to which no later outcome was known.
    """

    fidelity: Fidelity
    later: LaterScores
    weighed: Weighed


def learn_card(weighed: Weighed, reference: Reference, catalog: Catalog, *, seed: int) -> Scorecard | None:
    """Learn the card from the contributions that the weights were read on; None where nothing weighs."""
    table = weighed.weights.table
    if not len(reference.features) or table["weight"].sum() == 0:
        return None
    rows = CardRows(reference.features, weighed.contributions, reference.account)
    return fit_scorecard(rows, catalog, table, seed=seed)


def judge_card(question: Question, before: Before, *, track: Track) -> JudgedCard | None:
    """Measure what a card keeps of the models on later rows: card, weights and models are learnt anew from what came before.

    None where nothing weighed.
    """
    task, fold = question.task, before.fold
    past = past_question(question, before)
    win, value = past.recipe.fit(past.task), learn_value(past.task, past.worth)
    rows = _drawn(past, before.most_rows)
    weighed = weigh_criteria(past, rows, effort=QUICK, track=track)
    card = learn_card(weighed, rows, question.catalog, seed=task.seed)
    if card is None:
        return None
    features = task.features.iloc[fold.test].reset_index(drop=True)
    log_value = np.log(win.model.predict_proba(win.matrix.transform(features))[:, 1])
    if value is not None:
        log_value = log_value + value.model.log_value(value.matrix.transform(features))
    won, weight = task.outcomes(fold.test, fold.test_day)
    later = LaterRows(log_value, task.accounts[fold.test], won, weight)
    criteria = card.criteria(features)
    kept = fidelity(card.total(criteria).to_numpy(), later, capacity=before.capacity, seed=task.seed, n_boot=before.n_boot)
    once = np.sort(np.unique(before.deals[fold.test], return_index=True)[1])  # money is counted once a deal
    told = [x[once] for x in (log_value, later.accounts, won, weight)]
    how = (log_unit(weighed.weights, card), before.capacity, value is not None)
    return JudgedCard(kept, LaterScores(criteria.iloc[once].reset_index(drop=True), *told, *how), weighed)


def card_check(found: Fidelity | None) -> Check:
    """Say whether the card is the score that runs: where it keeps too little the models rank, and nothing is refused for it."""
    if found is None:
        return Check("scorecard_fidelity", True, "not measured: nothing weighed before the rows judged; the models rank")
    return Check("scorecard_fidelity", True, keeps_enough(found.ev_ratio).says)


def card_holds(found: Fidelity | None) -> bool:
    """Tell whether the card keeps enough to be the score that runs."""
    return found is not None and keeps_enough(found.ev_ratio).passed


def card_record(card: Scorecard | None, found: Fidelity | None) -> dict | None:
    """Return fidelity and losses for metrics.json; None where there is no card."""
    if card is None:
        return None
    measured = found.to_dict() if found else dict.fromkeys(("ev_ratio", "spearman", "r2", "auc_change"))
    return measured | {"in_use": card_holds(found), "losses": dict(card.losses.__dict__)}


def card_files(card: Scorecard | None, catalog: Catalog, *, in_use: bool, later: LaterScores | None = None) -> dict[str, bytes]:
    """Return the card's files of a model version: JSON, a table, SQL, a workbook with live formulas, and the later rows."""
    if card is None:
        return {}
    priced = {} if later is None else {"later.json": as_json(later.to_dict()).encode()}
    return priced | {
        "scorecard.json": as_json({"card": card.to_dict(), "in_use": in_use}).encode(),
        "scorecard.csv": to_csv(card_rows(card)),
        "scorecard.sql": to_sql(card, table="account_features", key="account_id", no_deal="has_no_deal").encode(),
        "scorecard.xlsx": to_workbook(card, Wording(catalog, "en")),
    }


def past_question(question: Question, before: Before) -> Question:
    """Keep the rows and the knowledge of before."""
    rows, recipe = _whole_accounts(question, before.fold.train), question.recipe
    worth = replace(before.worth, money=before.worth.money[rows], form=question.worth.form)
    past = Recipe(recipe.rung, recipe.platt, before.fold.train_day)
    return replace(question, task=question.task.take(rows), worth=worth, recipe=past)


def _whole_accounts(question: Question, rows: np.ndarray) -> np.ndarray:
    """Draw accounts until their rows are as many as card and models are learnt from; all where there are no more."""
    if len(rows) <= MOST_PAST:
        return rows
    accounts, own = np.unique(question.task.accounts[rows], return_inverse=True)
    place = np.random.default_rng(question.task.seed).permutation(len(accounts))
    n_so_far = np.cumsum(np.bincount(place[own], minlength=len(accounts)))
    return rows[n_so_far[place[own]] <= MOST_PAST]


def _drawn(past: Question, most_rows: int) -> Reference:
    task = past.task
    drawn = np.sort(np.random.default_rng(task.seed).permutation(len(task.won))[:most_rows])
    features = task.features.iloc[drawn].reset_index(drop=True)
    return Reference(features, task.accounts[drawn], np.zeros(len(drawn), dtype=bool), False)
