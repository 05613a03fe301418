"""Bounds of slopes and second derivatives hold what occurs, and hardly more on narrow intervals."""

from __future__ import annotations

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.fixed.angles import ACOS
from distill.firmware.graph import build_graph
from distill.firmware.intervals import apply
from distill.firmware.proof.fixed import _acos_over_root
from distill.firmware.proof.gaps import largest_gap
from distill.firmware.proof.lines import function_line, line_of
from distill.firmware.proof.slopes import partials
from distill.formula import Formula
from distill.formula.operators import OPERATORS

RANGES = {
    "pow": ((0.2, 3), (-2, 2)), "sqrt": ((0.1, 4),), "log": ((0.1, 4),), "asin": ((-0.9, 0.9),),
    "acos": ((-0.9, 0.9),), "tan": ((-1.3, 1.3),), "inv": ((0.3, 4),), "cbrt": ((0.1, 4),),
    "div": ((-3, 3), (0.3, 4)), "atan2": ((-3, 3), (0.2, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_slopes_of_operators_hold_all_that_occur(name):
    rng, operator = np.random.default_rng(4), OPERATORS[name]
    ranges = RANGES.get(name, ((-3, 3),) * operator.arity)
    boxes, points = 400, 40
    args, at = [], []
    for low, high in ranges:
        ends = np.sort(rng.uniform(low, high, (2, boxes)), axis=0)
        ends[1] = ends[0] + (ends[1] - ends[0]) * rng.choice([1.0, 0.01], boxes)
        args.append((ends[0], ends[1]))
        at.append(ends[0] + (ends[1] - ends[0]) * rng.random((points, boxes)))
    slopes = partials(name, tuple(args), apply(name, *args))
    value = operator.value(*at)
    for slope, partial in zip(slopes, operator.partials, strict=True):
        seen = partial(*at, value)
        if name == "ifless" and (seen == 0).all():
            continue
        room = 1e-12 * (1 + np.abs(seen))
        assert (slope[0] <= seen + room).all()
        assert (seen <= slope[1] + room).all()
        assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    "text",
    ["sqrt(x)", "cbrt(x)", "exp(x)", "log(x)", "sin(x)", "cos(2*x)", "tan(x/2)", "atan(x)",
     "sinh(x)", "cosh(x)", "tanh(x)", "x^3", "x^2", "x^-1.7", "1/x", "x*sin(x)", "exp(x)/(1 + x)",
     "(1 - x)/(1 + x*x)", "-x*x*x + 2", "abs(x - 1)", "asin(x/3)", "max(1, x)*x"],
)  # fmt: skip
def test_second_derivatives_hold_what_slopes_do(text):
    """Slopes at two points differ by a second derivative between them, times the distance."""
    line = line_of(build_graph(Formula.parse(text, Domain.box(x=(0.2, 2)))))
    edges = np.linspace(0.21, 1.99, 200)
    low, high = edges[:-1], edges[1:]
    bend, below, above = line(low, high).bend, line(low, low).slope, line(high, high).slope
    mean = [(a - b) / (high - low) for a, b in ((above[0], below[1]), (above[1], below[0]))]
    assert (bend[0] <= mean[1] + 1e-9).all()
    assert (mean[0] - 1e-9 <= bend[1]).all()
    if not any(kink in text for kink in ("abs", "max", "asin")):
        assert (bend[1] - bend[0] < 0.3 * (1 + np.abs(bend).max(axis=0))).all()


def test_the_series_of_acos_holds_its_function():
    a = np.linspace(0, 1, 2001)
    jet = _acos_over_root(a, a)
    exact = ACOS.function(a[:-1])
    assert (jet.value[0][:-1] <= exact + 1e-12).all()
    assert (exact - 1e-12 <= jet.value[1][:-1]).all()
    assert jet.value[1][-1] - np.sqrt(2) < 1e-12
    steps = np.diff(exact) / np.diff(a[:-1])
    wide = _acos_over_root(a[:-2], a[1:-1])
    assert (wide.slope[0] <= steps + 1e-9).all()
    assert (steps - 1e-9 <= wide.slope[1]).all()


def test_a_gap_is_found_between_all_points():
    """The cubic that meets a sine in its ends and middle, whose error is known."""
    coefficients = np.array([0.0, 1.0, 0.0, -1 / 6])
    gap = largest_gap(coefficients, function_line("sin"), -1.0, 1.0)
    exact = np.sin(1) - (1 - 1 / 6)
    assert exact <= gap < 1.003 * exact


def test_a_function_without_value_has_no_bound():
    assert largest_gap(np.array([0.0, 1.0]), function_line("log"), -0.5, 1.0) == np.inf
    assert largest_gap(np.array([0.0, 1.0]), function_line("inv"), -1.0, 1.0) == np.inf


def test_where_a_part_has_no_value_nothing_is_known():
    """An arctangent is small wherever it is, but here it stands for nothing."""
    line = line_of(build_graph(Formula.parse("atan(sqrt(x))", Domain.box(x=(-1, 1)))))
    value = line(np.array([-0.5, 0.5]), np.array([0.1, 0.6])).value
    assert np.isfinite(value[1][1])
    assert largest_gap(np.array([0.0, 1.0]), line, -0.5, 0.5) == np.inf
