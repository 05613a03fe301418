"""Functions of whole numbers that were asked everywhere: logic over their bits, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.checks import Whole, keep_whole
from distill.chain.terms import refuse_growth
from distill.errors import FormulaError
from distill.formula.tree import Node, Number, call, sub

MAX_ROWS = 2**20
"""How many points a table may have; a word of bits has as many values at most."""

_EXACT = 2**24
"""Whole numbers up to here are exact in float32."""


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
        _check_bounds(self.lows, self.highs, np.left_shift(1, widths(self.lows, self.highs)))
        _check_levels(self.levels)
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
        return _leveled(self._codes(bits, len(word)), self.levels, real)

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
                found.append(node if width == 1 and not low else _steps(node, int(low), codes))
        return found

    @staticmethod
    def _cube(mask: int, value: int, bits: list[Node]) -> Node:
        literals = [
            bit if value >> at & 1 else negated(bit)
            for at, bit in zip(range(len(bits) - 1, -1, -1), bits, strict=True)
            if mask >> at & 1
        ]
        return joined("min", literals) if literals else Number(1.0)


@dataclass(frozen=True, eq=False)
class Packed:
    """A table of the answers at all points of a box of whole numbers.

    Inputs are rounded and held as those of :class:`Logic`. The rows of ``codes`` (rows, k) are the
    points, the last input fastest; a code is the number of a level of its output.

    Raises
    ------
    FormulaError : for parts that do not fit each other, or more than 2^20 points.
    """

    lows: Whole
    highs: Whole
    codes: Whole
    levels: tuple[Array, ...]

    def __post_init__(self) -> None:
        for name, shape in (("lows", (-1,)), ("highs", (-1,)), ("codes", (-1, -1))):
            keep_whole(self, name, shape)
        counts = self.highs - self.lows + 1 if self.lows.shape == self.highs.shape else self.lows
        _check_bounds(self.lows, self.highs, counts)
        _check_levels(self.levels)
        if (
            self.codes.shape != (int(counts.prod()), len(self.levels))
            or (self.codes < 0).any()
            or (self.codes >= [len(v) for v in self.levels]).any()
        ):
            raise FormulaError(
                "the codes of a packed table do not fit its inputs and levels.",
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
    def stored(self) -> int:
        """Codes and levels."""
        return self.codes.size + sum(map(len, self.levels))

    @property
    def operations(self) -> int:
        """Five to read an input and find its place, three to read an output."""
        return 5 * self.inputs + 3 * self.outputs

    @property
    def steps(self) -> Whole:
        """How many rows one step of each input goes on."""
        counts = self.highs - self.lows + 1
        return np.append(counts[::-1].cumprod()[::-1][1:], 1).astype(np.int64)

    def evaluate(self, x: Array, real: Real) -> Array:
        """Answers (n, k) at x (n, d)."""
        row = index_of(x, self.lows, self.highs, self.steps, real)
        return _leveled(self.codes[row], self.levels, real)

    def growth(self, sizes: Sequence[int]) -> list[int]:
        """Nodes of each output, at most."""
        rows = len(self.codes)
        return [rows + (rows - 1) * (2 + max(sizes))] * self.outputs

    def expand(self, x: Sequence[Node]) -> list[Node]:
        """Nested conditions on the inputs, in their order; equal parts are not asked for."""
        refuse_growth(self, x)
        shape = tuple(self.highs - self.lows + 1)
        return [
            _conditions(list(x), self.lows, levels[codes].reshape(shape))
            for levels, codes in zip(self.levels, self.codes.T, strict=True)
        ]


def widths(lows: Whole, highs: Whole) -> Whole:
    """How many bits each input takes, (d,)."""
    spans = [max(int(high) - int(low), 0) for low, high in zip(lows, highs, strict=False)]
    return np.array([span.bit_length() for span in spans], dtype=np.int64)


def index_of(x: Array, lows: Whole, highs: Whole, steps: Whole, real: Real) -> Whole:
    """The word or row of points x (n, d), every operation rounded to ``real``, shape (n,)."""
    kind = np.dtype(np.float32 if real == "float32" else np.float64).type
    index = np.zeros(len(x), dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for column, low, high, step in zip(x.T, lows, highs, steps, strict=True):
            off = column.astype(kind) - kind(low)
            held = np.where(off > 0, np.where(off < high - low, off, kind(high - low)), kind(0))
            index += (held + kind(0.5)).astype(np.int64).clip(max=high - low) * step
    return index


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


def _steps(x: Node, low: int, values: Array) -> Node:
    """A function of a whole number from ``low`` on as nested conditions."""
    if (values == values[0]).all():
        return Number(float(values[0]))
    changes = np.flatnonzero(np.diff(values)) + 1
    at = int(changes[len(changes) // 2])
    below, above = _steps(x, low, values[:at]), _steps(x, low + at, values[at:])
    return call("ifless", x, Number(low + at - 0.5), below, above)


def _conditions(x: list[Node], lows: Whole, values: Array) -> Node:
    """A function on a grid of whole numbers, input after input."""
    if (values == values.flat[0]).all():
        return Number(float(values.flat[0]))
    if len(x) == 1:
        return _steps(x[0], int(lows[0]), values)
    same = [(values[i] == values[i + 1]).all() for i in range(len(values) - 1)]
    starts = [0, *(i + 1 for i, equal in enumerate(same) if not equal)]
    parts = [_conditions(x[1:], lows[1:], values[start]) for start in starts]

    def between(first: int, last: int) -> Node:
        if first == last:
            return parts[first]
        middle = (first + last + 1) // 2
        cut = Number(float(lows[0]) + starts[middle] - 0.5)
        return call("ifless", x[0], cut, between(first, middle - 1), between(middle, last))

    return between(0, len(parts) - 1)


def _leveled(codes: Whole, levels: tuple[Array, ...], real: Real) -> Array:
    answers = np.stack([v[c] for v, c in zip(levels, codes.T, strict=True)], axis=1)
    if real == "float32":
        with np.errstate(over="ignore", under="ignore"):
            return answers.astype(np.float32).astype(np.float64)
    return answers


def _check_bounds(lows: Whole, highs: Whole, counts: Whole) -> None:
    if lows.ndim != 1 or lows.shape != highs.shape or not len(lows) or (lows >= highs).any():
        raise FormulaError(
            "the bounds of whole inputs must be two arrays (d,), each low below its high."
        )
    if max(-int(lows.min()), int(highs.max())) > _EXACT:
        raise FormulaError(
            f"a whole input goes past {_EXACT:,}, where float32 leaves numbers out.",
            hint="count it from another number, so that it stays below.",
        )
    points = 1
    for count in counts.tolist():
        points *= count
    if points > MAX_ROWS:
        raise FormulaError(
            f"the whole inputs have {points:,} combinations; {MAX_ROWS:,} is the limit.",
            hint="narrow their bounds, or let the search find a formula.",
        )


def _check_levels(levels: tuple[Array, ...]) -> None:
    if not levels or any(v.ndim != 1 or not len(v) or not np.isfinite(v).all() for v in levels):
        raise FormulaError("every output of a table needs one finite level at least.")
