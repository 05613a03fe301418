"""Values on their way through a network, as the steps of chains that give them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Scale, Stretch
from distill.chain.steps.images import Convolution
from distill.chain.steps.polynomials import Monomials

FEW_SUMS = 16
"""Sums of two values are written as a matrix product up to this many, as loops from there on."""

MOST_FACTORS = 256
"""Products of two values are written as monomials of both up to this many."""


class Unknown(Exception):
    """The network does something that no step does; the text says what."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A value of the network: what one point's inputs go through, and the shape it then has."""

    steps: tuple[Step, ...]
    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many numbers it is."""
        return prod(self.shape)

    def then(self, *steps: Step, shape: tuple[int, ...] | None = None) -> Piece:
        """The value after further steps."""
        return Piece((*self.steps, *steps), self.shape if shape is None else shape)


def side_by_side(pieces: list[Piece], inputs: int) -> Piece:
    """All of them in a row; what they have in common is computed once."""
    if len(pieces) == 1:
        return pieces[0].then(shape=(pieces[0].width,))
    common = 0
    while all(len(p.steps) > common and p.steps[common] is pieces[0].steps[common] for p in pieces):
        common += 1
    start = pieces[0].steps[:common]
    before = _width(start, inputs)
    shape = (sum(piece.width for piece in pieces),)
    rests = [piece.steps[common:] for piece in pieces]
    if all(not rest or (len(rest) == 1 and isinstance(rest[0], Pick)) for rest in rests):
        columns = [rest[0].columns if rest else np.arange(before) for rest in rests]  # type: ignore[attr-defined]
        return Piece((*start, Pick(before, np.concatenate(columns))), shape)
    return Piece((*start, Branches(tuple(Chain(before, rest) for rest in rests))), shape)


def _width(steps: tuple[Step, ...], inputs: int) -> int:
    return Chain(inputs, steps).outputs


def added(one: Piece, other: Piece, inputs: int, factor: float = 1.0) -> Piece:
    """``one + factor * other``, number by number; of many numbers a convolution over pairs."""
    if one.shape != other.shape:
        raise Unknown(f"it adds values of the shapes {list(one.shape)} and {list(other.shape)}")
    width = one.width
    both = side_by_side([one, other], inputs)
    if width <= FEW_SUMS:
        eye = np.eye(width)
        return _product_of(both, np.hstack([eye, factor * eye]), inputs).then(shape=one.shape)
    pairs = Pick(2 * width, np.arange(2 * width).reshape(2, width).T.ravel())
    weights = np.array([1.0, factor]).reshape(1, 1, 1, 2)
    add = Convolution((1, width, 2), weights, np.zeros(1))
    return both.then(pairs, add, shape=one.shape)


def _product_of(piece: Piece, weights: Array, inputs: int) -> Piece:
    """``weights @ x``; where x is only picked, from what it is picked of."""
    last = piece.steps[-1] if piece.steps else None
    steps = piece.steps
    if isinstance(last, Pick):
        steps = piece.steps[:-1]
        whole = np.zeros((len(weights), _width(steps, inputs)))
        np.add.at(whole.T, last.columns, weights.T)
        weights = whole
    return Piece((*steps, Affine(weights, np.zeros(len(weights)))), (len(weights),))


def multiplied(one: Piece, other: Piece, inputs: int) -> Piece:
    """``one * other``, number by number."""
    if one.shape != other.shape:
        raise Unknown(f"it multiplies values of the shapes {one.shape} and {other.shape}")
    if one.width > MOST_FACTORS:
        raise Unknown(f"it multiplies {one.width} pairs of values, {MOST_FACTORS} at most are read")
    eye = np.eye(one.width, dtype=np.int64)
    both = side_by_side([one, other], inputs)
    return both.then(Monomials(np.hstack([eye, eye])), shape=one.shape)


def less(piece: Piece, shift: Array) -> Piece:
    """``x - shift``, of any shape that fits; a bias on the way takes it up."""
    values = _spread(shift, piece.shape)
    if (per := _by_channel(piece, values)) is not None and _linear(piece):
        return _folded(piece, np.ones(len(per)), -per)
    return piece.then(Scale(values, np.ones(piece.width)))


def over(piece: Piece, divisor: Array) -> Piece:
    """``x / divisor``; joined with the shift just before."""
    values = _spread(divisor, piece.shape)
    last = piece.steps[-1] if piece.steps else None
    if isinstance(last, Scale) and bool((last.divisor == 1).all()):
        return Piece((*piece.steps[:-1], Scale(last.shift, values)), piece.shape)
    return piece.then(Scale(np.zeros(piece.width), values))


def scaled(piece: Piece, factor: Array, shift: Array) -> Piece:
    """``factor * x + shift``; layers before it take it up where they can."""
    factors, shifts = _spread(factor, piece.shape), _spread(shift, piece.shape)
    per, add = _by_channel(piece, factors), _by_channel(piece, shifts)
    if per is not None and add is not None:
        if _linear(piece):
            return _folded(piece, per, add)
        if piece.width > len(per):
            weights = per.reshape(-1, 1, 1, 1)
            shape = _image(piece.shape)
            return piece.then(Convolution(shape, weights, add, groups=shape[0]))
    return piece.then(Stretch(factors, shifts))


def _linear(piece: Piece) -> bool:
    """Whether the last step is a matrix product or a convolution whose channels are the value's."""
    last = piece.steps[-1] if piece.steps else None
    if isinstance(last, Affine):
        return piece.shape == (len(last.bias),)
    return isinstance(last, Convolution) and piece.shape[0] == len(last.bias)


def _folded(piece: Piece, factor: Array, shift: Array) -> Piece:
    """The value with a factor and a shift for each channel in its last step's constants."""
    last = piece.steps[-1]
    if isinstance(last, Affine):
        new: Step = Affine(last.weights * factor[:, None], last.bias * factor + shift)
    elif isinstance(last, Convolution):
        new = Convolution(
            last.shape,
            last.weights * factor[:, None, None, None],
            last.bias * factor + shift,
            last.stride,
            last.padding,
            last.dilation,
            last.groups,
        )
    else:
        raise TypeError(f"{type(last).__name__} has no weights")
    return Piece((*piece.steps[:-1], new), piece.shape)


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """A value's shape as channels, height and width."""
    return shape[0], prod(shape[1:-1]) if len(shape) > 2 else 1, shape[-1] if len(shape) > 1 else 1


def _by_channel(piece: Piece, values: Array) -> Array | None:
    """One number for each channel, where all of a channel are equal."""
    rows = values.reshape(piece.shape[0], -1)
    return rows[:, 0] if bool((rows == rows[:, :1]).all()) else None


def _spread(values: Array, shape: tuple[int, ...]) -> Array:
    """A constant as one number for each of the value's; its batch dimension, if any, is one."""
    if values.ndim > len(shape):
        if values.shape[0] != 1:
            raise Unknown(f"a constant of the shape {list(values.shape)} meets {list(shape)}")
        values = values[0]
    try:
        return np.ascontiguousarray(np.broadcast_to(values, shape)).reshape(-1)
    except ValueError:
        raise Unknown(
            f"a constant of the shape {list(values.shape)} meets a value of {list(shape)}"
        ) from None
