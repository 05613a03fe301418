"""What is verified: a bundle on disk, and what it must answer where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.firmware.harness import Results, Signature
from distill.firmware.interface import Interface

Limit = float | Array
"""A number for the one output, or (k,) with one for each."""

SINGLE = 4096
"""Edge inputs of one special value."""

CHUNK = 100_000
"""Points given to Python's functions at once, so that memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class Code:
    """A bundle's C, and what may be given to it.

    Points (n, d) are float64 that hold the C's own numbers: integers where it takes integers.
    """

    directory: Path
    name: str
    interface: Interface
    variants: tuple[str, ...]
    answers_everywhere: bool
    seconds: float

    @property
    def signature(self) -> Signature:
        """The C function's arguments."""
        return self.interface.signature

    @property
    def header(self) -> Path:
        """The header of the function."""
        return self.directory / f"{self.name}.h"

    @property
    def source(self) -> Path:
        """The C file of the function."""
        return self.directory / f"{self.name}.c"

    @property
    def selftest(self) -> Path:
        """The C file of ``int NAME_selftest(void)``."""
        return self.directory / f"{self.name}_selftest.c"

    @property
    def main(self) -> Path:
        """The C file of the program that runs the self-test."""
        return self.directory / "main.c"

    def points(self, n: int, seed: int) -> Array:
        """N points of the domain with its corners, as C sees them and none outside, (>= n, d)."""
        domain = self.interface.domain
        return self.interface.inside(np.vstack([domain.corners(), domain.sample(n, seed)]))

    def edges(self, n: int, seed: int, single: int = SINGLE) -> Array:
        """Inputs at which C breaks first, in and far outside the domain, shape (about n, d).

        Every special value alone with the rest in the middle (of many inputs about ``single`` of
        them), then random mixtures of them. Where the caller must keep to the domain, only those
        that do.
        """
        middle, columns = self.middle(), self.specials()
        # Of every input the values that stand at these places, first one input, then the next.
        places = [(i, value) for i, column in enumerate(columns) for value in column]
        places = places[:: max(len(places) // single, 1)]
        alone = np.tile(middle, (len(places), 1))
        for row, (i, value) in zip(alone, places, strict=True):
            row[i] = value
        rng = np.random.default_rng(seed)
        mixed = np.column_stack([rng.choice(column, n) for column in columns])
        return np.vstack([alone, mixed])

    def middle(self) -> Array:
        """The middle of the domain (d,), as C sees it."""
        domain = self.interface.domain
        middle: Array = self.interface.inside((domain.low + domain.high)[None, :] / 2)[0]
        return middle

    def specials(self) -> list[Array]:
        """The special values of every input, as C sees them, that may be given to it."""
        interface, middle = self.interface, self.middle()
        columns = []
        for i, variable in enumerate(interface.domain.variables):
            low, high = interface.low[i], interface.high[i]
            special = [*interface.near(i), *interface.beyond(i), *interface.extremes()]
            values = [low, high, middle[i], *special]
            column = self.signature.round(np.array(values))
            if not self.answers_everywhere:
                column = column[(column >= low) & (column <= high)]
                column = np.round(column) if variable.discrete else column
            columns.append(column)
        return columns


@dataclass(frozen=True, eq=False)
class Subject(Code):
    """The same with its promises; see :func:`distill.firmware.verify.verify_bundle`.

    ``fixed`` says whether it computes in fixed point, whatever it takes and returns; ``outputs``
    are the names of several.
    """

    model: Callable[[Array], Array]
    truth: Callable[[Array], Array] | None
    tolerance: Limit
    allowed_rounding: Limit
    fixed: bool
    outputs: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every bit of every answer is promised, on every chip."""
        return not np.any(self.allowed_rounding)

    def difference(self, x: Array, results: Results) -> Array:
        """|C - Python's model| at x (n, d) in the outputs' units, shaped as the results are."""
        with np.errstate(over="ignore"):
            expected = self._in_chunks(self.model, x, results).astype(self.signature.dtype)
        return self.apart(self.interface.outputs(results), self.interface.outputs(expected))

    def error(self, x: Array, results: Results) -> Array | None:
        """|C - truth| at x (n, d) in the outputs' units, shaped as the results are.

        Infinite where C gives NaN; None without truth.
        """
        if self.truth is None:
            return None
        real = self.interface.domain.clip(self.interface.reals(x))
        return self.off(self.interface.outputs(results), self._in_chunks(self.truth, real, results))

    def apart(self, found: Array, wanted: Array) -> Array:
        """How far the C's outputs are from the model's: 0 for equal bits only.

        NaN on both sides and equal infinities differ by 0, NaN or infinity on one by infinity, and
        zeros of unlike signs by the smallest number there is.
        """
        with np.errstate(invalid="ignore"):
            apart = np.abs(found - wanted)
        signs = (found == 0) & (wanted == 0) & (np.signbit(found) != np.signbit(wanted))
        apart = np.where(signs, np.finfo(float).smallest_subnormal, apart)
        same = ((found == wanted) & ~signs) | (np.isnan(found) & np.isnan(wanted))
        return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))

    def off(self, found: Array, wanted: Array) -> Array:
        """How far the C's outputs are from the truth's; infinite where either is NaN."""
        with np.errstate(invalid="ignore"):
            apart = np.abs(found - wanted)
        return np.where(np.isnan(apart), np.inf, apart)

    def _in_chunks(self, function: Callable[[Array], Array], x: Array, results: Results) -> Array:
        """The answers of a function at x (n, d), shaped as ``results`` are."""
        parts = [
            np.asarray(function(x[i : i + CHUNK]), dtype=float).reshape(-1, *results.shape[1:])
            for i in range(0, len(x), CHUNK)
        ]
        return np.concatenate(parts)
