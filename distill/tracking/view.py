"""Prepared views: one link opens the candidates of a study with the right charts and columns.

MLflow keeps a shared view as a compressed tag of the experiment. That format is internal to its
pages, so a view that cannot be written is a warning, and everything else works without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from distill.progress import Progress
from distill.reading import json_of
from distill.tracking.entries import (
    CANDIDATE,
    KEY,
    KIND,
    PARETO,
    STUDY,
    log10_name,
    safe_name,
    shorten,
)
from distill.tracking.record import StudyRecord
from distill.tracking.view_format import LOADED, View, encode, line, parallel, scatter

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALL_CANDIDATES = "distillcandidates"
ALL_STUDIES = "distillstudies"
_TAG = "mlflow.sharedViewState."
_TARGETS = "distill.targets"
LATEST = "distill.latest_view"
"""The experiment's tag with the share key of the study logged last."""
_MOST_VIEWS = 20
"""Views of single studies that are kept for an experiment, the newest."""
_DECADES = 100.0
"""From this ratio on a scatter has the logarithm: MLflow's has no logarithmic axis."""

Mode = Literal["CHART", "TABLE"]


def view_key(study_key: str) -> str:
    """The share key of the view of one study."""
    return f"distill{study_key[:16]}"


def view_url(base: str, experiment_id: str, key: str = ALL_CANDIDATES, mode: Mode = "CHART") -> str:
    """The link to a prepared view: charts, or a flat list with columns."""
    runs, _, rest = runs_url(base, experiment_id).partition("?")
    return f"{runs}?viewStateShareKey={key}&compareRunsMode={mode}&{rest}"


def runs_url(base: str, experiment_id: str) -> str:
    """The link to all runs of an experiment, as MLflow shows them unprepared."""
    return (
        f"{base.rstrip('/')}/#/experiments/{quote(experiment_id)}/runs"
        "?workflowType=machine_learning"
    )


def run_url(base: str, experiment_id: str, run_id: str) -> str:
    """The link to the report of a run."""
    return (
        f"{base.rstrip('/')}/#/experiments/{quote(experiment_id)}/runs/{quote(run_id)}"
        "/artifacts/report.html?workflowType=machine_learning"
    )


def write_views(
    client: MlflowClient, experiment_id: str, record: StudyRecord, progress: Progress
) -> None:
    """Write the views of all candidates, of all studies and of this study."""
    from mlflow.exceptions import MlflowException

    try:
        _write(client, experiment_id, record)
    except MlflowException as error:
        reason = str(error).splitlines()[0][:200]
        progress.warn(f"the prepared views of MLflow could not be written: {reason}")


def _write(client: MlflowClient, experiment_id: str, record: StudyRecord) -> None:
    tags = client.get_experiment(experiment_id).tags
    known = tags.get(_TARGETS, "").split(",") + [t for c in record.candidates for t in c.cost]
    targets = sorted({t for t in known if t})
    candidates = f"tags.\"{KIND}\" = '{CANDIDATE}'"
    study = f"{candidates} and tags.\"{KEY}\" = '{record.key}'"
    views = {
        ALL_CANDIDATES: _candidates_view("All candidates", candidates, targets, record, True),
        ALL_STUDIES: _studies_view(record.target),
        view_key(record.key): _candidates_view(
            f"Study {shorten(record.name, 60)}",
            study,
            [record.target],
            record,
            len(record.candidates) > LOADED,
        ),
    }
    new = {
        _TARGETS: ",".join(targets),
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": (
            f"Formulas distilled from the teacher `{record.teacher_name}`. A study is a run, its "
            "candidates are the runs below it; a candidate's `report.html` has its plots and C. "
            "Take one with `distill export run=<run id>`."
        ),
        **{_TAG + key: encode(view) for key, view in views.items()},
        LATEST: view_key(record.key),  # last: what it names is there
    }
    for name, value in new.items():
        client.set_experiment_tag(experiment_id, name, value)
    for name in _outdated(tags | new):
        client.delete_experiment_tag(experiment_id, name)


def _candidates_view(
    name: str, filter_: str, targets: Sequence[str], record: StudyRecord, many: bool
) -> View:
    costs = [safe_name(f"cost/{t}/{f}") for t in targets for f in ("instructions", "flash_bytes")]
    error = "accuracy/log10_max_error"
    proven = any(c.score.certified_error is not None for c in record.candidates)
    bound = ["accuracy/certified_error"] if proven else []
    across = [_across(record, target) for target in (None, *targets)]
    flash = [cost for cost in costs if cost.endswith("flash_bytes")]
    return View(
        name,
        filter_,
        # Of many the front comes first, because no more are charted than are loaded.
        f"tags.`{PARETO}`" if many else "metrics.`complexity`",
        (
            "params.`formula`",
            "metrics.`complexity`",
            "metrics.`accuracy/max_error`",
            *(f"metrics.`{name}`" for name in bound),
            *(["metrics.`accuracy/agreement`"] if len(record.classes) == 2 else []),
            *(["tags.`distill.output`"] if record.outputs > 1 else []),
            "tags.`distill.chosen`",
            *(f"metrics.`{cost}`" for cost in costs),
        ),
        (
            *(scatter(x, error) for x in across),
            parallel([across[0], error, *map(log10_name, bound), *across[1:], *flash]),
        ),
        ascending=not many,
    )


def _across(record: StudyRecord, target: str | None) -> str:
    """Complexity or a target's instructions; their logarithm where a closed form is among them."""
    name = "complexity" if target is None else safe_name(f"cost/{target}/instructions")
    known = [
        c.formula.complexity if target is None else c.figure(target, "instructions")
        for c in record.candidates
    ]
    values = [value for value in known if value is not None]
    wide = bool(values) and max(values) > _DECADES * max(min(values), 1.0)
    return log10_name(name) if wide else name


def _studies_view(target: str) -> View:
    instructions = safe_name(f"chosen/cost/{target}/instructions")
    return View(
        "All studies",
        f"tags.\"{KIND}\" = '{STUDY}'",
        "metrics.`chosen/accuracy/max_error`",
        (
            "tags.`distill.sweep`",
            "tags.`distill.overrides`",
            "metrics.`chosen/complexity`",
            "metrics.`chosen/accuracy/max_error`",
            f"metrics.`{instructions}`",
            "params.`tolerance`",
        ),
        (
            scatter("chosen/complexity", "chosen/accuracy/log10_max_error"),
            line("search/best_error"),
        ),
    )


def _outdated(tags: dict[str, str]) -> list[str]:
    """The tags of all but the newest views of single studies."""
    prefix = _TAG + "distill"
    kept = {_TAG + ALL_CANDIDATES, _TAG + ALL_STUDIES}
    single = [name for name in tags if name.startswith(prefix) and name not in kept]
    single.sort(key=lambda name: _written(tags[name]))
    return single[:-_MOST_VIEWS]


def _written(tag: str) -> float:
    """When a view was written; one that cannot be read is the oldest."""
    try:
        return float(json_of(tag)["createdAt"])
    except (ValueError, KeyError, TypeError):
        return 0.0
