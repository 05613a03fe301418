"""The choice between two branches: its meaning, its derivatives, its simplification."""

import warnings

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings

from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.simplify import simplify
from distill.formula.tree import Call, Symbol

from .strategies import DOMAIN, NAMES, points, tame, trees

IFLESS = OPERATORS["ifless"]


def test_the_branch_is_taken_only_where_a_is_less():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a = np.array([1.0, 2.0, 3.0, -0.0, np.inf, -np.inf])
        found = IFLESS.value(a, np.array([2.0, 2.0, 2.0, 0.0, np.inf, 0.0]), 10.0, 20.0)
    assert found.tolist() == [10.0, 20.0, 20.0, 20.0, 20.0, 10.0]


def test_nan_is_not_less_as_in_c():
    nan = np.array([np.nan])
    one = np.array([1.0])
    for a, b in ((nan, one), (one, nan), (nan, nan)):
        assert IFLESS.value(a, b, 10.0, 20.0).tolist() == [20.0]
    # what stands in the other branch may be anything; the NaN of the one taken comes through
    formula = Formula.parse("ifless(x, 0, 1, sqrt(x))", DOMAIN)
    assert formula(np.array([[-1.0, 1, 0], [4.0, 1, 0]])).tolist() == [1.0, 2.0]
    assert np.isnan(Formula.parse("ifless(x, 0, sqrt(x), 1)", DOMAIN)(np.array([[-1.0, 1, 0]])))


def test_partials_are_those_of_the_branch_taken():
    a, b = np.array([1.0, 2.0, 3.0, np.nan]), np.full(4, 2.0)
    t, o = np.full(4, 10.0), np.full(4, 20.0)
    found = [p(a, b, t, o, IFLESS.value(a, b, t, o)).tolist() for p in IFLESS.partials]
    assert found == [[0.0] * 4, [0.0] * 4, [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]


def test_gradients_do_not_see_the_other_branch():
    # the square root has no derivative at -1, and an infinite one at 0
    formula = Formula.parse("ifless(x, 1, y*x, sqrt(x - 1))", DOMAIN)
    x = np.array([[-1.0, 3.0, 0.0], [0.5, 2.0, 0.0], [5.0, 2.0, 0.0]])
    assert formula.gradient(x).tolist() == [[3.0, -1.0, 0.0], [2.0, 0.5, 0.0], [0.25, 0.0, 0.0]]
    flat = Formula.parse("sqrt(ifless(x, 0, 0, x))", DOMAIN)
    assert flat.gradient(x[[0, 2]])[:, 0].tolist() == [0.0, 0.5 / np.sqrt(5.0)]
    values, by_constants = Formula.parse("ifless(x, 1, 7, 3*log(x))", DOMAIN).program.by_constants(
        x
    )
    assert values[:2].tolist() == [7.0, 7.0]
    assert by_constants[0].tolist() == [0.0, 1.0, 0.0]  # by 1, 7 and 3
    assert by_constants[2] == pytest.approx([0.0, 0.0, np.log(5.0)])


EXACT = ("ifless", "add", "sub", "mul", "neg", "square", "min", "max")


@settings(max_examples=100, deadline=None)
@given(trees(EXACT, tame, leaves=10))
def test_torch_chooses_as_numpy_does(tree):
    x = points(6)
    formula = Formula(tree, DOMAIN)
    with torch.no_grad():
        found = formula.to_torch()(torch.from_numpy(x))[:, 0]
    assert np.array_equal(found.numpy(), formula(x), equal_nan=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ifless(x, 0.5, y, 2*y)", lambda x, y: y if x < 0.5 else 2 * y),
        (
            "ifless(x, ifless(y, 1, -1, 1), 3, x) + y",
            lambda x, y: (3 if x < (-1, 1)[y >= 1] else x) + y,
        ),
        ("y*ifless(2, 3, x, 7)", lambda x, y: y * x),
        # a piece of what is compared is never real, and so not less
        (
            "ifless(1, ifless(y, x, log(-1), 3*x), 2, 3)",
            lambda x, y: 3 if y < x or 3 * x <= 1 else 2,
        ),
        (
            "ifless(ifless(x, 1, ifless(y, 1, sqrt(-1), y), y), ifless(x, 2, 2, sqrt(-1)), 4, x)",
            lambda x, y: 4 if x < 2 and not (x < 1 and y < 1) and y < 2 else x,
        ),
    ],
)
def test_sympy_means_the_same(text, expected):
    expression = Formula.parse(text, DOMAIN).sympy
    x, y = (sympy.Symbol(name, real=True) for name in "xy")
    for a, b in [(-2.0, 0.5), (0.5, 0.5), (0.25, 2.0), (1.0, 1.0), (2.0, 3.0)]:
        found = expression.xreplace({x: sympy.Float(a), y: sympy.Float(b)})
        assert float(found) == expected(a, b)


@pytest.mark.parametrize("side", ["log(-1)", "sqrt(-1 - x^2)"])
def test_sympy_takes_what_is_never_real_for_our_nan(side):
    expression = Formula.parse(f"ifless({side}, 1, 2, x)", DOMAIN).sympy
    assert expression == sympy.Symbol("x", real=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ifless(2, 3, x, y)", "x"),
        ("ifless(3, 1 + 2, x, y)", "y"),
        ("ifless(1, 2, 3, 4)", "3"),
        ("ifless(x, y, 2*z + z, z + 2*z)", "3*z"),
        ("ifless(x, x, 1, y)", "y"),
        ("ifless(log(x), log(x), 1, y)", "y"),
        ("ifless(x, y, 1, 2) + ifless(x, y, 1, 2)", "2*ifless(x, y, 1, 2)"),
        ("ifless(x, y, x + x, 0*x)", "ifless(x, y, 2*x, 0)"),
        # what is compared is computed as before: rounding must not move the jump
        ("ifless(0.1*x + 0.2*x, 0.3, y + y, 1)", "ifless(0.1*x + 0.2*x, 0.3, 2*y, 1)"),
    ],
)
def test_simplification(before, after):
    names = ("x", "y", "z")
    assert simplify(parse(before, names), names) == parse(after, names)


@pytest.mark.parametrize(
    "text", ["ifless(x, 3, 1)", "ifless(x, 3, 1, 2, 3)", "ifless(x < 3, 1, 2)"]
)
def test_the_grammar_wants_four_arguments(text):
    with pytest.raises(FormulaError):
        parse(text, NAMES)


def test_text_shows_a_call():
    formula = Formula.parse("2*ifless(x, 3, -1, y^2) - 1", Domain.box(x=(0, 9), y=(0, 1)))
    assert formula.text == "2*ifless(x, 3, -1, y^2) - 1"
    assert formula.complexity == 11
    assert "(if (< x 3) -1 (pow y 2))" in formula.fpcore()
    with pytest.raises(FormulaError, match="takes 4 arguments, not 1"):
        Call("ifless", (Symbol("x"),))
