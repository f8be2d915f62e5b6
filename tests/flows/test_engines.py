"""What Spark is told and what it is refused for, where no Spark is needed to see it."""

import pickle
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from conftest import AS_OF, ROOT
from winworth.config import load_settings
from winworth.crm.parts import Parts
from winworth.errors import ConfigError, DataError
from winworth.flows.in_parts import embedded
from winworth.flows.on_spark import Errand, _answer, _stored, on_spark
from winworth.flows.predict import PART, InParts
from winworth.flows.scored import Wanted


@pytest.fixture(scope="module")
def settings():
    return load_settings(ROOT / "conf")


def test_settings_reach_a_worker_as_they_are(settings):
    assert settings.playbooks.segments  # whose classes are made while the module loads
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_without_pyspark_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ConfigError, match=r'pip install "winworth\[spark\]"'):
        on_spark(tmp_path)


def test_spark_scores_parts_whatever_the_size_and_the_whole_is_refused(settings):
    assert (InParts().size(settings), InParts(engine="spark").size(settings), InParts(7, "spark").size(settings)) == (
        0,
        PART,
        7,
    )
    with pytest.raises(ConfigError, match="--accounts-at-once 0 reads the whole"):
        InParts(0, "spark").size(settings)
    assert InParts(7).started(ROOT) is embedded


def test_a_worker_that_does_not_see_the_home_says_so_and_the_driver_raises_it(settings, tmp_path):
    parts = Parts(settings.crm, (tmp_path / "gone",), {})
    errand = Errand("1", tmp_path, tmp_path, AS_OF, settings, Wanted(), parts)
    with pytest.raises(ConfigError, match="A Spark worker does not see .*Put --home on a disk"):
        _stored(_answer(pickle.dumps(errand), 0))


def test_no_worker_goes_on_with_what_it_opened_for_an_earlier_run(settings, tmp_path):
    task = SimpleNamespace(settings=settings, bundle=SimpleNamespace(folder=tmp_path), as_of=AS_OF, wanted=Wanted())
    one, same = (Errand.of(task, Parts(settings.crm, (tmp_path,), {}), tmp_path) for _ in range(2))
    assert pickle.dumps(one) != pickle.dumps(same)
    assert replace(one, run="") == replace(same, run="")


def test_a_fault_keeps_its_kind_on_its_way_to_the_driver():
    with pytest.raises(DataError, match="no deals"):
        _stored(pickle.dumps(DataError("no deals")))
