"""Derivatives: every operator's own, and those of whole formulas by inputs and constants."""

import numpy as np
import pytest
from hypothesis import assume, given, settings

from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import constants, with_constants

from .strategies import DOMAIN, NAMES, points, tame, trees

# Where each operator is smooth, and the other arguments at which it is tried.
PLACES = {
    "sqrt": [0.3, 2.0],
    "log": [0.3, 2.0],
    "asin": [-0.7, 0.2],
    "acos": [-0.7, 0.2],
    "inv": [-1.5, 0.4],
    "cbrt": [-2.0, 0.5],
    "abs": [-2.0, 0.5],
    "pow": [0.4, 1.7],
}
HOLOMORPHIC = sorted(set(OPERATORS) - {"abs", "cbrt", "atan2", "min", "max", "ifless"})


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_partials_agree_with_a_complex_step(name):
    # f(a + ih) = f(a) + ih f'(a) + O(h^2): exact to rounding (Squire and Trapp 1998)
    row = OPERATORS[name]
    at = PLACES.get(name, [-1.3, 0.8])
    for args in [(a,) for a in at] if row.arity == 1 else [(a, b) for a in at for b in at]:
        arrays = [np.array([a]) for a in args]
        value = row.value(*arrays)
        for i, partial in enumerate(row.partials):
            stepped = [a + (1e-30j if j == i else 0) for j, a in enumerate(arrays)]
            expected = row.value(*stepped).imag / 1e-30
            assert partial(*arrays, value) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ["abs", "cbrt", "atan2", "min", "max"])
def test_partials_agree_with_differences(name):
    row = OPERATORS[name]
    at = [-1.7, -0.4, 0.9, 2.3]
    for args in [(a,) for a in at] if row.arity == 1 else [(a, b + 0.1) for a in at for b in at]:
        arrays = [np.array([a]) for a in args]
        for i, partial in enumerate(row.partials):
            up, down = ([a + s * (j == i) for j, a in enumerate(arrays)] for s in (1e-5, -1e-5))
            expected = (row.value(*up) - row.value(*down)) / 2e-5
            found = partial(*arrays, row.value(*arrays))
            assert found == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_a_power_of_a_negative_base_has_a_derivative_by_the_base_only():
    by_base, by_exponent = OPERATORS["pow"].partials
    a, b, v = np.array([-2.0]), np.array([3.0]), np.array([-8.0])
    assert by_base(a, b, v)[0] == 12.0
    assert by_exponent(a, b, v)[0] == 0.0


@pytest.mark.parametrize("name", ["min", "max"])
def test_at_a_tie_exactly_one_argument_counts(name):
    row = OPERATORS[name]
    tie = np.array([1.5])
    assert sum(p(tie, tie, tie)[0] for p in row.partials) == 1.0


SMOOTH = ("add", "sub", "mul", "neg", "square", "cube", "sin", "cos", "atan", "tanh")


def _differences(f, at, scale):
    """Central differences of f (n,) by each entry, two orders better by Richardson's step."""
    columns = []
    for i in range(len(at)):
        h = 1e-3 * scale[i]
        e = np.eye(len(at))[i]
        wide, narrow = ((f(at + s * e) - f(at - s * e)) / (2 * s) for s in (h, h / 2))
        columns.append((4 * narrow - wide) / 3)
    return np.column_stack(columns) if columns else np.empty((len(f(at)), 0))


@settings(max_examples=60, deadline=None)
@given(trees(SMOOTH, tame, leaves=8))
def test_the_gradient_by_the_inputs(tree):
    formula = Formula(tree, DOMAIN)
    x = points(6, seed=3) * [1, 1, 0.02]
    values, gradient = formula.program.by_inputs(x)
    assume(np.abs(values).max() < 1e6)
    assert values.tolist() == formula(x).tolist()
    assert gradient.tolist() == formula.gradient(x).tolist()
    for row, point in zip(gradient, x, strict=True):
        near = _differences(lambda p: formula(p[None, :]), point, np.full(3, 1e-2))[0]
        scale = 1e-5 * (1 + np.abs(gradient).max() + np.abs(values).max())
        assert row == pytest.approx(near, rel=1e-4, abs=scale)


@settings(max_examples=60, deadline=None)
@given(trees(SMOOTH, tame, leaves=8))
def test_the_derivatives_by_the_constants(tree):
    program = compile_tree(tree, NAMES)
    x = points(6, seed=3) * [1, 1, 0.02]
    values, jacobian = program.by_constants(x)
    assume(np.abs(values).max() < 1e6)
    theta = program.constants
    assert jacobian.shape == (6, len(theta))
    near = _differences(lambda t: program(x, t), theta, np.full(len(theta), 1e-2))
    scale = 1e-5 * (1 + np.abs(jacobian).max(initial=0) + np.abs(values).max())
    assert jacobian == pytest.approx(near, rel=1e-4, abs=scale)


@settings(max_examples=60, deadline=None)
@given(trees(constants=tame))
def test_other_constants_mean_another_tree(tree):
    program = compile_tree(tree, NAMES)
    other = [v / 3 + 1 for v in constants(tree)]
    expected = compile_tree(with_constants(tree, other), NAMES)(points())
    assert np.array_equal(program(points(), np.array(other)), expected, equal_nan=True)


def test_equal_parts_are_computed_once_but_each_constant_is_free():
    program = compile_tree(parse("sin(x*y) + sin(x*y) + 2*x + 2*y", ("x", "y")), ("x", "y"))
    assert [step.operator for step in program.steps].count("sin") == 1
    assert len(program.constants) == 2
    _, jacobian = program.by_constants(np.array([[3.0, 5.0]]))
    assert jacobian.tolist() == [[3.0, 5.0]]


def test_formulas_without_inputs_or_constants():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    program = compile_tree(parse("7", ()), ("x", "y"))
    assert program(x).tolist() == [7.0, 7.0]
    assert program.by_inputs(x)[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert program.by_constants(x)[1].tolist() == [[1.0], [1.0]]
    assert compile_tree(parse("x", ("x",)), ("x", "y")).by_constants(x)[1].shape == (2, 0)
