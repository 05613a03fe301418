"""Layers as steps of chains: matrix products, convolutions, normalisation, pooling."""

from __future__ import annotations

from math import ceil
from typing import Literal

import numpy as np

from distill.arrays import Array
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.winner import Softmax
from distill.teachers.torch.calls import Call, Rule
from distill.teachers.torch.pieces import Piece, Unknown, scaled


def _product(piece: Piece, weights: Array, bias: Array) -> Piece:
    """``weights @ x + bias`` over the last dimension; at every position where there are more."""
    if len(piece.shape) == 1:
        return piece.then(Affine(weights, bias), shape=(len(bias),))
    rows = piece.width // piece.shape[-1]
    each = Convolution((1, rows, piece.shape[-1]), weights[:, None, None, :], bias)
    turned = Pick(rows * len(bias), np.arange(rows * len(bias)).reshape(len(bias), rows).T.ravel())
    return piece.then(each, turned, shape=(*piece.shape[:-1], len(bias)))


def linear(call: Call) -> Piece:
    """``F.linear``."""
    weights = call.constant("weight")
    bias = np.zeros(len(weights)) if call.given.get("bias") is None else call.constant("bias")
    return _product(call.piece("input"), weights, bias)


def addmm(call: Call) -> Piece:
    """``bias + x @ weights``."""
    weights = call.constant("mat2").T
    bias = np.broadcast_to(call.constant("self"), (1, len(weights)))[0]
    if call.number("alpha", 1) != 1 or call.number("beta", 1) != 1:
        raise Unknown("its `addmm` scales")
    return _product(call.piece("mat1"), weights, np.array(bias))


def matmul(call: Call) -> Piece:
    """``x @ weights``."""
    weights = call.constant("other" if "other" in call.given else "mat2")
    if weights.ndim != 2:
        raise Unknown("it multiplies with something else than a matrix")
    return _product(call.piece(), weights.T, np.zeros(weights.shape[1]))


def convolution(call: Call) -> Piece:
    """conv1d, an image of height 1, and conv2d."""
    piece, weights = call.piece("input"), call.constant("weight")
    flat = weights.ndim == 3
    if len(piece.shape) != (2 if flat else 3):
        raise Unknown(f"its convolution sees the shape {list(piece.shape)}")
    bias = np.zeros(len(weights)) if call.given.get("bias") is None else call.constant("bias")
    stride, dilation = _pair(call, "stride", 1, flat), _pair(call, "dilation", 1, flat)
    if flat:
        weights = weights[:, :, None, :]
    size = weights.shape[2:]
    padding = call.given.get("padding", 0)
    if isinstance(padding, str):
        full = [
            d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, size, strict=True)
        ]
        top, left = full[0] // 2, full[1] // 2
        around = (top, left, full[0] - top, full[1] - left)
    else:
        top, left = _pair(call, "padding", 0, flat)
        around = (top, left, top, left)
    shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
    groups = int(call.number("groups", 1))
    step = Convolution(
        (shape[0], shape[1], shape[2]), weights, bias, stride, around, dilation, groups
    )
    return _seen(piece, step, (len(weights), *_after(shape, size, stride, around, dilation)), flat)


def batch_norm(call: Call) -> Piece:
    """A factor and a shift for each channel, in the layer before where it can be."""
    if call.given.get("training"):
        raise Unknown("its batch normalisation is in training mode")
    piece = call.piece("input")
    mean, var = call.constant("running_mean"), call.constant("running_var")
    ones, none = np.ones(len(mean)), np.zeros(len(mean))
    weight = ones if call.given.get("weight") is None else call.constant("weight")
    bias = none if call.given.get("bias") is None else call.constant("bias")
    factor = weight / np.sqrt(var + call.number("eps", 1e-5))
    spread = (-1, *[1] * (len(piece.shape) - 1))
    return scaled(piece, factor.reshape(spread), (bias - mean * factor).reshape(spread))


def pool(kind: Literal["max", "mean"]) -> Rule:
    """The rule of largest or mean values in windows."""

    def rule(call: Call) -> Piece:
        piece = call.piece("self")
        flat = "1d" in call.name
        size = _pair(call, "kernel_size", 1, flat)
        stride = _pair(call, "stride", 0, flat)
        if call.given.get("stride") in (None, []):
            stride = size
        high, wide = _pair(call, "padding", 0, flat)
        if _pair(call, "dilation", 1, flat) != (1, 1) or call.given.get("divisor_override"):
            raise Unknown("its pooling has a dilation or a divisor of its own")
        shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
        around = (high, wide, high, wide)
        if call.given.get("ceil_mode"):
            if kind == "mean":
                raise Unknown("its average pooling rounds sizes up")
            around = (high, wide, *_rounded_up(shape, size, stride, (high, wide)))
        image = (shape[0], shape[1], shape[2])
        new = (shape[0], *_after(shape, size, stride, around, (1, 1)))
        if kind == "mean" and (high or wide) and call.given.get("count_include_pad", True):
            weights = np.full((shape[0], 1, *size), 1 / (size[0] * size[1]))
            none = np.zeros(shape[0])
            step: Convolution | Pool = Convolution(
                image, weights, none, stride, around, groups=shape[0]
            )
        else:
            step = Pool(image, kind, size, stride, around)
        return _seen(piece, step, new, flat)

    return rule


def adaptive(call: Call) -> Piece:
    """Means over windows that divide the image evenly."""
    piece = call.piece("self")
    flat = "1d" in call.name
    shape = (piece.shape[0], 1, piece.shape[1]) if flat else piece.shape
    wanted = _pair(call, "output_size", 1, flat)
    if shape[1] % wanted[0] or shape[2] % wanted[1]:
        raise Unknown(f"it pools {list(shape[1:])} to {list(wanted)}, by windows that overlap")
    size = (shape[1] // wanted[0], shape[2] // wanted[1])
    step = Pool((shape[0], shape[1], shape[2]), "mean", size, size)
    return _seen(piece, step, (shape[0], *wanted), flat)


def mean(call: Call) -> Piece:
    """The mean over the last dimensions."""
    piece = call.piece()
    rank = len(piece.shape) + 1
    over_all = sorted(d % rank for d in call.given.get("dim") or [0])
    kept = rank - len(over_all)
    if over_all != list(range(kept, rank)) or kept < 1:
        raise Unknown("it takes the mean over other than the last dimensions")
    rows = int(np.prod(piece.shape[: kept - 1], dtype=np.int64))
    size = (1, piece.width // rows)
    shape = piece.shape[: kept - 1]
    if call.given.get("keepdim"):
        shape = (*shape, *[1] * len(over_all))
    return piece.then(Pool((1, rows, size[1]), "mean", size, size), shape=shape)


def softmax(call: Call) -> Piece:
    """Softmax over all of a point's numbers."""
    piece = call.piece()
    if len(piece.shape) != 1 or call.given.get("dim") not in (1, -1):
        raise Unknown("its softmax is not over all of a point's numbers")
    return piece.then(Softmax(piece.width))


def _pair(call: Call, key: str, default: int, flat: bool) -> tuple[int, int]:
    """A size for height and width from one or two numbers; (neutral, it) for flat ones."""
    value = call.given.get(key, default)
    values = [value] if isinstance(value, int) else list(value) or [default]
    if flat:
        return (0 if key == "padding" else 1), int(values[0])
    return int(values[0]), int(values[-1])


def _after(
    shape: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, int],
    around: tuple[int, int, int, int],
    dilation: tuple[int, int],
) -> tuple[int, int]:
    high, wide = (
        (shape[i + 1] + around[i] + around[i + 2] - dilation[i] * (size[i] - 1) - 1) // stride[i]
        + 1
        for i in (0, 1)
    )
    return high, wide


def _rounded_up(
    shape: tuple[int, ...], size: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
) -> tuple[int, int]:
    """Padding below and to the right by which the last window counts that begins inside."""
    ends = []
    for i in (0, 1):
        count = ceil((shape[i + 1] + 2 * pad[i] - size[i]) / stride[i]) + 1
        if (count - 1) * stride[i] >= shape[i + 1] + pad[i]:
            count -= 1
        ends.append(max(pad[i], (count - 1) * stride[i] + size[i] - shape[i + 1] - pad[i]))
    return ends[0], ends[1]


def _seen(piece: Piece, step: Convolution | Pool, shape: tuple[int, ...], flat: bool) -> Piece:
    return piece.then(step, shape=(shape[0], shape[2]) if flat else shape)
