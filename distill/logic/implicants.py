"""Cubes that a function allows: all that are as large as can be, or just enough of them.

Prime implicants (Quine 1952) are read off an array with one place for each of the 3^n cubes. Where
that is too large, Minato and Morreale's irredundant sum (Minato 1992) takes its place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distill.logic.cubes import Truth

Digits = npt.NDArray[np.int8]


def primes(allowed: Truth) -> Digits:
    """All largest cubes inside ``allowed`` (2^n,), as digits (primes, n); 2 stands for either."""
    n = len(allowed).bit_length() - 1
    inside = allowed.reshape((2,) * n)
    for axis in range(n):
        inside = np.concatenate([inside, inside.all(axis=axis, keepdims=True)], axis=axis)
    prime = inside.copy()
    for axis in range(n):
        grown = np.take(inside, [2], axis=axis)
        prime[(slice(None),) * axis + (slice(0, 2),)] &= ~grown
    return np.argwhere(prime).astype(np.int8)


class TooMany(Exception):
    """The sum needs more cubes than are of use."""


def irredundant(on: Truth, allowed: Truth, most: int) -> Digits:
    """Cubes that cover ``on`` inside ``allowed``, none of which can be left out.

    Raises
    ------
    TooMany : when there are more than ``most`` before they are all found.
    """
    n = len(on).bit_length() - 1
    cubes, _ = _irredundant(on, allowed, most)
    return np.array(cubes, dtype=np.int8).reshape(len(cubes), n)


def _irredundant(on: Truth, allowed: Truth, most: int) -> tuple[list[tuple[int, ...]], Truth]:
    """Cubes and what they cover, by Shannon's expansion on the highest bit."""
    n = len(on).bit_length() - 1
    if not on.any():
        return [], np.zeros_like(on)
    if allowed.all():
        return [(2,) * n], np.ones_like(on)
    half = len(on) // 2
    on0, on1, allowed0, allowed1 = on[:half], on[half:], allowed[:half], allowed[half:]
    cubes0, covered0 = _irredundant(on0 & ~allowed1, allowed0, most)
    cubes1, covered1 = _irredundant(on1 & ~allowed0, allowed1, most)
    rest = (on0 & ~covered0) | (on1 & ~covered1)
    both, covered = _irredundant(rest, allowed0 & allowed1, most)
    found = [(d, *c) for d, cubes in ((0, cubes0), (1, cubes1), (2, both)) for c in cubes]
    if len(found) > most:
        raise TooMany
    return found, np.concatenate([covered0 | covered, covered1 | covered])
