"""What is verified: a bundle on disk, and what it must answer where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.firmware.harness import Results, Signature
from distill.firmware.interface import Interface

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

    def edges(self, n: int, seed: int) -> Array:
        """Inputs at which C breaks first, in and far outside the domain, shape (about n, d).

        Every special value alone with the rest in the middle, then random mixtures of them. Where
        the caller must keep to the domain, only those that do.
        """
        middle, columns = self.middle(), self.specials()
        single = []
        for i, column in enumerate(columns):
            rows = np.tile(middle, (len(column), 1))
            rows[:, i] = column
            single.append(rows)
        rng = np.random.default_rng(seed)
        mixed = np.column_stack([rng.choice(column, n) for column in columns])
        return np.vstack([*single, mixed])

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

    ``fixed`` says whether it computes in fixed point, whatever it takes and returns.
    """

    model: Callable[[Array], Array]
    truth: Callable[[Array], Array] | None
    tolerance: float
    allowed_rounding: float
    fixed: bool

    @property
    def exact(self) -> bool:
        """Whether every bit of every answer is promised, on every chip."""
        return self.allowed_rounding == 0

    def difference(self, x: Array, results: Results) -> Array:
        """|C - Python's model| at x (n, d) in the output's unit, shape (n,); 0 for equal bits only.

        NaN on both sides and equal infinities differ by 0, NaN or infinity on one by infinity, and
        zeros of unlike signs by the smallest number there is.
        """
        with np.errstate(over="ignore"):
            expected = _in_chunks(self.model, x).astype(self.signature.dtype)
        found, wanted = self.interface.outputs(results), self.interface.outputs(expected)
        with np.errstate(invalid="ignore"):
            apart = np.abs(found - wanted)
        signs = (found == 0) & (wanted == 0) & (np.signbit(found) != np.signbit(wanted))
        apart = np.where(signs, np.finfo(float).smallest_subnormal, apart)
        same = ((found == wanted) & ~signs) | (np.isnan(found) & np.isnan(wanted))
        return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))

    def error(self, x: Array, results: Results) -> Array | None:
        """|C - truth| at x (n, d) in the output's unit, shape (n,).

        Infinite where C gives NaN; None without truth.
        """
        if self.truth is None:
            return None
        wanted = _in_chunks(self.truth, self.interface.domain.clip(self.interface.reals(x)))
        with np.errstate(invalid="ignore"):
            apart = np.abs(self.interface.outputs(results) - wanted)
        return np.where(np.isnan(apart), np.inf, apart)


def _in_chunks(function: Callable[[Array], Array], x: Array) -> Array:
    parts = [
        np.asarray(function(x[i : i + CHUNK]), dtype=float).reshape(-1)
        for i in range(0, len(x), CHUNK)
    ]
    return np.concatenate(parts)
