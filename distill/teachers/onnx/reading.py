"""Reading a model file: everything that can be judged is, before onnxruntime sees it."""

from __future__ import annotations

import math
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from distill.errors import TeacherError
from distill.teachers.onnx.tensors import LARGEST, check_tensors, graphs_of, nodes_of

if TYPE_CHECKING:
    import onnx

OFFICIAL = ("", "ai.onnx", "ai.onnx.ml")
"""Domains whose operators the standard defines."""

BUILT_IN = ("com.microsoft",)
"""Domains that onnxruntime has itself. No library of operators is ever loaded."""

MANY = 1_000_000
"""Nodes after all local functions have been put in their places."""

HUGE = 2**28
"""Numbers that one tensor between the nodes may hold for a single point."""


def read_model(path: Path) -> onnx.ModelProto:
    """A model with all its weights in it.

    Raises
    ------
    TeacherError : for what is no model, is cut off, lies about its sizes, refers to files outside
        its folder, goes in circles, or uses operators that the standard does not know.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if path.stat().st_size > LARGEST:
        raise TeacherError(
            f"the file is larger than {LARGEST:,} bytes, which no ONNX model is.", where=str(path)
        )
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError:
        raise _no_model(path) from None
    if not model.ir_version or not (model.graph.node or model.graph.output):
        raise _no_model(path)
    _check_versions(model, path)
    check_tensors(model, path)
    _check_functions(model, path)
    _check_operators(model, path)
    for graph in graphs_of(model):
        _check_order(graph, path)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise TeacherError(
            f"the model breaks the rules of ONNX: {_first_line(error)}",
            where=str(path),
            hint="export it again; `onnx.checker.check_model` tells the same.",
        ) from None
    _check_sizes(model, path)
    return model


def _no_model(path: Path) -> TeacherError:
    return TeacherError(
        f"`{path.name}` is no ONNX model, or one that was cut off.",
        where=str(path),
        hint="export it again, and compare the sizes after copying it.",
    )


def _check_versions(model: onnx.ModelProto, path: Path) -> None:
    from onnx import IR_VERSION, defs

    if model.ir_version > IR_VERSION:
        raise TeacherError(
            f"the model is written in version {model.ir_version} of the format; {IR_VERSION} is "
            "the newest that can be read.",
            where=str(path),
            hint="export it with an older version of onnx, or bring onnx and onnxruntime up to "
            "date.",
        )
    known = {"": defs.onnx_opset_version(), "ai.onnx": defs.onnx_opset_version()}
    known["ai.onnx.ml"] = 5
    for opset in model.opset_import:
        if opset.version > known.get(opset.domain, opset.version):
            raise TeacherError(
                f"the model wants version {opset.version} of the operators "
                f"`{opset.domain or 'ai.onnx'}`; {known[opset.domain]} is the newest known.",
                where=str(path),
                hint=f"export it with opset_version={min(known[opset.domain], 21)}.",
            )


def _check_functions(model: onnx.ModelProto, path: Path) -> None:
    """Local functions must not call themselves, nor grow without bound when put in place."""
    bodies = {(f.domain, f.name): f.node for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(name: tuple[str, str], above: tuple[tuple[str, str], ...]) -> int:
        if name in above or len(above) > 64:
            raise TeacherError(
                f"the model's function `{name[1]}` calls itself.",
                where=str(path),
                hint="no exporter writes such a file; it may have been made to mislead.",
            )
        if name not in sizes:
            inner = [(node.domain, node.op_type) for node in bodies[name]]
            sizes[name] = sum(
                size(called, (*above, name)) if called in bodies else 1 for called in inner
            )
        return sizes[name]

    called = [(node.domain, node.op_type) for node in nodes_of(model)]
    if sum(size(name, ()) if name in bodies else 1 for name in called) > MANY:
        raise TeacherError(
            f"the model has more than {MANY:,} nodes when its functions are put in their places.",
            where=str(path),
            hint="such a model is far too large for a formula.",
        )


def _check_operators(model: onnx.ModelProto, path: Path) -> None:
    from onnx import defs

    versions = {opset.domain: opset.version for opset in model.opset_import}
    local = {(f.domain, f.name) for f in model.functions}
    for node in nodes_of(model):
        if (node.domain, node.op_type) in local or node.domain in BUILT_IN:
            continue
        if node.domain not in OFFICIAL:
            raise TeacherError(
                f"the operator `{node.op_type}` is of the domain `{node.domain}`, which needs a "
                "library of its own; none is ever loaded.",
                where=f"{path}, node `{node.name or node.op_type}`",
                hint="export with standard operators only, or give a Python function that asks "
                "the model (`package.module:function`).",
            )
        domain = "" if node.domain == "ai.onnx" else node.domain
        version = versions.get(node.domain, versions.get(domain, 0))
        if not version or not _known(defs, node.op_type, version, domain):
            raise TeacherError(
                f"there is no operator `{node.op_type}` in version {version} of "
                f"`{domain or 'ai.onnx'}`.",
                where=f"{path}, node `{node.name or node.op_type}`",
                hint="export with a newer opset_version, or without this operator.",
            )


def _known(defs: object, name: str, version: int, domain: str) -> bool:
    try:
        defs.get_schema(name, version, domain)  # type: ignore[attr-defined]
    except Exception:  # its SchemaError is of a compiled module
        return False
    return True


def _check_order(graph: onnx.GraphProto, path: Path) -> None:
    """Raise when nodes need each other's results in a circle."""
    maker = {name: i for i, node in enumerate(graph.node) for name in node.output if name}
    order = TopologicalSorter(
        {i: {maker[n] for n in node.input if n in maker} for i, node in enumerate(graph.node)}
    )
    try:
        order.prepare()
    except CycleError as error:
        circle = [graph.node[i] for i in error.args[1][1:]]
        raise TeacherError(
            "the model goes in a circle: "
            + ", ".join(f"`{n.name or n.op_type}`" for n in circle[:4])
            + " need each other's results.",
            where=str(path),
            hint="no exporter writes such a file; it may have been made to mislead.",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_sizes(model: onnx.ModelProto, path: Path) -> None:
    """Raise for tensors between the nodes that nobody's memory holds.

    Their shapes follow from the weights without computing any; one that depends on what the model
    is asked stays unknown here.
    """
    from onnx import shape_inference

    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:  # of a compiled module, and bad shapes are onnxruntime's to name
        raise TeacherError(
            f"the shapes in the model do not fit each other: {_first_line(error)}",
            where=str(path),
            hint="export it again.",
        ) from None
    for value in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output):
        sizes = [d.dim_value for d in value.type.tensor_type.shape.dim if d.HasField("dim_value")]
        if math.prod(sizes) > HUGE:
            raise TeacherError(
                f"the tensor `{value.name}` would hold {' x '.join(map(str, sizes))} numbers.",
                where=str(path),
                hint="such a model is far too large for a formula.",
            )
