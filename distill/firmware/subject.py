"""What is verified: a bundle on disk, and what it must answer where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.firmware.harness import Results, Signature

CHUNK = 100_000
"""Points given to Python's functions at once, so that memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A bundle and its promises; see :func:`distill.firmware.verify.verify_bundle`."""

    directory: Path
    name: str
    signature: Signature
    domain: Domain
    model: Callable[[Array], Array]
    truth: Callable[[Array], Array] | None
    tolerance: float
    allowed_rounding: float
    variants: tuple[str, ...]
    answers_everywhere: bool

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

    def difference(self, x: Array, results: Results) -> Array:
        """|C - Python's model| at x (n, d), shape (n,).

        NaN on both sides and equal infinities differ by 0, NaN or infinity on one by infinity.
        """
        # MIPS marks quiet NaNs as others mark signalling ones: reading them is no mistake.
        with np.errstate(invalid="ignore", over="ignore"):
            expected = _in_chunks(self.model, x).astype(self.signature.dtype)
            found, wanted = results.astype(float), expected.astype(float)
            apart = np.abs(found - wanted)
        same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
        return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))

    def error(self, x: Array, results: Results) -> Array | None:
        """|C - truth| at x (n, d), shape (n,); infinite where C gives NaN; None without truth."""
        if self.truth is None:
            return None
        wanted = _in_chunks(self.truth, self.domain.clip(x))
        with np.errstate(invalid="ignore"):
            apart = np.abs(results.astype(float) - wanted)
        return np.where(np.isnan(apart), np.inf, apart)

    def points(self, n: int, seed: int) -> Array:
        """N points of the domain with its corners, as C sees them and none outside, (>= n, d)."""
        x = np.vstack([self.domain.corners(), self.domain.sample(n, seed)])
        return self.inside(x)

    def inside(self, x: Array) -> Array:
        """Points rounded to C's type, those that left the domain by that moved back in."""
        real = self.signature.dtype.type
        low, high = self.domain.low, self.domain.high
        with np.errstate(over="ignore"):
            rounded = x.astype(real)
        rounded = np.where(rounded < low, np.nextafter(rounded, real(np.inf)), rounded)
        rounded = np.where(rounded > high, np.nextafter(rounded, real(-np.inf)), rounded)
        return rounded.astype(np.float64)

    def edges(self, n: int, seed: int) -> Array:
        """Inputs at which C breaks first, in and far outside the domain, shape (about n, d).

        Every special value alone with the rest in the middle, then random mixtures of them: NaN,
        infinities, both zeros, subnormals, the largest numbers, bounds and their neighbours. Where
        the caller must keep to the domain, only those that do.
        """
        real = self.signature.dtype.type
        limits = np.finfo(real)
        anywhere = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0**31, -(2.0**31), 2.0**63]
        for size in (limits.smallest_subnormal, limits.tiny, limits.max):
            anywhere += [float(size), -float(size)]
        middle = self.signature.round((self.domain.low + self.domain.high) / 2)
        columns = []
        for variable, center in zip(self.domain.variables, middle, strict=True):
            bounds = np.array([variable.low, variable.high]).astype(real)
            above, below = (np.nextafter(bounds, real(end)) for end in (np.inf, -np.inf))
            columns.append(np.array([*bounds, *above, *below, center, *anywhere]).astype(real))
        single = []
        for i, column in enumerate(columns):
            rows = np.tile(middle, (len(column), 1))
            rows[:, i] = column
            single.append(rows)
        rng = np.random.default_rng(seed)
        mixed = np.column_stack([rng.choice(column, n) for column in columns])
        edges = np.vstack([*single, mixed]).astype(np.float64)
        if self.answers_everywhere:
            return edges
        return self.inside(self.domain.clip(edges[self.domain.contains(edges)]))


def _in_chunks(function: Callable[[Array], Array], x: Array) -> Array:
    parts = [
        np.asarray(function(x[i : i + CHUNK]), dtype=float).reshape(-1)
        for i in range(0, len(x), CHUNK)
    ]
    return np.concatenate(parts)
