"""Bounds of the rounding of floats: never below what is found, and not far above."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.bounds.boxes import Boxes as Regions
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.graph import build_graph
from distill.firmware.passes import lower
from distill.firmware.proof import floats, rounding_claim
from distill.firmware.proof.floats import float_bounds
from distill.firmware.ranges import Boxes
from distill.formula import Formula
from distill.formula.operators import OPERATORS

AIR = Domain.box(temperature=(10, 50, "°C"), humidity=(5, 99, "percent"))
STULL = (
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
)
MAGNUS = (
    "243.04*(log(humidity/100) + 17.625*temperature/(243.04 + temperature))"
    "/(17.625 - log(humidity/100) - 17.625*temperature/(243.04 + temperature))"
)
PLANE = Domain.box(x=(0.1, 3), y=(-2, 2))
SOFT = {**dict.fromkeys(OPERATORS, 1000.0), "add": 80.0, "sub": 80.0, "mul": 50.0}

NAMED = [
    (STULL, AIR, "float32", {}, 6),
    (STULL, AIR, "float32", {"accuracy": 0.003, "costs": SOFT}, 3),
    (STULL, AIR, "double", {}, 8),
    (MAGNUS, AIR, "float32", {}, 4),
    (MAGNUS, AIR, "float32", {"accuracy": 0.01, "costs": SOFT}, 2),
    (MAGNUS, AIR, "double", {}, 6),
    ("1 - 2*x + 3*x^2 - 0.5*x^3*y", PLANE, "float32", {}, 4),
    ("(x - 1)*(y - 1)/(x*x + y*y)", PLANE, "float32", {}, 12),
    ("x^2 - 2.0001*x*y + y^2", PLANE, "double", {}, 4),
    ("sin(3*x + y)*exp(y)", PLANE, "float32", {}, 12),
    ("sqrt(x*x - 0.005)", PLANE, "float32", {}, 30),
    ("ifless(x, 0.75, x*y, y/x)", PLANE, "float32", {}, 6),
    ("max(abs(y) - x, min(x, y*0.3))", PLANE, "float32", {}, 4),
    ("log(x) + atan(y)*3 + sin(7*x)", PLANE, "float32", {"accuracy": 1e-4, "costs": SOFT}, 4),
]  # fmt: skip


@pytest.mark.parametrize(("text", "domain", "arithmetic", "options", "ratio"), NAMED)
def test_named_formulas_are_bounded_closely(make, found, text, domain, arithmetic, options, ratio):
    spec = make(text, domain, arithmetic, **options)
    claim, largest = rounding_claim(spec), found(spec)
    print(f"{arithmetic} {text[:30]}: {claim.bound:.3g} / {largest:.3g}")
    assert largest <= claim.bound < ratio * largest


def _trees() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["x", "y", "x", "y", "0.3", "2", "-1.7", "100.1"])
    one = ["sin({})", "cos({})", "exp({}/3)", "atan({})", "sqrt(abs({}))", "({})^2", "tanh({})",
           "log(1.5 + abs({}))", "abs({})", "cbrt({})"]  # fmt: skip
    two = ["({}) + ({})", "({}) - ({})", "({})*({})", "({})/(2.5 + ({})^2)", "min({}, {})",
           "max({}, {})", "ifless({}, {}, 1, 2)"]  # fmt: skip
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(str.format, st.sampled_from(one), inner),
            st.builds(str.format, st.sampled_from(two), inner, inner),
        ),
        max_leaves=6,
    )


@settings(max_examples=12, deadline=None, derandomize=True)
@given(text=_trees(), arithmetic=st.sampled_from(["float32", "float32", "double"]),
       accuracy=st.sampled_from([None, 1e-3]))  # fmt: skip
def test_no_difference_exceeds_the_bound(make, found, text, arithmetic, accuracy):
    own = accuracy if arithmetic == "float32" else None
    spec = make(text, PLANE, arithmetic, accuracy=own, costs=SOFT if own else None)
    assert found(spec) <= rounding_claim(spec).bound


NO_ERROR = {
    "half a unit": ("_half_unit", lambda size, digits: 0.0 * size, "(x + 0.3)*y/(x + 3)", {}),
    "functions": ("FUNCTION_ULPS", 0.0, "sin(x)", {}),
    "constants": (
        "_constant",
        lambda exact, value, arithmetic: floats._as_given(exact, np.zeros(len(exact[0]))),
        "min(1000.1, 2048*x)", {},
    ),
    "arguments": (
        "_carried", lambda name, args, between, value: np.zeros(len(value[0])),
        "exp(4*(x + y/3))", {},
    ),
    "kernels": ("kernel_bound", lambda kernel: (0.0, 0.0), "log(x)",
                {"accuracy": 1e-3, "costs": SOFT}),
    "comparisons": ("_turned", lambda args, rounding: rounding, "ifless(x*y + 0.1, 0.7, x, y)", {}),
}  # fmt: skip


@pytest.mark.parametrize("rule", NO_ERROR)
def test_every_rule_is_needed(make, found, monkeypatch, rule):
    """Without it the bound falls below a difference that occurs."""
    name, nothing, text, options = NO_ERROR[rule]
    spec = make(text, PLANE, "float32", **options)
    whole, largest = rounding_claim(spec).bound, found(spec)
    if rule == "comparisons":
        # Beside the threshold every float is looked at: sampling hardly hits it.
        largest = _beside_threshold(spec)
    monkeypatch.setattr(floats, name, nothing)
    if rule == "arguments":  # the other way to the bound goes around it
        monkeypatch.setattr(
            floats, "_backward", lambda graph, held, slopes, arithmetic: held[-1].error
        )
    assert rounding_claim(spec).bound < largest <= whole


def _beside_threshold(spec) -> float:
    """The largest difference where x*y + 0.1 is about 0.7."""
    x = np.linspace(0.5, 3, 200_001).astype(np.float32)
    y = (np.float32(0.6) / x).astype(np.float32)
    points = np.column_stack([x, y]).astype(float)
    graph = spec.implementation.graph
    return float(np.abs(graph.evaluate(points, "float32") - spec.formula(points)).max())


def test_fusing_products_into_sums_stays_within_the_bound(make):
    spec = make("x*x - y*y", PLANE, "float32")
    rng = np.random.default_rng(2)
    x = rng.uniform(PLANE.low, PLANE.high, (20000, 2)).astype(np.float32).astype(float)
    square = (x[:, 1] * x[:, 1]).astype(np.float32)
    fused = (x[:, 0] * x[:, 0] - square).astype(np.float32)  # float64 holds the product
    exact = x[:, 0] ** 2 - x[:, 1] ** 2
    assert np.abs(fused - exact).max() <= rounding_claim(spec).bound


def test_where_a_difference_is_exact_nothing_is_counted(make):
    domain = Domain.box(x=(4, 7), y=(5, 8))
    assert rounding_claim(make("x - y", domain)).bound < 1e-30


def test_regions_bound_less_than_the_domain(make):
    spec = make("exp(3*x)*y", PLANE)
    low, high = np.array([[0.1, 0.5], [0.0, 0.5]]), np.array([[0.4, 1.0], [0.5, 2.0]])
    part = rounding_claim(spec, regions=Regions(low, high)).bound
    whole = rounding_claim(spec).bound
    x = np.random.default_rng(3).uniform(low[:, 1], high[:, 1], (20000, 2))
    x = x.astype(np.float32).astype(float)
    largest = np.abs(spec.implementation.graph.evaluate(x, "float32") - spec.formula(x)).max()
    assert largest <= part < whole / 100


def test_a_pole_has_no_bound_and_is_named(make):
    claim = rounding_claim(make("1/(x - 1.3) + y", PLANE))
    assert claim.bound == np.inf
    assert "x - 1.3" in claim.says
    assert "x in [1.29" in claim.says or "x in [1.3" in claim.says


def test_thresholds_of_inputs_cost_nothing(make):
    """A jump at an input's threshold: floats are on the same side of it as real numbers."""
    claim = rounding_claim(make("ifless(x, 0.7, 100, 200*y)", PLANE))
    assert claim.bound < 1e-4


def test_whole_inputs_are_exact(make):
    domain = Domain((Variable("n", -3, 1000, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    claim = rounding_claim(make("ifless(n, 10, b, 0.1*n)", domain))
    n = np.arange(10, 1001)
    largest = np.abs((np.float32(0.1) * n.astype(np.float32)).astype(float) - 0.1 * n).max()
    assert largest <= claim.bound < 4 * largest


def test_overflow_has_no_bound():
    domain = Domain.box(x=(1, 1e20))
    graph = build_graph(Formula.parse("x*x", domain))
    low = np.array([[1.0], [1e18], [3e19]])
    error = float_bounds(graph, Boxes(low, low * 2), "float32").error
    assert np.isfinite(error[:2]).all()
    assert error[2] == np.inf
    assert np.isfinite(float_bounds(graph, Boxes(low, low * 2), "double").error).all()


def test_a_constant_that_vanishes_is_counted(make):
    """A subnormal one, too: chips may read it as zero."""
    domain = Domain.box(x=(0, 2.0**126), y=(0, 2.0**126))
    small = 2.0**-130
    graph = build_graph(Formula.parse(f"x*{small!r}", domain))
    point = np.array([[2.0**120, 0.0]])
    error = float_bounds(graph, Boxes(point, point), "float32").error
    assert 2.0**-10 <= error[0] < 1.01 * 2.0**-10
    lost = build_graph(Formula.parse("x*1e-60 + x", domain))
    assert float_bounds(lost, Boxes(point, point), "float32").error[0] >= 2.0**120 * 1e-60
    assert 1e-60 <= rounding_claim(make("x + 1e-60", PLANE)).bound < 1e-5


def test_regions_of_other_inputs_are_refused(make):
    spec = make("x", PLANE)
    with pytest.raises(ExportError, match="inputs"):
        rounding_claim(spec, regions=Regions(np.zeros((3, 1)), np.ones((3, 1))))


def test_the_claim_says_what_it_rests_on(make):
    library = rounding_claim(make("sin(x)", PLANE))
    plain = rounding_claim(make("x*y", PLANE))
    assert any("within 4 ulp" in line and "library" in line for line in library.rests_on)
    assert not any("library" in line for line in plain.rests_on)
    assert library.meant.text == "sin(x)"


def test_an_angle_that_jumps_has_no_bound(make):
    """Where y changes its sign left of the origin, the sign of a zero is worth a whole turn."""
    around = Domain.box(y=(-1, 1), x=(-2, -1))
    assert rounding_claim(make("atan2(y, x)", around)).bound == np.inf
    beside = Domain.box(y=(0.5, 1), x=(-2, -1))
    assert rounding_claim(make("atan2(y, x)", beside)).bound < 1e-5


def test_rounded_thresholds_of_computed_values_are_counted():
    """The C compares with the next float32, the formula with the number itself."""
    domain = Domain.box(x=(0.5, 2), y=(0.5, 2))
    graph = lower(Formula.parse("ifless(x*y, 0.7, 0, 1)", domain), "float32")
    threshold = next(o.value for o in graph.operations if 0.69 < o.value < 0.71)
    assert threshold > 0.7  # rounded up, so that float32 numbers fall as before
    between = np.array([[1.0, (0.7 + threshold) / 2]])
    error = float_bounds(graph, Boxes(between, between), "float32").error
    assert error[0] >= 1.0


def test_a_function_of_our_own_without_a_bound_is_named(make, monkeypatch):
    spec = make("log(x)", PLANE, accuracy=1e-3, costs=SOFT)
    monkeypatch.setattr(floats, "kernel_bound", lambda kernel: (np.inf, 0.0))
    claim = rounding_claim(spec)
    assert claim.bound == np.inf
    assert "(x)` has no bound around x in [0.1" in claim.says


@pytest.mark.parametrize("text", ["atan(sqrt(y))", "tanh(log(y))*0", "min(1, asin(x))"])
def test_what_may_be_no_number_has_no_bound(make, text):
    assert rounding_claim(make(text, PLANE)).bound == np.inf


def test_a_branch_that_is_not_taken_may_be_no_number(make):
    claim = rounding_claim(make("ifless(y, 0.5, x, sqrt(y))", PLANE))
    assert claim.bound < 1e-6
