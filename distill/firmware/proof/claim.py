"""What is proven of the C's arithmetic: from a bundle's formula to the claim."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.bounds.boxes import Boxes as Regions
from distill.domain import Domain
from distill.errors import ExportError
from distill.figures import upward
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, dtype
from distill.firmware.implementation import FixedImplementation, FloatImplementation
from distill.firmware.proof.base import (
    IEEE,
    INTEGERS,
    LIBRARY,
    NUMPY,
    RoundingClaim,
    float_door,
)
from distill.firmware.proof.boxes import begun, settle
from distill.firmware.proof.fixed import fixed_bounds
from distill.firmware.proof.floats import float_bounds
from distill.firmware.proof.gappa import gappa_bound
from distill.firmware.proof.meant import read_back
from distill.firmware.ranges import Boxes, describe, used_columns
from distill.firmware.spec import BundleSpec

_FIRST_BOXES, _MOST_BOXES = 512, 8192


@dataclass(frozen=True)
class _Found:
    """A bound with the reason where it is infinite, and what it rests on."""

    bound: float
    why: str
    rests_on: tuple[str, ...]


def rounding_claim(spec: BundleSpec, *, regions: Regions | None = None) -> RoundingClaim:
    """A proven bound of |what the C's formula answers - what it means in real numbers|.

    x is what the C's caller gives: a number of its floats in the domain, or for an interface of
    integers any real number of the domain that the integer stands for.

    Parameters
    ----------
    regions : boxes, (d, n), in which the formula answers; None is the whole domain.

    Raises
    ------
    ExportError : for a bundle without a formula, or regions of other inputs.
    """
    implementation = spec.implementation
    if spec.formula is None or implementation is None:
        raise ExportError(
            f"`{spec.name}` has no formula whose rounding could be bounded.",
            hint="its table has a bound of its own.",
        )
    if regions is not None and regions.inputs != len(spec.domain):
        raise ExportError(f"the regions have {regions.inputs} inputs, not {len(spec.domain)}.")
    if isinstance(implementation, FixedImplementation):
        assert implementation.program.basis is not None  # plans note it
        graph = implementation.program.basis.graph
        found = _fixed(implementation.program, spec.number != "int32", regions)
    else:
        assert isinstance(implementation, FloatImplementation)  # there are two of them
        graph = implementation.graph
        found = _floats(graph, implementation.arithmetic, spec.domain, regions)
    return RoundingClaim(
        found.bound,
        _says(found.bound, found.why, spec, implementation),
        (*found.rests_on, NUMPY),
        read_back(graph, spec.domain),
    )


def _says(bound: float, why: str, spec: BundleSpec, implementation: object) -> str:
    fixed = isinstance(implementation, FixedImplementation)
    how = "32-bit integers" if fixed else spec.arithmetic
    if not math.isfinite(bound):
        return f"nothing could be proven of the rounding in {how}: {why}"
    unit = f" {spec.output_unit}" if spec.output_unit else ""
    door = ", the rounding of its inputs and its result included" if fixed else ""
    return f"the C computes the formula in {how} to within {upward(bound)}{unit}{door}"


def _floats(
    graph: Graph, arithmetic: Arithmetic, domain: Domain, regions: Regions | None
) -> _Found:
    """The bound by boxes; by Gappa where that is smaller."""
    rests_on = (IEEE, LIBRARY) if graph.uses_libm else (IEEE,)
    if regions is not None and regions.count == 0:
        return _Found(0.0, "", rests_on)
    columns = used_columns(graph)
    first = begun(domain, _FIRST_BOXES, columns) if regions is None else _rows(regions)
    boxes = _cut(first, graph, domain, dtype(arithmetic))
    most = max(_MOST_BOXES, 2 * len(boxes))
    settled = settle(
        lambda part: float_bounds(graph, part, arithmetic).error, boxes, domain, columns, most
    )
    if not math.isfinite(settled.worst):
        low, high = settled.place
        worst = float_bounds(graph, Boxes(low[None], high[None]), arithmetic)
        at = int(worst.culprit[0])
        what = describe(graph, at if at >= 0 else len(graph.operations) - 1)
        place = ", ".join(
            f"{v.name} in [{a:.6g}, {b:.6g}]"
            for v, a, b in zip(domain.variables, low, high, strict=True)
        )
        return _Found(math.inf, f"`{what}` has no bound around {place}", rests_on)
    other = gappa_bound(graph, domain) if arithmetic == "float32" and regions is None else None
    if other is not None and other < settled.worst:
        tool = "Gappa, which gave the smallest bound, and numbers that are not flushed to zero"
        return _Found(other, "", (*rests_on, tool))
    return _Found(settled.worst, "", rests_on)


def _rows(regions: Regions) -> Boxes:
    """Boxes as this room has them: one a row."""
    return Boxes(np.ascontiguousarray(regions.low.T), np.ascontiguousarray(regions.high.T))


def _cut(boxes: Boxes, graph: Graph, domain: Domain, real: type[np.floating[Any]]) -> Boxes:
    """The boxes, none of which has floats on both sides of an input's threshold."""
    for operation in graph.operations:
        if operation.name != "ifless":
            continue
        left, right = (graph.operations[a] for a in operation.args[:2])
        if left.name == INPUT and right.name == CONSTANT:
            # x < c: what is below c ends at its neighbour.
            upper = right.value
            lower = float(np.nextafter(real(upper), real(-np.inf)))
            boxes = _halved(boxes, left.column, lower, upper)
        elif left.name == CONSTANT and right.name == INPUT:
            lower = left.value
            upper = float(np.nextafter(real(lower), real(np.inf)))
            boxes = _halved(boxes, right.column, lower, upper)
    return boxes


def _halved(boxes: Boxes, column: int, lower: float, upper: float) -> Boxes:
    """Boxes around a threshold as those up to ``lower`` and those from ``upper``."""
    around = (boxes.low[:, column] <= lower) & (boxes.high[:, column] >= upper)
    below, above = boxes.high.copy(), boxes.low.copy()
    below[around, column], above[around, column] = lower, upper
    return Boxes(
        np.concatenate([boxes.low, above[around]]), np.concatenate([below, boxes.high[around]])
    )


def _fixed(program: FixedProgram, floats: bool, regions: Regions | None) -> _Found:
    """The bound of the integers, and of the float made of the result."""
    rests_on = (INTEGERS,)
    found = fixed_bounds(program, floats=floats)
    errors = found.errors
    if regions is not None:
        errors = errors[_touched(found.boxes, _rows(regions))]
    door = _door(program) if floats else 0.0
    return _Found(float(errors.max(initial=0.0)) + door, found.why, rests_on)


def _touched(boxes: Boxes, regions: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes (m,) have a point in common with a region."""
    touched = np.zeros(len(boxes), dtype=bool)
    for low, high in zip(regions.low, regions.high, strict=True):
        touched |= ((boxes.low <= high) & (boxes.high >= low)).all(axis=1)
    return touched


def _door(program: FixedProgram) -> float:
    """What the result may lose as a float32."""
    last = program.steps[-1]
    return float_door(max(abs(last.low), abs(last.high)), program.output.fraction)
