"""The C of guards against their model, and how small they are packed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.firmware.axes import Axis
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.guard_code import guard_arrays
from distill.firmware.table_file import guard_from_data, guard_to_data

DOMAIN = Domain(
    (
        Variable("a", -3.5, 12.25),
        Variable("b", -2, 300, kind="integer"),
        Variable("c", 0, 1, kind="boolean"),
    )
)


def fixed_counts(wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The counts that cells of powers of two give, at most so many."""
    counts = []
    for variable, most in zip(DOMAIN.variables, wanted, strict=True):
        span = Axis(variable, "fixed").span
        shift = next(k for k in range(33) if (span >> k) + 1 <= most)
        counts.append((span >> shift) + 1)
    return tuple(counts)


def points(seed: int) -> np.ndarray:
    inside = DOMAIN.sample(3000, seed=seed)
    a = np.linspace(-3.5, 12.25, 801)
    edges = np.column_stack([a, np.resize([-2.0, 300.0, 7.0], 801), np.resize([0.0, 1.0], 801)])
    return np.vstack([DOMAIN.corners(), inside, edges])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    arithmetic=st.sampled_from(["float32", "double", "fixed"]),
    counts=st.tuples(st.integers(1, 20), st.sampled_from([1, 7, 303]), st.integers(1, 2)),
    density=st.sampled_from([0.0, 0.001, 0.2, 1.0]),
    seed=st.integers(0, 1000),
)
def test_the_c_is_the_model(
    arithmetic: Arithmetic,
    counts: tuple[int, ...],
    density: float,
    seed: int,
    guarded_by_c: Callable[..., np.ndarray],
) -> None:
    if arithmetic == "fixed":
        counts = fixed_counts(counts)
    flags = np.random.default_rng(seed).random(counts) < density
    guard = Guard(DOMAIN, flags, arithmetic)
    x = points(seed)
    np.testing.assert_array_equal(guarded_by_c(guard, x).astype(bool), guard(x))


def test_a_few_boxes_are_stored_as_boxes_and_scattered_cells_as_bits() -> None:
    flags = np.zeros((64, 64, 1), dtype=bool)
    flags[3:9, 10:40] = True
    flags[50, :] = True
    domain = Domain.box(a=(0, 1), b=(0, 1), c=(0, 1))
    guard = Guard(domain, flags)
    assert guard.as_boxes
    assert guard.packed.tolist() == [3, 8, 10, 39, 50, 50, 0, 63]
    assert guard.bytes == 8
    rng = np.random.default_rng(0)
    scattered = Guard(domain, rng.random((64, 64, 1)) < 0.3)
    assert not scattered.as_boxes
    assert scattered.bytes == 64 * 64 / 8
    assert guard_arrays(scattered, "f")[0].declaration == "static const uint8_t f_guard[512]"


@pytest.mark.parametrize("density", [0.0, 0.05, 0.5, 1.0])
def test_boxes_cover_the_flags_and_nothing_else(density: float) -> None:
    flags = np.random.default_rng(3).random((9, 5, 6)) < density
    guard = Guard(Domain.box(a=(0, 1), b=(0, 1), c=(0, 1)), flags)
    covered = np.zeros_like(flags)
    for a, b, c, d, e, f in guard.boxes.reshape(-1, 6).astype(int):
        covered[a : b + 1, c : d + 1, e : f + 1] = True
    np.testing.assert_array_equal(covered, flags)


def test_a_guard_comes_back_from_data() -> None:
    guard = Guard(DOMAIN, np.random.default_rng(1).random((4, 3, 2)) < 0.5, "double")
    again = guard_from_data(*guard_to_data(guard), DOMAIN)
    np.testing.assert_array_equal(again.flags, guard.flags)
    assert again.arithmetic == "double"
