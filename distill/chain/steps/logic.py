"""A function of whole numbers that was asked everywhere, as logic over their bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.checks import Whole, keep_whole
from distill.chain.steps.whole import check_bounds, check_levels, index_of, leveled, stepped, widths
from distill.chain.terms import refuse_growth
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, call, sub


@dataclass(frozen=True, eq=False)
class Logic:
    """Sums of products over the bits of whole numbers.

    The inputs are rounded to whole numbers and held in their bounds (NaN counts as the lower one);
    their distances from the lower bound, in as many bits as they need, form one word, the last
    input lowest. A *cube* holds where ``word & mask == value``; a function is 1 where one of its
    cubes holds, or the other way round where it is inverted. An output reads its own functions,
    the highest bit first, as the number of one of its levels.

    Attributes
    ----------
    lows, highs : (d,), the inputs' bounds.
    masks, values : (cubes,).
    sums : for each function the numbers of its cubes.
    inverted : (functions,), 0 or 1.
    levels : for each output its values, two to the number of its functions.

    Raises
    ------
    FormulaError : for parts that do not fit each other.
    """

    lows: Whole
    highs: Whole
    masks: Whole
    values: Whole
    sums: tuple[Whole, ...]
    inverted: Whole
    levels: tuple[Array, ...]

    def __post_init__(self) -> None:
        for name in ("lows", "highs", "masks", "values", "inverted"):
            keep_whole(self, name, (-1,))
        check_bounds(self.lows, self.highs, np.left_shift(1, widths(self.lows, self.highs)))
        check_levels(self.levels)
        bits = int(widths(self.lows, self.highs).sum())
        fits = (
            self.masks.ndim == 1
            and self.masks.shape == self.values.shape
            and ((self.masks >= 0) & (self.masks < 1 << bits)).all()
            and (self.values & ~self.masks == 0).all()
            and all(s.ndim == 1 and ((s >= 0) & (s < len(self.masks))).all() for s in self.sums)
            and self.inverted.shape == (len(self.sums),)
            and np.isin(self.inverted, (0, 1)).all()
            and [len(v) for v in self.levels] == [1 << n for n in self.functions]
            and sum(self.functions) == len(self.sums)
        )
        if not fits:
            raise FormulaError(
                "the cubes, functions and levels of a logic step do not fit each other.",
                hint="build it with distill.logic.logic_chain.",
            )

    @property
    def inputs(self) -> int:
        """How many whole numbers it takes."""
        return len(self.lows)

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        return len(self.levels)

    @property
    def functions(self) -> tuple[int, ...]:
        """How many functions each output reads."""
        return tuple(len(v).bit_length() - 1 for v in self.levels)

    @property
    def stored(self) -> int:
        """Masks, values and levels."""
        return 2 * len(self.masks) + sum(map(len, self.levels))

    @property
    def operations(self) -> int:
        """Four to read an input, two for a cube, one for each use of it."""
        return 4 * self.inputs + 2 * len(self.masks) + sum(map(len, self.sums))

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        word = index_of(x, self.lows, self.highs, self.steps, real)
        holds = np.empty((len(word), len(self.masks)), dtype=bool)
        for i, (mask, value) in enumerate(zip(self.masks, self.values, strict=True)):
            holds[:, i] = word & mask == value
        bits = [
            holds[:, s].any(axis=1) != bool(flip)
            for s, flip in zip(self.sums, self.inverted, strict=True)
        ]
        return leveled(self._codes(bits, len(word)), self.levels, real)

    @property
    def steps(self) -> Whole:
        """What one step of each input adds to the word."""
        width = widths(self.lows, self.highs)
        return np.left_shift(1, width[::-1].cumsum()[::-1] - width).astype(np.int64)

    def _codes(self, bits: list[npt.NDArray[np.bool_]], rows: int) -> Whole:
        codes = np.zeros((rows, self.outputs), dtype=np.int64)
        at = 0
        for output, count in enumerate(self.functions):
            for bit in bits[at : at + count]:
                codes[:, output] = 2 * codes[:, output] + bit
            at += count
        return codes

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output, at most."""
        bits: list[int] = []
        width = widths(self.lows, self.highs)
        for size, low, count in zip(sizes, self.lows.tolist(), width.tolist(), strict=True):
            changes = [(1 << count - bit) - 1 for bit in range(count - 1, -1, -1)]
            bits += [size if count == 1 and not low else 1 + n * (size + 3) for n in changes]
        cubes = []
        for mask, value in zip(self.masks.tolist(), self.values.tolist(), strict=True):
            places = [at for at in range(len(bits)) if mask >> at & 1]
            plain = sum(bits[-1 - at] + (0 if value >> at & 1 else 2) for at in places)
            cubes.append(max(1, plain + len(places) - 1))
        sums = [max(1, sum(cubes[i] + 1 for i in s) - 1) + 2 for s in self.sums]
        grown, at = [], 0
        for count in self.functions:
            # The first bit is asked once, the next one in both branches, and so on.
            asked = [(1 << i) * (sums[at + i] + 2) for i in range(count)]
            grown.append(sum(asked) + (1 << count))
            at += count
        return grown

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """``min`` is and, ``max`` is or, ``1 - a`` is not; right at whole numbers in the bounds."""
        refuse_growth(self, x)
        bits = self._bits(x)
        functions = []
        for s, flip in zip(self.sums, self.inverted, strict=True):
            sums = [self._cube(int(self.masks[c]), int(self.values[c]), bits) for c in s]
            function = joined("max", sums) if sums else Number(0.0)
            functions.append(negated(function) if flip else function)
        answers, at = [], 0
        for levels, count in zip(self.levels, self.functions, strict=True):
            answers.append(_chosen(functions[at : at + count], levels.tolist()))
            at += count
        return answers

    def _bits(self, x: Sequence[Node]) -> list[Node]:
        """The bits of the word as trees, the highest first."""
        found: list[Node] = []
        used = int(np.bitwise_or.reduce(self.masks)) if len(self.masks) else 0
        left = int(widths(self.lows, self.highs).sum())
        for node, low, width in zip(x, self.lows, widths(self.lows, self.highs), strict=True):
            for bit in range(int(width) - 1, -1, -1):
                left -= 1
                if not used >> left & 1:
                    found.append(Number(0.0))
                    continue
                codes = (np.arange(1 << width) >> bit & 1).astype(float)
                found.append(node if width == 1 and not low else stepped(node, int(low), codes))
        return found

    @staticmethod
    def _cube(mask: int, value: int, bits: list[Node]) -> Node:
        literals = [
            bit if value >> at & 1 else negated(bit)
            for at, bit in zip(range(len(bits) - 1, -1, -1), bits, strict=True)
            if mask >> at & 1
        ]
        return joined("min", literals) if literals else Number(1.0)


def negated(a: Node) -> Node:
    """Not a."""
    return Number(1.0 - a.value) if isinstance(a, Number) else sub(Number(1.0), a)


def joined(operator: str, nodes: Sequence[Node]) -> Node:
    """All nodes under an operator of two, as shallow as can be."""
    if len(nodes) == 1:
        return nodes[0]
    middle = (len(nodes) + 1) // 2
    return call(operator, joined(operator, nodes[:middle]), joined(operator, nodes[middle:]))


def _chosen(bits: Sequence[Node], levels: Sequence[float]) -> Node:
    """The level that the bits, the highest first, are the number of."""
    if len(set(levels)) == 1:
        return Number(levels[0])
    if list(levels) == [0.0, 1.0]:
        return bits[0]
    half = len(levels) // 2
    low, high = _chosen(bits[1:], levels[:half]), _chosen(bits[1:], levels[half:])
    return low if low == high else call("ifless", bits[0], Number(0.5), low, high)
