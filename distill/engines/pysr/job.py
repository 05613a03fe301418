"""A request as files, for the worker to read: one JSON file and the rows beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from distill.domain import Domain
from distill.engines.pysr.request import Request
from distill.engines.pysr.template import Template
from distill.errors import FormulaError
from distill.files import disk_errors
from distill.formula import Formula

FILE = "job.json"


def write_job(
    folder: Path, request: Request, *, deadline: float | None, reserve: float, go_on: bool
) -> Path:
    """Write what the worker needs into ``folder``; its results will lie there as well.

    Parameters
    ----------
    deadline : on the monotonic clock, which all processes of a machine share; None for none.
    reserve : seconds before it that the search should end, for what comes after it.
    go_on : from the model of the last job.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    template = request.template
    job = {
        "parameters": {
            **request.parameters,
            "output_directory": str(folder.parent),
            "run_id": folder.name,
        },
        "fit": dict(request.fit),
        "functions": list(request.functions),
        "template": None if template is None else _arguments(template),
        "inputs": [formula.text for formula in request.inputs],
        "deadline": deadline,
        "reserve": reserve,
        "go_on": go_on,
    }
    arrays = {"x": request.rows.x, "y": request.rows.y, "weights": request.rows.weights}
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in arrays.items():
            (folder / f"{name}.npy").unlink(missing_ok=True)
            if array is not None:
                np.save(folder / f"{name}.npy", array, allow_pickle=False)
        path = folder / FILE
        path.write_text(json.dumps(job, indent=1), encoding="utf-8")
    return path


def read_inputs(folder: Path, domain: Domain) -> tuple[Formula, ...] | None:
    """Which formulas were inputs in the search of this folder; None where that cannot be read."""
    try:
        texts = json.loads((folder / FILE).read_text(encoding="utf-8"))["inputs"]
        return tuple(Formula.parse(str(text), domain) for text in texts)
    except (OSError, ValueError, KeyError, TypeError, FormulaError):
        return None


def _arguments(template: Template) -> dict[str, object]:
    """What PySR's TemplateExpressionSpec takes."""
    return {
        "combine": template.combine,
        "expressions": list(template.expressions),
        "variable_names": list(template.variable_names),
        "parameters": dict(template.parameters) or None,
    }
