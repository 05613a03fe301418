"""Constraints: what breaks them is found with the worst point; config mistakes name the key."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.engines.constraints import (
    Constraints,
    broken_operators,
    read_constraints,
    satisfies,
    uses_allowed,
    violations,
)
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.parse import parse

DOMAIN = Domain.box(x=(-1, 2), y=(0.5, 3))


def verdict(text, constraints, domain=DOMAIN, seed=0):
    return satisfies(Formula.parse(text, domain), constraints, domain, seed)


def monotone(**directions):
    return Constraints(monotone=directions)


@pytest.mark.parametrize(
    "text", ["x", "exp(x)*y", "x^3", "max(x, 0.3) + log(y)", "sqrt(x + 1)", "7.5", "y/(3 - x)"]
)
def test_increasing_formulas_are(text):
    found = verdict(text, monotone(x="increasing"))
    assert found.satisfied, found
    assert found.worst == 0.0
    assert found.x is None


def test_the_worst_point_of_a_slope_is_found():
    # The slope by x is 3 x^2 - 0.03, negative within 0.1 of zero and most so at zero.
    found = verdict("x^3 - 0.03*x", monotone(x="increasing"))
    assert not found.satisfied
    assert found.worst == pytest.approx(0.03 * 3, rel=1e-3)
    assert found.x[0] == pytest.approx(0.0, abs=0.01)
    assert found.broken == "x should be increasing"


def test_a_jump_down_has_no_slope_and_is_found():
    found = verdict("ifless(x, 0.37, x, x - 0.5)", monotone(x="increasing"))
    assert not found.satisfied
    assert found.worst > 0.3


def test_a_pole_is_found():
    assert not verdict("1/(0.37 - x)", monotone(x="increasing")).satisfied


def test_whole_numbers_have_steps():
    domain = Domain((Variable("n", 0, 7, kind="integer"), Variable("y", 0, 1)))
    # Its slope at 3 falls, its values at whole numbers do not.
    rising = Formula.parse("n + 0.3*sin(2*pi*n)", domain)
    assert satisfies(rising, monotone(n="increasing"), domain).satisfied
    assert violations(rising, monotone(n="increasing"), domain.sample(32)) == 0.0
    falling = Formula.parse("square(n - 1) + y", domain)
    assert satisfies(falling, monotone(n="increasing"), domain).worst == pytest.approx(1.0)
    assert violations(falling, monotone(n="increasing"), domain.sample(32)) == pytest.approx(1.0)


def test_bounds_are_searched_beyond_the_sample():
    # The peak of height 1 is 0.02 wide and was missed by the first points.
    peak = "exp(-(square(x - 0.517) + square(y - 1.731))/0.02)"
    found = verdict(peak, Constraints(high=0.9))
    assert not found.satisfied
    assert found.worst == pytest.approx(0.1, abs=1e-3)
    np.testing.assert_allclose(found.x, [0.517, 1.731], atol=0.01)
    assert verdict(peak, Constraints(low=0.0, high=1.0)).satisfied


def test_values_that_are_not_finite_break_bounds():
    assert verdict("log(x)", Constraints(low=-1e6, high=1e6)).worst == np.inf
    assert violations(Formula.parse("log(x)", DOMAIN), Constraints(low=-9), DOMAIN.corners()) == (
        np.inf
    )


def test_violations_at_points():
    formula = Formula.parse("x*y", DOMAIN)
    x = np.array([[-1.0, 1.0], [2.0, 3.0]])
    assert violations(formula, Constraints(high=5.0), x) == pytest.approx(1.0)
    assert violations(formula, Constraints(low=-1.0, high=6.0), x) == 0.0
    assert violations(formula, monotone(y="increasing"), x) == pytest.approx(1.0 * 2.5)
    assert violations(formula, monotone(y="decreasing"), x) == pytest.approx(2.0 * 2.5)
    assert violations(formula, monotone(x="increasing"), x) == 0.0
    assert violations(formula, Constraints(operators_of={"x": frozenset(["add"])}), x) == np.inf


def test_the_same_seed_gives_the_same_verdict():
    rule = monotone(x="increasing")
    first, second = (verdict("sin(3*x)*y", rule, seed=5) for _ in range(2))
    assert first.worst == second.worst
    np.testing.assert_array_equal(first.x, second.x)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.0, 2.0), min_size=2, max_size=5), st.floats(-1.0, 1.0))
def test_sums_of_rising_terms_rise_and_their_negatives_do_not(weights, shift):
    terms = ["x", "x^3", "exp(x)", "atan(4*x)", "1/(3 - x)"]
    text = " + ".join(f"{w!r}*{t}" for w, t in zip(weights, terms, strict=False)) + f"+ {shift!r}"
    assert verdict(text, monotone(x="increasing")).satisfied
    if max(weights) > 1e-3:
        assert not verdict(text, monotone(x="decreasing")).satisfied


def test_operators_by_variable():
    tree = parse("exp(x*y) + sin(y) - square(z)", ["x", "y", "z"])
    assert uses_allowed(tree, {})
    assert uses_allowed(tree, {"x": ["exp", "mul", "add"]})
    assert uses_allowed(tree, {"z": ["mul", "sub"]})  # a square is a product
    assert not uses_allowed(tree, {"x": ["mul", "add"]})
    assert broken_operators(tree, {"y": ["mul", "exp", "add"]}) == (("y", "sin"),)
    found = verdict("exp(x)", Constraints(operators_of={"x": frozenset(["mul"])}))
    assert (found.satisfied, found.x) == (False, None)
    assert found.broken == "`exp` is not allowed on x"


def test_reading_from_config():
    data = {
        "monotone": {"x": "increasing", "y": "decreasing"},
        "bounds": [0, None],
        "operators_of": {"x": ["add", "mul"], "y": "exp"},
    }
    read = read_constraints(data, DOMAIN.names)
    assert read.monotone == {"x": "increasing", "y": "decreasing"}
    assert (read.low, read.high) == (0.0, np.inf)
    assert read.operators_of == {"x": frozenset(["add", "mul"]), "y": frozenset(["exp"])}
    assert read
    assert not read_constraints({}, DOMAIN.names)
    assert not read_constraints({"monotone": None, "bounds": None}, DOMAIN.names)


@pytest.mark.parametrize(
    ("data", "key", "hint"),
    [
        ({"monoton": {}}, "monoton", "monotone"),
        ({"monotone": {"z": "increasing"}}, "monotone.z", "x, y"),
        ({"monotone": {"x": "rising"}}, "monotone.x", "increasing"),
        ({"monotone": {"x": 1}}, "monotone.x", "increasing"),
        ({"monotone": "x"}, "monotone", "x, y"),
        ({"bounds": [1, 0]}, "bounds", "[0, 100]"),
        ({"bounds": [0]}, "bounds", "[0, 100]"),
        ({"bounds": 5}, "bounds", "[0, 100]"),
        ({"bounds": "01"}, "bounds", "[0, 100]"),
        ({"bounds": [0, float("nan")]}, "bounds", "[0, 100]"),
        ({"bounds": [False, True]}, "bounds", "[0, 100]"),
        ({"operators_of": {"x": ["ad"]}}, "operators_of.x", "add"),
        ({"operators_of": {"x": 3}}, "operators_of.x", "[add, mul]"),
    ],
)
def test_config_mistakes_name_the_key(data, key, hint):
    with pytest.raises(ConfigError) as caught:
        read_constraints(data, DOMAIN.names)
    assert f"`engine.constraints.{key}`" in caught.value.where
    assert hint in caught.value.hint
