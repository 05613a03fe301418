"""The process in which a function given by import path runs; started as a file, not imported.

It speaks over the two pipes it is started with: requests on standard input, answers on what was
standard output (whatever the function prints goes to standard error). A message is a line of JSON
and, where it says so, that many bytes of an array. Only the standard library and numpy are used,
so that it starts quickly and cannot shadow or preload a module of the user.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def main() -> None:
    """Load the function, tell what was loaded, then answer until the input ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    order = json.loads(requests.readline())
    sys.path[:] = order["path"]
    try:
        module = importlib.import_module(order["module"])
    except BaseException as error:
        _send(answers, {"raised": _text(error), "missing": _missing(error, order["module"])})
        return
    function: Any = module
    for name in order["function"].split("."):
        function = getattr(function, name, None)
    files = _files()
    if function is not None and order["around"]:
        try:
            function = _wrapped(order["around"], function, module, order["settings"])
        except Exception as error:
            refused, hint = getattr(error, "what", _text(error)), getattr(error, "hint", "")
            _send(answers, {"refused": refused, "hint": hint})
            return
    if not callable(function):
        _send(answers, {"raised": "", "callables": _callables(module)})
        return
    _send(answers, {"files": files, "doc": _first_line(function)})
    while line := requests.readline():
        request = json.loads(line)
        x = np.frombuffer(requests.read(request["bytes"])).reshape(request["shape"])
        _answer(answers, function, x.copy(), request["vectorized"])


def _wrapped(around: str, function: Any, module: Any, settings: dict[str, Any]) -> Any:
    """What another function makes of the user's."""
    place, _, name = around.partition(":")
    return getattr(importlib.import_module(place), name)(function, module, settings)


def _answer(
    answers: BinaryIO, function: Callable[..., Any], x: np.ndarray[Any, Any], vectorized: bool
) -> None:
    try:
        result = function(x) if vectorized else [function(*point) for point in x.tolist()]
        values = np.asarray(result)
    except Exception as error:
        _send(answers, {"raised": _text(error)})
        return
    if values.dtype.kind not in "fiubc":
        odd = [v for v in values.reshape(-1).tolist() if not isinstance(v, int | float)]
        if odd:
            _send(answers, {"odd": type(odd[0]).__name__, "shown": repr(odd[0])[:200]})
            return
        values = values.astype(np.float64)  # whole numbers past 64 bits
    _send(answers, {"dtype": values.dtype.str, "shape": values.shape, "bytes": values.nbytes})
    answers.write(values.tobytes())
    answers.flush()


def _send(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _missing(error: BaseException, module: str) -> bool:
    """Whether the wanted module itself (or a package above it) was not found."""
    return isinstance(error, ModuleNotFoundError) and (
        error.name is not None and (module + ".").startswith(error.name + ".")
    )


def _callables(module: Any) -> list[str]:
    return [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]


def _first_line(function: Any) -> str:
    return ((getattr(function, "__doc__", None) or "").strip().splitlines() or [""])[0]


def _files() -> list[str]:
    """Files of the modules loaded that belong to the user, not to Python or installed packages."""
    installed = (Path(os.__file__).parent, Path(sys.prefix))
    files = {
        Path(file).absolute()
        for name, module in list(sys.modules.items())
        if name != "__main__" and isinstance(file := getattr(module, "__file__", None), str)
    }
    return sorted(
        str(file)
        for file in files
        if "site-packages" not in file.parts
        and not any(file.is_relative_to(folder) for folder in installed)
    )


def _end_with_parent(parent: int) -> None:
    """End when the process that asks is gone, also in the middle of an answer."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
