"""The chosen candidate as a registered model that anybody can load through MLflow.

``mlflow.pyfunc.load_model("models:/distill-<teacher>@champion")`` answers on a DataFrame with the
inputs as columns; of a teacher of several outputs each has a model of its own,
``distill-<teacher>-<output>``. A model carries this package's source, so that it needs no installed
distill.
"""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import distill
from distill.tracking.entries import CANDIDATE_FILE, KEY, safe_name
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.store import quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
_CODE = Path(__file__).parent / "champion_model.py"
# Stated, because MLflow would otherwise load the model in a process of its own to find out.
_REQUIREMENTS = ("mlflow", "numpy", "pandas", "scipy")


def model_name(record: StudyRecord) -> str:
    """The registered model's name: ``distill-<teacher>``, of several outputs one each.

    Those are called ``distill-<teacher>-<output>``.
    """
    output = [record.output_name] if record.outputs > 1 else []
    name = "-".join(["distill", record.teacher_name, *output])
    return safe_name(name).replace("/", "_").replace(":", "_")


def register_champion(
    client: MlflowClient, record: StudyRecord, candidate: CandidateRecord, run_id: str
) -> str:
    """Register the chosen candidate and move the alias to it; returns the version.

    A candidate of a run that is registered already keeps its version, and the alias stays.
    """
    from mlflow.exceptions import MlflowException

    name = model_name(record)
    try:
        client.create_registered_model(
            name, description=f"The chosen formula for {record.teacher_name}, {record.output_name}."
        )
    except MlflowException:
        # It exists; any other failure shows again in the next call.
        client.get_registered_model(name)
    for known in client.search_model_versions(f"name = '{name}'"):
        if known.run_id == run_id and known.tags.get("distill.complete") == "true":
            return str(known.version)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        _save(record, candidate, path)
        client.log_artifacts(run_id, str(path), "model")
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    made = client.create_model_version(
        name, source, run_id, tags={KEY: record.key}, description=candidate.formula.readable()
    )
    client.set_registered_model_alias(name, ALIAS, made.version)
    client.set_model_version_tag(name, made.version, "distill.complete", "true")
    return str(made.version)


def _save(record: StudyRecord, candidate: CandidateRecord, path: Path) -> None:
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs = Schema([ColSpec(DataType.double, name) for name in record.domain.names])
    outputs = Schema([ColSpec(DataType.double, record.output_name)])
    data = path.with_name(CANDIDATE_FILE)
    data.write_text(
        json.dumps({"formula": candidate.formula.to_data(), "output": record.output_name})
    )
    with quiet("mlflow.pyfunc"):
        mlflow.pyfunc.save_model(
            path,
            python_model=str(_CODE),
            artifacts={"candidate": str(data)},
            code_paths=[str(Path(distill.__file__).parent)],
            signature=ModelSignature(inputs, outputs),
            input_example=pd.DataFrame([record.domain.low], columns=list(record.domain.names)),
            pip_requirements=[f"{package}=={version(package)}" for package in _REQUIREMENTS],
        )
