"""Other ways to look at a curve: functions of its values, of its argument, and powers in front.

``y = x^q * back(h(u(x)))``: where h is simple in some view, so is the curve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.curves.atoms import Target
from distill.engines.structure.curves.points import Points
from distill.formula.tree import Node, Number, Symbol, call, div, mul

HUGE = 1e100
FAR = 1e30
"""No form is looked for where the coordinate grows beyond it."""

LEAST_WEIGHT_RATIO = 1e-4
"""Error bars in a view are at least this part of their median."""


@dataclass(frozen=True)
class Link:
    """A function of the values, where it can be undone; ``back`` writes the inverse."""

    name: str
    forward: Callable[[Array], Array]
    back: Callable[[Node], Node]
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Coordinate:
    """A function of the argument."""

    name: str
    forward: Callable[[Array], Array]
    tree: Callable[[Node], Node]


def _minus_root(t: Node) -> Node:
    return call("neg", call("sqrt", t))


def _root_of_inverse(t: Node) -> Node:
    return div(Number(1.0), call("sqrt", t))


HALF = np.pi / 2

LINKS = {
    link.name: link
    for link in (
        Link("identity", lambda y: y, lambda t: t),
        Link("inverse", lambda y: 1 / y, lambda t: div(Number(1.0), t)),
        Link("log", np.log, lambda t: call("exp", t), 0.0),
        Link("log of minus", lambda y: np.log(-y), lambda t: call("neg", call("exp", t)), high=0.0),
        Link("square", np.square, lambda t: call("sqrt", t), 0.0),
        Link("minus square", np.square, _minus_root, high=0.0),
        Link("inverse square", lambda y: 1 / y**2, _root_of_inverse, 0.0),
        Link("exp", np.exp, lambda t: call("log", t)),
        Link("sqrt", np.sqrt, lambda t: call("square", t), 0.0),
        Link("sin", np.sin, lambda t: call("asin", t), -HALF, HALF),
        Link("cos", np.cos, lambda t: call("acos", t), 0.0, np.pi),
        Link("tan", np.tan, lambda t: call("atan", t), -HALF, HALF),
        Link("atanh", np.arctanh, lambda t: call("tanh", t), -1.0, 1.0),
        Link("asin", np.arcsin, lambda t: call("sin", t), -1.0, 1.0),
        Link("acos", np.arccos, lambda t: call("cos", t), -1.0, 1.0),
        Link("atan", np.arctan, lambda t: call("tan", t)),
        Link("cube", lambda y: y**3, lambda t: call("cbrt", t)),
    )
}

COORDINATES = {
    c.name: c
    for c in (
        Coordinate("x", lambda x: x, lambda x: x),
        Coordinate("log", np.log, lambda x: call("log", x)),
        Coordinate("inverse", lambda x: 1 / x, lambda x: div(Number(1.0), x)),
        Coordinate("square", np.square, lambda x: call("square", x)),
        Coordinate("sqrt", np.sqrt, lambda x: call("sqrt", x)),
        Coordinate("exp", np.exp, lambda x: call("exp", x)),
        Coordinate("cos", np.cos, lambda x: call("cos", x)),
        Coordinate("sin", np.sin, lambda x: call("sin", x)),
    )
}


@dataclass(frozen=True)
class View:
    """A way to look: the power in front, the link of what is left, the coordinate."""

    power: int
    link: Link
    coordinate: Coordinate

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return not self.power and self.link.name == "identity" and self.coordinate.name == "x"

    def tree(self, h: Node) -> Node:
        """The curve's formula in ``x`` for a formula h of the coordinate."""
        inner = self.link.back(h)
        if not self.power:
            return inner
        x: Node = Symbol("x")
        size = abs(self.power)
        factor: Node = x if size == 1 else call("square", x) if size == 2 else call("cube", x)
        return mul(factor, inner) if self.power > 0 else div(inner, factor)

    @property
    def argument(self) -> Node:
        """The coordinate as a formula in ``x``."""
        return self.coordinate.tree(Symbol("x"))


def view(power: int = 0, link: str = "identity", coordinate: str = "x") -> View:
    """A view by the names of its parts."""
    return View(power, LINKS[link], COORDINATES[coordinate])


def seen(points: Points, look: View, target: float) -> Target | None:
    """The points in a view, None where too few of them are in its range.

    Error bars are how far an error of ``target`` (or rounding) moves the values.
    """
    with np.errstate(all="ignore"):
        factor = points.x ** float(look.power)
        y, s = points.y / factor, points.s / np.abs(factor)
        off = np.maximum(target * s, 1e-8 * np.abs(y))
        slack = 1e-6 * off + 1e-12
        fits = (y >= look.link.low - slack) & (y <= look.link.high + slack)
        if not look.power and (~fits).any() and not (np.abs(points.x) < 1e-300).any():
            return None
        v, u = look.link.forward(y), look.coordinate.forward(points.x)
        ends = np.abs(np.stack([look.link.forward(y + off) - v, look.link.forward(y - off) - v]))
        bars = np.nanmax(np.where(np.isfinite(ends), ends, 0.0), axis=0) / off * s
        good = np.isfinite(v) & np.isfinite(u) & np.isfinite(bars) & fits & (bars > 0)
    if good.sum() < max(12, 0.9 * len(good)) or np.ptp(u[good]) <= 0:
        return None
    bars = bars[good]
    bars = np.maximum(bars, LEAST_WEIGHT_RATIO * np.median(bars))
    w = 1.0 / bars
    if not np.isfinite(w).all() or np.abs(v[good] * w).max() > HUGE:
        return None
    if np.abs(u[good]).max() > FAR:
        return None
    return Target(u[good], v[good], w)
