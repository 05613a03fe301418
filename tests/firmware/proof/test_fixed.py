"""Bounds of fixed point: every polynomial proven, every comparison counted, the door included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.bounds.boxes import Boxes as Regions
from distill.domain import Domain
from distill.firmware.door import to_float
from distill.firmware.fixed.formats import hold
from distill.firmware.proof import claim, rounding_claim
from distill.firmware.proof.fixed import fixed_bounds, proven
from distill.firmware.spec import evaluate_bundle

AIR = Domain.box(temperature=(10, 50, "°C"), humidity=(5, 99, "percent"))
PLANE = Domain.box(x=(0.1, 3), y=(-2, 2))
MAGNUS = (
    "243.04*(log(humidity/100) + 17.625*temperature/(243.04 + temperature))"
    "/(17.625 - log(humidity/100) - 17.625*temperature/(243.04 + temperature))"
)
NAMED = [
    (MAGNUS, AIR, 0.01, 4), ("sin(3*x + y)*exp(y)", PLANE, 1e-3, 4),
    ("acos(x/3)*y", PLANE, 0.01, 8), ("x^y + atan2(y, x)", PLANE, 0.01, 6),
    ("tanh(y)*cbrt(x) - sqrt(x)", PLANE, 1e-3, 6), ("tan(x/4)*y + asin(y/2)", PLANE, 0.01, 10),
    ("log(x)/(x + 5) + 1/(1 + 50*(y - 1)^2)", PLANE, 1e-3, 6),
    ("ifless(x, 1.7, y*y, y + 1)", PLANE, 1e-4, 4), ("cosh(y) - sinh(x)", PLANE, 1e-6, 4),
]  # fmt: skip


@pytest.mark.parametrize("interface", ["float", "integer"])
@pytest.mark.parametrize(("text", "domain", "accuracy", "ratio"), NAMED)
def test_named_formulas_are_bounded_closely(make, found, text, domain, accuracy, ratio, interface):
    spec = make(text, domain, "fixed", accuracy=accuracy, interface=interface)
    bound, largest = rounding_claim(spec).bound, found(spec)
    print(f"{interface} {text[:30]}: {bound:.3g} / {largest:.3g}")
    assert largest <= bound < ratio * largest


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    text=st.sampled_from(["sin({}*x)*y", "exp({}*y/4) + x", "sqrt(x + {})*y", "x/({} + y^2)",
                          "log(x + {})*atan(y)", "ifless(x, {}/3, y, x)", "min(y, {} - x)"]),
    constant=st.floats(0.2, 5), bits=st.integers(6, 18),
)  # fmt: skip
def test_no_difference_exceeds_the_bound(make, found, text, constant, bits):
    spec = make(text.format(repr(constant)), PLANE, "fixed", accuracy=2.0**-bits)
    assert found(spec) <= rounding_claim(spec).bound


def test_every_polynomial_is_compared_between_the_points(make):
    """One coefficient changed by more than its share, and the proof fails."""
    program = make("sin(3*x)*exp(y/3)", PLANE, "fixed", accuracy=1e-3).implementation.program
    pieces = [p for p in program.basis.pieces if len(p.coefficients) > 2]
    assert pieces
    for piece in pieces:
        assert proven(piece)
        middle = piece.coefficients[0] + 3 * piece.allowed
        assert not proven(replace(piece, coefficients=(middle, *piece.coefficients[1:])))
    wrong = replace(pieces[0], allowed=pieces[0].allowed / 2)
    basis = replace(program.basis, pieces=(wrong,))
    found = fixed_bounds(replace(program, basis=basis), floats=False)
    assert np.isinf(found.errors).all()
    assert "polynomial" in found.why


def test_an_input_that_rounds_over_a_threshold_is_counted(make):
    """Floats near zero are finer than the input's format: a jump there may be missed."""
    domain = Domain.box(x=(0, 1))
    jump = make("ifless(x, 0.001, 0, 1)", domain, "fixed", accuracy=0.01)
    x = np.nextafter(np.float32(0.001), np.float32(0)).astype(float)
    near = x - np.arange(40)[:, None] * 2.0**-34
    near = near.astype(np.float32).astype(float)
    held = jump.implementation.answers(near)
    assert np.abs(held - jump.formula(near)).max() > 0.99  # it happens
    assert rounding_claim(jump).bound >= 1.0
    far = make("ifless(x, 0.7, 0, 1)", domain, "fixed", accuracy=0.01)
    assert rounding_claim(far).bound < 0.01
    integers = make("ifless(x, 0.001, 0, 1)", domain, "fixed", accuracy=0.01, interface="integer")
    assert rounding_claim(integers).bound < 0.01


def test_the_float_made_of_the_result_is_counted(make):
    domain = Domain.box(x=(1, 3))
    spec = make("x*100.123456789", domain, "fixed", accuracy=1e-6)
    program = spec.implementation.program
    x = domain.sample(4000, seed=1).astype(np.float32).astype(float)
    q = program.evaluate(hold(x, domain))
    cut = np.abs(to_float(q, program.output) - program.output.reals(q)).max()
    assert 0.9 * claim._door(program) < cut <= claim._door(program)
    both = np.abs(evaluate_bundle(spec, x) - spec.formula(x)).max()
    assert program.error_bound < both <= rounding_claim(spec).bound


def test_regions_have_their_own_bound(make):
    spec = make("sqrt(x)*10", Domain.box(x=(0, 4)), "fixed", accuracy=0.01)
    regions = Regions(np.array([[1.0]]), np.array([[4.0]]))
    part = rounding_claim(spec, regions=regions).bound
    x = np.linspace(1, 4, 20001).astype(np.float32).astype(float)[:, None]
    largest = np.abs(evaluate_bundle(spec, x) - spec.formula(x)).max()
    assert largest <= part <= rounding_claim(spec).bound
    nowhere = Regions(np.zeros((1, 0)), np.zeros((1, 0)))
    assert rounding_claim(spec, regions=nowhere).bound < 1e-6


def test_a_program_of_unknown_origin_has_no_bound(make):
    program = make("x*y", PLANE, "fixed", accuracy=0.01).implementation.program
    found = fixed_bounds(replace(program, basis=None), floats=True)
    assert np.isinf(found.errors).all()
    assert "made" in found.why
