"""A process that fits the real PySR as it is told, line by line; `conftest.py` starts it.

A request is a JSON object with `x`, `y` and perhaps `script`, `parameters` (none: those of before),
`template`, `fit`. The answer holds the rows that PySR read back, or the error, and all warnings.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pysr
import sympy

COLUMNS = ["complexity", "loss", "equation", "score"]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what scripts print goes the way of Julia's own errors
    model = None
    for line in sys.stdin:
        request = json.loads(line)
        Path(os.environ["STAND_IN_SCRIPT"]).write_text(json.dumps(request["script"]))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if request["parameters"] is not None:
                    model = make(request["parameters"], request["template"])
                answer = fit(model, request)
            except Exception as error:
                answer = {"error": type(error).__name__, "message": str(error)}
        answer["warnings"] = [str(warning.message) for warning in caught]
        print(json.dumps(answer), file=answers, flush=True)


def make(parameters: dict[str, Any], template: dict[str, Any] | None) -> Any:
    if "constraints" in parameters:  # JSON has no tuples
        pairs = parameters["constraints"].items()
        parameters["constraints"] = {k: tuple(v) if isinstance(v, list) else v for k, v in pairs}
    if "extra_sympy_mappings" in parameters:  # nor functions
        names = parameters["extra_sympy_mappings"]
        parameters["extra_sympy_mappings"] = {name: sympy.Function(name) for name in names}
    if template is not None:
        parameters["expression_spec"] = pysr.TemplateExpressionSpec(**template)
    return pysr.PySRRegressor(**parameters)


def fit(model: Any, request: dict[str, Any]) -> dict[str, Any]:
    told = {k: np.array(v) if k == "weights" else v for k, v in request["fit"].items()}
    model.fit(np.array(request["x"]), np.array(request["y"]), **told)
    return {"rows": model.equations_[COLUMNS].values.tolist()}


if __name__ == "__main__":
    main()
