"""The numbers of a function of arrays, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.fixed.formats import QFormat
from distill.firmware.harness import Number, Results, Signature
from distill.firmware.interface import FloatInterface, IntegerInterface, Interface


@dataclass(frozen=True, eq=False)
class FloatVectors(FloatInterface):
    """``void NAME(const float *x, float *y)``; a label counts as one more result."""

    count: int = 1
    label: bool = False

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        return Signature(len(self.domain), self.number, self.count, True, self.label)


@dataclass(frozen=True, eq=False)
class IntegerVectors(IntegerInterface):
    """The same of integers, each output in a format of its own."""

    formats: tuple[QFormat, ...] = ()
    label: bool = False

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        return Signature(len(self.domain), "int32", len(self.formats), True, self.label)

    def outputs(self, results: Results) -> Array:
        """The values of results (n, columns); labels stand for themselves."""
        steps = [*(form.step for form in self.formats), *([1.0] if self.label else [])]
        values: Array = results.astype(np.float64) * np.array(steps)
        return values


def vector_interface(
    domain: Domain, number: Number, formats: tuple[QFormat, ...], count: int, label: bool
) -> Interface:
    """The interface of a function of ``count`` outputs; integers need the ``formats`` of all."""
    if number != "int32":
        return FloatVectors(domain, number, count, label)
    return IntegerVectors(domain, formats[0], formats, label)
