"""Trees as Julia: read by Julia's grammar, to the same values."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill.engines.pysr.equations import read_equation
from distill.engines.pysr.julia import MAX_TEXT, to_combine, to_definition, to_julia, to_literal
from distill.engines.pysr.operators import JULIA
from distill.errors import FormulaError
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import Call, Number, Symbol

from .julia_grammar import NAMES, called, points, read, trees, value

SAME = {name: name for name in NAMES}
AS_NODES = {name: Symbol(name) for name in NAMES}
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
A = Symbol("a")


def values(tree):
    return compile_tree(tree, NAMES)(np.column_stack(list(points().values())))


@settings(max_examples=300, deadline=None)
@given(trees(JULIA, FLOATS))
@example(Call("pow", (Number(-3.0), A)))
@example(Call("pow", (Call("neg", (Number(3.0),)), A)))
@example(Call("sub", (A, Number(-1e-300))))
@example(Number(5e-324))
def test_what_is_allowed_is_read_back_as_the_same_tree(tree):
    text = to_julia(tree, SAME, JULIA)
    assert read_equation(text, AS_NODES) == tree
    read(text)


@settings(max_examples=200, deadline=None)
@given(trees([*JULIA]))
def test_julia_reads_the_values_that_are_meant(tree):
    known = {**points(), "neg": np.negative}
    # A constant alone is one number there and a column here.
    told = np.broadcast_to(value(to_julia(tree, SAME, JULIA), known), 40)
    np.testing.assert_array_equal(told, values(tree))


@settings(max_examples=200, deadline=None)
@given(trees(["add", "mul", "div", "exp", "neg", "sub", "square", "cube", "inv"]))
def test_what_is_not_allowed_is_said_by_others_to_the_bit(tree):
    text = to_julia(tree, SAME, ["add", "mul", "div", "exp"])
    assert not {"neg", "square", "cube", "inv"} & {*text.replace("(", " ").split()}
    np.testing.assert_array_equal(values(read_equation(text, AS_NODES)), values(tree))


@pytest.mark.parametrize(
    ("tree", "allowed", "text"),
    [
        ("-a", "mul", "((-1.0) * a)"),
        ("-a", "sub", "(0.0 - a)"),
        ("square(a)", "pow", "(a ^ 2.0)"),
        ("a^2", "mul", "(a * a)"),
        ("a^0.5", "sqrt", "sqrt(a)"),
        ("sqrt(a)", "pow", "(a ^ 0.5)"),
        ("a^-1", "div", "(1.0 / a)"),
        ("a/b", "mul inv", "(a * inv(b))"),
        ("a/b", "mul pow", "(a * (b ^ (-1.0)))"),
        ("tan(a)", "sin cos div", "(sin(a) / cos(a))"),
        ("atan(a)", "atan2", "atan2(a, 1.0)"),
        ("abs(a)", "max mul", "max(a, ((-1.0) * a))"),
        ("min(a, b)", "add sub mul abs", "(0.5 * ((a + b) - abs((a - b))))"),
        ("1e-5*a + 1e300 + 2.5", "add mul", "(((1.0e-5 * a) + 1.0e300) + 2.5)"),
    ],
)
def test_each_operator_finds_its_words(tree, allowed, text):
    assert to_julia(parse(tree, NAMES), SAME, allowed.split()) == text


@pytest.mark.parametrize("text", ["exp(a)", "cbrt(a)", "a^2.5", "ifless(a, 1, 2, b)"])
def test_what_cannot_be_said_is_refused_by_name(text):
    tree = parse(text, NAMES)
    with pytest.raises(FormulaError, match=f"`{tree.operator}` cannot be said with .* add, mul"):
        to_julia(tree, SAME, ["mul", "add", "ifless"])


def test_products_for_many_squares_do_not_fill_the_memory():
    tree = A
    for _ in range(60):
        tree = Call("square", (tree,))
    with pytest.raises(FormulaError, match=f"longer than {MAX_TEXT} characters of Julia"):
        to_julia(tree, SAME, ["mul"])


@settings(max_examples=300, deadline=None)
@given(FLOATS)
@example(1e22)
@example(-1e-7)
@example(2.0**63)
def test_a_literal_is_a_float_with_the_same_bits(number):
    text = to_literal(number)
    assert value(text, {}) == number
    assert "." in text  # Julia's integers overflow


@settings(max_examples=150, deadline=None)
@given(trees(OPERATORS))
def test_a_definition_computes_what_the_tree_means(tree):
    definition = to_definition("own", NAMES, tree)
    result = np.broadcast_to(called(definition, *points().values()), 40)
    np.testing.assert_array_equal(result, values(tree))


def test_the_constants_of_a_definition_take_the_type_of_its_argument():
    tree = parse("log(1.5 + exp(-u)) * u^0.5", ["u"])
    assert to_definition("own", ["u"], tree) == (
        "own(x) = (safe_log((oftype(x, 1.5) + exp(neg(x)))) * safe_pow(x, oftype(x, 0.5)))"
    )


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_a_definition_has_a_value_where_a_function_of_infinity_fails(name):
    # Julia's `sin(Inf)` ends the search before it begins.
    assert to_definition("own", ["u"], parse(f"{name}(1/u)", ["u"])) == (
        f"own(x) = (v -> isfinite(v) ? {name}(v) : oftype(v, NaN))((oftype(x, 1.0) / x))"
    )


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"ifless"}))
def test_columns_of_every_version_have_what_a_template_says(operator):
    tree = Call(operator, tuple(map(Symbol, NAMES))[: OPERATORS[operator].arity])
    text = to_combine(tree, SAME)
    # Columns of PySR 1.5 have no such functions; its `atan` takes two.
    assert not {"max", "min", "square", "cube", "neg"} & {*text.replace("(", " ").split()}
    assert operator != "atan" or text == "atan(a, 1.0)"
    np.testing.assert_allclose(value(text, points()), values(tree), rtol=1e-13)
