"""The chosen candidate as a registered model that anybody can load through MLflow.

``mlflow.pyfunc.load_model("models:/distill-<teacher>@champion")`` answers on a DataFrame with the
inputs as columns; of a teacher of several outputs each has a model of its own,
``distill-<teacher>-<output>``. A model carries what it needs of this package, so that it needs no
installed distill, and the C that was made of it.

The rule moves the alias to each version it makes. A person's choice stays: what ``distill choose``
registered, and an alias that MLflow's own pages moved away from the newest version.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from distill.formula import Formula
from distill.tracking.entries import ALIAS, CANDIDATE_FILE, CHOSEN_BY, KEY, PERSON, model_name
from distill.tracking.model_code import model_code
from distill.tracking.model_page import Champion, metadata, model_page, version_page
from distill.tracking.record import CandidateRecord, StudyRecord
from distill.tracking.store import quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_COMPLETE = "distill.complete"
_CODE = Path(__file__).parent / "champion_model.py"
# Stated, because MLflow would otherwise load the model in a process of its own to find out.
_REQUIREMENTS = ("mlflow", "numpy", "pandas")


def champion_of(record: StudyRecord, candidate: CandidateRecord, run_id: str) -> Champion:
    """A candidate of a recorded study; with the exported C if it is the one that was chosen."""
    return Champion(
        model=model_name(record),
        teacher=record.teacher_name,
        output=record.output_name,
        unit=record.output_unit,
        tolerance=record.tolerance,
        target=record.target,
        study=record.name,
        study_key=record.key,
        run_id=run_id,
        candidate=candidate,
        bundle=record.bundle if candidate.chosen else None,
    )


def register_by_rule(client: MlflowClient, champion: Champion) -> str:
    """Register what the rule chose and move the alias to it; returns the version.

    A candidate of a run that is registered already keeps its version, and the alias stays; it
    stays, too, where a person put it.
    """
    known = registered(client, champion.model, champion.run_id)
    if known is not None:
        return known
    _ensure_model(client, champion)
    persons = _is_persons(client, champion.model)
    made = _create(client, champion)
    if not persons:
        _alias_newest(client, champion.model, made)
    client.set_model_version_tag(champion.model, made, _COMPLETE, "true")
    return made


def register_by_person(client: MlflowClient, champion: Champion) -> str:
    """Register what a person chose unless it is, and move the alias to it; returns the version."""
    made = registered(client, champion.model, champion.run_id)
    if made is None:
        _ensure_model(client, champion)
        made = _create(client, champion)
    client.set_model_version_tag(champion.model, made, CHOSEN_BY, PERSON)
    _move_alias(client, champion.model, made)
    client.set_model_version_tag(champion.model, made, _COMPLETE, "true")
    return made


def registered(client: MlflowClient, model: str, run_id: str) -> str | None:
    """The complete version of a run, None without."""
    return next((str(v.version) for v in _versions(client, model) if v.run_id == run_id), None)


def champion_version(client: MlflowClient, model: str) -> ModelVersion | None:
    """The version that the alias is on, None where there is no model or no alias yet."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(model, ALIAS)
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def _is_persons(client: MlflowClient, model: str) -> bool:
    """Whether a person put the alias where it is: the rule leaves it on the newest version."""
    current = champion_version(client, model)
    if current is None:
        return False
    newest = max((int(v.version) for v in _versions(client, model)), default=0)
    return current.tags.get(CHOSEN_BY) == PERSON or int(current.version) < newest


def _alias_newest(client: MlflowClient, model: str, made: str) -> None:
    """Move the alias to the new version, or to a newer one of a study logged at the same time."""
    _move_alias(client, model, made)
    newest = max(int(v.version) for v in client.search_model_versions(f"name = '{model}'"))
    if newest > int(made):
        _move_alias(client, model, str(newest))


def _move_alias(client: MlflowClient, model: str, version: str) -> None:
    """Put the alias on a version.

    Two that put a new model's alias there at once both insert it, and a database refuses one of
    them; asked again, it finds the alias and moves it.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(model, ALIAS, version)
    except MlflowException as error:
        if error.error_code != "BAD_REQUEST":
            raise
        client.set_registered_model_alias(model, ALIAS, version)


def _versions(client: MlflowClient, model: str) -> list[ModelVersion]:
    """The versions that are complete: a kill can leave one without its alias."""
    known = client.search_model_versions(f"name = '{model}'")
    return [v for v in known if v.tags.get(_COMPLETE) == "true"]


def _ensure_model(client: MlflowClient, champion: Champion) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(champion.model, description=model_page(champion))
    except MlflowException:
        # It exists; any other failure shows again in the next call.
        client.get_registered_model(champion.model)


def _create(client: MlflowClient, champion: Champion) -> str:
    """Put the model among the run's artifacts and make a version of it.

    A version that an earlier call could not complete is taken up again: the server had made it
    when the answer was lost.
    """
    run_id, model = champion.run_id, champion.model
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        save_model(champion, path)
        client.log_artifacts(run_id, str(path), "model")
    begun = _versions_of(client, model, run_id)
    if not begun:
        source = f"{client.get_run(run_id).info.artifact_uri}/model"
        tags = {KEY: champion.study_key}
        page = version_page(champion)
        client.create_model_version(model, source, run_id, tags=tags, description=page)
        # Asked for again, because MLflow repeats a request that is answered too late.
        begun = _versions_of(client, model, run_id)
    made, *strays = begun
    for stray in strays:
        client.delete_model_version(model, stray)
    return made


def _versions_of(client: MlflowClient, model: str, run_id: str) -> list[str]:
    """The versions that were made of a run, complete or not, the first one first."""
    known = client.search_model_versions(f"name = '{model}'")
    return sorted((str(v.version) for v in known if v.run_id == run_id), key=int)


def save_model(champion: Champion, path: Path) -> None:
    """Write the model as MLflow keeps it: formula, code, signature, example, metadata and C."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    domain, formula = champion.domain, champion.formula
    inputs = Schema([ColSpec(DataType.double, name) for name in domain.names])
    outputs = Schema([ColSpec(DataType.double, champion.output)])
    data = path.with_name(CANDIDATE_FILE)
    data.write_text(json.dumps({"formula": formula.to_data(), "output": champion.output}))
    code = path.with_name("distill.zip")
    code.write_bytes(model_code())
    artifacts = {"candidate": str(data), "code": str(code)}
    if champion.bundle is not None:
        artifacts["c"] = str(shutil.copytree(champion.bundle, path.with_name("c")))
    # Closed forms can have functions that NumPy lacks, such as the error function.
    packages = [*_REQUIREMENTS, *([] if isinstance(formula, Formula) else ["scipy"])]
    with quiet("mlflow.pyfunc"), _requirements_not_compared():
        mlflow.pyfunc.save_model(
            path,
            python_model=str(_CODE),
            artifacts=artifacts,
            signature=ModelSignature(inputs, outputs),
            input_example=pd.DataFrame([domain.low], columns=list(domain.names)),
            pip_requirements=[f"{package}=={version(package)}" for package in packages],
            metadata=metadata(champion),
        )


@contextmanager
def _requirements_not_compared() -> Iterator[None]:
    """Keep MLflow from comparing the requirements with what is installed, which they are read from.

    To do so it asks the disk for every file of every package, for two seconds.
    """
    from mlflow.utils import environment

    name = "warn_dependency_requirement_mismatches"
    compare = getattr(environment, name, None)
    setattr(environment, name, lambda _: None)
    try:
        yield
    finally:
        setattr(environment, name, compare)
