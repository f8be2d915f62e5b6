"""A monitoring is on record once, with its verdict and the version it looked at; a figure that is none is left out."""

from winworth.tracked_monitoring import TrackedMonitoring
from winworth.tracking import open_store, record_monitoring, replay_pending

SEEN = TrackedMonitoring(
    "Société", "monitor 2026-06-30", "v1", "2026-06-30", {"auc": None, "wins_z": -2.5}, {"verdict": "recalibrate"}
)


def test_a_monitoring_is_recorded_once_with_its_verdict(home):
    first = record_monitoring(home, SEEN)
    assert record_monitoring(home, SEEN) == first
    run = open_store(home).get_run(first)
    assert run.data.metrics == {"wins_z": -2.5}
    assert (run.data.tags["verdict"], run.data.tags["model_version"]) == ("recalibrate", "v1")


def test_one_that_failed_waits_and_is_recorded_later(home, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("winworth.tracking.open_store", lambda *args, **kwargs: 1 / 0)
        assert record_monitoring(home, SEEN) is None
    assert replay_pending(home) == 1
