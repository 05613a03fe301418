"""The library of one-variable forms, as data: text with parameters, and where each may lie.

A form is written in ``u``; every other letter is a nonlinear parameter with a grid of starting
values that depends on the interval. Coefficients in front of forms are never among them: they are
solved for (variable projection).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.curves import grids
from distill.engines.structure.curves.grids import Grid
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.tree import Call, Node, Number, Symbol, mul, postorder, substitute


@dataclass(frozen=True)
class Family:
    """A form ``tree`` in ``u`` and the parameters ``names``, with a grid for each."""

    name: str
    tree: Node
    names: tuple[str, ...]
    grids: tuple[Grid, ...]

    @property
    def operators(self) -> frozenset[str]:
        """The operators it is written with."""
        return frozenset(n.operator for n in postorder(self.tree) if isinstance(n, Call))

    def columns(self, u: Array, theta: Array) -> Array:
        """Values (n, m) at u (n,) for the parameters theta (k, m)."""
        bindings = {"u": u[:, None]} | dict(zip(self.names, theta[:, None, :], strict=True))
        with np.errstate(all="ignore"):
            values = _evaluate(self.tree, bindings)
        return np.broadcast_to(values, (len(u), theta.shape[1] if self.names else 1))

    def starts(self, low: float, high: float) -> Array:
        """Parameters (k, m) to start from on an interval: all combinations of the grids."""
        if not self.names:
            return np.empty((0, 1))
        axes = np.meshgrid(*(grid(low, high) for grid in self.grids), indexing="ij")
        return np.stack([axis.ravel() for axis in axes])

    def at(self, u: Node, theta: Array) -> Node:
        """The tree in ``u`` with the parameters theta (k,)."""
        numbers: dict[str, Node] = {
            n: Number(float(v)) for n, v in zip(self.names, theta, strict=True)
        }
        return substitute(self.tree, {"u": u, **numbers})


def _evaluate(node: Node, bindings: Mapping[str, Array]) -> Array:
    if isinstance(node, Number):
        return np.asarray(node.value)
    if isinstance(node, Symbol):
        return bindings[node.name]
    args = [_evaluate(a, bindings) for a in node.args]
    return np.asarray(OPERATORS[node.operator].value(*args))


def _family(text: str, **grids: Grid) -> Family:
    return Family(text, parse(text, ["u", *grids]), tuple(grids), tuple(grids.values()))


LINEAR = tuple(
    map(
        _family,
        ("u", "square(u)", "cube(u)", "square(square(u))", "inv(u)", "inv(square(u))",
         "inv(cube(u))", "sqrt(u)", "inv(sqrt(u))", "u*sqrt(u)", "log(u)", "u*log(u)",
         "square(log(u))", "log(1 - u)", "log(1 + u)", "sqrt(1 - u)", "sqrt(1 + u)",
         "sqrt(1 - square(u))", "sqrt(1 + square(u))", "log(1 + square(u))", "exp(u)", "exp(-u)",
         "sin(u)", "cos(u)", "tanh(u)", "atan(u)", "inv(1 + u)", "inv(1 - u)",
         "inv(1 + square(u))", "inv(1 - square(u))", "abs(u)", "cbrt(u)", "tan(u)", "sinh(u)",
         "cosh(u)", "u*log(1 - u)", "sin(square(u))", "cos(square(u))"),
    )
)  # fmt: skip
"""Forms without parameters."""

ONE = (
    _family("u^p", p=grids.powers),
    _family("exp(k*u)", k=grids.rates),
    _family("exp(-(k*square(u)))", k=grids.decays),
    _family("exp(k/u)", k=grids.inverse_rates),
    _family("log(u + a)", a=grids.above),
    _family("log(a - u)", a=grids.below),
    _family("sqrt(u + a)", a=grids.above),
    _family("sqrt(a - u)", a=grids.below),
    _family("inv(u + a)", a=grids.above),
    _family("inv(a - u)", a=grids.below),
    _family("tanh(k*u)", k=grids.slopes),
    _family("atan(k*u)", k=grids.slopes),
    _family("sin(w*u)", w=grids.frequencies),
    _family("cos(w*u)", w=grids.frequencies),
    _family("log(square(u) + a)", a=grids.squares),
    _family("inv(square(u) + a)", a=grids.squares),
    _family("inv(a - square(u))", a=grids.beyond),
    _family("sqrt(square(u) + a)", a=grids.squares),
    _family("sqrt(a - square(u))", a=grids.beyond),
    _family("inv(sqrt(square(u) + a))", a=grids.squares),
    _family("log(1 + exp(k*u))", k=grids.rates),
)
"""Forms with one parameter."""

HYPERBOLIC = (
    _family("cosh(k*u)", k=grids.slopes),
    _family("sinh(k*u)", k=grids.slopes),
    _family("tan(w*u)", w=grids.slopes),
    _family("inv(tanh(k*u))", k=grids.slopes),
)
"""Much like exponentials and ratios over a coarse grid: ranked among themselves."""

MANY = (
    _family("sin(w*u + p)", w=grids.frequencies, p=grids.phases),
    _family("exp(-square((u - c)/d))", c=grids.centres, d=grids.widths),
    _family("tanh((u - c)/d)", c=grids.centres, d=grids.widths),
    _family("atan((u - c)/d)", c=grids.centres, d=grids.widths),
    _family("inv(1 + square((u - c)/d))", c=grids.centres, d=grids.widths),
    _family("sqrt(square(u - c) + square(d))", c=grids.centres, d=grids.widths),
    _family("log(square(u - c) + square(d))", c=grids.centres, d=grids.widths),
    _family("(u + a)^p", a=grids.few_above, p=grids.few_powers),
    _family("exp(k/(u + a))", k=grids.few_rates, a=grids.few_above),
    _family("exp(-(k*u)^p)", k=grids.stretched_decays, p=grids.stretches),
    _family("tanh(k*u)*exp(-(q*square(u)))", k=grids.slopes, q=grids.few_decays),
    _family("exp(k*u)*sin(w*u)", k=grids.few_rates, w=grids.few_frequencies),
    _family("exp(k*u)*cos(w*u)", k=grids.few_rates, w=grids.few_frequencies),
    _family("exp(-(k*square(u)))*cos(w*u)", k=grids.few_decays, w=grids.few_frequencies),
    _family("sin(w*square(u))", w=grids.square_frequencies),
    _family("cos(w*square(u))", w=grids.square_frequencies),
    _family("sin(w*cube(u))", w=grids.cube_frequencies),
    _family("cos(w*cube(u))", w=grids.cube_frequencies),
    _family("tan(w*u + p)", w=grids.few_slopes, p=grids.phases),
    _family("inv(sinh(k*u))", k=grids.few_slopes),
    _family("log(1 + exp((u - c)/d))", c=grids.centres, d=grids.widths),
    _family("abs(u - c)", c=grids.kinks),
    _family("ifless(u, c, 0, 1)", c=grids.kinks),
)
"""Forms that are rarer, or have more parameters."""

DAMPED = _family(
    "exp(k*u)*sin(w*u + p)", k=grids.few_rates, w=grids.few_frequencies, p=grids.phases
)
PEAKS = MANY[1:5]
"""Bells and steps: curves have several of them."""

GROWTH = ONE[1]
WAVE = MANY[0]

_MODULATIONS = ("u", "inv(u)", "square(u)", "inv(square(u))")
_SWEPT = ("u^p", "inv(u + a)", "inv(a - u)", "inv(square(u) + a)", "inv(a - square(u))")


@functools.cache
def modulated() -> tuple[Family, ...]:
    """Forms with one parameter, times a power of u."""
    found = []
    for family in ONE:
        if family.name in _SWEPT:  # ratios and powers of themselves: other techniques have them
            continue
        for factor in _MODULATIONS:
            tree = Call("mul", (parse(factor, ["u"]), family.tree))
            found.append(Family(f"{factor}*{family.name}", tree, family.names, family.grids))
    return tuple(found)


@functools.cache
def nice_products() -> tuple[Family, ...]:
    """Products of powers, exponentials and polynomials of sine and cosine, without parameters."""
    monomials = ("1", "u", "square(u)", "cube(u)", "square(square(u))", "sqrt(u)", "inv(u)",
                 "inv(square(u))")  # fmt: skip
    growths = ("1", "exp(u)", "exp(-u)", "exp(-square(u))")
    waves = ["1", "tanh(u)", "log(u)", "log(1 + u)", "log(1 + square(u))", "inv(1 + u)",
             "sin(2*u)", "cos(2*u)", "sin(3*u)", "cos(3*u)", "sin(pi*u)", "cos(pi*u)",
             "sin(2*pi*u)", "cos(2*pi*u)"]  # fmt: skip
    sines = ("1", "sin(u)", "square(sin(u))", "cube(sin(u))")
    cosines = ("1", "cos(u)", "square(cos(u))", "cube(cos(u))")
    waves += [_times(a, b) for a in sines for b in cosines if (a, b) != ("1", "1")]
    for inner in ("square(u)", "cube(u)", "u + square(u)", "inv(u)", "log(u)", "sqrt(u)"):
        for wave in ("sin", "cos"):
            for factor in ("1", "sin(u)", "cos(u)"):
                waves.append(_times(f"{wave}({inner})", factor))
    swept = [f"{w}({i})" for i in ("square(u)", "cube(u)") for w in ("sin", "cos")]
    waves += [_times(a, b) for a, b in itertools.product(swept[:2], swept[2:])]
    trees = {text: parse(text, ["u"]) for text in (*monomials, *growths, *waves)}
    found: dict[str, Family] = {}
    for factors in itertools.product(monomials, growths, waves):
        parts = [f for f in factors if f != "1"]
        if parts:
            tree = functools.reduce(mul, (trees[p] for p in parts))
            found.setdefault("*".join(parts), Family("*".join(parts), tree, (), ()))
    return tuple(found.values())


def _times(a: str, b: str) -> str:
    return b if a == "1" else a if b == "1" else f"{a}*{b}"
