"""Demands as a Julia loss: its text, and what it comes to when the text is followed."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.engines.constraints import Constraints, violations
from distill.engines.pysr.penalties import loss
from distill.formula import Formula

from .julia_grammar import read

DOMAIN = Domain(
    (
        Variable("a", 1, 1000, scale="log"),
        Variable("n", 0, 10, kind="integer"),
        Variable("c", -1.5, 2.5),
    )
)
OPERATORS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}


class Julia:
    """Follows the syntax tree of one Julia function, on numpy arrays; unknown parts raise."""

    def __init__(self, source, evaluate, penalty=0.0):
        self.signature, *self.body = read(source).named_children
        eval_loss = SimpleNamespace(dimensional_regularization=lambda *_: penalty)
        self.known = {
            "Inf": math.inf,
            "nothing": None,
            "eltype": lambda x: x.dtype.type,
            "eval_tree_array": lambda expression, x, options: evaluate(x),
            "abs2": np.square,
            "sum": lambda f, x=None: np.sum(f) if x is None else np.sum(f(x)),
            "length": len,
            "zero": lambda kind: kind(0),
            "copy": np.copy,
            "isfinite": np.isfinite,
            "parentmodule": lambda function: function,
            "SymbolicRegression": SimpleNamespace(eval_loss=eval_loss),
            "maximum": np.max,
            "sqrt": np.sqrt,
            "max": np.maximum,
            "min": np.minimum,
        }

    def __call__(self, dataset):
        assert self.signature.text == b"distill_loss(expression, dataset, options)"
        self.names = {**self.known, "expression": None, "dataset": dataset, "options": None}
        try:
            for line in self.body:
                self.value(line)
        except StopIteration as returned:
            return returned.value
        raise AssertionError("it returns nothing")

    def value(self, node):
        return getattr(self, node.type)(node, *node.named_children)

    def identifier(self, node):
        return self.names[node.text.decode()]

    def float_literal(self, node):
        return float(node.text)

    def integer_literal(self, node):
        return int(node.text)

    def parenthesized_expression(self, node, inner):
        return self.value(inner)

    def open_tuple(self, node, *items):
        return tuple(map(self.value, items))

    def field_expression(self, node, whole, name):
        return getattr(self.value(whole), name.text.decode())

    def call_expression(self, node, function, arguments):
        return self.value(function)(*map(self.value, arguments.named_children))

    broadcast_call_expression = call_expression

    def index_expression(self, node, whole, index):
        row, colon = index.named_children
        assert colon.text == b":"
        return self.value(whole)[self.value(row) - 1]

    def unary_expression(self, node, operator, inner):
        value = self.value(inner)
        return -value if operator.text == b"-" else not value

    def binary_expression(self, node, left, operator, right):
        sign = operator.text.decode()
        if sign in ("||", "&&"):
            return (
                self.value(left) if bool(self.value(left)) == (sign == "||") else self.value(right)
            )
        a, b = self.value(left), self.value(right)
        if sign == "===":
            return a is b
        assert sign.startswith(".") or np.ndim(a) == np.ndim(b) == 0
        return OPERATORS[sign[-1]](a, b)

    def ternary_expression(self, node, condition, yes, no):
        return self.value(yes if self.value(condition) else no)

    def return_statement(self, node, result):
        stop = StopIteration()
        stop.value = self.value(result)
        raise stop

    def assignment(self, node, target, operator, source):
        value = self.value(source)
        if target.type == "index_expression":
            whole, index = target.named_children
            self.value(whole)[self.value(index.named_children[0]) - 1] = value
        elif target.type == "open_tuple":
            names = [name.text.decode() for name in target.named_children]
            self.names |= dict(zip(names, value, strict=True))
        else:
            self.names[target.text.decode()] = value

    def compound_assignment_expression(self, node, target, operator, source):
        assert operator.text == b"+="
        self.names[target.text.decode()] += self.value(source)


def data(x, y, weights=None, kind=np.float64):
    weights = None if weights is None else weights.astype(kind)
    return SimpleNamespace(X=x.T.astype(kind), y=y.astype(kind), weights=weights)


def value(constraints, formula, y=0.0, *, x=None, weights=None, kind=np.float64, **options):
    """The loss of a function of columns a, n, c against answers y."""
    source = loss(constraints, DOMAIN, weights is not None, **options)
    x = DOMAIN.sample(64) if x is None else x

    def evaluate(rows):
        with np.errstate(all="ignore"):
            out = formula(*rows[:3]) + 0 * rows[0]
        return out, bool(np.isfinite(out).all())

    rows = data(x, np.broadcast_to(y, len(x)), weights, kind)
    return Julia(source, evaluate, options.get("units", 0) * 1000.0)(rows)


UP = {"a": "increasing"}

GOLDEN = """\
function distill_loss(expression, dataset, options)
    X = dataset.X
    T = eltype(X)
    values, complete = eval_tree_array(expression, X, options)
    (!complete || values === nothing) && return T(Inf)
    squares = sum(abs2, values .- dataset.y) / length(values)
    missed = zero(T)
    missed += max(zero(T), maximum(values .- T(100.0)))
    raised = copy(X)
    raised[2, :] = min.(X[2, :] .+ T(1.0), T(10.0))
    moved, complete = eval_tree_array(expression, raised, options)
    (!complete || moved === nothing) && return T(Inf)
    missed += max(zero(T), maximum(T(10.0) .* (moved .- values)))
    loss = T(1.0) * (sqrt(squares) + T(10.0) * missed)^2
    return isfinite(loss) ? loss : T(Inf)
end"""


def test_the_text():
    assert loss(Constraints(monotone={"n": "decreasing"}, high=100), DOMAIN, False) == GOLDEN


def test_nothing_is_said_where_nothing_is_demanded_of_values():
    assert loss(Constraints(), DOMAIN, True) is None
    assert loss(Constraints(operators_of={"a": frozenset(("add",))}), DOMAIN, True) is None


def test_kept_demands_cost_nothing():
    demands = Constraints(monotone={**UP, "n": "decreasing", "c": "increasing"}, low=-1, high=20)
    x = DOMAIN.sample(64)
    y = np.log(x[:, 0]) - x[:, 1] / 20 + np.exp(x[:, 2])
    assert value(demands, lambda a, n, c: np.log(a) - n / 20 + np.exp(c), y, x=x) == 0.0


@pytest.mark.parametrize("bounds", [{"low": 3.0}, {"high": -3.0}])
def test_a_bound_costs_what_it_is_exceeded_by(bounds):
    # Off by 3, ten times as bad as an error, and no error: 30^2.
    assert value(Constraints(**bounds), lambda a, n, c: 0 * a) == pytest.approx(900.0)


@pytest.mark.parametrize(
    ("name", "formula", "fall"),
    [
        ("c", lambda a, n, c: -c, 4.0),
        ("n", lambda a, n, c: -n, 10.0),
        ("a", lambda a, n, c: -np.log(a), math.log(1000)),
    ],
)
def test_a_slope_the_wrong_way_costs_its_fall_over_the_range(name, formula, fall):
    x = DOMAIN.sample(64)
    at = DOMAIN.names.index(name)
    x[:, at] = np.clip(x[:, at], DOMAIN.low[at], (DOMAIN.low + DOMAIN.high)[at] / 2)
    y = formula(*x.T)
    for direction, cost in (("increasing", (10 * fall) ** 2), ("decreasing", 0.0)):
        found = value(Constraints(monotone={name: direction}), formula, y, x=x)
        assert found == pytest.approx(cost, rel=1e-9)


def test_the_variables_end_is_never_passed():
    seen = []

    def formula(a, n, c):
        seen.append((a.max(), n.max(), c.max()))
        return a

    everything = Constraints(monotone={**UP, "n": "increasing", "c": "increasing"})
    assert math.isfinite(value(everything, formula, x=DOMAIN.corners()))
    assert max(seen) == (1000.0, 10.0, 2.5)
    assert len(seen) == 4


def test_a_formula_without_a_value_in_the_domain_is_out():
    assert value(Constraints(low=0), lambda a, n, c: np.log(c)) == math.inf
    x = np.array([[1.0, 0.0, 2.4]])  # only the raised point, 2.5, is a pole
    pole = Constraints(monotone={"c": "increasing"})
    assert value(pole, lambda a, n, c: 1 / (c - 2.5), -10.0, x=x) == math.inf


def test_overflow_is_infinite_and_not_undefined():
    demands = Constraints(monotone={"c": "increasing"}, high=0)
    with np.errstate(over="ignore", invalid="ignore"):
        assert value(demands, lambda a, n, c: c * np.float32(3e38), kind=np.float32) == math.inf


def test_weights_change_the_error_and_not_the_demands():
    weights = np.linspace(0.5, 1.5, 64)
    y = np.arange(64.0)
    free = value(Constraints(low=-1), lambda a, n, c: 0 * a, y, weights=weights)
    assert free == pytest.approx(np.average(y**2, weights=weights))
    bound = value(Constraints(low=3), lambda a, n, c: 0 * a, y, weights=weights)
    assert bound == pytest.approx((math.sqrt(free) + 30.0) ** 2)


def test_the_type_of_the_data_is_kept():
    demands = Constraints(monotone=UP, low=0.1)
    for kind in (np.float32, np.float64):
        assert type(value(demands, lambda a, n, c: c, kind=kind)) is kind


def test_wrong_units_cost_what_julia_says():
    assert value(Constraints(low=-1), lambda a, n, c: 0 * a, units=True) == 1000.0


@pytest.mark.parametrize("gap", [1e-6, 1.0, 1e6])
def test_the_border_is_the_best_place_for_a_fit_that_wants_beyond_it(gap):
    """With squares alone the best constant for answers below a bound lay below it, too."""
    demand = Constraints(low=gap)
    around = [
        value(demand, lambda a, n, c, k=k: k * gap + 0 * a) for k in (0.9, 0.999, 1, 1.001, 1.1)
    ]
    assert around.index(min(around)) == 2


def test_one_row_that_misses_a_demand_is_not_lost_among_many():
    def spike(a, n, c):
        return np.where(a == 1000, -1.0, 0.0)

    x = np.vstack([DOMAIN.sample(999), DOMAIN.high])
    assert value(Constraints(low=0), spike, spike(*x.T), x=x) == pytest.approx(100.0)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["c", "-c", "a*c", "exp(-c)", "sin(c)", "n*c + a", "(c - 0.5)^2", "abs(c)"]),
    st.sampled_from(["increasing", "decreasing"]),
)
def test_what_breaks_a_demand_costs(text, direction):
    """A formula that breaks the demand on random points by much is never free."""
    demand = Constraints(monotone={"c": direction})
    formula = Formula.parse(text, DOMAIN)
    x = DOMAIN.sample(64)
    found = value(demand, lambda a, n, c: formula(np.column_stack([a, n, c])), formula(x), x=x)
    assert found >= 0
    assert (found > 1e-6) == (violations(formula, demand, x) > 1e-3)
