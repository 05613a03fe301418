"""What other generators emit for a problem: emlearn, m2cgen, and sympy's ccode.

Each is called as its documentation says, and its C is left as it is. A small function of ours,
``float NAME(float a, float b)``, stands around it, so that all are measured alike.
"""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from distill.firmware.emit import literal

from .measuring import Emitted, float_interface
from .models import Network
from .problems import Problem

PEER = "peer"
"""What the generators are asked to call their model."""


class CannotDo(Exception):
    """Why a generator has no C for a problem."""


def emlearn(problem: Problem) -> Emitted:
    """A network, tree or naive Bayes by emlearn.

    Raises
    ------
    CannotDo : when it is not installed or refuses the model.
    """
    _need("emlearn")
    with np.errstate():  # importing it would make NumPy's warnings exceptions
        import emlearn as package
        from emlearn.common import get_include_dir
    model = problem.model()
    estimator = model.regressor if isinstance(model, Network) else model.model
    options = {"method": "inline", "dtype": "float"}
    call, label = f"{PEER}_predict(x, {{d}})", False
    if isinstance(model, Network):
        options = {"method": "loadable", "return_type": "regressor"}
        call = f"{PEER}_regress1(x, {{d}})"
    elif problem.label_above is not None:
        options, label = {"method": "loadable"}, True
    # It compiles what it emits for this machine, in a folder `tmp` where it is run.
    with tempfile.TemporaryDirectory(prefix="distill-") as folder, contextlib.chdir(folder):
        emitted = _refused(lambda: package.convert(estimator, **options).save(name=PEER))
    headers = {path.name: path.read_text() for path in Path(get_include_dir()).glob("eml_*.h")}
    return _wrapped(problem, emitted, call, headers, label)


def m2cgen(problem: Problem) -> Emitted:
    """A tree by m2cgen, which computes in double; it refuses networks and naive Bayes.

    Raises
    ------
    CannotDo : when it is not installed or refuses the model.
    """
    _need("m2cgen")
    import m2cgen as package

    model = problem.model()
    estimator = model.regressor if isinstance(model, Network) else model.model
    emitted = _refused(lambda: package.export_to_c(estimator, function_name=PEER))
    return _wrapped(problem, emitted, f"{PEER}(x)", {}, False, real="double")


def ccode(problem: Problem) -> Emitted:
    """The problem's formula by sympy's ccode, which computes in double.

    Raises
    ------
    CannotDo : when it refuses the formula.
    """
    import sympy

    expression = _refused(lambda: sympy.ccode(problem.formula.sympy))
    names = ", ".join(f"double {name}" for name in problem.domain.names)
    text = f"static double {PEER}({names})\n{{\n    return {expression};\n}}\n"
    arguments = ", ".join(f"x[{i}]" for i in range(len(problem.domain)))
    return _wrapped(problem, "#include <math.h>\n" + text, f"{PEER}({arguments})", {}, False)


PEERS: dict[str, Callable[[Problem], Emitted]] = {
    "emlearn": emlearn,
    "m2cgen": m2cgen,
    "sympy ccode": ccode,
}


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise CannotDo("is not installed: python -m pip install 'distill[bench]'")


def _refused(emit: Callable[[], str]) -> str:
    """The C, or the generator's own words of why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(emit())
    except (ValueError, NotImplementedError, TypeError, AttributeError, RuntimeError) as error:
        words = str(error).splitlines() or [type(error).__name__]
        raise CannotDo(f"refuses the model: {words[0]}") from error


def _wrapped(
    problem: Problem, emitted: str, call: str, headers: dict[str, str], label: bool,
    real: str = "float",
) -> Emitted:  # fmt: skip
    """The emitted C and the function around it, which scales what a network takes and gives."""
    names = problem.domain.names
    inputs, answer = list(names), call.format(d=len(names))
    model: Any = problem.model() if PEER + "_regress1" in call else None
    if isinstance(model, Network):
        inputs = [
            f"({name} - {literal(centre, 'float32')}) * {literal(spread, 'float32')}"
            for name, centre, spread in zip(names, model.centre, model.spread, strict=True)
        ]
        answer = (
            f"{literal(model.scale, 'float32')} * {answer} + {literal(model.offset, 'float32')}"
        )
    parameters = ", ".join(f"float {name}" for name in names)
    body = (
        f"float {problem.name}({parameters});\n"
        f"float {problem.name}({parameters})\n{{\n"
        f"    const {real} x[{len(names)}] = {{{', '.join(inputs)}}};\n"
        f"    return (float)({answer});\n}}\n"
    )
    files = {**headers, f"{problem.name}.c": f"{emitted}\n{body}"}
    return Emitted(problem.name, files, float_interface(problem), label)
