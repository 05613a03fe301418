"""Versions of registered models by what people write, such as ``models:/NAME@ALIAS``."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from distill.errors import TrackingError
from distill.tracking.entries import ALIAS
from distill.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

WHERE = (
    "copy the id from the page of the candidate's run in MLflow (`distill ui`), or give "
    f"models:/NAME@{ALIAS} or a study's name."
)
"""Where people find what means a candidate."""

_VERSION = re.compile(r"models:/+(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<number>\d+))\Z")
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_LISTED = 12


def run_of_version(client: MlflowClient, wanted: str, store: Store) -> Run:
    """The run that a version of a registered model was made from; it may be deleted.

    ``wanted`` is ``models:/NAME@ALIAS`` or ``models:/NAME/NUMBER``.

    Raises
    ------
    TrackingError : when there is no such model, version or alias, or its run is gone.
    MlflowException : when the store fails.
    """
    from mlflow.exceptions import MlflowException

    said = _VERSION.match(wanted)
    if said is None:
        raise TrackingError(
            f"`{wanted}` names no version of a registered model.",
            where="run",
            hint=f"models:/NAME@{ALIAS}, or models:/NAME/3 for the third version.",
        )
    name, alias, number = said["name"], said["alias"], said["number"]
    try:
        version = (
            client.get_model_version_by_alias(name, alias)
            if alias
            else client.get_model_version(name, number)
        )
    except MlflowException as error:
        raise _no_version(client, name, alias or number, store, error) from error
    if not version.run_id:
        raise TrackingError(
            f"version {version.version} of `{name}` was not made from a run.",
            where=store.uri,
            hint=WHERE,
        )
    try:
        return client.get_run(version.run_id)
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        raise TrackingError(
            f"the run {version.run_id} that version {version.version} of `{name}` was made from "
            "is gone.",
            where=store.uri,
            hint="choose another candidate with `distill choose run=RUN_ID`.",
        ) from error


def _no_version(
    client: MlflowClient, name: str, wanted: str, store: Store, error: Exception
) -> Exception:
    """The error for a model, version or alias that does not exist; any other one as it is."""
    code = getattr(error, "error_code", "")
    if code not in {_ABSENT, "INVALID_PARAMETER_VALUE"}:
        return error
    models = {m.name: m for m in client.search_registered_models(max_results=1000)}
    if name in models:
        aliases = ", ".join(f"@{alias}" for alias in models[name].aliases) or "none"
        last = max((int(v.version) for v in client.search_model_versions(f"name = '{name}'")),
                   default=0)  # fmt: skip
        return TrackingError(
            f"the registered model `{name}` has no version or alias `{wanted}`.",
            where=store.uri,
            hint=f"its versions go up to {last}; its aliases: {aliases}.",
        )
    close = difflib.get_close_matches(name, models, 3, 0.4) or list(models)[:_LISTED]
    known = ", ".join(close) if close else "none yet; `distill run` makes them"
    return TrackingError(
        f"there is no registered model `{name}`.", where=store.uri, hint=f"there are: {known}."
    )


def aliased_run(client: MlflowClient, model: str) -> str:
    """The run that the alias of a registered model points to; empty without."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(model, ALIAS).run_id or "")
    except MlflowException as error:
        if error.error_code in {_ABSENT, "INVALID_PARAMETER_VALUE"}:
            return ""
        raise
