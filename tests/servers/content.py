"""All that a store holds about a teacher, with what differs from call to call taken out."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

_OF_THE_CALL = (
    "mlflow.user", "mlflow.source.", "mlflow.artifact",
    "distill.digest",  # of ids, too
    "distill.search",  # of live progress
)  # fmt: skip
_OF_THE_MODEL = ("model/MLmodel", "model/metadata/MLmodel")
"""Files with the time at which, and the id under which, MLflow wrote them."""


def content_of(uri: str, teacher: str) -> list[str]:
    """Runs with all they hold, registered models and views, with names in place of MLflow's ids.

    A line each. Two stores in which the same was logged hold the same, however it came there.
    """
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name(f"distill/{teacher}")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    names = {run.info.run_id: _name(run) for run in found}
    models = [m for m in client.search_registered_models() if _belongs(m.name, teacher)]
    content = {
        "runs": sorted((_run(client, run, names) for run in found), key=lambda run: run["is"]),
        "models": {
            model.name: {
                "aliases": {name: str(version) for name, version in model.aliases.items()},
                "versions": [
                    _version(version, names)
                    for version in client.search_model_versions(f"name = '{model.name}'")
                ],
            }
            for model in models
        },
        "views": sorted(experiment.tags),
    }
    return json.dumps(content, indent=1, sort_keys=True).splitlines()


def _belongs(model: str, teacher: str) -> bool:
    return model == f"distill-{teacher}" or model.startswith(f"distill-{teacher}-")


def _name(run: Run) -> str:
    tags = run.data.tags
    parts = ("distill.kind", "distill.key", "distill.engine", "distill.candidate")
    return " ".join(tags.get(part, "-")[:16] for part in parts)


def _run(client: MlflowClient, run: Run, names: dict[str, str]) -> dict[str, Any]:
    run_id = run.info.run_id
    tags = {k: v for k, v in run.data.tags.items() if not k.startswith(_OF_THE_CALL)}
    return {
        "is": names[run_id],
        "status": run.info.status,
        "name": run.info.run_name,
        "params": run.data.params,
        "tags": {k: _named(v, names) for k, v in tags.items()},
        "metrics": {
            name: [(p.step, p.value) for p in client.get_metric_history(run_id, name)]
            for name in run.data.metrics
            if not name.startswith("live/")
        },
        "files": _files(client, run_id, names),
    }


def _files(client: MlflowClient, run_id: str, names: dict[str, str]) -> dict[str, str]:
    """The digest of each artifact by its path."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(client.download_artifacts(run_id, "", folder))
        digests = {}
        for file in sorted(f for f in top.rglob("*") if f.is_file()):
            path, data = file.relative_to(top).as_posix(), file.read_bytes()
            for known, name in names.items():
                data = data.replace(known.encode(), name.encode())
            kept = path not in _OF_THE_MODEL
            digests[path] = hashlib.sha256(data).hexdigest() if kept else ""
        return digests


def _version(version: ModelVersion, names: dict[str, str]) -> dict[str, Any]:
    return {
        "version": str(version.version),
        "run": names.get(version.run_id, version.run_id),
        "tags": version.tags,
        "description": _named(version.description, names),
    }


def _named(text: str, names: dict[str, str]) -> str:
    for known, name in names.items():
        text = text.replace(known, name)
    return text
