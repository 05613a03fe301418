from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.graph import Builder, Graph, Operation, build_graph, rewrite
from distill.firmware.passes import lower
from distill.firmware.passes.constants import fold_constants
from distill.firmware.passes.divisors import divisors_to_factors
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.passes.reciprocals import reciprocals_to_divisions
from distill.firmware.passes.signs import tidy_signs
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol

DOMAIN = Domain.box(x=(0.5, 3), y=(-2, 2))
PASSES = {
    "constants": fold_constants,
    "powers": powers_to_products,
    "reciprocals": reciprocals_to_divisions,
    "divisors": lambda graph: divisors_to_factors(graph, "double"),
    "signs": tidy_signs,
}


def graph(text: str) -> Graph:
    return build_graph(Formula.parse(text, DOMAIN))


def operators(graph: Graph) -> list[str]:
    """The operators of a graph, in order."""
    return [o.name for o in graph.operations if o.name not in ("input", "constant")]


def constants(graph: Graph) -> list[float]:
    return [o.value for o in graph.operations if o.name == "constant"]


def test_a_common_subexpression_is_one_operation() -> None:
    assert operators(graph("exp(x*y) + sin(x*y)/exp(x*y)")) == ["mul", "exp", "sin", "div", "add"]


def test_the_graph_computes_the_formula() -> None:
    formula = Formula.parse("exp(x)*atan2(y, x) - max(x, y)^3 + 2", DOMAIN)
    x = DOMAIN.sample(100)
    np.testing.assert_array_equal(build_graph(formula).evaluate(x), formula(x))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("2*3 + x", ["add"]),
        ("x*1 + 0", []),
        ("0 + 1*x", []),
        ("x/1 - 0", []),
        ("x^1", []),
        ("sqrt(2)*x", ["mul"]),
        ("x*0", ["mul"]),  # 0*inf is not 0
        ("log(-1) + x", ["log", "add"]),  # as non-finite as the formula
    ],
)
def test_constants_are_folded(text: str, left: list[str]) -> None:
    assert operators(fold_constants(graph(text))) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("square(x)", ["mul"]),
        ("cube(x)", ["mul", "mul"]),
        ("x^2 + x^3 + x^4", ["mul", "mul", "add", "mul", "add"]),
        ("x^0.5", ["sqrt"]),
        ("x^1.5", ["sqrt", "mul"]),
        ("x^2.5", ["mul", "sqrt", "mul"]),
        ("x^-1", ["div"]),
        ("x^-0.5", ["sqrt", "div"]),
        ("x^-2", ["mul", "div"]),
        ("x^0", []),
        ("x^16", ["mul"] * 4),
        ("x^17", ["pow"]),
        ("x^0.3", ["pow"]),
        ("2^x", ["pow"]),
        ("x^y", ["pow"]),
    ],
)
def test_powers_become_products(text: str, left: list[str]) -> None:
    assert operators(powers_to_products(graph(text))) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("inv(x)", ["div"]),
        ("y*inv(x)", ["div"]),
        ("inv(x)*y", ["div"]),
        ("y*inv(x) + inv(x)", ["div", "mul", "add"]),  # shared: one division is enough
    ],
)
def test_reciprocals_become_divisions(text: str, left: list[str]) -> None:
    assert operators(reciprocals_to_divisions(graph(text))) == left


def test_constant_divisors_become_factors() -> None:
    lowered = divisors_to_factors(graph("x/8"), "float32")
    assert operators(lowered) == ["mul"]
    assert constants(lowered) == [0.125]
    assert operators(divisors_to_factors(graph("3/x + x/y"), "float32")) == ["div", "div", "add"]
    # the reciprocal of 1e38 is subnormal in float32, and of 0 it is none
    assert operators(divisors_to_factors(graph("x/1e38"), "float32")) == ["div"]
    assert operators(divisors_to_factors(graph("x/1e38"), "double")) == ["mul"]
    assert operators(divisors_to_factors(graph("x/0"), "double")) == ["div"]


@pytest.mark.parametrize(
    ("text", "left", "values"),
    [
        ("x + -2", ["sub"], [2.0]),
        ("x - -2", ["add"], [2.0]),
        ("x + -y", ["sub"], []),
        ("-x + y", ["sub"], []),
        ("x - -y", ["add"], []),
        ("-x - y", ["add", "neg"], []),
        ("-(x - y)", ["sub"], []),
        ("-(-x)", [], []),
        ("(-x)*y", ["mul", "neg"], []),
        ("(-x)*(-y)", ["mul"], []),
        ("(-x)*2", ["mul"], [-2.0]),
        ("(-x)/y", ["div", "neg"], []),
        ("x*-1", ["neg"], []),
        ("0 - x", ["neg"], []),
        ("y + -2*x", ["mul", "sub"], [2.0]),
        ("y - -2*x*y", ["mul", "mul", "add"], [2.0]),
        ("cos(-x) + abs(-y)", ["cos", "abs", "add"], []),
        # used twice: computing it once with the other sign would compute it twice
        ("(y + -2*x)*exp(-2*x)", ["mul", "add", "exp", "mul"], [-2.0]),
    ],
)
def test_signs_are_tidied(text: str, left: list[str], values: list[float]) -> None:
    tidied = tidy_signs(graph(text))
    assert operators(tidied) == left
    assert constants(tidied) == values


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_refuses_an_operator_it_does_not_know(name: str) -> None:
    builder = Builder(("x", "y"))
    strange = builder.finish(builder.call("erf", builder.add(Operation("input", column=0))))
    with pytest.raises(ExportError, match="does not know the operator `erf`"):
        PASSES[name](strange)


def test_every_operator_of_the_grammar_is_known_to_the_passes() -> None:
    for name, row in OPERATORS.items():
        formula = Formula(Call(name, tuple(Symbol("xyxy"[i]) for i in range(row.arity))), DOMAIN)
        assert rewrite(build_graph(formula), {}, "none").evaluate(DOMAIN.sample(4)).shape == (4,)


LEAVES = st.one_of(
    st.sampled_from([Symbol("x"), Symbol("y")]),
    st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 1.5, 2.0, 3.0, 7.0]).map(Number),
)


def _calls(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def call(name: str) -> st.SearchStrategy[Node]:
        args = st.tuples(*[children] * OPERATORS[name].arity)
        return args.map(lambda a: Call(name, a))

    return st.sampled_from(sorted(OPERATORS)).flatmap(call)


TREES = st.recursive(LEAVES, _calls, max_leaves=12)


@pytest.mark.parametrize("name", [*PASSES, "all"])
@settings(max_examples=60, deadline=None)
@given(tree=TREES)
def test_every_pass_keeps_the_value(name: str, tree: Node) -> None:
    formula = Formula(tree, DOMAIN)
    before = build_graph(formula)
    after = lower(formula, "double") if name == "all" else PASSES[name](before)
    x = DOMAIN.sample(32)
    bound = rounding_bound(before, x, "double") + rounding_bound(after, x, "double")
    wanted, got = before.evaluate(x), after.evaluate(x)
    # Where rounding is unbounded (poles, kinks of sqrt) or overflow is near nothing is promised.
    judged = np.isfinite(bound) & np.isfinite(wanted) & (np.abs(wanted) < 1e100)
    values = np.array(before.evaluate_all(x))
    judged &= (np.abs(values) < 1e100).all(axis=0)
    # A jump (a power of a negative base, a quotient of zeros) is decided by rounding alone.
    judged &= bound < 1e-6 * (1 + np.abs(wanted))
    assert (np.abs(got[judged] - wanted[judged]) <= bound[judged]).all()


def test_a_graph_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        graph("x").operations = ()  # type: ignore[misc]
