"""Formulas that are right come out short."""

import numpy as np
import pytest

from distill.engines.structure.curves.finish import Judge
from distill.engines.structure.curves.points import fresh, grid
from distill.engines.structure.curves.shorten import coarser, shortened
from distill.engines.structure.curves.shorter import edits, rewritings
from distill.engines.structure.piece import Fit
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import complexity

OPERATORS = (
    "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "pow", "abs", "cbrt", "min", "max",
)  # fmt: skip

LONG = [
    ("tanh(8e6*x)*exp(-0.5*square(x))", "exp(-0.5*square(x))"),
    ("sqrt(square(x))", "x"),
    ("0.5*(exp(x) - exp(-x))", "sinh(x)"),
    ("0.5*(exp(0.7*x) + exp(-0.7*x))", "cosh(0.7*x)"),
    ("exp(0.37*log(x))", "x^0.37"),
    ("x^0.333333333333333", "cbrt(x)"),
    ("0.5 - 0.5*cos(2*x)", "square(sin(x))"),
    ("sin(3*x + 1.5707963267948966)", "cos(3*x)"),
    ("0.5*tanh(0.5*x) + 0.5", "1/(1 + exp(-x))"),
    ("0.5*(x + abs(x - 2)) - 1", "max(x - 2, 0)"),
    ("x*(x - 4) + 5", "square(x - 2) + 1"),
    ("sin(2*x) + 1e-15*exp(x)", "sin(2*x)"),
]


@pytest.fixture
def make_judge(make_curve):
    def make(function, low, high, target=1e-12):
        curve = make_curve(function, low, high)
        return Judge(grid(curve, 129), fresh(curve, 64, 0), target, OPERATORS)

    return make


def function_of(text):
    program = compile_tree(parse(text, ["x"]), ("x",))
    return lambda x: program(x[:, None])


@pytest.mark.parametrize(("long", "short"), LONG)
def test_a_right_formula_becomes_short(long, short, make_judge):
    judge = make_judge(function_of(short), 0.5, 4.0)
    tree = parse(long, ["x"])
    found = shortened(Fit(tree, judge.error(tree)), judge)
    assert complexity(found.tree) <= complexity(parse(short, ["x"]))
    assert found.error <= judge.target


def test_a_root_of_a_square_changes_sign_where_its_argument_does(make_judge):
    judge = make_judge(np.abs, -2.0, 3.0)
    tree = parse("sqrt(square(x))", ["x"])
    assert shortened(Fit(tree, 0.0), judge).tree == parse("abs(x)", ["x"])


def test_what_is_needed_stays(make_judge):
    judge = make_judge(function_of("sin(x) + 0.001*exp(x)"), 0.5, 4.0)
    fit = Fit(parse("sin(x) + 0.001*exp(x)", ["x"]), 0.0)
    assert shortened(fit, judge) == fit


@pytest.mark.parametrize("text", [long for long, _ in LONG])
def test_rewritings_mean_the_same_somewhere(text):
    x = np.linspace(2.1, 3.0, 9)[:, None]
    tree = parse(text, ["x"])
    values = compile_tree(tree, ("x",))(x)
    others = list(rewritings(tree))
    with np.errstate(all="ignore"):
        same = [np.allclose(compile_tree(o, ("x",))(x), values, rtol=1e-9) for o in others]
    assert any(same) or not others


def test_edits_replace_one_part_by_an_argument_of_it():
    found = set(edits(parse("2*sin(x) + x", ["x"])))
    assert found == {parse(t, ["x"]) for t in ("2*sin(x)", "x", "sin(x) + x", "2*x + x")}


def test_parts_go_one_after_the_other(make_judge):
    judge = make_judge(function_of("exp(x) + 0.1*sin(3*x) + 0.01*cos(7*x)"), 0.0, 3.0, 1e-12)
    found = coarser(parse("exp(x) + 0.1*sin(3*x) + 0.01*cos(7*x)", ["x"]), judge, 20)
    lengths = [complexity(f.tree) for f in found]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] <= 4
    assert found[0].error < 0.02
