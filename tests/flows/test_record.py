"""What a retrain says of how far its history may go."""

from winworth.flows.record import Counts, data_ladder


def rungs(n_won: int, n_lost: int, *, enough: bool = True) -> dict:
    return data_ladder(Counts(n_won + n_lost, n_won, n_lost, 0, 0), enough=enough)


def test_the_data_ladder_goes_by_the_rarer_outcome_and_says_what_comes_next():
    assert rungs(60, 40_000)["may_try"] == ["base rate", "ridge", "average"]
    assert rungs(60, 40_000)["further"] == {"trees": 1500, "16 leaves": 10_000, "63 leaves": 10_000}
    assert rungs(2000, 8000)["further"] == {}
    assert rungs(2000, 8000)["may_try"][-1] == "63 leaves"


def test_with_too_few_deals_there_is_the_base_rate_and_nothing_else():
    assert rungs(40, 900, enough=False)["may_try"] == ["base rate"]
    assert list(rungs(40, 900, enough=False)["further"])[:2] == ["ridge", "average"]
