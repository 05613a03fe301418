"""What the integers of inputs mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.firmware.fixed.formats import (
    INPUT_BITS,
    LARGEST,
    QFormat,
    finest,
    hold,
    input_bounds,
    input_formats,
)


def test_rounds_to_the_nearest_halves_away_from_zero_and_stays_in_a_word() -> None:
    x = np.array([0.5, -0.5, 1.49, -1.5, 1e30, -1e30])
    assert QFormat(0).integers(x).tolist() == [1, -1, 1, -2, LARGEST, -LARGEST]
    assert QFormat(3).integers(np.array([0.1])).tolist() == [1]


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), kind=st.sampled_from(["c", "i"]))
@settings(max_examples=100, deadline=None)
def test_inputs_are_held_to_half_a_unit_and_inside_their_bounds(low, width, kind) -> None:
    if kind == "i":
        variable = Variable("x", round(low), round(low + width) + 1, kind="integer")
    else:
        variable = Variable("x", low, low + width)
    domain = Domain((variable,))
    (form,) = input_formats(domain)
    x = np.concatenate([domain.sample(64), domain.corners()])
    q = hold(x, domain)
    bounds = input_bounds(variable)
    assert ((q >= bounds[0]) & (q <= bounds[1])).all()
    assert (np.abs(form.reals(q[:, 0]) - x[:, 0]) <= form.step / 2 * (1 + 1e-9)).all()
    if kind == "c":
        assert 2 ** (INPUT_BITS - 2) <= np.abs(bounds).max() < 2**INPUT_BITS


def test_points_outside_are_moved_to_the_nearest_bound() -> None:
    domain = Domain.box(x=(0, 10))
    assert hold(np.array([[-5.0], [99.0]]), domain).ravel().tolist() == list(
        input_bounds(domain.variables[0])
    )


def test_a_magnitude_that_rounds_up_to_a_power_of_two_still_fits() -> None:
    low, high = -1.0, np.nextafter(1.0, 0)
    form = finest(low, high, 30)
    assert form.integers(np.array([high]))[0] < 2**30


@pytest.mark.parametrize("fraction", [-24, 0, 60])
def test_reals_are_exact(fraction: int) -> None:
    form = QFormat(fraction)
    q = np.array([-LARGEST, -1, 0, 1, LARGEST])
    assert (form.integers(form.reals(q)) == q).all()
    assert str(form) == f"Q{fraction}"
