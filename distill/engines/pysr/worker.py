"""The process in which PySR and Julia live: ``python -P -m distill.engines.pysr.worker FD PID``.

It imports nothing of its own program and nothing heavy before PySR, which wants to load Julia's
libraries first, and never torch. Each line on standard input names a job file; the data lie beside
it (:mod:`distill.engines.pysr.job`). What happens leaves as JSON lines on the descriptor ``FD``;
formulas are read from the hall of fame that Julia writes, so a crash here loses none.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distill.engines.pysr.processes import die_with

Tell = Callable[..., None]

NO_PYSR = 3
"""The exit status when PySR, or the Julia behind it, could not be started."""


def main() -> None:
    """Start Julia, then do one job after the other until the input ends."""
    channel = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    die_with(int(sys.argv[2]))

    def tell(event: str, **more: object) -> None:
        channel.write(json.dumps({"event": event, **more}) + "\n")
        channel.flush()

    tell("importing")
    started = time.monotonic()
    try:
        import pysr
    except BaseException as error:  # juliapkg gives up in many ways, SystemExit among them
        traceback.print_exc()
        tell("no_pysr", message=f"{type(error).__name__}: {error}")
        sys.exit(NO_PYSR)
    tell("imported", version=pysr.__version__, seconds=time.monotonic() - started)
    model = None
    for number, line in enumerate(sys.stdin):
        path = Path(json.loads(line)["job"])
        try:
            job = json.loads(path.read_text(encoding="utf-8"))
            model = _search(job, path.parent, model, number, tell)
        except Exception as error:  # PySR's own validation and Julia's errors
            traceback.print_exc()
            model = None
            tell("refused", kind=type(error).__name__, message=str(error))
    # An orderly end of Julia has been known to hang and to crash.
    sys.stdout.flush()
    os._exit(0)


def _search(job: Mapping[str, Any], folder: Path, model: Any, number: int, tell: Tell) -> Any:
    """Search once; the fitted model, from which the next job may go on."""
    import numpy as np
    import pysr
    import sympy

    data = {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in ("x", "y", "weights")
        if (folder / f"{name}.npy").exists()
    }
    parameters = dict(job["parameters"])
    if "constraints" in parameters:  # JSON knows no tuples, which PySR tells from lists
        parameters["constraints"] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in parameters["constraints"].items()
        }
    if job["template"] is not None:
        parameters["expression_spec"] = pysr.TemplateExpressionSpec(**job["template"])
    if job["functions"]:
        # PySR wants to know them; the formulas are read elsewhere.
        parameters["extra_sympy_mappings"] = {n: sympy.Function(n) for n in job["functions"]}
    if job["deadline"] is not None:
        left = max(1.0, job["deadline"] - time.monotonic() - job["reserve"])
        parameters["timeout_in_seconds"] = left
        threshold = parameters.get("early_stop_condition", 0.0)
        parameters["early_stop_condition"] = _stop(threshold, time.time() + left, number)
    if job["go_on"] and model is not None:
        model.set_params(**parameters, warm_start=True)
    else:
        model = pysr.PySRRegressor(**parameters)
    tell("searching", seconds=parameters.get("timeout_in_seconds"))
    model.fit(data["x"], data["y"], weights=data.get("weights"), **job["fit"])
    tell("done")
    return model


def _stop(loss: float, at: float, number: int) -> str:
    """Julia for the end of a search: by its loss, or by the clock.

    Julia's own limit of time begins only when the search is compiled.
    """
    return f"distill_stop_{number}(loss, complexity) = loss < {loss!r} || time() > {at!r}"


if __name__ == "__main__":
    main()
