import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from winworth.crm.synthetic.staggered import AS_OF, StaggeredCustomers, staggered_customers
from winworth.errors import ConfigError, DataError
from winworth.models import outlook
from winworth.models.ahead import Ahead
from winworth.models.cqr import coverage_by_group
from winworth.models.purchases import net_purchases
from winworth.models.retention import CustomerValue
from winworth.models.value_metrics import compare_values, without_model

TODAY = pd.Timestamp(AS_OF)


def customers(**options) -> CustomerValue:
    return CustomerValue(**({"yearly_rate": 0.0, "threads": 1} | options))


def known(world: StaggeredCustomers, *, contracts: bool = True) -> dict:
    return {"as_of": AS_OF, "accounts": world.accounts} | ({"contract_ends": world.contract_ends} if contracts else {})


@pytest.fixture(scope="module")
def world():
    return staggered_customers(n_accounts=300, seed=3)


@pytest.fixture(scope="module")
def model(world):
    return customers().fit(world.log, **known(world))


@pytest.fixture(scope="module")
def told(model, world):
    return model.predict(world.log, **known(world))


@pytest.fixture(scope="module")
def plain(world):
    """Return what is learnt from the log alone."""
    return customers().fit(world.log, as_of=AS_OF)


def both(log, **options):
    """Return fitted values and completed totals of a log on the as-of date."""
    fitted = customers().fit(log, as_of=AS_OF, **options)
    priced = fitted.predict(log, as_of=AS_OF, **options), fitted.complete(log, as_of=AS_OF, **options)
    return pd.concat([part.set_index("account_id") for part in priced], axis=1).to_numpy(dtype=float)


@pytest.fixture(scope="module")
def once(world):
    return both(world.log)


def test_a_currency_ten_times_smaller_multiplies_values_by_ten(world, once):
    log = world.log.assign(amount=world.log["amount"] * 10, margin=world.log["margin"] * 10)
    money = [0, 1, 2, 4, 5, 6, 7, 8]
    np.testing.assert_allclose(both(log)[:, money], once[:, money] * 10, rtol=1e-9)


def test_every_row_twice_at_half_weight_changes_nothing(world, once):
    log = pd.concat([world.log, world.log])
    np.testing.assert_allclose(both(log, sample_weight=np.full(len(log), 0.5)), once, rtol=1e-9)


def test_the_order_of_the_rows_changes_nothing(world, once):
    np.testing.assert_array_equal(both(world.log.sample(frac=1, random_state=1)), once)


def test_facts_after_the_as_of_date_change_nothing(world, told):
    later = world.log["invoiced_on"] > TODAY
    assert later.sum() > 1000
    log = world.log.assign(margin=world.log["margin"].mask(later, np.nan), amount=world.log["amount"].mask(later, -1e9))
    ends = world.contract_ends.mask(world.contract_ends > TODAY, TODAY + pd.Timedelta(days=1))
    options = known(world) | {"contract_ends": ends}
    pd.testing.assert_frame_equal(customers().fit(log, **options).predict(log, **options), told)


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing():
    world = staggered_customers(n_accounts=1500, seed=4)  # enough rows for threads to be used
    values = [customers(threads=n).fit(world.log, as_of=AS_OF).predict(world.log, as_of=AS_OF) for n in (1, 2)]
    pd.testing.assert_frame_equal(*values)


def test_a_model_survives_its_files(model, plain, world, told):
    for fitted, options in ((model, known(world)), (plain, {"as_of": AS_OF})):
        files = {name: json.loads(json.dumps(c, allow_nan=False)) for name, c in fitted.to_files("worth").items()}
        again = CustomerValue.from_files(files, "worth")
        pd.testing.assert_frame_equal(again.predict(world.log, **options), fitted.predict(world.log, **options))
        assert (again.balance_, again.basis_, again.n_negative_) == (fitted.balance_, fitted.basis_, fitted.n_negative_)
        assert again.interval_months_ == fitted.interval_months_
        assert again.set_params(threads=fitted.threads).get_params() == fitted.get_params()
        assert "threads" not in files["worth.json"]["params"]  # a setting of the machine, nothing learnt


def test_an_ended_contract_is_worth_nothing_more(model, world, told):
    ended = told["account_id"].map(world.contract_ends) <= TODAY
    assert ended.sum() > 50
    assert (told.loc[ended, ["value", "low", "high"]] == 0).all(axis=None)
    assert (told.loc[~ended, "value"] > 0).all()


def test_intervals_are_in_order_and_not_below_zero(told):
    assert (told["low"] >= 0).all()
    assert (told["low"] <= told["high"]).all()


def test_a_completed_total_is_what_was_seen_and_what_is_left(model, world):
    found = model.complete(world.log, **known(world)).set_index("account_id")
    assert found["total"].to_numpy() == pytest.approx((found["observed"] + found["remainder"]).to_numpy())
    over = found["months_left"] == 0
    assert over.sum() > 50
    assert found.loc[over, "total"].to_numpy() == pytest.approx(world.total[found.index[over]].to_numpy())
    assert (found.loc[over, "low"] == found.loc[over, "high"]).all()
    start = world.log.groupby("account_id")["invoiced_on"].min()[found.index]
    begun = (TODAY.year - start.dt.year) * 12 + TODAY.month - start.dt.month + 1
    assert found["months_left"].tolist() == np.maximum(24 - begun, 0).tolist()


def test_discounting_lowers_what_comes_late(world):
    dear = customers(yearly_rate=0.3).fit(world.log, as_of=AS_OF)
    cheap = customers(yearly_rate=0.0).fit(world.log, as_of=AS_OF)
    values = [each.predict(world.log, as_of=AS_OF)["value"] for each in (dear, cheap)]
    ratio = values[0].sum() / values[1].sum()
    assert 1.3**-1.2 < ratio < 1.3**-0.6  # two years whose middle lies a year ahead, less where customers leave
    observed = [each.complete(world.log, as_of=AS_OF)["observed"].sum() for each in (dear, cheap)]
    assert 0.7 < observed[0] / observed[1] < 0.95


def test_the_balance_ratio_is_kept_and_held(world, plain, monkeypatch):
    assert 0.8 < plain.balance_ < 1.25
    monkeypatch.setattr(Ahead, "margin", lambda self, X, rate: np.full(len(X), 1e-3))
    assert customers().fit(world.log, as_of=AS_OF).balance_ == outlook.RATIO[1] == 2.0
    monkeypatch.setattr(Ahead, "margin", lambda self, X, rate: np.full(len(X), 1e6))
    assert customers().fit(world.log, as_of=AS_OF).balance_ == outlook.RATIO[0] == 0.5


def test_one_giant_does_not_move_the_others(world, plain):
    usual = plain.predict(world.log, as_of=AS_OF).set_index("account_id")["value"]
    giant = world.log[world.log["invoiced_on"] <= TODAY].groupby("account_id").size().idxmax()
    times = np.where(world.log["account_id"] == giant, 10_000.0, 1.0)
    log = world.log.assign(amount=world.log["amount"] * times, margin=world.log["margin"] * times)
    found = customers().fit(log, as_of=AS_OF).predict(log, as_of=AS_OF).set_index("account_id")["value"]
    others = found.index != giant
    assert found[others].sum() == pytest.approx(usual[others].sum(), rel=0.15)
    assert found[giant] == pytest.approx(10_000 * usual[giant], rel=0.4)


def test_a_missing_margin_is_refused_where_it_counts(world, plain):
    log = world.log.sort_values("invoiced_on", ignore_index=True)
    log.loc[[5, 9], "margin"] = np.nan
    message = rf"2 of \d+ rows of the log have no finite margin; the first is account {log['account_id'][5]}, row 5\. Put in"
    with pytest.raises(DataError, match=message):
        customers().fit(log, as_of=AS_OF)
    with pytest.raises(DataError, match=message):
        plain.predict(log, as_of=AS_OF)


def test_an_empty_log_is_refused_to_learn_from_and_has_no_values(world, plain):
    empty = world.log.iloc[:0]
    with pytest.raises(DataError, match="0 customers of 0 accounts in the log were followed for 3 months; 30 are needed"):
        customers().fit(empty, as_of=AS_OF)
    assert plain.predict(empty, as_of=AS_OF).shape == (0, 4)
    assert plain.complete(empty, as_of=AS_OF).shape == (0, 7)


def test_a_log_too_short_to_follow_anyone_is_refused(world):
    recent = world.log[world.log["invoiced_on"] > TODAY - pd.Timedelta(days=60)]
    with pytest.raises(
        DataError, match="0 customers of .* followed for 3 months.* Give a longer log, or set a shorter step_months"
    ):
        customers().fit(recent, as_of=AS_OF)


def test_customers_with_one_purchase_only_have_finite_values(world):
    log = world.log.sort_values("invoiced_on").groupby("account_id").head(1)
    found = customers().fit(log, as_of=AS_OF).predict(log, as_of=AS_OF)
    assert np.isfinite(found["value"]).all()
    assert found["value"].sum() < 0.05 * log["margin"].sum()


def test_an_account_of_credit_notes_only_is_worth_nothing_and_credit_is_counted(world):
    credit = pd.DataFrame({"account_id": "Z", "invoiced_on": pd.to_datetime(["2025-03-03", "2024-05-05"]), "amount": -900.0})
    big = world.log[world.log["invoiced_on"] == world.log["invoiced_on"].min()].assign(
        invoiced_on=TODAY - pd.Timedelta(days=200)
    )
    log = pd.concat([world.log, credit.assign(margin=-900.0), big.assign(amount=-1e6, margin=-1e6)], ignore_index=True)
    fitted = customers().fit(log, as_of=AS_OF)
    found = fitted.predict(log, as_of=AS_OF).set_index("account_id")
    assert found.loc["Z", ["value", "low", "high"]].tolist() == [0, 0, 0]
    assert fitted.complete(log, as_of=AS_OF).set_index("account_id").loc["Z", "total"] == 0
    assert fitted.n_negative_ > 0
    assert (found["value"] >= 0).all()


def test_margins_of_zero_are_worth_zero(world):
    log = world.log.assign(margin=0.0)
    found = customers().fit(log, as_of=AS_OF).predict(log, as_of=AS_OF)
    assert (found["value"] == 0).all()


def test_a_year_without_any_invoice_does_no_harm(world):
    log = world.log[world.log["invoiced_on"].dt.year != 2024]
    found = customers().fit(log, as_of=AS_OF).predict(log, as_of=AS_OF)
    assert np.isfinite(found[["value", "low", "high"]]).all(axis=None)


def test_silence_tells_who_left_only_in_a_log_that_is_long_enough(world, plain):
    assert plain.basis_ == "purchases"
    assert customers(months=12, least_silence_months=6).fit(world.log, as_of=AS_OF).basis_ == "purchases"  # too few left
    many = staggered_customers(n_accounts=600, seed=5)
    assert customers(months=12, least_silence_months=6).fit(many.log, as_of=AS_OF).basis_ == "silence"
    assert customers(months=31, least_silence_months=6).fit(many.log, as_of=AS_OF).basis_ == "purchases"


def test_too_little_to_calibrate_on_has_no_interval(world):
    few = world.log[world.log["account_id"] < "A00085"]
    fitted = customers().fit(few[few["invoiced_on"] > TODAY - pd.Timedelta(days=200)], as_of=AS_OF)
    found = fitted.predict(few, as_of=AS_OF)
    assert fitted.interval_months_ == 0
    assert found[["low", "high"]].isna().all(axis=None)
    assert found["value"].notna().all()


@pytest.mark.parametrize("wrong", [{"months": 0}, {"step_months": 0}, {"yearly_rate": -1.0}, {"least_silence_months": 0.0}])
def test_a_setting_out_of_range_is_refused(world, wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ConfigError, match=f"{name}={value}"):
        customers(**wrong).fit(world.log, as_of=AS_OF)


def test_what_fit_was_given_predict_needs_too(model, plain, world):
    with pytest.raises(ConfigError, match="Account features must be given"):
        plain.predict(world.log, as_of=AS_OF, accounts=world.accounts)
    with pytest.raises(ConfigError, match="contract_ends must be given"):
        model.predict(world.log, as_of=AS_OF, accounts=world.accounts)
    with pytest.raises(DataError, match="accounts names 1 accounts twice: A00000"):
        model.predict(world.log, **known(world) | {"accounts": pd.concat([world.accounts, world.accounts[:1]])})


def test_the_estimator_stores_what_it_was_given_and_nothing_else():
    assert clone(CustomerValue(months=36, seed=7)).get_params() == CustomerValue(months=36, seed=7).get_params()
    assert vars(CustomerValue()).keys() == CustomerValue().get_params().keys()


def test_neither_log_nor_accounts_are_written_to(world):
    log, accounts = world.log.copy(), world.accounts.copy()
    customers().fit(world.log, as_of=AS_OF, accounts=world.accounts).predict(world.log, as_of=AS_OF, accounts=world.accounts)
    pd.testing.assert_frame_equal(world.log, log)
    pd.testing.assert_frame_equal(world.accounts, accounts)


NAIVE = {False: (0.65, 0.74), True: (0.44, 0.54)}


@pytest.mark.slow
@pytest.mark.parametrize("big_are_recent", [False, True])
@pytest.mark.parametrize("contracts", [True, False])
def test_censored_totals_are_completed_without_bias(big_are_recent, contracts):
    world = staggered_customers(big_are_recent=big_are_recent, seed=1)
    options = known(world, contracts=contracts)
    found = customers().fit(world.log, **options).complete(world.log, **options).set_index("account_id")
    total = world.total[found.index]
    low, high = NAIVE[big_are_recent]
    assert low < found["observed"].sum() / total.sum() < high
    assert found["total"].sum() / total.sum() == pytest.approx(1, abs=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(("big_are_recent", "contracts", "seed"), [(False, True, 1), (True, True, 1), (True, False, 4)])
def test_intervals_of_open_totals_hold_four_of_five_and_most_of_the_largest(big_are_recent, contracts, seed):
    world = staggered_customers(big_are_recent=big_are_recent, seed=seed)
    options = known(world, contracts=contracts)
    found = customers().fit(world.log, **options).complete(world.log, **options).set_index("account_id")
    runs = ~(world.contract_ends[found.index] <= TODAY) & (found["months_left"] > 0)
    found = found[runs]
    inside = (world.total[found.index] >= found["low"]) & (world.total[found.index] <= found["high"])
    assert 0.74 <= inside.mean() <= 0.86
    is_top = (found["total"] >= found["total"].quantile(0.9)).to_numpy()
    ends = found["low"].to_numpy(), found["high"].to_numpy()
    assert coverage_by_group(world.total[found.index].to_numpy(), ends, is_top)[True][0] >= 0.7


@pytest.mark.slow
def test_residual_values_beat_what_needs_no_model():
    world = staggered_customers(seed=2)
    found = customers().fit(world.log, **known(world)).predict(world.log, **known(world)).set_index("account_id")
    purchases = net_purchases(world.log, as_of=AS_OF)
    ways = {"ours": found["value"].to_numpy(), **without_model(purchases, months=24)}
    table = compare_values(world.residual[found.index].to_numpy(), ways, seed=0)
    assert table["total"]["ours"] == pytest.approx(1, abs=0.12)
    assert table["mae"].idxmin() == "ours"
    assert table["gini"].idxmax() == "ours"
