"""What a monitoring leaves on record in MLflow: its figures, its verdict, and the model version it looked at."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from winworth.tracked_run import LONGEST_TAG, VERSION_TAG, cut, failing_openly, finite, slugs

CONTENT = "monitoring"


@dataclass(frozen=True)
class TrackedMonitoring:
    """What one monitoring leaves on record; a figure that is no finite number is left out."""

    experiment: str
    name: str
    model_version: str
    as_of: str
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def plain_monitoring(monitoring: TrackedMonitoring) -> dict[str, Any]:
    """Return it as JSON can hold it."""
    metrics = {name: finite(value) for name, value in monitoring.metrics.items()}
    tags = {name: cut(value, LONGEST_TAG) for name, value in monitoring.tags.items()}
    return asdict(replace(monitoring, metrics=metrics, tags=tags))


def monitoring_on_record(client: Any, experiment: str, monitoring: TrackedMonitoring) -> str:
    """Record it and return its run id; the same content recorded again is there once."""
    content = hashlib.sha256(json.dumps(plain_monitoring(monitoring), sort_keys=True).encode()).hexdigest()[:16]
    found = client.search_runs([experiment], f"tags.`{CONTENT}` = '{content}'", max_results=1)
    if found:
        return found[0].info.run_id
    tags = {**{short: monitoring.tags[name] for name, short in slugs(monitoring.tags).items()}, "as_of": monitoring.as_of}
    tags[VERSION_TAG] = monitoring.model_version
    run_id = client.create_run(experiment, run_name=monitoring.name, tags=tags).info.run_id
    with failing_openly(client, run_id):
        for name, short in slugs(monitoring.metrics).items():
            if monitoring.metrics[name] is not None:
                client.log_metric(run_id, short, monitoring.metrics[name])
        client.set_terminated(run_id, "FINISHED")
        client.set_tag(run_id, CONTENT, content)
    return run_id
