"""Bounds of operations hold at every point, are tight, and say where there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.graph import KNOWN, build_graph
from distill.firmware.ranges import (
    box_ranges,
    cover,
    describe,
    operation_ranges,
    require_finite,
    split,
)
from distill.formula import Formula
from distill.formula.operators import OPERATORS

UNARY = [*sorted(name for name in KNOWN if OPERATORS[name].arity == 1 and name != "neg"), "-"]
BINARY = ["+", "-", "*", "/", "^"]


def expressions() -> st.SearchStrategy[str]:
    """Formulas of x and y that use every operator."""
    leaves = st.sampled_from(["x", "y", "0.5", "3", "-1.25", "2"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("{}({})".format, st.sampled_from(UNARY), inner),
            st.builds("({} {} {})".format, inner, st.sampled_from(BINARY), inner),
            st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "atan2"]), inner, inner),
            st.builds("ifless({}, {}, {}, {})".format, inner, inner, inner, inner),
        )

    return st.recursive(leaves, grow, max_leaves=6)


def ranges(text: str, **box: tuple[float, float]) -> tuple[float, float]:
    """The bounds of a formula's result."""
    domain = Domain.box(**box)
    low, high = operation_ranges(build_graph(Formula.parse(text, domain)), domain)
    return float(low[-1]), float(high[-1])


@given(
    text=expressions(),
    x=st.sampled_from([(-2, 3), (0, 1), (0.5, 4), (-100, -1)]),
    y=st.sampled_from([(-1, 1), (0, 6), (2, 2.5)]),
    pieces=st.sampled_from([1, 16, 400]),
)
@settings(max_examples=300, deadline=None)
def test_every_value_of_every_operation_lies_within_its_bounds(text, x, y, pieces) -> None:
    domain = Domain.box(x=x, y=y)
    graph = build_graph(Formula.parse(text, domain))
    low, high = operation_ranges(graph, domain, pieces)
    points = np.concatenate([domain.sample(256), domain.corners()])
    for at, values in enumerate(graph.evaluate_all(points)):
        finite = values[np.isfinite(values)]
        inside = (finite >= low[at]) & (finite <= high[at])
        assert inside.all(), describe(graph, at)


@pytest.mark.parametrize(
    ("text", "box", "low", "high"),
    [
        ("x*x", {"x": (-1, 2)}, 0, 4),
        ("x^3", {"x": (-2, 1)}, -8, 1),
        ("x^-2", {"x": (2, 4)}, 1 / 16, 1 / 4),
        ("abs(x)", {"x": (-3, 1)}, 0, 3),
        ("sin(x)", {"x": (0, 3)}, 0, 1),
        ("cos(x)", {"x": (-1, 4)}, -1, 1),
        ("acos(x)", {"x": (-1, 1)}, 0, math.pi),
        ("tan(x)", {"x": (-1, 1)}, -math.tan(1), math.tan(1)),
        ("atan2(y, x)", {"x": (1, 2), "y": (-1, 1)}, -math.pi / 4, math.pi / 4),
        ("ifless(x, 0, 5, 7)", {"x": (1, 2)}, 7, 7),
        ("ifless(x, 0, 5, 7)", {"x": (-1, 2)}, 5, 7),
    ],
)
def test_bounds_are_tight(text: str, box: dict, low: float, high: float) -> None:
    found = ranges(text, **box)
    assert found == pytest.approx((low, high), abs=1e-9)
    assert found[0] <= low
    assert found[1] >= high


def test_many_boxes_undo_what_one_box_cannot_see() -> None:
    domain = Domain.box(x=(0, 1))
    graph = build_graph(Formula.parse("x - x*x", domain))
    coarse = operation_ranges(graph, domain, 1)
    fine = operation_ranges(graph, domain, 4096)
    assert (coarse[0][-1], coarse[1][-1]) == pytest.approx((-1, 1))
    assert (fine[0][-1], fine[1][-1]) == pytest.approx((0, 0.25), abs=1e-3)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("1/x", {"x": (-1, 1)}),
        ("log(x)", {"x": (0, 1)}),
        ("x^-1", {"x": (0, 1)}),
        ("tan(x)", {"x": (1, 2)}),
        ("sqrt(x)", {"x": (-2, -1)}),
        ("asin(x)", {"x": (1.5, 2)}),
        ("x^0.5", {"x": (-2, -1)}),
        ("exp(x)", {"x": (0, 1000)}),
    ],
)
def test_poles_and_undefined_places_have_no_bound(text: str, box: dict) -> None:
    assert not all(map(math.isfinite, ranges(text, **box)))


def test_whole_numbers_are_bounded_by_the_values_they_take() -> None:
    domain = Domain((Variable("n", -1, 2, kind="integer"), Variable("x", 0, 1)))
    graph = build_graph(Formula.parse("1/(n - 0.5) + 0*x", domain))
    low, high = operation_ranges(graph, domain)
    assert (low[-1], high[-1]) == pytest.approx((-2, 2))


def test_an_unbounded_operation_is_named_with_the_place_where_it_happens() -> None:
    domain = Domain.box(t=(0, 50), h=(0, 100))
    graph = build_graph(Formula.parse("t + log(h/100)", domain))
    boxes = cover(domain)
    with pytest.raises(ExportError) as error:
        require_finite(graph, domain, boxes, box_ranges(graph, boxes))
    assert "log((h / 100))" in error.value.what
    assert "h in [0, " in error.value.where
    assert "narrow the domain" in error.value.hint


def test_halved_boxes_cover_what_they_covered() -> None:
    domain = Domain((Variable("n", 0, 5, kind="integer"), Variable("x", 0, 1)))
    boxes = cover(domain, 1)
    for _ in range(5):
        boxes = split(boxes, domain, np.ones(len(boxes), dtype=bool), frozenset([0, 1]))
    points = np.concatenate([domain.sample(500), domain.corners()])[:, None, :]
    inside = ((points >= boxes.low) & (points <= boxes.high)).all(axis=2)
    assert inside.any(axis=1).all()
    assert (boxes.low[:, 0] == np.round(boxes.low[:, 0])).all()


def test_many_inputs_are_covered() -> None:
    domain = Domain.box(**{f"x{i}": (0.0, 1.0) for i in range(70)})
    boxes = cover(domain, 16, frozenset({3, 68}))
    assert boxes.low.shape == (16, 70)
    assert len(np.unique(boxes.low[:, [3, 68]], axis=0)) == 16
    assert (boxes.low[:, 0] == 0).all()
    assert (boxes.high[:, 0] == 1).all()
