"""How teacher, table and C behave along lines through each candidate's worst point.

Kept with the record, because a report is written where there may be neither teacher nor bundle.
The formula itself is at hand anywhere and is not kept.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array, Flags
from distill.domain import Domain, Variable
from distill.errors import StorageError
from distill.files import disk_errors
from distill.firmware.guard import Guard

SLICES = "slices.npz"

STEPS = 97
"""Points of a line; a discrete input has at most so many of its values."""

MOST_INPUTS = 6
"""With more inputs lines follow those that the teacher depends on most."""


@dataclass(frozen=True, eq=False)
class Slices:
    """For each of k candidates a line along each of s inputs, with m points each.

    Attributes
    ----------
    inputs : (s,), the inputs' columns.
    along : (s, m), their values; NaN behind the last of a discrete input.
    anchors : (k, d), the points that the lines go through, in the record's order of candidates.
    teacher, c, table : (k, s, m), what each answers; NaN where that is not known.
    """

    inputs: np.ndarray[tuple[int], np.dtype[np.intp]]
    along: Array
    anchors: Array
    teacher: Array
    c: Array
    table: Array

    def points(self, candidate: int, line: int) -> Array:
        """The points (m, d) of a line; those behind the last value stand at the anchor."""
        points = np.tile(self.anchors[candidate], (self.along.shape[1], 1))
        known = ~np.isnan(self.along[line])
        points[known, self.inputs[line]] = self.along[line][known]
        return points


@dataclass(frozen=True, eq=False)
class GuardCells:
    """The cells in which the table answers: ``flags`` over a grid with ``edges`` on each axis."""

    edges: tuple[Array, ...]
    flags: Flags

    @classmethod
    def of(cls, guard: Guard) -> GuardCells:
        """The cells of a bundle's guard."""
        edges = []
        for axis, count in enumerate(guard.counts):
            cells = np.zeros((count, len(guard.counts)))
            cells[:, axis] = np.arange(count)
            low, high = guard.box(cells)
            edges.append(np.append(low[:, axis], high[-1, axis]))
        return cls(tuple(edges), guard.flags)

    def shadow(self, first: int, second: int) -> Flags:
        """Whether any cell above a place of two inputs is guarded, (cells of first, of second)."""
        others = tuple(i for i in range(self.flags.ndim) if i not in (first, second))
        shadow: Flags = np.asarray(self.flags.any(axis=others))
        return shadow if first < second else shadow.T


def along(variable: Variable) -> Array:
    """The values (STEPS,) of an input on its line, NaN behind the last one of a discrete input."""
    values = variable.from_unit(np.linspace(0, 1, STEPS))
    if variable.discrete:
        values = np.unique(np.round(values))
    return np.concatenate([values, np.full(STEPS - len(values), np.nan)])


def anchor(domain: Domain, worst: tuple[float, ...]) -> Array:
    """The worst point (d,) that was found, or the middle of the domain where none was."""
    if len(worst) == len(domain) and np.isfinite(worst).all():
        return np.array(worst, dtype=float)
    middle = domain.from_unit(np.full((1, len(domain)), 0.5))[0]
    whole: Array = np.where(domain.discrete, np.floor(middle), middle)
    return whole


def save_slices(folder: Path, slices: Slices | None, guard: GuardCells | None) -> None:
    """Write ``slices.npz``; nothing where nothing is known.

    Raises
    ------
    StorageError : when the disk is full or the folder cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    if slices is not None:
        arrays = {name: getattr(slices, name) for name in Slices.__dataclass_fields__}
    if guard is not None:
        arrays["flags"] = guard.flags
        arrays |= {f"edges_{i}": edges for i, edges in enumerate(guard.edges)}
    if arrays:
        with disk_errors(folder):
            np.savez_compressed(folder / SLICES, **arrays)  # type: ignore[arg-type]


def load_slices(folder: Path) -> tuple[Slices | None, GuardCells | None]:
    """Read what :func:`save_slices` wrote; None for what is not there.

    Raises
    ------
    StorageError : when the file is broken.
    """
    path = folder / SLICES
    if not path.exists():
        return None, None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        fields = Slices.__dataclass_fields__
        slices = Slices(**{name: arrays[name] for name in fields}) if "along" in arrays else None
        if "flags" not in arrays:
            return slices, None
        flags = arrays["flags"]
        return slices, GuardCells(tuple(arrays[f"edges_{i}"] for i in range(flags.ndim)), flags)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StorageError(
            f"what the report draws is broken: {type(error).__name__}: {error}.",
            where=str(path),
            hint="delete the file; everything but its curves can be shown without it.",
        ) from error
