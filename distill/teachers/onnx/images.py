"""Layers of networks over images as steps of chains."""

from __future__ import annotations

from typing import cast

import numpy as np

from distill.chain.steps.elementwise import Scale
from distill.chain.steps.images import Convolution, Pool
from distill.teachers.onnx.flow import Flow, Handler, NoChain, Node


def image_of(x: Flow, name: str) -> tuple[int, int, int]:
    """The shape of images (channels, height, width); of one dimension the height is 1."""
    if len(x.shape) == 2:
        return x.shape[0], 1, x.shape[1]
    if len(x.shape) != 3:
        raise NoChain(f"`{name}` over {len(x.shape) - 1} dimensions")
    return x.shape


def _two(values: object, default: int, x: Flow) -> tuple[int, int]:
    """Of one dimension a 1 in front, or a 0."""
    given = [int(v) for v in cast("list[int]", values or [default] * (len(x.shape) - 1))]
    first = 0 if default == 0 else 1
    return (given[0], given[1]) if len(given) == 2 else (first, given[0])


def _padding(
    node: Node, x: Flow, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    """(top, left, bottom, right)."""
    automatic = node.given.get("auto_pad", "NOTSET")
    if automatic == "NOTSET":
        pads = [int(p) for p in node.given.get("pads") or [0] * (2 * (len(x.shape) - 1))]
        return (pads[0], pads[1], pads[2], pads[3]) if len(pads) == 4 else (0, pads[0], 0, pads[1])
    if automatic == "VALID":
        return 0, 0, 0, 0
    before, after = [], []
    for given, kernel, step, spread in zip(
        image_of(x, node.name)[1:], size, stride, dilation, strict=True
    ):
        missing = max((-(-given // step) - 1) * step + (kernel - 1) * spread + 1 - given, 0)
        less, more = missing // 2, missing - missing // 2
        before.append(less if automatic == "SAME_UPPER" else more)
        after.append(more if automatic == "SAME_UPPER" else less)
    return before[0], before[1], after[0], after[1]


def _windows(
    x: Flow, shape: tuple[int, int, int], channels: int, size: tuple[int, int],
    stride: tuple[int, int], padding: tuple[int, int, int, int], dilation: tuple[int, int],
) -> tuple[int, ...]:  # fmt: skip
    """The shape of what windows leave, of as many dimensions as x has."""
    result = [
        (given + padding[i] + padding[i + 2] - dilation[i] * (size[i] - 1) - 1) // stride[i] + 1
        for i, given in enumerate(shape[1:])
    ]
    return (channels, *result) if len(x.shape) == 3 else (channels, result[1])


def _conv(node: Node) -> Flow:
    x, weights = node.flow(0), node.numbers(1)
    shape = image_of(x, node.name)
    if weights.ndim == 3:
        weights = weights[:, :, None, :]
    bias = np.zeros(len(weights)) if node.constant(2) is None else node.numbers(2)
    size = (weights.shape[2], weights.shape[3])
    stride, dilation = (_two(node.given.get(key), 1, x) for key in ("strides", "dilations"))
    padding = _padding(node, x, size, stride, dilation)
    step = Convolution(
        shape, weights, bias, stride, padding, dilation, int(node.given.get("group", 1))
    )
    return x.then(step, shape=_windows(x, shape, len(weights), size, stride, padding, dilation))


def _pool(node: Node) -> Flow:
    x = node.flow()
    shape = image_of(x, node.name)
    if node.name.startswith("Global"):
        size = stride = (shape[1], shape[2])
        padding = (0, 0, 0, 0)
    else:
        size = _two(node.given["kernel_shape"], 1, x)
        stride = _two(node.given.get("strides"), 1, x)
        dilation = _two(node.given.get("dilations"), 1, x)
        padding = _padding(node, x, size, stride, dilation)
        if dilation != (1, 1) or node.given.get("ceil_mode", 0):
            raise NoChain(f"`{node.name}` with dilations or ceil_mode")
        if any(padding) and node.given.get("count_include_pad", 0):
            raise NoChain(f"`{node.name}` that counts the zeros around an image")
    step = Pool(shape, "max" if "Max" in node.name else "mean", size, stride, padding)
    return x.then(step, shape=_windows(x, shape, shape[0], size, stride, padding, (1, 1)))


def _batch_norm(node: Node) -> Flow:
    x = node.flow()
    factor, bias, mean, variance = (node.numbers(i) for i in range(1, 5))
    spread = np.sqrt(variance + node.given.get("epsilon", 1e-5))
    if node.given.get("training_mode", 0) or not factor.all():
        raise NoChain("`BatchNormalization` in training, or with a factor of 0")
    divisor, each = spread / factor, x.width // max(len(factor), 1)
    # One shift and one quotient, where onnxruntime has folded it into the layer before.
    return x.then(Scale(np.repeat(mean - bias * divisor, each), np.repeat(divisor, each)))


HANDLERS: dict[str, Handler] = {
    "Conv": _conv, "MaxPool": _pool, "AveragePool": _pool, "GlobalMaxPool": _pool,
    "GlobalAveragePool": _pool, "BatchNormalization": _batch_norm,
}  # fmt: skip
"""How each operator over images is read."""
