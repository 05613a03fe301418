"""The front against brute force, and the knee on curves whose bend is known."""

import doctest
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.scoring import pareto
from distill.scoring.pareto import front, knee

small = st.integers(0, 4).map(float) | st.sampled_from([math.inf, -math.inf, 0.5])
clouds = st.integers(1, 4).flatmap(
    lambda d: st.lists(st.tuples(*[small | st.just(math.nan)] * d), max_size=25)
)


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(pareto).failed == 0


def _dominates(a, b):
    return all(p <= q for p, q in zip(a, b, strict=True)) and any(
        p < q for p, q in zip(a, b, strict=True)
    )


@settings(max_examples=400, deadline=None)
@given(clouds)
def test_the_front_is_that_of_brute_force(points):
    known = [i for i, p in enumerate(points) if not any(map(math.isnan, p))]
    expected = [
        i
        for i in known
        if not any(_dominates(points[j], points[i]) for j in known)
        and not any(points[j] == points[i] for j in known if j < i)
    ]
    assert front(points) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40).map(float), st.floats(0, 1e3)), max_size=20))
def test_the_knee_lies_on_the_front(points):
    at = knee(points)
    assert (at is None) == (not points)
    assert at is None or at in front(points)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40).map(float), st.floats(1e-6, 1e3)), min_size=1),
    st.floats(1e-3, 1e3),
)
def test_the_knee_does_not_depend_on_units(points, factor):
    there = [(c, e * factor) for c, e in points]
    assert points[knee(there)][0] == pytest.approx(points[knee(points)][0])


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(1, 1.0), (2, 0.5), (3, 0.001), (10, 0.0009), (40, 0.0008)], 2),
        ([(40, 0.0008), (3, 0.001), (1, 1.0)], 1),
        ([(1, 1.0), (30, 0.9), (31, 0.0)], 2),
        ([(1, 0.0)], 0),
        ([(1, math.inf), (5, 2.0), (9, math.nan)], 1),
        ([(1, math.inf)], None),
        ([(3, 1.0), (9, 0.1)], 1),
    ],
)
def test_knees_that_anybody_sees(points, expected):
    assert knee(points) == expected
