"""The self-test's vectors of a function of arrays: inputs, outputs within rounding, labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.cost import evenly
from distill.firmware.graph import dtype
from distill.firmware.holding import held
from distill.firmware.interface import Interface
from distill.firmware.vector.spec import (
    VectorSpec,
    evaluate_vector,
    labels_vector,
)
from distill.teachers.labels import LabelArray, margins_of

INSIDE = 32
CORNERS = 16

NUMBERS = 4096
"""Inputs and answers that are stored in all, so that small chips have room for them."""

FEWEST = 24
"""Vectors that are tried however many numbers each of them has."""

EITHER = -2
"""In the place of a label that rounding may turn."""


@dataclass(frozen=True, eq=False)
class ArrayVectors:
    """Inputs (n, d), numbers of the C's own type, and what the C must answer.

    ``expected`` (n, k), each within ``allowed`` (n, k); ``labels`` (n,), :data:`EITHER` where
    rounding may turn them, empty without classes.
    """

    inputs: Array
    expected: Array
    allowed: Array
    labels: LabelArray


def array_vectors(spec: VectorSpec) -> ArrayVectors:
    """The vectors of a bundle, the same for equal specs."""
    inputs = _inputs(spec)
    expected = evaluate_vector(spec, inputs)
    allowed = rounding_at(spec, inputs, expected)
    labels = np.zeros(0, dtype=np.int64)
    if spec.classes:
        labels = labels_vector(spec, inputs)
        if not spec.exact:
            doubt = allowed[:, 0] if len(spec.outputs) == 1 else 2 * allowed.max(axis=1)
            labels = np.where((labels >= 0) & (margins_of(expected) <= doubt), EITHER, labels)
    if spec.interface == "float":
        expected = expected.astype(dtype(spec.arithmetic)).astype(float)
    return ArrayVectors(inputs, expected, allowed, labels)


def rounding_at(spec: VectorSpec, inputs: Array, expected: Array) -> Array:
    """How far (n, k) rounding, and no mistake, can move the C from ``expected`` at inputs."""
    allowed = np.zeros(expected.shape)
    if spec.arithmetic == "fixed":
        return allowed
    inside = held(inputs, spec.domain, spec.arithmetic)
    inside = np.where(np.isnan(inside), spec.domain.low, inside)
    allowed = spec.content.rounding(inside)
    # Where rounding has no bound (the end of a square root) both sides keep the tolerance.
    allowed = np.minimum(allowed, 2 * np.array(spec.tolerance))
    unit = float(np.finfo(dtype(spec.arithmetic)).eps)
    allowed = allowed + unit * np.abs(expected)
    return np.where(np.isfinite(expected), allowed, 0.0)


def _inputs(spec: VectorSpec) -> Array:
    """Points inside, then every special value of an input with the others in the middle."""
    domain, interface = spec.domain, spec.numbers
    middle = domain.clip((domain.low + domain.high)[None, :] / 2)
    width = len(domain) + 2 * len(spec.outputs)
    most = max(FEWEST, NUMBERS // width)
    real = [*middle, *domain.corners()[:CORNERS], domain.high, *domain.sample(INSIDE, seed=0)]
    if spec.vectors is not None:
        real += list(spec.vectors)
    inside = interface.numbers(np.array(real))
    specials = _specials(spec, interface)
    room = max(most - len(specials), most // 2)
    rows = [*inside[evenly(len(inside), room)]]
    chosen = evenly(len(specials), most - min(len(rows), room))
    for at in np.arange(len(specials))[chosen].tolist():
        column, value = specials[at]
        rows.append(inside[0].copy())
        rows[-1][column] = value
    if spec.policy.checked:
        rows.append(np.full(len(domain), interface.worst))
    kind = interface.signature
    # By their bits: -0 is not 0, and NaN is itself.
    kept = dict.fromkeys(kind.pack(row[None, :]) for row in rows)
    return np.frombuffer(b"".join(kept), kind.dtype).reshape(-1, len(domain)).astype(float)


def _specials(spec: VectorSpec, interface: Interface) -> list[tuple[int, float]]:
    """The special values of every input, each with the number of the input."""
    checked = spec.policy.checked
    return [
        (i, value)
        for i in range(len(spec.domain))
        for value in (*interface.near(i), *(interface.beyond(i) if checked else ()))
    ]
