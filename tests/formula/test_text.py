"""Text and tree: exact round trips, the grammar, and every way to be refused."""

import math
import pickle
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.parse import MAX_TEXT, Macro, parse
from distill.formula.program import compile_tree
from distill.formula.text import to_text
from distill.formula.tree import (
    MAX_DEPTH,
    Call,
    Number,
    Symbol,
    add,
    constants,
    number,
    rewrite,
    sub,
    substitute,
    symbols,
    total,
    with_constants,
)

from .strategies import DOMAIN, NAMES, points, trees

X = Symbol("x")


@settings(max_examples=400, deadline=None)
@given(trees())
@example(Call("neg", (Number(2.0),)))
@example(Call("neg", (Number(-2.0),)))
@example(Call("pow", (Number(-2.0), Number(2.0))))
@example(Call("neg", (Call("pow", (Number(2.0), X)),)))
@example(Call("neg", (Call("mul", (Number(2.0), X)),)))
@example(Call("pow", (Call("neg", (X,)), Call("pow", (X, X)))))
@example(Call("pow", (Call("pow", (X, X)), X)))
@example(Call("sub", (X, Call("sub", (X, Number(-1e-300))))))
@example(Call("div", (X, Call("div", (X, Call("neg", (X,)))))))
@example(Number(5e-324))
@example(Number(1e15))
def test_the_exact_text_is_read_back_to_the_same_tree(tree):
    assert parse(to_text(tree), NAMES) == tree


@settings(max_examples=150, deadline=None)
@given(trees())
def test_the_readable_text_is_close_and_can_be_read(tree):
    rounded = parse(to_text(tree, 17), NAMES)
    assert np.allclose(constants(rounded), constants(tree), rtol=1e-15, atol=0)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_a_formula_survives_its_plain_form_and_pickling(tree):
    formula = Formula(tree, DOMAIN)
    assert Formula.from_data(formula.to_data()) == formula
    copied = pickle.loads(pickle.dumps(tree))
    assert copied == tree
    assert hash(copied) == hash(tree)
    assert deepcopy(tree) == tree


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=40) | st.text("xyz_1 +-*/^().,eE023sincopt\t\n", max_size=40))
@example("")
@example("1e999")
@example("x" * 70)
@example("²")
@example("x\x00")
@example("١")  # a digit, but not an ASCII one
def test_any_text_is_read_or_refused_with_the_right_error(text):
    try:
        tree = parse(text, NAMES)
    except FormulaError:
        return
    assert parse(to_text(tree), NAMES) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3*4^2", 50.0),
        ("2^3^2", 512.0),
        ("2**-1", 0.5),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("8/4/2", 1.0),
        ("8 - 4 - 2", 2.0),
        ("--3", 3.0),
        ("+3 - -2", 5.0),
        (".5e1 + 2.", 7.0),
        ("2*pi", 2 * math.pi),
        ("pow(2, 10)", 1024.0),
        ("atan2(1, -1)", 0.75 * math.pi),
        ("min(3, max(1, 2))", 2.0),
        ("cbrt(-8) + cube(2) + square(3) + inv(4)", 15.25),
    ],
)
def test_precedence_and_functions(text, value):
    program = compile_tree(parse(text, ()), ())
    assert program(np.zeros((1, 0)))[0] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "what", "where", "hint"),
    [
        ("x + ", "found `end of the formula`", "character 4", ""),
        ("x $ 2", "`$` cannot stand in a formula", "character 3", ""),
        ("(x + 1", "expected `)`", "character 7", ""),
        ("x 2", "unexpected `2`", "character 3", ""),
        ("tempratur + 1", "`tempratur` is not a variable", "character 1", "`temperature`"),
        ("q", "`q` is not a variable", "character 1", "variables here: x, temperature"),
        ("foo(x)", "`foo` is not a function", "character 1", "known functions: abs, "),
        ("sin(x, x)", "takes 1 arguments, not 2", "", ""),
        ("sin()", "found `)`", "character 5", ""),
        ("1e400", "larger than any float64", "character", ""),
        ("__import__('os')", "cannot stand in a formula", "character 12", ""),
        ("x.real", "cannot stand in a formula", "character 2", ""),
        ("lambda", "is not a variable", "character 1", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, what, where, hint):
    with pytest.raises(FormulaError) as caught:
        parse(text, ("x", "temperature"))
    assert what in caught.value.what
    assert where in caught.value.where
    assert hint in caught.value.hint


MACROS = {
    "cosine": Macro(1, lambda a: Call("cos", (a,))),
    "clip": Macro(3, lambda a, low, high: Call("min", (Call("max", (a, low)), high))),
    "exp": Macro(1, lambda a: Call("pow", (Number(2.0), a))),
}


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("cosine(x + 1)^2", "cos(x + 1)^2"),
        ("clip(cosine(x), -1, y)", "min(max(cos(x), -1), y)"),
        ("exp(x) + log(y)", "2^x + log(y)"),  # before the operator of the same name
    ],
)
def test_further_functions_stand_for_trees(text, tree):
    assert parse(text, NAMES, MACROS) == parse(tree, NAMES)
    assert parse("cosine", ["cosine"], MACROS) == Symbol("cosine")


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("cosine(x, y)", "`cosine` takes 1 arguments, not 2", ""),
        ("clip(x)", "`clip` takes 3 arguments, not 1", ""),
        ("sine(x)", "`sine` is not a function", "cbrt, clip, cos, cosh, cosine, cube"),
        ("cosine", "`cosine` is not a variable", "variables here: x"),
    ],
)
def test_further_functions_are_held_to_their_arity_and_named(text, what, hint):
    with pytest.raises(FormulaError) as caught:
        parse(text, NAMES, MACROS)
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["(" * 5000 + "x" + ")" * 5000, "-" * 5000 + "x", "+" * 5000 + "x", "x^" * 5000 + "x",
     "sin(" * 5000 + "x" + ")" * 5000, "(x+" * 5000 + "x" + ")" * 5000,
     "sin(" * 99 + "x+x" + ")" * 99],
)  # fmt: skip
def test_deep_nesting_is_refused_before_recursion_runs_out(text):
    with pytest.raises(FormulaError, match=f"deeper than {MAX_DEPTH} levels"):
        parse(text, NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x" + "+x" * 1000, 1001 * 0.5),
        ("x" + "-x+3" * 300, 0.5 + 300 * 2.5),
        ("x" + "-x" * 500, -499 * 0.5),
        ("2*(3" + "-x" * 99 + ")", 2 * (3 - 49.5)),
        ("x" + "*x*4/2" * 800, 0.5),
        ("x" + "/2*2" * 800, 0.5),
        ("1" + "/x" * 200, 2.0**200),
        ("+".join(["(x" + "*x*4" * 60 + ")"] * 110), 110 * 0.5 * 2.0**60),
    ],
)
def test_long_sums_and_products_are_no_deep_nesting(text, value):
    tree = parse(text, NAMES)
    assert tree.depth <= MAX_DEPTH
    got = compile_tree(tree, NAMES)(np.full((1, len(NAMES)), 0.5))
    assert got[0] == pytest.approx(value, rel=1e-12)
    assert parse(to_text(tree), NAMES) == tree


def test_long_products_divide_by_what_the_text_divides_by():
    text = "1/x" + "*y*1" * 200
    got = compile_tree(parse(text, ["x", "y"]), ["x", "y"])(np.array([[2.0, 0.0], [4.0, 1.0]]))
    assert got.tolist() == [0.0, 0.25]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("+-"), st.integers(-9, 9)), min_size=110, max_size=150))
def test_a_long_sum_is_the_sum_of_its_terms(terms):
    """Whole numbers have no rounding: every order gives the same."""
    text = "0" + "".join(f" {sign} {term}*x" for sign, term in terms)
    got = compile_tree(parse(text, ["x"]), ["x"])(np.ones((1, 1)))
    assert got[0] == sum(term if sign == "+" else -term for sign, term in terms)


def test_short_sums_and_products_are_read_from_the_left():
    assert parse("x - y + 1", NAMES) == add(sub(X, Symbol("y")), Number(1.0))
    assert to_text(parse("x" + "+x" * 98, NAMES)) == "x" + " + x" * 98


def test_long_text_is_refused():
    with pytest.raises(FormulaError, match=f"longer than {MAX_TEXT} characters"):
        parse("x+" * MAX_TEXT + "x", NAMES)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: Call("sin", (t,)),
        lambda t: Call("neg", (t,)),
        lambda t: Call("pow", (X, t)),
        lambda t: Call("pow", (t, X)),
        lambda t: Call("sub", (X, t)),
        lambda t: Call("mul", (t, Call("add", (X, Number(-1.0))))),
        lambda t: Call("atan2", (X, t)),
        lambda t: Call("ifless", (X, Number(0.5), Symbol("y"), t)),
        lambda t: Call("ifless", (t, X, Number(0.5), X)),
    ],
)
def test_the_deepest_allowed_tree_can_be_used_everywhere(wrap):
    tree = Call("add", (X, Symbol("y")))
    while tree.depth < MAX_DEPTH:
        tree = wrap(tree)
    with pytest.raises(FormulaError, match="deeper"):
        wrap(tree)
    formula = Formula(tree, DOMAIN)
    assert Formula.from_data(formula.to_data()) == formula
    assert formula(points(3)).shape == (3,)
    assert formula.gradient(points(3)).shape == (3, 3)
    assert len(formula.latex()) > MAX_DEPTH
    assert formula.fpcore().count("(") > MAX_DEPTH
    assert formula.to_torch() is not None
    assert formula.complexity >= MAX_DEPTH
    assert len(str(formula.sympy)) > 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_constants_are_finite(value):
    with pytest.raises(FormulaError, match="cannot hold the constant"):
        Number(value)


def test_an_unknown_operator_is_refused():
    with pytest.raises(FormulaError, match="`sec` is not an operator"):
        Call("sec", (X,))


def test_a_formula_uses_only_the_variables_of_its_domain():
    with pytest.raises(FormulaError, match="uses `q`, which the domain does not have"):
        Formula(Symbol("q"), Domain.box(x=(0, 1)))


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": 2, "text": "x", "domain": {}},
        {"version": 1, "text": 3, "domain": {}},
        {"version": 1, "text": "x", "domain": "box"},
    ],
)
def test_broken_plain_forms_are_refused(data):
    with pytest.raises(FormulaError):
        Formula.from_data(data)


@settings(max_examples=100, deadline=None)
@given(trees())
def test_constants_can_be_taken_out_and_put_back(tree):
    values = constants(tree)
    assert with_constants(tree, values) == tree
    changed = with_constants(tree, [v / 2 for v in values])
    assert constants(changed) == [v / 2 for v in values]
    assert compile_tree(tree, NAMES).constants.tolist() == values
    with pytest.raises(FormulaError, match="more constants"):
        with_constants(tree, [*values, 1.0])


def test_substitution_order_of_variables_and_sums():
    tree = parse("y*x + sin(y)", ("x", "y"))
    assert symbols(tree) == ("y", "x")
    assert to_text(substitute(tree, {"y": parse("x + 1", ("x",))})) == "(x + 1)*x + sin(x + 1)"
    assert rewrite(tree, lambda n: n) is tree
    assert total([]) == number(0)
    many = total([X] * 1000)
    assert many.depth == 11
    assert compile_tree(many, ("x",))(np.array([[2.0]]))[0] == 2000.0


def test_blocks_do_not_show_in_the_values():
    formula = Formula.parse("x*y + sin(z_1)", DOMAIN)
    x = points(40_000)
    assert formula(x).tolist() == (x[:, 0] * x[:, 1] + np.sin(x[:, 2])).tolist()
    assert formula(x[:0]).shape == (0,)
    assert Formula.parse("3", DOMAIN)(x).tolist() == [3.0] * len(x)
