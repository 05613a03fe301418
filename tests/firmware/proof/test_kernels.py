"""Own functions in float32 against what they stand for: proven, and not far above what is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.graph import build_graph
from distill.firmware.kernels.arctangent import Arctangent
from distill.firmware.kernels.base import Words
from distill.firmware.kernels.curve import Curve, fit_curve
from distill.firmware.kernels.design import design
from distill.firmware.kernels.exponential import Exponential
from distill.firmware.kernels.logarithm import Logarithm
from distill.firmware.kernels.wave import Wave
from distill.firmware.proof.kernels import kernel_bound
from distill.formula import Formula

WORDS = Words(False, 5.0, 8.0, 1.0, 90.0)


def _kernel(text: str, low: float, high: float, absolute: float, relative: float = 0.0):
    meaning = build_graph(Formula.parse(text, Domain.box(x=(low, high))))
    return design(meaning, low, high, absolute, relative or absolute, WORDS)


CASES = [
    ("sqrt(x)*3", 1, 2, 1e-3, Curve), ("17.6*x/(243 + x)", -20, 60, 1e-5, Curve),
    ("1/(2 + x)", -1, 1, 1e-4, Curve), ("3*log(x)", 1e-4, 900, 1e-3, Logarithm),
    ("log(2*x) + 1", 0.01, 90, 1e-6, Logarithm), ("exp(x)", -20, 20, 1e-3, Exponential),
    ("0.5*exp(-3*x)", -5, 12, 1e-6, Exponential), ("sin(x)", -40, 40, 1e-3, Wave),
    ("2*cos(5*x + 1) + 3", -30, 30, 1e-5, Wave), ("atan(x)", -50, 50, 1e-3, Arctangent),
    ("2*atan(x) - 1", -50, 90, 1e-5, Arctangent),
]  # fmt: skip


def _found(kernel, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|kernel - meaning| and |meaning| at the floats nearest to x inside its range."""
    floats = x.astype(np.float32)
    floats = floats[(floats >= kernel.low) & (floats <= kernel.high)]
    exact = kernel.exact(floats.astype(float))
    return np.abs(kernel.evaluate(floats).astype(float) - exact), np.abs(exact)


@pytest.mark.parametrize(("text", "low", "high", "error", "kind"), CASES)
def test_the_bound_holds_closely(text, low, high, error, kind):
    kernel = _kernel(text, low, high, error)
    assert type(kernel) is kind
    absolute, relative = kernel_bound(kernel)
    apart, size = _found(kernel, np.linspace(low, high, 300_001))
    allowed = absolute + relative * size
    tightness = float((apart / allowed).max())
    print(f"{text}: {tightness:.2f} of the bound found")
    assert 0.25 < tightness <= 1.0


@pytest.mark.parametrize(("text", "low", "high", "error", "kind"), CASES)
def test_a_wrong_coefficient_moves_the_bound(text, low, high, error, kind):
    """The proof looks at the integers that are printed, and not at what they were made from."""
    kernel = _kernel(text, low, high, error)
    first, *others = kernel.horner.coefficients
    step = max(1, round(0.02 * abs(first)))
    horner = replace(kernel.horner, coefficients=(first - step, *others))
    changed = replace(kernel, horner=horner)
    apart, size = _found(changed, np.linspace(low, high, 100_001))
    before, after = kernel_bound(kernel), kernel_bound(changed)
    assert (apart > before[0] + before[1] * size).any()
    assert (apart <= after[0] + after[1] * size).all()


def test_integers_that_leave_their_word_have_no_bound():
    kernel = _kernel("sqrt(x)*3", 1, 2, 1e-3)
    others = kernel.horner.coefficients[1:]
    beyond = replace(kernel.horner, coefficients=(2 ** (kernel.horner.bits - 1), *others))
    assert kernel_bound(replace(kernel, horner=beyond))[0] == np.inf


def test_between_the_points_of_a_fit():
    """A function with a spike narrower than the grid that its polynomial was fitted on."""
    text = "x + 0.01/(1 + 1e15*(x - 0.1234567)^2)"
    meaning = build_graph(Formula.parse(text, Domain.box(x=(0, 1))))
    kernel = fit_curve(meaning, 0.0, 1.0, 1e-4, False, 0.8)
    assert kernel is not None
    assert kernel.error < 1e-4
    assert kernel_bound(kernel)[0] > 0.009
