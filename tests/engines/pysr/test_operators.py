"""What PySR is told of operators: names, complexities, what may stand where, the user's own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.engines.pysr.custom import read_custom
from distill.engines.pysr.operators import JULIA, complexities, offered
from distill.errors import ConfigError
from distill.formula.operators import OPERATORS
from distill.formula.parse import parse

from .julia_grammar import read

AVR = {"add": 1.0, "sub": 1.0, "mul": 1.3, "div": 4.5, "neg": 0.02, "square": 1.3, "sqrt": 4.6,
       "exp": 24.4, "log": 22.6, "tanh": 30.1, "pow": 50.4, "atan2": 27.1,
       "ifless": 0.9}  # fmt: skip
SOFTPLUS = read_custom("softplus(t) = log(1 + exp(t))")

COSTS = st.dictionaries(st.sampled_from(sorted(OPERATORS)), st.floats(0.01, 5000.0))


def test_a_soft_float_target_as_an_expert_would_state_it():
    offer = offered(AVR, [SOFTPLUS])
    assert offer.binary == ("+", "-", "*", "/", "^", "atan2(y, x) = atan(y, x)")
    assert offer.unary == (
        "square", "sqrt", "exp", "log", "tanh",
        "softplus(x) = safe_log((oftype(x, 1.0) + exp(x)))",
    )  # fmt: skip
    assert offer.complexity_of_operators == {
        "+": 1.0, "-": 1.0, "*": 1.1, "/": 1.7, "square": 1.1, "sqrt": 1.7, "exp": 2.4, "log": 2.4,
        "tanh": 2.5, "^": 2.7, "atan2": 2.4, "softplus": 2.7,
        "safe_sqrt": 1.7, "safe_log": 2.4, "safe_pow": 2.7,
    }  # fmt: skip
    assert offer.constraints == {"^": (-1, 1)}
    assert offer.nested_constraints == {
        "exp": {"exp": 0, "tanh": 0, "log": 0},
        "tanh": {"exp": 0, "tanh": 0},
        "log": {"log": 0},
        "^": {"^": 0},
        "sqrt": {"sqrt": 0},
        "atan2": {"atan2": 0},
    }
    assert offer.defined == ("atan2", "softplus")
    assert offer.left_out == ("ifless",)


def test_where_all_cost_the_same_all_are_equally_complex():
    assert set(complexities(dict.fromkeys(OPERATORS, 1.0)).values()) == {1.0}
    assert set(complexities(dict.fromkeys(OPERATORS, 7.0)).values()) == {1.0}
    assert complexities({}) == {}


@given(COSTS)
def test_what_costs_more_is_not_less_complex(costs):
    weights = complexities(costs)
    order = sorted(costs, key=costs.__getitem__)
    assert [weights[name] for name in order] == sorted(weights.values())
    assert all(1.0 <= weight <= 4.8 for weight in weights.values())


@given(COSTS)
def test_rules_are_about_operators_that_are_offered(costs):
    offer = offered(costs)
    # Julia ends the search for a nested constraint, PySR for a constraint, of any other.
    names = {text.partition("(")[0] for text in (*offer.binary, *offer.unary)}
    rules = offer.nested_constraints
    assert {*offer.constraints, *rules, *(i for inner in rules.values() for i in inner)} <= names
    assert names <= set(offer.complexity_of_operators)
    assert set(offer.left_out) == set(costs) - set(JULIA)
    assert offer.has("neg") == ("neg" in costs and "sub" not in costs)


def test_both_names_of_an_operator_with_a_domain_are_as_complex():
    told = offered(dict.fromkeys(("pow", "log", "sqrt", "asin", "acos"), 10.0) | {"add": 1.0})
    weights = told.complexity_of_operators
    for name in ("log", "sqrt", "asin", "acos"):
        assert weights[name] == weights[f"safe_{name}"] == 2.0
    assert weights["^"] == weights["safe_pow"] == 2.0


def test_the_complexity_of_a_tree_is_what_julia_rounds():
    tree = parse("exp(a)*b + 2*a", ["a", "b"])
    assert offered(AVR).complexity(tree) == round(4 + 2.4 + 1.1 + 1.0 + 1.1)
    assert offered(dict.fromkeys(AVR, 1.0)).complexity(tree) == 8


def test_an_own_operator_costs_what_it_is_made_of():
    weights = offered({"add": 1.0, "exp": 60.0, "log": 39.0}, [SOFTPLUS]).complexity_of_operators
    assert weights["softplus"] == 1 + math.log10(60 + 39 + 1)


@pytest.mark.parametrize("name", sorted(JULIA))
def test_each_name_and_definition_is_julia(name):
    read(f"({JULIA[name]})" if JULIA[name] in "+-*/^" else JULIA[name])


@pytest.mark.parametrize(
    ("text", "julia"),
    [
        ("gauss(t) = exp(-t*t)", "gauss(x) = exp((neg(x) * x))"),
        ("norm2(a, b) = sqrt(a^2 + b^2)",
         "norm2(x, y) = safe_sqrt((safe_pow(x, oftype(x, 2.0)) + safe_pow(y, oftype(x, 2.0))))"),
        (" clip ( u ) = min(max(u, -1), 1)",
         "clip(x) = min(max(x, oftype(x, (-1.0))), oftype(x, 1.0))"),
        ("step1(x) = ifless(x, 0.5, 0, 1)",
         "step1(x) = ifelse(x < oftype(x, 0.5), oftype(x, 0.0), oftype(x, 1.0))"),
    ],
)  # fmt: skip
def test_an_operator_is_stated_once(text, julia):
    assert read_custom(text).julia == julia
    read(julia)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("softplus", "`softplus` does not define an operator", "write `name(x) = formula`"),
        ("f(x) + 1", "does not define an operator", "write"),
        ("__import__('os') = 1", "does not define an operator", "write"),
        ("Gauss(x) = exp(x)", "`Gauss` cannot name an operator", "lower-case"),
        ("end(x) = exp(x)", "`end` cannot name an operator", "Julia's grammar"),
        ("x3(x) = exp(x)", "`x3` cannot name an operator", "lower-case"),
        ("exp(x) = x*x", "`exp` is an operator already", "another name"),
        ("relu(x) = x*x", "`relu` is an operator already", "another name"),
        ("floor(x) = x*x", "`floor` is an operator already", "another name"),
        ("mine(x) = x*x", "`mine` is an operator already", "another name"),
        ("own() = 1", "`own` must have one or two arguments", "write"),
        ("own(a, b, c) = a", "`own` must have one or two arguments", "write"),
        ("own(a, a) = a", "`own` must have one or two arguments", "write"),
        ("own(A) = A", "`own` must have one or two arguments", "write"),
        ("own(x) = x + y", "`own` cannot be read: `y` is not a variable", "variables here: x"),
        ("own(x) = erf(x)", "`own` cannot be read: `erf` is not a function", "known functions"),
        ("own(x) = ", "`own` cannot be read: expected a number", "write"),
    ],
)
def test_what_is_no_operator_is_told_with_its_key(text, what, hint):
    with pytest.raises(ConfigError) as caught:
        read_custom(text, ["mine"])
    assert what in caught.value.what
    assert "`engine.options.custom_operators`" in caught.value.where
    assert hint in caught.value.hint
