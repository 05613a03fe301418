"""Products of bits, and sums of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Truth = npt.NDArray[np.bool_]
"""(2^n,): the value for each word of n bits, the first variable its highest bit."""

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cubes:
    """A sum of products: 1 where ``word & masks[i] == values[i]`` for an i.

    Attributes
    ----------
    inputs : how many bits a word has.
    masks, values : (cubes,).
    proven : whether no sum has fewer cubes and literals; else it is only irredundant.
    """

    inputs: int
    masks: Whole
    values: Whole
    proven: bool = True

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def literals(self) -> int:
        """How many bits the products read."""
        return sum(int(mask).bit_count() for mask in self.masks)

    def truth(self) -> Truth:
        """The values for all words, (2^n,)."""
        return _covered(self.inputs, self.masks, self.values)


@dataclass(frozen=True, eq=False)
class Cover:
    """Several functions as sums of products, products shared.

    Attributes
    ----------
    inputs : how many bits a word has.
    masks, values : (cubes,).
    sums : for each function the numbers of its cubes.
    inverted : (functions,), 1 where the sum is the function's opposite.
    proven : whether no cubes, for these choices of ``inverted``, are cheaper together.
    """

    inputs: int
    masks: Whole
    values: Whole
    sums: tuple[Whole, ...]
    inverted: Whole
    proven: bool

    def truth(self) -> Truth:
        """The values of the functions for all words, (2^n, functions)."""
        sums = [_covered(self.inputs, self.masks[s], self.values[s]) for s in self.sums]
        return np.stack(sums, axis=1) ^ self.inverted.astype(np.bool_)


def _covered(inputs: int, masks: Whole, values: Whole) -> Truth:
    """Where one of the cubes holds, for all words, (2^n,)."""
    words = np.arange(1 << inputs)
    found = np.zeros(len(words), dtype=np.bool_)
    for mask, value in zip(masks, values, strict=True):
        found |= words & mask == value
    return found


def cubes_of(digits: npt.NDArray[np.int8]) -> tuple[Whole, Whole]:
    """Masks and values of cubes (cubes, n) of digits 0, 1 and 2, which stands for either."""
    weights = np.left_shift(1, np.arange(digits.shape[1])[::-1])
    return ((digits < 2) * weights).sum(axis=1), ((digits == 1) * weights).sum(axis=1)
