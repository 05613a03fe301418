"""MLflow's internal format of a shared view: columns, order, and sections of charts.

Nothing documents it; a test drives the pages of the MLflow that is installed.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LOADED = 100
"""Runs that the pages load and chart at first."""

# MLflow's own columns: the first, and those that say least about a formula.
_NAME = "attributes.`Run Name`"
_LESS = ("runDateAndNestInfo", "duration")

_PAIRS, _TOGETHER = "distill", "distill-all"
"""The sections of charts: two of a candidate's figures, and all of them."""

Chart = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """A view: what is listed, in which order, with which columns and charts."""

    name: str
    filter: str
    order_by: str
    columns: tuple[str, ...]
    charts: tuple[Chart, ...]
    ascending: bool = True


def _card(kind: str, name: str, **options: Any) -> Chart:
    return {
        "type": kind,
        "displayName": name,
        "runsCountToCompare": LOADED,
        "metricSectionId": _PAIRS,
        "deleted": False,
        "isGenerated": False,
        **options,
    }


def scatter(x: str, y: str) -> Chart:
    """A point for each run, one metric over another."""
    axes = {
        axis: {"key": key, "type": "METRIC", "dataAccessKey": None}
        for axis, key in (("xaxis", x), ("yaxis", y))
    }
    return _card("SCATTER", f"{y} over {x}", **axes)


def parallel(metrics: Sequence[str]) -> Chart:
    """A line for each run through axes of metrics side by side."""
    return _card(
        "PARALLEL",
        "All at once",
        selectedParams=[],
        selectedMetrics=list(metrics),
        showAllRuns=True,
        metricSectionId=_TOGETHER,
    )


def line(metric: str) -> Chart:
    """A metric over steps."""
    return _card(
        "LINE", f"{metric} over steps", metricKey=metric, selectedMetricKeys=[metric],
        scaleType="log", xAxisKey="step", lineSmoothness=0,
    )  # fmt: skip


def encode(view: View) -> str:
    """The value of the experiment's tag that holds the view."""
    now = time.time_ns() // 1_000_000
    state = {
        "searchFilter": view.filter,
        "orderByKey": view.order_by,
        "orderByAsc": view.ascending,
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
            _section(_PAIRS, "Accuracy and cost", columns=2),
            _section(_TOGETHER, "All at once", columns=1),
        ],
        "compareRunCharts": [
            {"uuid": f"distill-{i}", **chart} for i, chart in enumerate(view.charts)
        ],
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps(
        {"name": view.name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    )


def _section(key: str, name: str, columns: int) -> dict[str, Any]:
    """A section of charts: so many in a row, as high as is good to read."""
    return {
        "uuid": key,
        "name": name,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
        "columns": columns,
        "cardHeight": 400,
    }


def _width(column: str) -> int:
    """Pixels: long texts get room, figures as much as their heading needs."""
    heading = column.split("`")[1]
    return {"formula": 290, "distill.overrides": 300}.get(heading, 30 + 7 * len(heading))
