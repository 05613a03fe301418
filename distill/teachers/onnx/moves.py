"""Operators that only move numbers, read by letting them move the numbers' places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.chain.steps.columns import Pick
from distill.teachers.onnx.flow import Flow, Handler, NoChain, Node, joined

Places = npt.NDArray[np.int64]
Move = Callable[[Places, Node], Places]


def _reading(move: Move) -> Handler:
    """What an operator does to the places (1, ...) of one point's numbers."""

    def handler(node: Node) -> Flow:
        x = node.flow()
        places = np.arange(x.width).reshape(1, *x.shape)
        try:
            moved = move(places, node)
        except (ValueError, IndexError, TypeError) as error:
            raise NoChain(f"`{node.name}` cannot be followed: {error}") from None
        if moved.shape[:1] != (1,):
            raise NoChain(f"`{node.name}` moves the dimension of the points")
        shape, columns = moved.shape[1:], moved.reshape(-1)
        if len(columns) == x.width and (columns == np.arange(x.width)).all():
            return x.shaped(shape)
        return x.then(Pick(x.width, columns), shape=shape)

    return handler


def _list(value: Any) -> list[int]:
    return [int(v) for v in np.asarray(value).reshape(-1)]


def _reshape(x: Places, node: Node) -> Places:
    wanted = _list(node.constant(1))
    if not node.given.get("allowzero", 0):
        wanted = [x.shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    if wanted and wanted[0] == -1 and int(np.prod(np.abs(wanted[1:]))) == x.size:
        wanted[0] = 1
    return x.reshape(wanted)


def _flatten(x: Places, node: Node) -> Places:
    if node.given.get("axis", 1) not in {1, 1 - x.ndim}:
        raise NoChain("`Flatten` from another dimension than the first")
    return x.reshape(1, -1)


def _axes(node: Node) -> Any:
    axes = node.constant(1)
    return node.given.get("axes") if axes is None else axes


def _squeeze(x: Places, node: Node) -> Places:
    axes = _axes(node)
    if axes is None:
        raise NoChain("`Squeeze` of every dimension")
    return x.squeeze(tuple(_list(axes)))


def _unsqueeze(x: Places, node: Node) -> Places:
    return np.expand_dims(x, tuple(_list(_axes(node))))


def _transpose(x: Places, node: Node) -> Places:
    return x.transpose(node.given.get("perm"))


def _gather(x: Places, node: Node) -> Places:
    chosen = node.constant(1)
    if chosen is None:
        raise NoChain("`Gather` lacks its places")
    return np.take(x, np.asarray(chosen), axis=int(node.given.get("axis", 0)))


def _extract(x: Places, node: Node) -> Places:
    return x[..., _list(node.constant(1))]


def _slice(x: Places, node: Node) -> Places:
    if "starts" in node.given:
        starts, ends = _list(node.given["starts"]), _list(node.given["ends"])
        along, by = node.given.get("axes"), None
    else:
        starts, ends = _list(node.constant(1)), _list(node.constant(2))
        along, by = node.constant(3), node.constant(4)
    axes = list(range(len(starts))) if along is None else _list(along)
    steps = [1] * len(starts) if by is None else _list(by)
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        far = end if abs(end) < 2**31 - 1 else None
        cut[axis] = slice(start, far, step)
    return x[tuple(cut)]


def _same(node: Node) -> Flow:
    return node.flow()


def _cast(node: Node) -> Flow:
    from onnx import TensorProto

    x, kind = node.flow(), node.given["to"]
    if kind not in {TensorProto.FLOAT, TensorProto.DOUBLE}:
        raise NoChain(f"`Cast` to {TensorProto.DataType.Name(kind)}")
    double = kind == TensorProto.DOUBLE
    if x.steps and double != x.double:
        raise NoChain("`Cast` between float32 and double on the way")
    return Flow(x.inputs, x.steps, x.shape, double)


def _concat(node: Node) -> Flow:
    flows = [node.flow(i) for i in range(len(node.inputs))]
    axis = int(node.given["axis"])
    places, at = [], 0
    for flow in flows:
        places.append(np.arange(at, at + flow.width).reshape(1, *flow.shape))
        at += flow.width
    if axis == 0 or axis == -places[0].ndim:
        raise NoChain("`Concat` of points")
    moved = np.concatenate(places, axis=axis)
    whole = joined(flows, (at,))
    columns = moved.reshape(-1)
    if (columns == np.arange(at)).all():
        return whole.shaped(moved.shape[1:])
    return whole.then(Pick(at, columns), shape=moved.shape[1:])


def _split(node: Node) -> tuple[Flow, ...]:
    x = node.flow()
    axis = int(node.given.get("axis", 0))
    places = np.arange(x.width).reshape(1, *x.shape)
    sizes = node.given.get("split", node.constant(1))
    if axis == 0 or sizes is None:
        raise NoChain("`Split` of points, or into parts of unstated size")
    parts = np.split(places, np.cumsum(_list(sizes))[:-1], axis=axis)
    return tuple(x.then(Pick(x.width, p.reshape(-1)), shape=p.shape[1:]) for p in parts)


HANDLERS: dict[str, Handler] = {
    "Reshape": _reading(_reshape), "Flatten": _reading(_flatten), "Squeeze": _reading(_squeeze),
    "Unsqueeze": _reading(_unsqueeze), "Transpose": _reading(_transpose),
    "Gather": _reading(_gather), "ArrayFeatureExtractor": _reading(_extract),
    "Slice": _reading(_slice), "Identity": _same, "Dropout": _same, "Cast": _cast,
    "Concat": _concat, "FeatureVectorizer": lambda node: _concat(_columns(node)), "Split": _split,
}  # fmt: skip
"""How each operator that moves numbers is read."""


def _columns(node: Node) -> Node:
    return Node(node.name, {**node.given, "axis": 1}, node.inputs)
