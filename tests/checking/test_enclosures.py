"""What is put on a tape encloses the function: formulas, every step of chains, tables."""

import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.data import STEPS
from distill.checking import bends, functions
from distill.checking.balls import precise
from distill.checking.chains import PUT, put_chain, put_expression
from distill.checking.forms import mean_value, quadratic
from distill.checking.formulas import KNOWN, put_tree
from distill.checking.leaf import difference
from distill.checking.tape import Tape
from distill.domain import Domain
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Number, Symbol

from ..chain.strategies import EXAMPLES, by_name
from ..formula.strategies import trees
from .making import DOMAIN, FORMULA, network


def nothing(tape, inputs):
    """The function 0."""
    return tape.constant(arb(0))


def ranges(put, low, high):
    """All ranges that are found for a function over a box: forward, second order, mean value."""
    tape = Tape(low, high)
    result = put(tape, tape.inputs)
    form = tape.enclosure(result)
    return [(form.low, form.high), quadratic(form), mean_value(form)]


def boxes(rng, low, high, count):
    """Boxes of every size down to points, some at the border."""
    for _ in range(count):
        width = (high - low) * rng.choice([1.0, 0.3, 0.1, 1e-3, 0.0])
        start = low + rng.choice([0.0, rng.random(), 1.0], len(low)) * (high - low - width)
        yield start, np.minimum(start + width, high)


def inside(rng, low, high, n=40):
    """Points of a box, its ends among them."""
    share = rng.random((n, len(low)))
    share[:2] = [[0.0] * len(low), [1.0] * len(low)]
    share[2:8] = np.round(share[2:8])
    return np.clip(low + share * (high - low), low, high)


def encloses(found, values, slack):
    """Every defined value lies in every range that is known."""
    low, high = values.min(), values.max()
    return all(
        float(a) <= low + slack and high - slack <= float(b)
        for a, b in found
        if a.is_finite() and b.is_finite()
    )


def test_every_step_is_known():
    assert set(STEPS.values()) == set(PUT) == {type(example.step) for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=by_name)
def test_every_step_encloses_its_answers(example):
    step, rng = example.step, np.random.default_rng(3)
    with precise():
        put = put_chain(Chain(step.inputs, (step,)))
        narrow, count = 0, 24 if step.inputs < 12 else 5
        ends = np.full((2, step.inputs), [[example.low], [example.high]])
        for low, high in boxes(rng, *ends, count):
            x = inside(rng, low, high)
            values = step.evaluate(x, "double")
            for k in rng.permutation(step.outputs)[:3]:
                found = ranges(lambda tape, t, k=k: put(tape, t)[k], low, high)
                good = np.isfinite(values[:, k])
                slack = 1e-9 * (1 + np.abs(values[good, k]).max(initial=0))
                assert encloses(found, values[good, k], slack) if good.any() else True
                narrow += bool(found[0][0].is_finite()) and good.any()
        assert narrow > count / 2  # most of them say something


@pytest.mark.parametrize("function", ["tanh", "relu", "gelu", "softsign", "hardswish", "selu"])
def test_networks_are_enclosed_ever_more_narrowly(function):
    teacher = ClosedForm(network(12, function), DOMAIN)
    formula = Formula.parse(FORMULA, DOMAIN)
    rng = np.random.default_rng(1)
    widths = []
    with precise():
        a, b = put_expression(formula), put_expression(teacher)
        for share in (0.3, 0.03, 0.003):
            excess = []
            for _ in range(8):
                low = DOMAIN.low + rng.random(2) * (1 - share) * (DOMAIN.high - DOMAIN.low)
                high = low + share * (DOMAIN.high - DOMAIN.low)
                x = inside(rng, low, high, 400)
                values = formula(x) - teacher(x)
                found = difference(a, b, (tuple(low), tuple(high)))
                least, most = found.low, found.high
                assert float(least) <= values.min() + 1e-12
                assert values.max() - 1e-12 <= float(most)
                excess.append(float(most) - float(least) - np.ptp(values))
            widths.append(float(np.median(excess)))
    assert widths[1] < widths[0] / 8
    assert widths[2] < widths[1] / 8


EXACT = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: a**b,
    "square": lambda a: a * a,
    "cube": lambda a: a**3,
    "inv": lambda a: 1 / a,
    "cbrt": lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a)),
    "abs": abs,
    "atan2": mpmath.atan2,
    "min": min,
    "max": max,
    "ifless": lambda a, b, t, o: t if a < b else o,
    **{
        name: getattr(mpmath, name)
        for name in (
            "sqrt", "exp", "log", "sin", "cos", "tan",
            "asin", "acos", "atan", "sinh", "cosh", "tanh",
        )
    },
}  # fmt: skip
"""Every operator in 50 digits."""


def exact(node, values):
    """The tree in mpmath's arithmetic; None where it is undefined or complex."""
    if isinstance(node, Number):
        return mpmath.mpf(node.value)
    if isinstance(node, Symbol):
        return values[node.name]
    args = [exact(arg, values) for arg in node.args]
    if any(arg is None for arg in args):
        return None
    try:
        value = EXACT[node.operator](*args)
    except (ArithmeticError, ValueError):
        return None
    real = isinstance(value, mpmath.mpf) and mpmath.isfinite(value) and abs(value) < 1e30
    return value if real else None


def test_every_operator_is_known():
    assert set(OPERATORS) == KNOWN == set(EXACT)


@settings(max_examples=150, deadline=None)
@given(
    trees(constants=st.sampled_from([0.5, 2.0, -1.0, 3.0, 0.1, -2.5])),
    st.floats(0.0, 2.0),
    st.sampled_from([0.0, 1e-3, 0.1, 1.0]),
    st.randoms(use_true_random=False),
)
def test_formulas_are_enclosed_to_the_last_digit(tree, start, width, random):
    names = ("x", "y", "z_1")
    low, high = (start - 1, start, 0.25), (start - 1 + width, start + width, 0.25 + width)
    with precise(), mpmath.workdps(50):
        found = ranges(put_tree(tree, names), low, high)
        for _ in range(4):
            x = [random.uniform(a, b) for a, b in zip(low, high, strict=True)]
            value = exact(tree, {n: mpmath.mpf(v) for n, v in zip(names, x, strict=True)})
            if value is None:
                continue
            digits = mpmath.nstr(value, 45)
            true = arb(digits) + arb(0, float(abs(value)) * 1e-30 + 1e-300)
            for a, b in found:
                assert not (a.is_finite() and b.is_finite()) or not (true < a or true > b)


def test_what_may_be_undefined_has_no_range():
    domain = Domain.box(x=(-1, 1))
    for text in ("log(x)", "sqrt(x)", "1/x", "x^0.5", "asin(2*x)", "tan(2*x)", "0*log(x)"):
        formula = Formula.parse(text, domain)
        with precise():
            for low, high in ranges(put_expression(formula), (-1.0,), (1.0,)):
                assert not low.is_finite() or not high.is_finite(), text


def test_the_border_of_a_domain_is_defined():
    for text, low, high in (
        ("sqrt(x)", 0.0, 0.3), ("acos(x)", -1.0, 1.0), ("cbrt(x)", -1.0, 1.0), ("x^1.5", 0.0, 0.7),
        ("sqrt(square(x))", -1.0, 0.3), ("ifless(0.5, x, log(x - 0.4), x)", 0.0, 0.5),
    ):  # fmt: skip
        formula = Formula.parse(text, Domain.box(x=(low, high)))
        x = np.linspace(low, high, 50)[:, None]
        with precise():
            found = ranges(put_expression(formula), (low,), (high,))
        assert found[0][0].is_finite(), text
        assert encloses(found, formula(x), 1e-12), text


class TestMutations:
    """A wrong rule is noticed: the tests above are not idle."""

    def violated(self, text, low, high):
        formula = Formula.parse(text, Domain.box(x=(low, high)))
        x = np.linspace(low, high, 201)[:, None]
        with precise():
            found = ranges(put_expression(formula), (low,), (high,))
        return not encloses(found, formula(x), 1e-12)

    @pytest.mark.parametrize(
        ("text", "low", "high"),
        [("tanh(x)", 0.2, 1.4), ("exp(x)", 0.0, 1.0), ("sin(x)", 0.5, 2.0), ("x*x*x", -1.0, 1.0)],
    )
    def test_right_rules_hold(self, text, low, high):
        assert not self.violated(text, low, high)

    def test_a_second_derivative_of_zero_is_noticed(self, monkeypatch):
        right = bends.Tanh.over
        monkeypatch.setattr(bends.Tanh, "over", lambda self, a, b: (*right(self, a, b)[:3], arb(0)))
        assert self.violated("tanh(x)", 0.2, 1.4)

    def test_a_second_derivative_of_the_wrong_sign_is_noticed(self, monkeypatch):
        wrong = bends.Turning(arb.exp, arb.exp, lambda x: -x.exp())
        monkeypatch.setitem(functions.OPERATORS, "exp", wrong)
        assert self.violated("exp(x)", 0.0, 1.0)

    def test_a_forgotten_turning_point_is_noticed(self, monkeypatch):
        wrong = bends.Turning(arb.sin, arb.cos, lambda x: -x.sin())
        monkeypatch.setitem(functions.OPERATORS, "sin", wrong)
        assert self.violated("sin(x)", 0.5, 2.0)

    def test_a_wrong_slope_at_the_middle_is_noticed(self, monkeypatch):
        right = bends.Tanh.at
        monkeypatch.setattr(
            bends.Tanh, "at", lambda self, x: (right(self, x)[0], right(self, x)[1] * 0.9)
        )
        assert self.violated("tanh(x)", 0.2, 0.4)

    def test_a_product_without_its_curvature_is_noticed(self, monkeypatch):
        monkeypatch.setattr(Tape, "curved", lambda self, left, right: None)
        assert self.violated("x*(x + 1)", -1.0, 1.0)

    def test_a_kink_without_its_free_number_is_noticed(self, monkeypatch):
        monkeypatch.setattr(Tape, "loosened", lambda self, share: None)
        assert self.violated("abs(x)", -1.0, 0.5)


def test_calls_of_formulas_share_what_is_equal():
    tree = Call("add", (Call("exp", (Symbol("x"),)), Call("exp", (Symbol("x"),))))
    with precise():
        tape = Tape((0.0,), (1.0,))
        put_tree(tree, ("x",))(tape, tape.inputs)
        assert len(tape._records) == 2
