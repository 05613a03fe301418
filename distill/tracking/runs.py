"""What one run in MLflow shall hold, and making it hold that: only what differs is written."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distill.tracking.entries import DIGEST, LONGEST_STUDY_NAME, Point, shorten

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Files = Mapping[str, str | bytes]
"""Contents by the names of the files."""

# MLflow takes at most 100 params, 100 tags and 1000 of all together in a batch.
_METRICS, _PARAMS = 800, 100


@dataclass(frozen=True)
class Content:
    """All that a run shall hold; ``files`` is called with the run's id when they are needed.

    ``once`` are tags that stay as they are where they are there, because people change them.
    """

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    points: list[Point]
    digest: str
    files: Callable[[str], Files]
    once: frozenset[str] = frozenset()


def create(client: MlflowClient, experiment: str, name: str, tags: Mapping[str, str]) -> Run:
    """A new run, which is running."""
    name = shorten(name, LONGEST_STUDY_NAME)
    return client.create_run(experiment, tags=dict(tags), run_name=name)


def sync(
    client: MlflowClient,
    experiment: str,
    found: Run | None,
    content: Content,
    *,
    anew: bool = False,
) -> str:
    """Make a run hold the content; the digest and the status come last.

    ``anew`` writes even what is complete by its digest.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if found is None:
        run = create(client, experiment, content.name, content.tags)
    else:
        run = found
        complete = found.info.status == "FINISHED" and found.data.tags.get(DIGEST) == content.digest
        if complete and not anew:
            return str(found.info.run_id)
        name = shorten(content.name, LONGEST_STUDY_NAME)
        client.update_run(found.info.run_id, status="RUNNING", name=name)
    run_id = str(run.info.run_id)
    # `client.log_artifacts` would ask for the run again.
    files: Any = get_artifact_repository(run.info.artifact_uri, client.tracking_uri)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in content.files(run_id).items():
            path = Path(folder) / name
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        files.log_artifacts(folder)
    _log_differences(client, run, content)
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _log_differences(client: MlflowClient, run: Run, content: Content) -> None:
    from mlflow.entities import Metric, Param, RunTag

    run_id, there = run.info.run_id, run.data
    now = time.time_ns() // 1_000_000
    metrics = [
        Metric(name, value, now, 0)
        for name, value in content.metrics.items()
        if there.metrics.get(name) != value
    ]
    metrics += [Metric(name, value, when, step) for name, value, when, step in content.points]
    # A param cannot be changed in MLflow; what is there was logged for the same key.
    params = [
        Param(name, value) for name, value in content.params.items() if name not in there.params
    ]
    tags = [
        RunTag(name, value)
        for name, value in {**content.tags, DIGEST: content.digest}.items()
        if there.tags.get(name) != value and not (name in content.once and name in there.tags)
    ]
    batches = max(1, math.ceil(len(metrics) / _METRICS), math.ceil(len(params) / _PARAMS))
    for i in range(batches):
        client.log_batch(
            run_id,
            metrics=metrics[i * _METRICS : (i + 1) * _METRICS],
            params=params[i * _PARAMS : (i + 1) * _PARAMS],
            tags=tags if i == batches - 1 else [],
        )
