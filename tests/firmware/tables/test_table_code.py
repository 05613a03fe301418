"""The C of tables against their model, bit for bit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.firmware.axes import Axis, Even, Whole
from distill.firmware.fixed.formats import input_format
from distill.firmware.graph import Arithmetic, dtype
from distill.firmware.lookup import Table
from distill.firmware.table_storing import store
from distill.firmware.uneven_axes import Placed, PowerOfTwo

PROPERTY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def inputs_of(table: Table, seed: int) -> np.ndarray:
    """Random points, corners, and every axis' bounds and breakpoints with their neighbours."""
    domain = table.domain
    rng = np.random.default_rng(seed)
    columns = []
    for axis in table.axes:
        variable, ends = axis.variable, axis.breakpoints()
        if axis.arithmetic == "fixed":
            step = input_format(variable).step
            near = np.concatenate([ends - step, ends, ends + step])
        else:
            real = dtype(axis.arithmetic)
            at = ends.astype(real)
            near = np.concatenate(
                [np.nextafter(at, real(-np.inf)), at, np.nextafter(at, real(np.inf))]
            ).astype(float)
        special = np.concatenate([near, [variable.low, variable.high]])
        columns.append(rng.choice(special, 2000))
    x = np.vstack([np.column_stack(columns), domain.corners()])
    inside = domain.low + rng.random((2000, len(domain))) * (domain.high - domain.low)
    return np.vstack([x, inside])


@st.composite
def variables(draw: st.DrawFn, name: str, arithmetic: Arithmetic) -> Variable:
    """A variable that float32 holds, too."""
    kind = draw(st.sampled_from(["continuous", "continuous", "integer", "boolean"]))
    if kind == "boolean":
        return Variable(name, 0, 1, kind="boolean")
    if kind == "integer":
        low = draw(st.integers(-3000, 3000))
        return Variable(name, low, low + draw(st.integers(1, 5000)), kind="integer")
    low = draw(st.floats(-1e6, 1e6, width=32))
    size = draw(st.floats(2.0**-20, 1e6, width=32))
    return Variable(name, low, low + max(size, 1e-3 * abs(low)))


@st.composite
def axes(draw: st.DrawFn, variable: Variable, arithmetic: Arithmetic, stored: str) -> Axis:
    """Any layout of an axis."""
    span = Axis(variable, arithmetic).span
    kinds = ["single"]
    if variable.discrete and variable.high - variable.low < 64:
        kinds.append("whole")
    if arithmetic != "fixed" or span >= 64:
        kinds.append("even")
        if stored != "float32":
            kinds += ["placed", "runs"]
    if arithmetic == "fixed" and span > 1:
        kinds.append("run")
    kind = draw(st.sampled_from(kinds))
    if kind == "whole":
        return Whole(variable, arithmetic)
    if kind == "even":
        return Even(variable, arithmetic, draw(st.integers(1, 12)), draw(st.booleans()))
    if kind == "run":
        bits = span.bit_length()
        shift = draw(st.integers(max(1, bits - 5), min(31, bits)))
        return PowerOfTwo(variable, arithmetic, (0,), (shift,), draw(st.booleans()))
    if kind == "placed":
        probe = Placed(variable, arithmetic, (0,))
        end = (probe.span >> probe.coarse) + 1
        starts = draw(st.sets(st.integers(1, end - 1), max_size=20))
        return Placed(variable, arithmetic, (0, *sorted(starts)))
    if kind == "runs":
        return draw(runs(variable, arithmetic))
    return Axis(variable, arithmetic)


@st.composite
def runs(draw: st.DrawFn, variable: Variable, arithmetic: Arithmetic) -> Axis:
    """Cells of powers of two, halved at random."""
    span = PowerOfTwo(variable, arithmetic, (0,), (1,)).span
    bits = min(31, span.bit_length())
    cells = [(start, bits) for start in range(0, span + 1, 1 << bits)]
    for _ in range(draw(st.integers(1, 10))):
        k = draw(st.integers(0, len(cells) - 1))
        start, shift = cells[k]
        if shift <= max(1, bits - 15):
            continue
        halves = [(start, shift - 1), (start + (1 << (shift - 1)), shift - 1)]
        cells[k : k + 1] = [half for half in halves if half[0] <= span]
    merged = [cells[0]]
    merged += [b for a, b in pairwise(cells) if a[1] != b[1]]
    return PowerOfTwo(
        variable, arithmetic, tuple(s for s, _ in merged), tuple(k for _, k in merged)
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table of up to three inputs, with any values."""
    arithmetic = draw(st.sampled_from(["float32", "double", "fixed"]))
    kinds = ["uint8", "uint16", "uint32"] + (["float32"] if arithmetic != "fixed" else [])
    stored = draw(st.sampled_from(kinds))
    chosen = [
        draw(variables(name, arithmetic)) for name in ("a", "b", "c")[: draw(st.integers(1, 3))]
    ]
    layout = tuple(draw(axes(variable, arithmetic, stored)) for variable in chosen)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([1e-3, 1.0, 300.0, 1e6]))
    count = int(np.prod([axis.values for axis in layout]))
    values = draw(st.sampled_from([-1.0, 0.0, 5.0])) * size + size * rng.random(count)
    return store(Domain(tuple(chosen)), layout, values, stored, arithmetic)


@PROPERTY
@given(table=tables(), seed=st.integers(0, 2**32 - 1))
def test_the_c_is_the_model_to_the_bit(
    table: Table, seed: int, same_bits: Callable[..., None]
) -> None:
    same_bits(table, inputs_of(table, seed))


@settings(parent=PROPERTY, max_examples=4)
@given(table=tables(), seed=st.integers(0, 2**32 - 1))
def test_another_compiler_agrees(table: Table, seed: int, same_bits: Callable[..., None]) -> None:
    same_bits(table, inputs_of(table, seed), [sys.executable, "-m", "ziglang", "cc"])
