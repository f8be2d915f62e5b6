"""Where nothing can be learnt, nothing is promoted."""

import numpy as np
import pytest

from test_planted_truth import AS_OF, exported, settings_for
from winworth.crm.synthetic import software_company
from winworth.errors import WinworthError
from winworth.flows.promote import promote
from winworth.flows.train import train

WORLDS = 20


@pytest.mark.slow
def test_of_twenty_null_worlds_at_least_nineteen_are_refused(tmp_path):
    refused = []
    for seed in range(WORLDS):
        home = tmp_path / str(seed)
        world = software_company(n_deals=800, as_of=AS_OF, seed=100 + seed, signal=False)
        settings = settings_for(exported(world, home / "exports"))
        try:
            train(settings, as_of=AS_OF, home=home)
            promote(home)
            refused.append(False)
        except WinworthError:
            refused.append(True)
    assert np.mean(refused) >= 0.95
