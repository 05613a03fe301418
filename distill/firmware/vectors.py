"""The self-test's vectors: the inputs at which generated code fails first, and what it must answer.

Corners, edges, the last breakpoints, one unit in the last place inside and outside every bound,
NaN, infinities and both zeros (or the ends of 32 bits), besides points of the inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.graph import dtype
from distill.firmware.holding import held
from distill.firmware.interface import Interface, make_interface
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
    """Inputs (n, d), numbers of the C's own type, and the answers in every mode."""

    inputs: Array
    answers: tuple[Answers, ...]


def make_vectors(spec: BundleSpec) -> Vectors:
    """The vectors of a bundle, the same for equal specs."""
    interface = make_interface(spec.domain, spec.number, spec.output_format)
    inputs = _inputs(spec, interface)
    answers = _every_bit if spec.arithmetic == "fixed" else _rounded
    return Vectors(inputs, tuple(answers(spec, inputs, mode) for mode in spec.modes))


def _inputs(spec: BundleSpec, interface: Interface) -> Array:
    domain, signature = spec.domain, interface.signature
    middle = domain.clip((domain.low + domain.high)[None, :] / 2)[0]
    real = [middle, *domain.corners()[:CORNERS], domain.high, *domain.sample(INSIDE, seed=0)]
    steps = [] if spec.table is None else [axis.breakpoints() for axis in spec.table.axes]
    rows = list(interface.numbers(np.array(real)))
    center = rows[0]
    for i in range(len(domain)):
        special = interface.near(i)
        if steps:
            at = np.tile(middle, (2, 1))
            at[:, i] = steps[i][-2:]
            special += list(interface.numbers(at)[:, i])
        if spec.policy.checked:
            special += interface.beyond(i)
        for value in special:
            row = center.copy()
            row[i] = value
            rows.append(row)
    if spec.policy.checked:
        rows.append(np.full(len(domain), interface.worst))
    if spec.vectors is not None:
        rows += list(interface.numbers(spec.vectors))
    # By their bits: -0 is not 0, and NaN is itself.
    kept = dict.fromkeys(signature.pack(row[None, :]) for row in rows)
    return np.frombuffer(b"".join(kept), signature.dtype).reshape(-1, len(domain)).astype(float)


def _every_bit(spec: BundleSpec, inputs: Array, mode: Mode) -> Answers:
    """Integers inside: the same bits on every chip, whatever the compiler does to floats."""
    return Answers(mode, evaluate_bundle(spec, inputs, mode), np.zeros(len(inputs)))


def _rounded(spec: BundleSpec, inputs: Array, mode: Mode) -> Answers:
    """The expected answers, and how far rounding (and no mistake) can move the C from them."""
    real = dtype(spec.arithmetic)
    unit = float(np.finfo(real).eps)
    expected = evaluate_bundle(spec, inputs, mode)
    # A compiler that fuses the table's last multiplication and addition rounds once less.
    allowed = np.zeros(len(inputs))
    if spec.table is not None:
        allowed += unit * spec.table.largest
    if spec.implementation is not None and mode != "table":
        inside = held(inputs, spec.domain, spec.arithmetic)
        inside = np.where(np.isnan(inside), spec.domain.low, inside)
        bound = spec.implementation.rounding(inside)
        # Where rounding has no bound (the end of a square root) both sides keep the tolerance.
        allowed = np.maximum(allowed, np.minimum(bound, 2 * spec.tolerance))
    allowed = np.where(np.isfinite(expected), allowed + unit * np.abs(expected), 0.0)
    return Answers(mode, expected.astype(real).astype(float), allowed)
