"""The printers that are no C: text, JSON, NumPy, torch, sympy, LaTeX, MathML, FPCore."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

import mpmath
import numpy as np
import sympy
import torch

from differential.exactly import BITS, exactly, tame
from differential.problem import Checked, Mistake
from distill.arrays import Array, Flags
from distill.firmware.graph import build_graph
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula
from distill.formula.parse import parse
from distill.formula.to_mathml import to_mathml

STEADY = 1e-6
"""Points where rounding may move a value by more than this part of it are not compared: what a
bound to first order says there is not to be relied on."""


TORCH = 64.0
"""Its powers are off by more units in the last place than C libraries' are."""


def check_printers(formula: Formula, x: Array) -> Iterator[Checked]:
    """What each printer says; sympy at three points, since it is slow."""
    yield _same_text(formula)
    yield _same_json(formula)
    yield _read("LaTeX", formula, _latex)
    yield _read("MathML", formula, _mathml)
    yield _same_fpcore(formula, x)
    truth = exactly(formula, x)
    with np.errstate(all="ignore"):
        graph = build_graph(formula)
        bound = rounding_bound(graph, x, "double")
        steady = np.isfinite(truth) & (bound <= STEADY * np.abs(truth)) & tame(graph, x, "double")
    yield _agrees("NumPy", formula(x), truth, bound, steady, x)
    yield _agrees("torch", _torch(formula, x), truth, TORCH * bound, steady, x)
    few = np.flatnonzero(steady)[:3]
    found = _sympy(formula, x[few])
    if found is not None:
        yield _agrees("sympy", found, truth[few], bound[few], steady[few], x[few])


def _agrees(
    name: str, found: Array, truth: Array, bound: Array, steady: Flags, x: Array
) -> Checked:
    """Within twice the bound: the printer's rounding, and first order's neglect."""
    with np.errstate(all="ignore"):
        off = np.where(found == truth, 0.0, np.abs(found - truth))
        used = np.where(steady, off / np.maximum(bound, 1e-320), 0.0)
    used = np.where(steady & np.isnan(off), np.inf, used)
    if len(x) and used.max() > 2:
        at = int(np.argmax(used))
        raise Mistake(name, f"{found[at]!r}, not {truth[at]!r} within {bound[at]:.3g}", x[at])
    return Checked(name, int(steady.sum()), float(used.max(initial=0.0)))


def _same_text(formula: Formula) -> Checked:
    again = parse(formula.text, formula.domain.names)
    if again != formula.tree:
        raise Mistake("text", f"{formula.text} is read as another tree")
    return Checked("text", 1)


def _same_json(formula: Formula) -> Checked:
    if Formula.from_data(json.loads(json.dumps(formula.to_data()))) != formula:
        raise Mistake("JSON", "another formula is read")
    return Checked("JSON", 1)


def _read(name: str, formula: Formula, reader: Callable[[Formula], str]) -> Checked:
    if why := reader(formula):
        raise Mistake(name, why)
    return Checked(name, 1)


def _latex(formula: Formula) -> str:
    text = formula.latex()
    depth = 0
    for token in re.findall(r"\\[{}]|[{}]", text):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            return "a brace closes nothing"
    lefts, rights = text.count(r"\left"), text.count(r"\right")
    if depth or lefts != rights:
        return "braces or brackets are left open"
    return "two signs in a row" if "--" in text or "+ -" in text else ""


def _mathml(formula: Formula) -> str:
    root = ElementTree.fromstring(to_mathml(formula.tree))
    return "" if root.tag.endswith("math") and len(root) == 1 else "no single formula"


def _torch(formula: Formula, x: Array) -> Array:
    with torch.no_grad():
        found: Array = formula.to_torch()(torch.from_numpy(x)).numpy()[:, 0]
    return found


def _sympy(formula: Formula, x: Array) -> Array | None:
    """Sympy's values; None where a part of the formula is a number nowhere."""
    expression = formula.sympy
    symbols = [sympy.Symbol(name, real=True) for name in formula.domain.names]
    if expression.has(sympy.zoo, sympy.nan, sympy.oo):
        return None
    found = np.full(len(x), np.nan)
    function = sympy.lambdify(symbols, expression, modules="mpmath")
    with mpmath.workprec(BITS):
        for i, row in enumerate(x):
            try:
                value = mpmath.mpmathify(function(*(mpmath.mpf(float(v)) for v in row)))
                found[i] = float(value.real) if abs(value.imag) <= abs(value) * 1e-30 else np.nan
            except (ZeroDivisionError, OverflowError, ValueError, TypeError, AttributeError):
                continue  # no real value: complex numbers have no order and no angle of two
    return found


def _same_fpcore(formula: Formula, x: Array) -> Checked:
    """The same operations in the same order: the same bits."""
    head, names, *rest = _expressions(formula.fpcore())
    if head != "FPCore" or len(names) != len(formula.domain):
        raise Mistake("FPCore", "the head is wrong")
    with np.errstate(all="ignore"):
        found = np.broadcast_to(_meant(rest[-1], dict(zip(names, x.T, strict=True))), len(x))
    expected = formula(x)
    different = (found != expected) & ~(np.isnan(found) & np.isnan(expected))
    if different.any():
        at = int(np.argmax(different))
        raise Mistake("FPCore", f"{found[at]!r}, not {expected[at]!r}", x[at])
    return Checked("FPCore", len(x))


_FPCORE: Mapping[str, Callable[..., Any]] = {
    "+": np.add, "*": np.multiply, "/": np.divide, "pow": np.power, "sqrt": np.sqrt,
    "cbrt": np.cbrt, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "fabs": np.abs, "fmin": np.minimum,
    "fmax": np.maximum, "if": np.where, "<": np.less,
    "-": lambda *a: -a[0] if len(a) == 1 else a[0] - a[1],
}  # fmt: skip


def _expressions(text: str) -> list[Any]:
    """A reader of its own: nested lists of words."""
    stack: list[list[Any]] = [[]]
    for token in re.findall(r"[()\[\]]|[^\s()\[\]]+", text):
        if token in "([":
            stack.append([])
        elif token in ")]":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    (whole,) = stack[0]
    return list(whole)


def _meant(node: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(node, str):
        return names[node] if node in names else np.float64(node)
    if node[0] == "let":
        bound = {name: _meant(value, names) for name, value in node[1]}
        return _meant(node[2], {**names, **bound})
    return _FPCORE[node[0]](*(_meant(a, names) for a in node[1:]))
