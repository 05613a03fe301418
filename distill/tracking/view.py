"""Prepared views: one link opens the candidates of a study with the right charts and columns.

MLflow keeps a shared view as a compressed tag of the experiment. That format is internal to its
pages, so a view that cannot be written is a warning, and everything else works without it.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from distill.progress import Progress
from distill.tracking.entries import CANDIDATE, KEY, KIND, STUDY, safe_name, shorten
from distill.tracking.record import StudyRecord

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

# MLflow's own columns: the first, and those that say least about a formula.
_NAME = "attributes.`Run Name`"
_LESS = ("runDateAndNestInfo", "duration")

Mode = Literal["CHART", "TABLE"]


@dataclass(frozen=True, slots=True)
class _View:
    """A view: what is listed, in which order, with which columns and charts."""

    name: str
    filter: str
    order_by: str
    columns: tuple[str, ...]
    charts: tuple[dict[str, Any], ...]


def view_key(study_key: str) -> str:
    """The share key of the view of one study."""
    return f"distill{study_key[:16]}"


def view_url(base: str, experiment_id: str, key: str = ALL_CANDIDATES, mode: Mode = "CHART") -> str:
    """The link to a prepared view: charts, or a flat list with columns."""
    return (
        f"{base.rstrip('/')}/#/experiments/{quote(experiment_id)}/runs?viewStateShareKey={key}"
        f"&compareRunsMode={mode}&workflowType=machine_learning"
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
        ALL_CANDIDATES: _candidates_view("All candidates", candidates, targets, record),
        ALL_STUDIES: _studies_view(record.target),
        view_key(record.key): _candidates_view(
            f"Study {shorten(record.name, 60)}", study, [record.target], record
        ),
    }
    new = {
        _TARGETS: ",".join(targets),
        LATEST: view_key(record.key),
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": (
            f"Formulas distilled from the teacher `{record.teacher_name}`. A study is a run, its "
            "candidates are the runs below it; a candidate's `report.html` has its plots and C. "
            "Take one with `distill export run=<run id>`."
        ),
        **{_TAG + key: _encode(view) for key, view in views.items()},
    }
    for name, value in new.items():
        client.set_experiment_tag(experiment_id, name, value)
    for name in _outdated(tags | new):
        client.delete_experiment_tag(experiment_id, name)


def _candidates_view(name: str, filter_: str, targets: Sequence[str], record: StudyRecord) -> _View:
    costs = [safe_name(f"cost/{t}/{f}") for t in targets for f in ("instructions", "flash_bytes")]
    error = "accuracy/log10_max_error"
    proven = any(c.score.certified_error is not None for c in record.candidates)
    scatters = [_scatter("complexity", error)]
    scatters += [_scatter(cost, error) for cost in costs if cost.endswith("instructions")]
    lines = _parallel(["complexity", *costs, error])
    return _View(
        name,
        filter_,
        "metrics.`complexity`",
        (
            "params.`formula`",
            "metrics.`complexity`",
            "metrics.`accuracy/max_error`",
            *(["metrics.`accuracy/certified_error`"] if proven else []),
            *(["metrics.`accuracy/agreement`"] if len(record.classes) == 2 else []),
            *(["tags.`distill.output`"] if record.outputs > 1 else []),
            "tags.`distill.chosen`",
            *(f"metrics.`{cost}`" for cost in costs),
        ),
        (*scatters, lines),
    )


def _studies_view(target: str) -> _View:
    instructions = safe_name(f"chosen/cost/{target}/instructions")
    return _View(
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
            _scatter("chosen/complexity", "chosen/accuracy/log10_max_error"),
            _line("search/best_error"),
        ),
    )


def _card(kind: str, name: str, **options: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "displayName": name,
        "runsCountToCompare": 100,
        "metricSectionId": "distill",
        "deleted": False,
        "isGenerated": False,
        **options,
    }


def _scatter(x: str, y: str) -> dict[str, Any]:
    axes = {
        axis: {"key": key, "type": "METRIC", "dataAccessKey": None}
        for axis, key in (("xaxis", x), ("yaxis", y))
    }
    return _card("SCATTER", f"{y} over {x}", **axes)


def _parallel(metrics: Sequence[str]) -> dict[str, Any]:
    return _card(
        "PARALLEL",
        "All at once",
        selectedParams=[],
        selectedMetrics=list(metrics),
        showAllRuns=True,
    )


def _line(metric: str) -> dict[str, Any]:
    return _card(
        "LINE", f"{metric} over steps", metricKey=metric, selectedMetricKeys=[metric],
        scaleType="log", xAxisKey="step", lineSmoothness=0,
    )  # fmt: skip


def _encode(view: _View) -> str:
    now = time.time_ns() // 1_000_000
    state = {
        "searchFilter": view.filter,
        "orderByKey": view.order_by,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(view.columns),
        "columnOrder": [_NAME, *view.columns, *_LESS],
        "columnWidths": {_NAME: 190} | {column: _width(column) for column in view.columns},
        "runsHiddenMode": "SHOW_ALL",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "globalLineChartConfig": {
            "xAxisKey": "step",
            "lineSmoothness": 0,
            "selectedXAxisMetricKey": "",
        },
        "compareRunSections": [
            {
                "uuid": "distill",
                "name": "Accuracy and cost",
                "display": True,
                "isReordered": False,
                "deleted": False,
                "isGenerated": False,
            }
        ],
        "compareRunCharts": [
            {"uuid": f"distill-{i}", **chart} for i, chart in enumerate(view.charts)
        ],
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps(
        {"name": view.name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    )


def _width(column: str) -> int:
    """Pixels: long texts get room, figures as much as their heading needs."""
    heading = column.split("`")[1]
    return {"formula": 290, "distill.overrides": 300}.get(heading, 30 + 7 * len(heading))


def _outdated(tags: dict[str, str]) -> list[str]:
    """The tags of all but the newest views of single studies."""
    prefix = _TAG + "distill"
    kept = {_TAG + ALL_CANDIDATES, _TAG + ALL_STUDIES}
    single = [name for name in tags if name.startswith(prefix) and name not in kept]
    single.sort(key=lambda name: json.loads(tags[name])["createdAt"])
    return single[:-_MOST_VIEWS]
