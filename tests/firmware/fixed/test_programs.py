"""Programs of formulas: within their bound of the formula, without overflow, the same in C."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.fixed.estimates import ESTIMATES
from distill.firmware.fixed.formats import Integers, hold, input_bounds, input_formats
from distill.firmware.fixed.plan import plan_fixed
from distill.formula import Formula

GAMMA = "(log(h/100) + 17.625*t/(243.04 + t))"
DEW_POINT = f"243.04*{GAMMA}/(17.625 - {GAMMA})"

# Every operator, over ranges that need its range reduction; the accuracy in the output's unit.
CASES = {
    "sqrt": ("sqrt(x)", {"x": (0, 100)}, 1e-2),
    "sqrt of a sum": ("sqrt(x*x + y*y)", {"x": (-10, 10), "y": (0, 10)}, 1e-2),
    "cbrt": ("cbrt(x)", {"x": (-8, 8)}, 2e-2),
    "exp falling": ("exp(x)", {"x": (-20, 3)}, 1e-4),
    "exp rising": ("exp(x)", {"x": (-20, 10)}, 1),
    "log": ("log(x)", {"x": (0.01, 1000)}, 1e-3),
    "sin": ("sin(x)", {"x": (-100, 100)}, 1e-4),
    "cos": ("cos(x + y)", {"x": (0, 50), "y": (0, 1)}, 1e-3),
    "tan": ("tan(x)", {"x": (-1.5, 1.5)}, 1e-2),
    "asin": ("asin(x)", {"x": (-1, 1)}, 1e-3),
    "acos": ("acos(x)", {"x": (-1, 1)}, 1e-3),
    "atan": ("atan(x)", {"x": (-1000, 1000)}, 1e-4),
    "atan2": ("atan2(y, x)", {"x": (0.5, 10), "y": (-3, 3)}, 1e-3),
    "atan2 above": ("atan2(y, x)", {"x": (-5, 5), "y": (0.5, 3)}, 1e-3),
    "tanh": ("tanh(x)", {"x": (-10, 10)}, 1e-4),
    "sinh": ("sinh(x)", {"x": (-8, 8)}, 0.1),
    "cosh": ("cosh(x)", {"x": (-8, 8)}, 0.1),
    "power": ("x^1.7", {"x": (0, 100)}, 0.1),
    "power of two inputs": ("x^y", {"x": (0.5, 10), "y": (0.5, 3)}, 0.1),
    "reciprocal": ("1/x", {"x": (0.01, 100)}, 1e-2),
    "fine reciprocal": ("1/x", {"x": (-100, -0.1)}, 1e-4),
    "quotient": ("x/y", {"x": (-5, 10), "y": (0.5, 30)}, 1e-3),
    "cube": ("cube(x - y)", {"x": (-2, 2), "y": (0, 1)}, 1e-3),
    "choices": ("max(abs(x), 2*y) - min(x, 0.25)", {"x": (-2, 2), "y": (0, 1)}, 1e-3),
    "dew point": (DEW_POINT, {"t": (0, 50), "h": (5, 100)}, 0.03),
    "large": ("1e6*x*y + 3", {"x": (0, 1000), "y": (0, 10)}, 1e6),
    "small": ("1e-6*x/y", {"x": (0, 1), "y": (1, 2)}, 1e-9),
}


def parse(text: str, box: dict[str, tuple[float, float]]) -> tuple[Formula, Domain]:
    domain = Domain.box(**box)
    return Formula.parse(text, domain), domain


def points(domain: Domain, n: int = 4096) -> np.ndarray:
    """Random points, corners, and the origin or what is nearest to it."""
    origin = np.clip(np.zeros((1, len(domain))), domain.low, domain.high)
    return np.concatenate([domain.sample(n, seed=3), domain.corners(), origin])


@pytest.mark.parametrize("case", CASES)
def test_stays_within_its_bound_and_gives_the_same_bits_in_c(
    case: str, answers: Callable[..., Integers]
) -> None:
    text, box, accuracy = CASES[case]
    formula, domain = parse(text, box)
    program = plan_fixed(formula, domain, accuracy, ESTIMATES["mipsel"])
    assert program.inputs == input_formats(domain)
    assert program.error_bound <= accuracy
    x = points(domain)
    held = program.output.reals(program.evaluate(hold(x, domain), check=True))
    assert np.abs(held - formula(x)).max() <= program.error_bound
    # A bound far above what happens would cost bits.
    assert np.abs(held - formula(x)).max() >= program.error_bound / 40
    q = _integers(domain)
    assert (answers(program, domain, q) == program.evaluate(q, check=True)).all()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_c_for_avr_gives_the_same_bits(compiler: str, answers: Callable[..., Integers]) -> None:
    formula, domain = parse(DEW_POINT, {"t": (0, 50), "h": (5, 100)})
    program = plan_fixed(formula, domain, 0.03, ESTIMATES["avr"])
    assert program.short_products
    q = _integers(domain)
    assert (answers(program, domain, q, compiler) == program.evaluate(q, check=True)).all()


def _integers(domain: Domain, n: int = 1000) -> Integers:
    """Random integers of the inputs' formats, many of them at their ends."""
    random = np.random.default_rng(5)
    low, high = np.array([input_bounds(v) for v in domain.variables]).T
    anywhere = random.integers(low, high + 1, size=(n, len(domain)))
    edges = np.where(random.random(anywhere.shape) < 0.5, low, high)
    mixed = np.where(random.random(anywhere.shape) < 0.3, edges, anywhere)
    return np.concatenate([anywhere, mixed, hold(domain.corners(), domain)])


def expressions() -> st.SearchStrategy[str]:
    """Small formulas of x and y."""
    leaves = st.sampled_from(["x", "y", "x", "y", "0.5", "3.7", "-1.3", "120.5", "0.013"])
    unary = ["sqrt", "exp", "log", "sin", "cos", "tan", "atan", "tanh", "abs", "cbrt", "square",
             "cube", "inv", "asin", "acos", "sinh", "cosh"]  # fmt: skip

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
            st.builds("{}({})".format, st.sampled_from(unary), inner),
            st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "atan2"]), inner, inner),
            st.builds("ifless(x, {}, {}, {})".format, st.sampled_from(["y", "0.3"]), inner, inner),
        )

    return st.recursive(leaves, grow, max_leaves=6)


DOMAINS = st.builds(
    lambda x, y, whole: Domain((
        Variable("x", *x, kind="integer" if whole else "continuous"), Variable("y", *y)
    )),
    st.sampled_from([(0, 1), (-1, 2), (-50, 50), (5, 15), (1, 100)]),
    st.sampled_from([(0.1, 1), (0.5, 10.5), (-3, -1), (-0.5, 0.5)]),
    st.booleans(),
)  # fmt: skip


@given(text=expressions(), domain=DOMAINS, share=st.sampled_from([1e-2, 1e-3, 1e-4]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_any_small_formula_stays_within_its_bound(text: str, domain: Domain, share: float) -> None:
    formula = Formula.parse(text, domain)
    # Between a continuous input and its held integer a comparison may change.
    form = input_formats(domain)
    x = points(domain, 1024)
    q = hold(x, domain)
    x = np.column_stack([f.reals(q[:, i]) for i, f in enumerate(form)])
    with np.errstate(all="ignore"):
        y = formula(x)
    assume(np.isfinite(y).all())
    accuracy = share * max(float(np.ptp(y)), 0.01 * float(np.abs(y).max()), 1e-3)
    try:
        program = plan_fixed(formula, domain, accuracy)
    except ExportError as refused:
        assume("subexpression" not in refused.where and "around" not in refused.where)
        raise
    assert program.error_bound <= accuracy
    held = program.output.reals(program.evaluate(q, check=True))
    assert np.abs(held - y).max() <= program.error_bound * (1 + 1e-9) + 1e-12


@given(text=expressions(), domain=DOMAINS, processor=st.sampled_from(["avr", "arm-m0plus"]))
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example compiles C
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
def test_any_small_formula_gives_the_same_bits_in_c(
    text: str, domain: Domain, processor: str, answers: Callable[..., Integers]
) -> None:
    formula = Formula.parse(text, domain)
    with np.errstate(all="ignore"):
        y = formula(points(domain, 256))
    assume(np.isfinite(y).all())
    try:
        program = plan_fixed(formula, domain, 1e-3 * max(1e-3, np.abs(y).max()),
                             ESTIMATES[processor])  # fmt: skip
    except ExportError:
        assume(False)
    q = _integers(domain, 200)
    assert (answers(program, domain, q) == program.evaluate(q, check=True)).all()


def test_equal_inputs_give_equal_programs() -> None:
    formula, domain = parse(DEW_POINT, {"t": (0, 50), "h": (5, 100)})
    assert plan_fixed(formula, domain, 0.03) == plan_fixed(formula, domain, 0.03)
