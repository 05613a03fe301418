"""Passes that need ranges or look at whole sums: golden graphs, and what they must not touch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.firmware.graph import Graph, build_graph
from distill.firmware.passes import lower
from distill.firmware.passes.exponents import merge_exponents
from distill.firmware.passes.factors import join_constants
from distill.firmware.passes.horner import horner_form
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.passes.quotients import share_quotients
from distill.firmware.passes.reciprocals import reciprocals_to_divisions
from distill.firmware.passes.roots import share_roots
from distill.firmware.passes.thresholds import exact_thresholds
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol

DOMAIN = Domain.box(x=(0.5, 3), y=(-2, 2), z=(1, 50))
WIDE = Domain.box(x=(1e-30, 1e30), y=(-100, 100), z=(0, 1e30))

Pass = Callable[[Graph], Graph]
PASSES: dict[str, Pass] = {
    "exponents": lambda g: merge_exponents(g, DOMAIN),
    "quotients": lambda g: share_quotients(reciprocals_to_divisions(g), DOMAIN),
    "roots": lambda g: share_roots(g, DOMAIN),
    "factors": lambda g: join_constants(g, "double"),
    "horner": lambda g: horner_form(powers_to_products(g)),
    "thresholds": lambda g: exact_thresholds(g, DOMAIN),
}


def graph(text: str, domain: Domain = DOMAIN) -> Graph:
    return build_graph(Formula.parse(text, domain))


def operators(g: Graph) -> str:
    """The operators of a graph, in order."""
    return " ".join(o.name for o in g.operations if o.name not in ("input", "constant"))


def constants(g: Graph) -> list[float]:
    return [o.value for o in g.operations if o.name == "constant"]


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("exponents", "exp(x)*exp(y)", "add exp"),
        ("exponents", "exp(x)/exp(y)", "sub exp"),
        ("exponents", "1/exp(y)", "neg exp"),
        ("exponents", "inv(exp(y))", "neg exp"),
        ("exponents", "log(x) + log(z)", "mul log"),
        ("exponents", "log(x) - log(z)", "div log"),
        ("exponents", "log(exp(y))", ""),
        ("exponents", "exp(log(x))", ""),
        ("exponents", "sqrt(exp(y))", "mul exp"),
        ("exponents", "x^0.3*x^1.2", "pow"),
        ("exponents", "x^0.3/x^1.2", "pow"),
        ("exponents", "exp(x)*exp(y) + exp(x)", "exp exp mul add"),  # exp(x) is needed anyway
        ("exponents", "log(x) + log(x)", "log add"),
        ("exponents", "log(x) + log(y)", "log log add"),  # y may be negative
        ("exponents", "x^0.3*z^0.3", "pow pow mul"),
        ("quotients", "y/x + 3/x", "add div"),
        ("quotients", "y/x - 3/x", "sub div"),
        ("quotients", "y/x/z", "mul div"),
        ("quotients", "y/(x/z)", "div div"),  # y*z may be zero or tiny
        ("quotients", "x/(x/z)", "mul div"),
        ("quotients", "1/(x/z)", "div"),
        ("quotients", "(z/x)*((x + 1)/z)", "add mul mul div"),
        ("quotients", "z/y/x", "div div"),  # y may be zero
        ("quotients", "y/x + 3/z", "div div add"),
        ("quotients", "y/x + exp(y/x)", "div exp add"),
        ("roots", "sqrt(x)*sqrt(z)", "mul sqrt"),
        ("roots", "sqrt(x)/sqrt(z)", "div sqrt"),
        ("roots", "sqrt(x)*sqrt(x)", ""),
        ("roots", "x/sqrt(x)", "sqrt"),
        ("roots", "sqrt(x*x)", "abs"),
        ("roots", "sqrt(x)*sqrt(y)", "sqrt sqrt mul"),
        ("roots", "y/sqrt(x)", "sqrt div"),
        ("factors", "2*(3*x)", "mul"),
        ("factors", "(3/x)*2", "div"),
        ("factors", "2/(4*x)", "div"),
        ("factors", "(x + 1) + 2", "add"),
        ("factors", "1 - (x - 2)", "sub"),
        ("factors", "(1 - x) - 2", "sub"),
        ("factors", "2*(3*x) + exp(3*x)", "mul mul exp add"),
        ("horner", "2*x^3 + 3*x^2 + 4*x + 5", "mul add mul add mul add"),
        ("horner", "x^5 - x^3 + x", "mul sub mul add mul"),
        ("horner", "2*exp(y)^2 + 3*exp(y)", "exp mul add mul"),
        ("horner", "x*y + x*z", "add mul"),
        ("horner", "2*x*x*y + 3*x*y*y + x*y", "mul mul add add mul mul"),
        ("horner", "x*x + y*y", "mul mul add"),
        ("horner", "x*x - 2*y", "mul mul sub"),
        ("thresholds", "ifless(x, 0.1, y, z)", ""),
        ("thresholds", "ifless(3, x, y, z)", ""),
        ("thresholds", "ifless(x, 3.5, y, z)", ""),
        ("thresholds", "ifless(x, 1.1, y, z)", "ifless"),
        ("thresholds", "ifless(x, 3, y, z)", "ifless"),  # 3 itself is not below 3
    ],
)
def test_golden(name: str, text: str, left: str) -> None:
    assert operators(PASSES[name](graph(text))).split() == left.split()


@pytest.mark.parametrize(
    "text",
    ["exp(y)*exp(y + 1)", "exp(y)/exp(2*y)", "1/exp(y)", "log(x) + log(1/z)", "log(exp(y))",
     "x^3.3*x^0.7", "sqrt(exp(y))"],
)  # fmt: skip
def test_exponents_near_the_ends_of_float32_stay(text: str) -> None:
    assert merge_exponents(graph(text, WIDE), WIDE) == graph(text, WIDE)


@pytest.mark.parametrize("text", ["y/x/x", "x/(x/x)", "(x/z)*(x/z)"])
def test_quotients_that_could_overflow_stay(text: str) -> None:
    assert share_quotients(graph(text, WIDE), WIDE) == graph(text, WIDE)


@pytest.mark.parametrize("text", ["sqrt(x)*sqrt(1/x/1e5)*1e30", "z/sqrt(z)", "sqrt(z*z)"])
def test_roots_that_could_underflow_or_meet_zero_stay(text: str) -> None:
    assert share_roots(graph(text, WIDE), WIDE) == graph(text, WIDE)


def test_a_joint_constant_stays_in_float32() -> None:
    assert operators(join_constants(graph("1e30*(1e30*x)"), "float32")) == "mul mul"
    assert constants(join_constants(graph("2*(3*x)"), "float32")) == [6.0]


def test_horner_shares_powers_of_a_base() -> None:
    assert operators(lower(Formula.parse("x^6 + 2*x^5 + 3*x^4", DOMAIN))) == (
        "add mul add mul mul mul"
    )


def test_a_square_difference_is_not_made_dearer() -> None:
    text = "x*x*y - 2*x*y*y + y*y*y"
    before, after = graph(text), horner_form(graph(text))
    assert len(after.operations) < len(before.operations)
    x = DOMAIN.sample(500)
    np.testing.assert_allclose(after.evaluate(x), before.evaluate(x), atol=1e-14)


LEAVES = st.one_of(
    st.sampled_from([Symbol("x"), Symbol("y"), Symbol("z")]),
    st.sampled_from([-2.0, -1.0, 0.0, 0.3, 1.0, 1.5, 2.0, 3.0]).map(Number),
)
# What the passes look for is drawn more often than the rest.
NAMES = ["add", "sub", "mul", "div"] * 3 + ["exp", "log", "sqrt", "ifless"] * 2 + sorted(OPERATORS)


def _calls(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def call(name: str) -> st.SearchStrategy[Node]:
        return st.tuples(*[children] * OPERATORS[name].arity).map(lambda a: Call(name, a))

    return st.sampled_from(NAMES).flatmap(call)


TREES = st.recursive(LEAVES, _calls, max_leaves=14)


@pytest.mark.parametrize("name", [*PASSES, "all"])
@settings(max_examples=50, deadline=None)
@given(tree=TREES)
def test_every_pass_keeps_the_value(name: str, tree: Node) -> None:
    formula = Formula(tree, DOMAIN)
    before = build_graph(formula)
    after = lower(formula, "double") if name == "all" else PASSES[name](before)
    # float32 points, so that thresholds rounded to float32 decide as the exact ones
    x = DOMAIN.sample(32).astype(np.float32).astype(float)
    x = DOMAIN.clip(x)
    bound = rounding_bound(before, x, "double") + rounding_bound(after, x, "double")
    wanted, got = before.evaluate(x), after.evaluate(x)
    judged = np.isfinite(bound) & np.isfinite(wanted) & (np.abs(wanted) < 1e100)
    judged &= (np.abs(np.array(before.evaluate_all(x))) < 1e100).all(axis=0)
    # A jump (a power of a negative base, a quotient of zeros) is decided by rounding alone.
    judged &= bound < 1e-6 * (1 + np.abs(wanted))
    assert (np.abs(got[judged] - wanted[judged]) <= bound[judged]).all()


@settings(max_examples=100, deadline=None)
@given(
    threshold=st.floats(0.6, 2.9),
    left=st.booleans(),
    steps=st.integers(-2, 2),
)
def test_a_threshold_decides_in_float32_as_in_float64(threshold, left, steps) -> None:
    text = f"ifless({threshold!r}, x, 1, 2)" if left else f"ifless(x, {threshold!r}, 1, 2)"
    formula = Formula.parse(text, DOMAIN)
    x = np.float32(threshold)
    for _ in range(abs(steps)):
        x = np.nextafter(x, np.float32(np.inf if steps > 0 else -np.inf))
    points = np.array([[float(x), 0.0, 1.0]])
    assert lower(formula).evaluate(points, "float32") == formula(points)
