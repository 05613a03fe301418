"""Functions with a running error: no float32 that the C may have is further off than is said."""

from __future__ import annotations

import numpy as np
import pytest

from distill.chain.functions import FUNCTIONS
from distill.chain.steps.elementwise import Apply
from distill.firmware.proof.chains.functions import RULES, applied
from distill.firmware.proof.chains.running import Machine, Running

ROWS, BOXES, DRAWS = 6, 300, 60
MACHINE = Machine("float32")

ABOVE = {"log": 0.01, "sqrt": 0.01, "inv": 0.01, "log1p": -0.9}
"""Where functions have values only above a number."""

PARAMETERS = {"leaky_relu": 0.1, "elu": 0.7}


def boxes(name: str, rng: np.random.Generator) -> Running:
    """Intervals of all sizes and errors, some of them 0."""
    shape = (ROWS, BOXES)
    centre, radius = 4 * rng.normal(size=shape), np.exp(rng.uniform(-9, 1, shape))
    error = np.exp(rng.uniform(-20, -5, shape)) * (rng.random(shape) < 0.6)
    low = centre - radius
    if name in ABOVE:
        low = np.abs(centre) + ABOVE[name] + 0.05
    return Running(low, low + 2 * radius, error)


def test_every_function_has_a_rule() -> None:
    assert set(RULES) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(RULES))
def test_no_float_is_further_off(name: str) -> None:
    rng = np.random.default_rng(7)
    x, parameter = boxes(name, rng), PARAMETERS.get(name, 0.0)
    found = applied(Apply(name, ROWS, parameter), x, MACHINE)
    value, closest = FUNCTIONS[name].value, np.zeros(x.low.shape)
    for _ in range(DRAWS):
        place = rng.choice([0.0, 1.0, 0.5, rng.random()], size=x.low.shape)
        point = np.clip(x.low + (x.high - x.low) * place, x.low, x.high)
        seen = np.float32(point + x.error * rng.uniform(-1, 1, x.low.shape))
        seen = np.where(x.error == 0, np.float32(point), seen)
        # Where nothing is lost on the way the exact number is the float itself.
        point = np.where(x.error == 0, seen.astype(float), point)
        inside = (x.low <= point) & (point <= x.high)
        inside &= np.abs(seen.astype(float) - point) <= x.error
        exact = value(point, parameter)
        off = np.abs(value(seen, np.float32(parameter)).astype(float) - exact)
        assert (off <= found.error)[inside].all()
        assert ((found.low <= exact) & (exact <= found.high))[inside].all()
        share = np.divide(off, found.error, out=np.zeros_like(off), where=found.error > 0)
        closest = np.maximum(closest, np.where(inside, share, 0.0))
    if name != "sign":  # nothing is lost but where an argument may have either sign
        assert closest.max() > 0.8


def test_a_sign_that_rounding_may_turn_is_off_by_two() -> None:
    x = Running(np.array([[0.5, -1e-9]]), np.array([[1.0, 1e-9]]), np.array([[0.1, 1e-6]]))
    assert applied(Apply("sign", 1), x, MACHINE).error.tolist() == [[0.0, 2.0]]


@pytest.mark.parametrize(("name", "low"), [("log", 0.0), ("inv", -1.0), ("sqrt", -1e-3)])
def test_poles_and_missing_values_have_no_bound(name: str, low: float) -> None:
    x = Running.exact(np.array([[low]]), np.array([[1.0]]))
    assert applied(Apply(name, 1), x, MACHINE).error[0, 0] == np.inf


def test_what_overflows_has_no_bound() -> None:
    x = Running.exact(np.array([[0.0, 0.0]]), np.array([[80.0, 100.0]]))
    error = applied(Apply("exp", 1), x, MACHINE).error[0]
    assert np.isfinite(error[0])
    assert error[1] == np.inf
