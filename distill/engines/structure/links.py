"""Links: functions put on a piece's answers, under which it may fall apart.

If ``link(f)`` is a sum, f is ``back`` of a sum. Each link says on which values it may be used and
how it stretches errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.structure.piece import Piece, Values
from distill.formula.tree import Node, Number, call, div

LARGEST_EXPONENT = 25.0
SMALLEST_PART = 1e-9
"""Of the largest value: inverses and logarithms of smaller ones are not taken."""


@dataclass(frozen=True)
class Link:
    """A function of the answers.

    ``value`` and ``slope`` are its value and derivative, ``back`` undoes it in a formula, ``uses``
    are the operators that takes, ``allows`` says whether values (n,) may be put in.
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    back: Callable[[Node], Node]
    uses: tuple[str, ...]
    allows: Callable[[Array], bool]

    def __call__(self, values: Values) -> Values:
        """The linked values with their sensitivities."""
        with np.errstate(all="ignore"):
            return Values(self.value(values.y), values.s * np.abs(self.slope(values.y)))

    def on(self, piece: Piece) -> Piece:
        """The piece with this link on its answers."""
        return piece.mapped(self)


def _positive(y: Array) -> bool:
    return bool(y.min() > SMALLEST_PART * y.max() and y.max() > 0)


def _not_zero(y: Array) -> bool:
    """The inverse may pass through zero where the answer has a pole, and the other way round."""
    return bool(np.all(y != 0.0))


def _within(low: float, high: float, span: float) -> Callable[[Array], bool]:
    return lambda y: bool(y.min() >= low and y.max() <= high and np.ptp(y) >= span)


_ONE = Number(1.0)

SIMPLE: tuple[Link, ...] = (
    Link("square", np.square, lambda y: 2 * y, lambda e: call("sqrt", e), ("sqrt",),
         lambda y: bool(y.min() >= 0)),
    Link("inverse", lambda y: 1 / y, lambda y: 1 / (y * y), lambda e: div(_ONE, e), ("div",),
         _not_zero),
    Link("inverse square", lambda y: 1 / (y * y), lambda y: 2 / np.abs(y) ** 3,
         lambda e: div(_ONE, call("sqrt", e)), ("div", "sqrt"), _positive),
    Link("log", np.log, lambda y: 1 / y, lambda e: call("exp", e), ("exp",), _positive),
    Link("exp", np.exp, np.exp, lambda e: call("log", e), ("log",),
         lambda y: bool(np.abs(y).max() < LARGEST_EXPONENT)),
    Link("root", np.sqrt, lambda y: 0.5 / np.sqrt(y), lambda e: call("square", e), (), _positive),
    Link("inverse root", lambda y: 1 / np.sqrt(y), lambda y: 0.5 / y**1.5,
         lambda e: div(_ONE, call("square", e)), ("div",), _positive),
    Link("sin", np.sin, np.cos, lambda e: call("asin", e), ("asin",),
         _within(-np.pi / 2, np.pi / 2, 0.3)),
    Link("cos", np.cos, np.sin, lambda e: call("acos", e), ("acos",), _within(0.0, np.pi, 0.3)),
    Link("tan", np.tan, lambda y: 1 + np.tan(y) ** 2, lambda e: call("atan", e), ("atan",),
         _within(-np.pi / 2, np.pi / 2, 0.1)),
    Link("asin", np.arcsin, lambda y: 1 / np.sqrt(1 - y * y), lambda e: call("sin", e), ("sin",),
         _within(-1.0, 1.0, 0.3)),
    Link("acos", np.arccos, lambda y: 1 / np.sqrt(1 - y * y), lambda e: call("cos", e), ("cos",),
         _within(-1.0, 1.0, 0.3)),
    Link("atan", np.arctan, lambda y: 1 / (1 + y * y), lambda e: call("tan", e), ("tan",),
         lambda y: bool(np.ptp(y) > 0.5)),
    Link("atanh", np.arctanh, lambda y: 1 / (1 - y * y), lambda e: call("tanh", e), ("tanh",),
         lambda y: bool(np.abs(y).max() < 1 and np.ptp(y) > 0.1)),
)  # fmt: skip


def _after(second: str, first: str) -> Link:
    """The link that does one after the other."""
    by = {link.name: link for link in SIMPLE}
    one, two = by[first], by[second]

    def allows(y: Array) -> bool:
        return one.allows(y) and two.allows(one.value(y))

    return Link(
        f"{second} of {first}",
        lambda y: two.value(one.value(y)),
        lambda y: two.slope(one.value(y)) * one.slope(y),
        lambda e: one.back(two.back(e)),
        (*one.uses, *two.uses),
        allows,
    )


LINKS = (
    *SIMPLE,
    _after("square", "sin"),
    _after("square", "tan"),
    _after("square", "log"),
    _after("inverse", "log"),
    _after("log", "square"),
    _after("inverse", "exp"),
)
"""Single links first."""
