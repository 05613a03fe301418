"""The self-test's vectors: the inputs at which generated code fails first, and what it must answer.

Corners, edges, the last breakpoint and its neighbours, one unit in the last place inside and
outside every bound, NaN, infinities and both zeros, besides points of the inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.graph import dtype
from distill.firmware.lookup import breakpoints, held
from distill.firmware.passes import lower
from distill.firmware.rounding import rounding_bound
from distill.firmware.spec import BundleSpec, Mode, evaluate_bundle

INSIDE = 32
CORNERS = 16


@dataclass(frozen=True, eq=False)
class Answers:
    """What the C must answer in one mode: values (n,), each within ``allowed`` (n,)."""

    mode: Mode
    expected: Array
    allowed: Array


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs (n, d), numbers of the C's arithmetic, and the answers in every mode."""

    inputs: Array
    answers: tuple[Answers, ...]


def make_vectors(spec: BundleSpec) -> Vectors:
    """The vectors of a bundle, the same for equal specs."""
    inputs = _inputs(spec)
    return Vectors(inputs, tuple(_answers(spec, inputs, mode) for mode in spec.modes))


def _inputs(spec: BundleSpec) -> Array:
    domain, real = spec.domain, dtype(spec.arithmetic)
    middle = domain.clip((domain.low + domain.high)[None, :] / 2)[0]
    rows = [middle, *domain.corners()[:CORNERS], domain.high, *domain.sample(INSIDE, seed=0)]
    for i, variable in enumerate(domain.variables):
        low, high = real(variable.low), real(variable.high)
        special = [variable.low, variable.high]
        if not variable.discrete:
            special += [np.nextafter(low, high), np.nextafter(high, low)]
        if variable.low <= 0 <= variable.high:
            special += [0.0, -0.0]
        if spec.table is not None:
            special += list(breakpoints(domain, spec.table.counts)[i][-2:])
        if spec.policy.checked:
            special += [np.nextafter(low, real(-np.inf)), np.nextafter(high, real(np.inf))]
            special += [-np.inf, np.inf, np.nan, -0.0]
            special += [float(low) - 1e3 * float(high - low), float(high) + 0.25]
        for value in special:
            row = middle.copy()
            row[i] = value
            rows.append(row)
    if spec.policy.checked:
        rows.append(np.full(len(domain), np.nan))
    if spec.vectors is not None:
        rows += list(spec.vectors)
    with np.errstate(over="ignore"):
        held_rows = np.array(rows).astype(real)
    # By their bits: -0 is not 0, and NaN is itself.
    once = dict.fromkeys(row.tobytes() for row in held_rows)
    return np.frombuffer(b"".join(once), dtype=real).reshape(-1, len(domain)).astype(float)


def _answers(spec: BundleSpec, inputs: Array, mode: Mode) -> Answers:
    """The expected answers, and how far rounding (and no mistake) can move the C from them."""
    real = dtype(spec.arithmetic)
    unit = float(np.finfo(real).eps)
    expected = evaluate_bundle(spec, inputs, mode)
    # A compiler that fuses the table's last multiplication and addition rounds once less.
    allowed = np.zeros(len(inputs))
    if spec.table is not None:
        size = np.abs(spec.table.offset) + spec.table.scale * 65_535
        allowed += unit * (size if spec.table.quantised else 2 * np.abs(spec.table.values).max())
    if spec.formula is not None and mode != "table":
        inside = held(inputs, spec.domain, spec.arithmetic)
        inside = np.where(np.isnan(inside), spec.domain.low, inside)
        bound = rounding_bound(lower(spec.formula, spec.arithmetic), inside, spec.arithmetic)
        # Where rounding has no bound (the end of a square root) both sides keep the tolerance.
        allowed = np.maximum(allowed, np.minimum(bound, 2 * spec.tolerance))
    allowed = np.where(np.isfinite(expected), allowed + unit * np.abs(expected), 0.0)
    return Answers(mode, expected.astype(real).astype(float), allowed)
