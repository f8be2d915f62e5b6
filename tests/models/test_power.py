"""What could have been seen: by the formula, and by drawing deals."""

import numpy as np
import pytest

from winworth.models.metrics import auc
from winworth.models.power import auc_error, chance_to_see, power_table


def drawn(area: float, n: int, rng: np.random.Generator) -> float:
    """Draw an AUC of n deals, a quarter won, whose scores are two normals apart."""
    from scipy.stats import norm

    y = (np.arange(n) % 4 == 0).astype(float)
    return auc(y, rng.normal(size=n) + y * np.sqrt(2) * norm.ppf(area), np.ones(n))


@pytest.mark.parametrize("n", [60, 400])
def test_the_chance_to_see_a_fall_is_near_what_drawing_deals_finds_and_claims_no_more(n):
    rng = np.random.default_rng(1)
    held, fallen = (np.array([drawn(area, n, rng) for _ in range(800)]) for area in (0.75, 0.70))
    seen = np.mean(fallen < np.quantile(held, 0.05))
    assert seen - 0.1 < chance_to_see(0.75, n, won_share=0.25) < seen + 0.05
    assert auc_error(0.75, n / 4, 3 * n / 4) == pytest.approx(held.std(), rel=0.15)


def test_the_table_is_near_that_measured_once_and_grows():
    chances = [step["chance"] for step in power_table(0.75, won_share=0.25)]
    assert chances == pytest.approx([0.13, 0.30, 0.51, 0.87], abs=0.06)
    assert chances == sorted(chances)


def test_without_won_deals_nothing_can_be_seen():
    assert auc_error(0.75, 0, 50) == np.inf
    assert chance_to_see(0.75, 50, won_share=0.0) == 0.05
