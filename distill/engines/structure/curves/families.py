"""The library of one-variable forms, as data: text with parameters, and where each may lie.

A form is written in ``u``; every other letter is a nonlinear parameter with a grid of starting
values that depends on the interval. Coefficients in front of forms are never among them: they are
solved for (variable projection).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.tree import Call, Node, Number, Symbol, mul, postorder, substitute

Grid = Callable[[float, float], Array]


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


def _steps(least: float, most: float, count: int) -> Array:
    return np.geomspace(least, most, count)


def _reach(low: float, high: float) -> float:
    return max(abs(low), abs(high))


def rates(low: float, high: float) -> Array:
    """Of growth or decay."""
    k = _steps(0.2, 60.0, 14) / (high - low)
    return np.concatenate([-k[::-1], k])


def few_rates(low: float, high: float) -> Array:
    """The same, coarse."""
    k = _steps(0.3, 20.0, 6) / (high - low)
    return np.concatenate([-k[::-1], k])


def decays(low: float, high: float) -> Array:
    """Of a bell around zero."""
    return _steps(0.05, 400.0, 18) / _reach(low, high) ** 2


def few_decays(low: float, high: float) -> Array:
    """The same, coarse."""
    return _steps(0.1, 200.0, 9) / _reach(low, high) ** 2


def inverse_rates(low: float, high: float) -> Array:
    """Of exp(k/u): where u keeps away from zero."""
    if low <= 0 <= high:
        return np.empty(0)
    k = _steps(0.1, 60.0, 12) * abs(1 / (1 / low - 1 / high))
    return np.concatenate([-k[::-1], k])


def slopes(low: float, high: float) -> Array:
    """Of a saturation at both ends."""
    return _steps(0.2, 100.0, 16) / _reach(low, high)


def above(low: float, high: float) -> Array:
    """Shifts a with a + u > 0."""
    return -low + _steps(1e-3, 30.0, 16) * (high - low)


def below(low: float, high: float) -> Array:
    """Shifts a with a - u > 0."""
    return high + _steps(1e-3, 30.0, 16) * (high - low)


def few_above(low: float, high: float) -> Array:
    """Coarse shifts a with a + u > 0."""
    return -low + _steps(1e-2, 10.0, 7) * (high - low)


def squares(low: float, high: float) -> Array:
    """What is added to u^2."""
    return _steps(0.003, 10.0, 12) * _reach(low, high) ** 2


def beyond(low: float, high: float) -> Array:
    """What u^2 is taken from."""
    return _reach(low, high) ** 2 * (1 + _steps(1e-3, 10.0, 10))


def centres(low: float, high: float) -> Array:
    """Places inside the interval and a little outside."""
    return low + np.linspace(-0.25, 1.25, 13) * (high - low)


def kinks(low: float, high: float) -> Array:
    """Places inside the interval."""
    return low + np.linspace(0.02, 0.98, 33) * (high - low)


def widths(low: float, high: float) -> Array:
    """Of a bell or a step inside the interval."""
    return _steps(0.04, 1.5, 7) * (high - low)


def frequencies(low: float, high: float) -> Array:
    """From a part of a turn to ten turns."""
    return np.concatenate([_steps(0.3, 2.5, 6), np.arange(3.2, 62.0, 0.8)]) / (high - low)


def few_frequencies(low: float, high: float) -> Array:
    """The same, coarse."""
    return np.concatenate([[1.0, 2.0], np.arange(3.5, 40.0, 2.0)]) / (high - low)


def square_frequencies(low: float, high: float) -> Array:
    """Of sin(w*u^2)."""
    return np.concatenate([_steps(0.3, 3.0, 6), np.arange(4.0, 40.0, 1.5)]) / _reach(low, high) ** 2


def phases(low: float, high: float) -> Array:
    """Over half a turn; the sign is left to the coefficient."""
    return np.arange(5) * np.pi / 5


def powers(low: float, high: float) -> Array:
    """Exponents, where u is positive."""
    if low <= 0:
        return np.empty(0)
    return np.array([-4.5, -3.5, -2.5, -1.6, -1.3, -0.7, -0.35, -0.15, 0.15, 0.35, 0.7, 1.3, 1.6,
                     2.4, 3.5, 4.5])  # fmt: skip


def few_powers(low: float, high: float) -> Array:
    """Exponents of a shifted argument."""
    return np.array([-2.5, -1.5, -0.6, -0.2, 0.2, 0.6, 1.5, 2.5])


def stretches(low: float, high: float) -> Array:
    """Exponents inside an exponential, where u is positive."""
    return np.array([0.35, 0.6, 1.5, 2.5, 3.5]) if low >= 0 else np.empty(0)


def stretched_decays(low: float, high: float) -> Array:
    """Of a stretched exponential."""
    return _steps(0.2, 10.0, 5) / _reach(low, high)


LINEAR = tuple(
    map(
        _family,
        ("u", "square(u)", "cube(u)", "square(square(u))", "inv(u)", "inv(square(u))",
         "inv(cube(u))", "sqrt(u)", "inv(sqrt(u))", "u*sqrt(u)", "log(u)", "u*log(u)",
         "square(log(u))", "log(1 - u)", "log(1 + u)", "sqrt(1 - u)", "sqrt(1 + u)",
         "sqrt(1 - square(u))", "sqrt(1 + square(u))", "log(1 + square(u))", "exp(u)", "exp(-u)",
         "sin(u)", "cos(u)", "tanh(u)", "atan(u)", "inv(1 + u)", "inv(1 - u)",
         "inv(1 + square(u))", "inv(1 - square(u))", "abs(u)", "cbrt(u)"),
    )
)  # fmt: skip
"""Forms without parameters."""

ONE = (
    _family("u^p", p=powers),
    _family("exp(k*u)", k=rates),
    _family("exp(-(k*square(u)))", k=decays),
    _family("exp(k/u)", k=inverse_rates),
    _family("log(u + a)", a=above),
    _family("log(a - u)", a=below),
    _family("sqrt(u + a)", a=above),
    _family("sqrt(a - u)", a=below),
    _family("inv(u + a)", a=above),
    _family("inv(a - u)", a=below),
    _family("tanh(k*u)", k=slopes),
    _family("atan(k*u)", k=slopes),
    _family("sin(w*u)", w=frequencies),
    _family("cos(w*u)", w=frequencies),
    _family("log(square(u) + a)", a=squares),
    _family("inv(square(u) + a)", a=squares),
    _family("inv(a - square(u))", a=beyond),
    _family("sqrt(square(u) + a)", a=squares),
    _family("sqrt(a - square(u))", a=beyond),
    _family("inv(sqrt(square(u) + a))", a=squares),
    _family("log(1 + exp(k*u))", k=rates),
)
"""Forms with one parameter."""

MANY = (
    _family("sin(w*u + p)", w=frequencies, p=phases),
    _family("exp(-square((u - c)/d))", c=centres, d=widths),
    _family("tanh((u - c)/d)", c=centres, d=widths),
    _family("atan((u - c)/d)", c=centres, d=widths),
    _family("inv(1 + square((u - c)/d))", c=centres, d=widths),
    _family("sqrt(square(u - c) + square(d))", c=centres, d=widths),
    _family("log(square(u - c) + square(d))", c=centres, d=widths),
    _family("(u + a)^p", a=few_above, p=few_powers),
    _family("exp(k/(u + a))", k=few_rates, a=few_above),
    _family("exp(-(k*u)^p)", k=stretched_decays, p=stretches),
    _family("tanh(k*u)*exp(-(q*square(u)))", k=slopes, q=few_decays),
    _family("exp(k*u)*sin(w*u)", k=few_rates, w=few_frequencies),
    _family("exp(k*u)*cos(w*u)", k=few_rates, w=few_frequencies),
    _family("exp(-(k*square(u)))*cos(w*u)", k=few_decays, w=few_frequencies),
    _family("sin(w*square(u))", w=square_frequencies),
    _family("cos(w*square(u))", w=square_frequencies),
    _family("log(1 + exp((u - c)/d))", c=centres, d=widths),
    _family("abs(u - c)", c=kinks),
    _family("ifless(u, c, 0, 1)", c=kinks),
)
"""Forms that are rarer, or have more parameters."""

DAMPED = _family("exp(k*u)*sin(w*u + p)", k=few_rates, w=few_frequencies, p=phases)
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
    monomials = ("1", "u", "square(u)", "cube(u)", "sqrt(u)", "inv(u)", "inv(square(u))")
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
