"""Planted worlds as questions: what to weigh, on the deals whose truth is known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from winworth.config import load_settings
from winworth.crm.synthetic import software_company, write_exports
from winworth.flows.learn import Recipe, Reference, day_number
from winworth.flows.retrain import begin
from winworth.flows.weigh import Question
from winworth.models.calibration import Platt
from winworth.models.task import Rung
from winworth.models.track import untracked
from winworth.models.trees import small_trees

AS_OF = date(2026, 6, 30)
CONF = Path(__file__).parents[2] / "conf"
Planted = tuple[Question, Reference, pd.Series]


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Callable[..., Planted]:
    """Return a function that plants a world: its question, the day its deals opened as reference, and the true weights."""

    def plant(n_deals: int, seed: int, rung: Rung | None = None) -> Planted:
        world = software_company(n_deals=n_deals, as_of=AS_OF, seed=seed)
        home = tmp_path_factory.mktemp("planted")
        write_exports(world, home)
        settings = load_settings(CONF)
        training = replace(settings.training, leak_tax=False, threads=2)
        retrain = begin(
            replace(settings, crm=replace(settings.crm, folder=str(home)), training=training), AS_OF, home, untracked
        )
        size = small_trees(len(retrain.task.won) // 2)
        recipe = Recipe(rung or Rung("average", C=0.003, size=size), Platt(), day_number(AS_OF))
        question = Question(retrain.task, retrain.worth, recipe, retrain.catalog, n_deals)
        return question, opened_deals(question), 100 * world.truth

    return plant


def opened_deals(question: Question, most: int = 1500) -> Reference:
    """Take past deals on the day they opened, as the truth does, in place of the open pipeline."""
    task = question.task
    rows = np.flatnonzero(task.features["deal_age"].to_numpy() == 0)
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:most])
    return Reference(task.features.iloc[rows].reset_index(drop=True), task.accounts[rows], np.zeros(len(rows), bool), False)
