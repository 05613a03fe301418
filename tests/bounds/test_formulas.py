"""Bands of formulas: they hold every true value, and they close in by the third order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.bounds.boxes import Boxes
from distill.bounds.read import enclosable, slopes
from distill.bounds.smooth import SMOOTH
from distill.domain import Domain
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Number, Symbol, call
from tests.bounds.exactly import in_band, in_range, points_of, true_value
from tests.formula.strategies import floats, tame, trees

DOMAIN = Domain.box(x=(-3, 3), y=(-3, 3), z_1=(-3, 3))


def some_boxes(rng, widths, d=3, reach=3.0):
    """One box of every width (d, n)."""
    middle = rng.uniform(-reach, reach, (d, len(widths)))
    low, high = middle - np.array(widths) / 2, middle + np.array(widths) / 2
    return Boxes(np.clip(low, -reach, reach), np.clip(high, -reach, reach))


def check(tree, boxes, rng, domain=DOMAIN):
    """Every true value lies in the band and in the range; how many were compared."""
    band = enclosable(Formula(tree, domain)).enclose(boxes)
    span = band.range()
    compared = 0
    for b in range(boxes.count):
        for x in points_of(boxes, b, rng):
            value = true_value(tree, dict(zip(domain.names, x, strict=True)))
            if value is None:
                continue
            compared += 1
            assert in_band(band, boxes, b, x, value), (str(tree), x, value, b)
            assert in_range(span, b, value), (str(tree), x, value, span)
    return compared


@given(trees(constants=tame | floats), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_bands_hold_every_true_value(tree, seed):
    rng = np.random.default_rng(seed)
    check(tree, some_boxes(rng, [2.0, 0.3, 1e-2, 1e-5, 0.0]), rng)


ONE = Domain.box(x=(-3, 3))
PLACES = {
    "log": (0.1, 3), "sqrt": (0.1, 3), "inv": (0.2, 3), "cbrt": (0.1, 3),
    "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "tan": (-1.4, 1.4),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_every_function_on_many_intervals(name):
    rng = np.random.default_rng(1)
    tree = call(name, Symbol("x"))
    low, high = PLACES.get(name, (-3.0, 3.0))
    middle, half = rng.uniform(low, high, 60), rng.choice([2.0, 0.5, 0.1, 1e-3, 0.0], 60)
    boxes = Boxes(np.maximum(middle - half, -3)[None], np.minimum(middle + half, 3)[None])
    assert check(tree, boxes, rng, ONE) > 300
    if name in ("log", "sqrt", "asin", "acos"):  # next to the ends of where they have values
        edge = {"log": 0.0, "sqrt": 0.0, "asin": 1.0, "acos": -1.0}[name]
        boxes = Boxes(np.array([[edge - 0.1, edge, edge]]), np.array([[edge, edge, edge + 0.1]]))
        check(tree, boxes, rng, ONE)


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_bands_close_in_by_the_third_order(name):
    tree = call(name, Symbol("x"))
    middle = np.array([0.45, 0.6, 0.7])
    widths = []
    for half in (0.1, 0.01):
        band = enclosable(Formula(tree, ONE)).enclose(
            Boxes(middle[None] - half, middle[None] + half)
        )
        widths.append(band.high - band.low)
    if name == "square":
        assert (widths[0] < 1e-12).all()
    else:
        assert (widths[0] / widths[1] > 500).all()


@pytest.mark.parametrize("p", [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.25])
def test_powers(p):
    rng = np.random.default_rng(2)
    tree = call("pow", Symbol("x"), Number(p))
    middle, half = rng.uniform(-2.5, 2.5, 80), rng.choice([1.0, 0.1, 1e-3], 80)
    boxes = Boxes((middle - half)[None], (middle + half)[None])
    assert check(tree, boxes, rng, Domain.box(x=(-4, 4))) > 100


def test_what_products_have_in_common_cancels():
    domain = Domain.box(x=(1, 2), y=(1, 2))
    same = Formula.parse("x*y - y*x", domain)
    band = enclosable(same).enclose(Boxes.of(domain))
    low, high = band.range()
    assert -1e-13 < low[0] <= 0 <= high[0] < 1e-13
    plain = enclosable(Formula.parse("x*y", domain)).enclose(Boxes.of(domain))
    assert plain.curve[1, 0] == pytest.approx(0.25)


def test_a_pole_in_the_box_leaves_nothing_known():
    domain = Domain.box(x=(-1, 1))
    band = enclosable(Formula.parse("1/x", domain)).enclose(Boxes.of(domain))
    low, high = band.range()
    assert low[0] == -np.inf
    assert high[0] == np.inf


def test_a_branch_that_is_not_taken_may_have_no_value():
    domain = Domain.box(x=(-1, 1))
    formula = Formula.parse("ifless(x, 0.5, x, log(x))", domain)
    low, high = enclosable(formula).enclose(Boxes(np.array([[-1.0]]), np.array([[0.4]]))).range()
    assert low[0] == pytest.approx(-1.0)
    assert high[0] == pytest.approx(0.4)


@given(trees(operators=tuple(o for o in OPERATORS if o != "ifless")), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_slopes_hold_every_difference_quotient(tree, seed):
    rng = np.random.default_rng(seed)
    boxes = some_boxes(rng, [1.0, 0.1, 1e-2])
    formula = Formula(tree, DOMAIN)
    low, high = slopes(formula, boxes)
    for b in range(boxes.count):
        if not np.isfinite(low[:, b]).all() or not np.isfinite(high[:, b]).all():
            continue
        for x in points_of(boxes, b, rng, 3):
            for i in range(3):
                other = x.copy()
                other[i] = boxes.high[i, b] if x[i] != boxes.high[i, b] else boxes.low[i, b]
                a, c = (
                    true_value(tree, dict(zip(DOMAIN.names, p, strict=True))) for p in (x, other)
                )
                if a is None or c is None or other[i] == x[i]:
                    continue
                quotient = (c - a) / (float(other[i]) - float(x[i]))
                assert low[i, b] <= quotient <= high[i, b], (str(tree), i, quotient)


def test_slopes_across_a_jump_are_unknown():
    domain = Domain.box(x=(-1, 1))
    low, high = slopes(Formula.parse("ifless(x, 0, 1, 2)", domain), Boxes.of(domain))
    assert (low[0, 0], high[0, 0]) == (-np.inf, np.inf)
    low, high = slopes(Formula.parse("abs(x)", domain), Boxes.of(domain))
    assert (low[0, 0], high[0, 0]) == pytest.approx((-1.0, 1.0), abs=1e-15)


def test_a_middle_outside_of_the_range_is_no_matter():
    """The chord of a kink has its middle below 0, where the kink itself never is."""
    domain = Domain.box(x=(-1, 1))
    boxes = Boxes(np.array([[-1.0, -0.5, -0.9]]), np.array([[0.1, 0.02, 0.9]]))
    for text in ("tanh(8*max(x, 0))", "sqrt(max(x, 0))", "exp(-9*max(x, 0))", "cos(7*abs(x))"):
        rng = np.random.default_rng(6)
        assert check(Formula.parse(text, domain).tree, boxes, rng, domain) > 30
