"""Operators that were defined in Julia: what they answer, and where they throw."""

from __future__ import annotations

from functools import partial

import numpy as np

from juliacall.expressions import OPERATORS, Call, Tree, evaluate, operators_of, read
from juliacall.values import Function, JuliaError

# Where Julia's own functions throw a DomainError.
_OUTSIDE: dict[str, Call] = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt"), lambda x: x < 0),
    **dict.fromkeys(("asin", "acos", "atanh"), lambda x: abs(x) > 1),
    **dict.fromkeys(("sin", "cos", "tan"), np.isinf),
    "acosh": lambda x: x < 1,
    "log1p": lambda x: x < -1,
    "^": lambda x, y: (x < 0) & (np.floor(y) != y),
}

# `T(1)` and `oftype(x, 1)` are numbers of x's type; here all are of one.
_CONVERSIONS: dict[str, Call] = {"T": lambda value: value, "oftype": lambda x, value: value}


def body_of(function: Function) -> Tree | None:
    """Return what a function of the form `f(x) = ...` answers; None if it has another form."""
    try:
        return read(function.body)
    except JuliaError:
        return None


def call(function: Function, tree: Tree) -> Call:
    """Return a function on arrays that answers as this one."""
    return lambda *values: evaluate(
        tree, dict(zip(function.parameters, values, strict=True)), _CONVERSIONS
    )


def check_well_defined(function: Function) -> None:
    """Raise where a function throws over the real line, as the backend finds out at the start."""
    tree = body_of(function)
    if tree is None:
        return
    axis = np.linspace(-100, 100, 99)
    values = [axis, axis[:, None]][: len(function.parameters)]
    strict = {name: partial(_strictly, name) for name, _ in operators_of(tree) if name in _OUTSIDE}
    known = dict(zip(function.parameters, values, strict=True))
    evaluate(tree, known, {**_CONVERSIONS, **strict})


def _strictly(name: str, *values: np.ndarray) -> np.ndarray:
    if np.any(_OUTSIDE[name](*map(np.asarray, values))):
        raise JuliaError(
            f"DomainError: `{name}` makes an operator not well-defined on the real line"
        )
    meaning = OPERATORS[name][1]
    assert meaning is not None
    return meaning(*values)
