"""Whether tiers differ in what they bring, asked at training on the locked quarter; who does not differ is one tier."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winworth.flows.learn import learn_value
from winworth.flows.scorecard import Before, past_question
from winworth.flows.weigh import Question
from winworth.scoring.seats import TIERS, seats_for
from winworth.scoring.separation import tiers_that_differ
from winworth.scoring.settings import Scoring


def judge_tiers(question: Question, before: Before, deal_ids: pd.Series, scoring: Scoring, n_accounts: int) -> dict | None:
    """Cut the accounts of the locked quarter by models that knew nothing of it, and compare what tiers went on to bring.

    Each deal counts once, as it was first observed in the quarter; what it brought is the margin of a deal won within the
    horizon (seen so far, and expected of customers that stay), 0 of one not won; deals won without a value are left out.
    Returns the block `tiers` of metrics.json; None where no value is known.
    """
    task, fold = question.task, before.fold
    past = past_question(question, before)
    win, value = past.recipe.fit(past.task), learn_value(past.task, past.worth)
    if value is None:
        return None
    won, weight = task.outcomes(fold.test, fold.test_day)
    brought = np.where(won == 1, question.worth.money[fold.test], 0.0)
    first = ~pd.Series(deal_ids.to_numpy()[fold.test]).where(weight > 0).duplicated().to_numpy()
    kept = first & (weight > 0) & ~np.isnan(brought)
    features = task.features.iloc[fold.test[kept]].reset_index(drop=True)
    expected = win.model.predict_proba(win.matrix.transform(features))[:, 1]
    expected = expected * np.exp(value.model.log_value(value.matrix.transform(features)))
    n = max(n_accounts, 1)
    shares = {tier: min(seats / n, 1.0) for tier, seats in seats_for(scoring, n).n.items()}
    accounts = task.accounts[fold.test[kept]]
    found = tiers_that_differ(expected, brought[kept], accounts, shares=shares, seed=task.seed, n_boot=before.n_boot)
    return found.to_dict()


def fewer_tiers(judged: Mapping | None) -> list[str]:
    """Say aloud where fewer than three tiers are published, or where it was not measured whether they differ."""
    if judged is None:
        return ["Whether tiers differ in what they bring was not measured: no value is known, or nothing ranks."]
    if not judged["steps"]:
        return [f"Whether tiers differ in what they bring was not measured: {judged['says']}."]
    if len(judged["published"]) == len(TIERS):
        return []
    return [f"Only the tiers {', '.join(judged['published'])} are published: {judged['says']}."]
