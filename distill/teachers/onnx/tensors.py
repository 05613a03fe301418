"""The stored tensors of a model: their sizes are judged before anything is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from distill.errors import TeacherError

if TYPE_CHECKING:
    import onnx

LARGEST = 2**31 - 1
"""Bytes of a model with its weights: what one protocol buffer may hold."""


def graphs_of(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The graph and all graphs inside its nodes and those of local functions."""
    waiting = [model.graph]
    waiting += [graph for function in model.functions for graph in _inside(function.node)]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += _inside(graph.node)


def nodes_of(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """All nodes of a model, at every depth and in its local functions."""
    for graph in graphs_of(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def check_tensors(model: onnx.ModelProto, path: Path) -> None:
    """Judge every stored tensor, and take those in files beside the model into it.

    Raises
    ------
    TeacherError : when a tensor holds more or fewer numbers than it states, or its file is
        missing, too short, or outside the model's folder.
    """
    left = LARGEST - path.stat().st_size
    for tensor in _tensors(model):
        size = _stated_bytes(tensor, path)
        if tensor.data_location == tensor.EXTERNAL:
            left -= size
            if left < 0:
                raise TeacherError(
                    f"the model and its weights are larger than {LARGEST:,} bytes.",
                    where=str(path),
                    hint="export a smaller model; this one is far too large for a formula.",
                )
            tensor.raw_data = _external(tensor, size, path)
            tensor.data_location = tensor.DEFAULT
            del tensor.external_data[:]
            continue
        held = _held_bytes(tensor)
        if held != size:
            raise TeacherError(
                f"the tensor `{tensor.name}` states {size:,} bytes "
                f"({' x '.join(map(str, tensor.dims)) or 'one number'}), but holds {held:,}.",
                where=str(path),
                hint="the file is damaged or was made to mislead; export the model again.",
            )


def _inside(nodes: object) -> list[onnx.GraphProto]:
    found: list[onnx.GraphProto] = []
    for node in nodes:  # type: ignore[attr-defined]  # a repeated field
        for attribute in node.attribute:
            found += [attribute.g] if attribute.HasField("g") else []
            found += attribute.graphs
    return found


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in graphs_of(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes_of(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            sparse_tensors = [*attribute.sparse_tensors]
            if attribute.HasField("sparse_tensor"):
                sparse_tensors.append(attribute.sparse_tensor)
            for sparse in sparse_tensors:
                yield from (sparse.values, sparse.indices)


_BITS = {
    "FLOAT": 32, "DOUBLE": 64, "FLOAT16": 16, "BFLOAT16": 16, "BOOL": 8, "INT8": 8, "UINT8": 8,
    "INT16": 16, "UINT16": 16, "INT32": 32, "UINT32": 32, "INT64": 64, "UINT64": 64,
    "INT4": 4, "UINT4": 4, "COMPLEX64": 64, "COMPLEX128": 128, "STRING": 0,
}  # fmt: skip


def _stated_bytes(tensor: onnx.TensorProto, path: Path) -> int:
    kind = tensor.DataType.Name(tensor.data_type) if tensor.data_type in _kinds(tensor) else "?"
    if any(size < 0 for size in tensor.dims) or (kind not in _BITS and "FLOAT" not in kind):
        raise TeacherError(
            f"the tensor `{tensor.name}` of type {kind} and shape {list(tensor.dims)} is none.",
            where=str(path),
            hint="the file is damaged or was made to mislead; export the model again.",
        )
    count = math.prod(tensor.dims)
    if kind == "STRING":
        return int(count)
    return int((count * _BITS.get(kind, 4 if "4" in kind else 8) + 7) // 8)


def _kinds(tensor: onnx.TensorProto) -> list[int]:
    return [int(value) for value in tensor.DataType.values()]


def _held_bytes(tensor: onnx.TensorProto) -> int:
    kind = tensor.DataType.Name(tensor.data_type)
    if kind == "STRING":
        return len(tensor.string_data)
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data)
    # Of numbers shorter than 32 bits each takes an int32 of its own, packed ones share it.
    bits = _BITS.get(kind, 8)
    if kind.startswith("COMPLEX"):
        bits //= 2
    width = bits if bits >= 8 else 8
    held = (
        len(tensor.float_data)
        + len(tensor.double_data)
        + len(tensor.int32_data)
        + len(tensor.int64_data)
        + len(tensor.uint64_data)
    )
    return held * width // 8


def _external(tensor: onnx.TensorProto, size: int, path: Path) -> bytes:
    said = {entry.key: entry.value for entry in tensor.external_data}
    location = said.get("location", "")
    folder = path.resolve().parent
    file = (folder / location).resolve()
    if not location or Path(location).is_absolute() or not file.is_relative_to(folder):
        raise TeacherError(
            f"the tensor `{tensor.name}` asks for the file `{location}` outside the model's "
            "folder, which is not opened.",
            where=str(path),
            hint="export again with the weights in the model (external_data=False).",
        )
    if not file.is_file():
        raise TeacherError(
            f"the weights of `{tensor.name}` are in the file `{location}`, which is missing.",
            where=str(folder),
            hint="copy it beside the model, or export with the weights in the model "
            "(external_data=False).",
        )
    offset, length = _whole(said.get("offset"), 0), _whole(said.get("length"), size)
    if offset is None or length != size or offset + size > file.stat().st_size:
        raise TeacherError(
            f"the tensor `{tensor.name}` states {size:,} bytes at {said.get('offset', '0')} of "
            f"`{location}`, which holds {file.stat().st_size:,}.",
            where=str(file),
            hint="the file is cut off or belongs to another model; export the model again.",
        )
    with file.open("rb") as stream:
        stream.seek(offset)
        data: bytes = stream.read(size)
        return data


def _whole(text: str | None, default: int) -> int | None:
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
