"""A model's graph read as a chain: its own arithmetic, one step for each operator.

The steps compute in another order than onnxruntime, which sums in the order that is fastest on the
machine: values agree within some units in the last place of float32, and so do labels but for
points as close to a boundary as that. Trees and their sums agree to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.errors import FormulaError
from distill.teachers.onnx import classical, ensembles, images, layers, moves
from distill.teachers.onnx.flow import (
    Constant,
    Flow,
    Handler,
    NoChain,
    Node,
    Value,
    attributes,
    joined,
)
from distill.teachers.onnx.heads import Head, Margin
from distill.teachers.onnx.signature import Signature

if TYPE_CHECKING:
    import onnx

HANDLERS: dict[str, Handler] = {
    **layers.HANDLERS,
    **images.HANDLERS,
    **moves.HANDLERS,
    **ensembles.HANDLERS,
    **classical.HANDLERS,
}

FOLDED = (
    "Cast", "Concat", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Sqrt", "Mul", "Add", "Sub",
    "Div", "Neg", "Reciprocal", "Gather", "Shape", "Slice", "Identity", "Exp", "Log", "Pow",
)  # fmt: skip
"""Operators that are computed where all they take is stored; none makes much of little."""


def chain_of_graph(
    model: onnx.ModelProto, signature: Signature, head: Head
) -> tuple[Chain | None, str]:
    """The chain from the d columns to the teacher's outputs, or None and why there is none.

    Parameters
    ----------
    model : with the head's tensors computed in it, post-transforms of its classifiers left out.
    """
    try:
        values = _inputs(signature)
        for tensor in model.graph.initializer:
            values[tensor.name] = _stored(tensor)
        _follow(model, values, set(head.numbers))
        found = [values.get(name) for name in head.numbers]
        flows = [flow for flow in found if isinstance(flow, Flow)]
        if len(flows) < len(found):
            raise NoChain("an answer of the model does not depend on its inputs")
        steps = [*flows[0].steps] if len(flows) == 1 else [*joined(flows, (1,)).steps]
        width = sum(flow.width for flow in flows)
        steps += _margin(head, width)
        return Chain(len(signature.names), _tidied(steps)), ""
    except (NoChain, FormulaError) as error:
        return None, error.what if isinstance(error, FormulaError) else str(error)


MARGINS: dict[Margin, list[float]] = {
    "difference": [-1.0, 1.0], "half": [-0.5, 0.5], "second": [0.0, 1.0], "first": [1.0, 0.0],
}  # fmt: skip
"""What of two scores the margin is."""


def _inputs(signature: Signature) -> dict[str, Value]:
    values: dict[str, Value] = {}
    d, at = len(signature.names), 0
    for part in signature.inputs:
        columns = np.arange(at, at + part.width)
        steps = () if part.width == d else (Pick(d, columns),)
        values[part.tensor] = Flow(d, steps, part.shape, part.kind == "float64")
        at += part.width
    return values


def _stored(tensor: onnx.TensorProto) -> Constant:
    from onnx import numpy_helper

    array: Constant = numpy_helper.to_array(tensor)
    return array


def _follow(model: onnx.ModelProto, values: dict[str, Value], wanted: set[str]) -> None:
    """Read the nodes that the wanted tensors need, in their order."""
    needed = set(wanted)
    used = []
    for proto in reversed(model.graph.node):
        if needed & set(proto.output):
            used.append(proto)
            needed |= set(proto.input)
    for proto in reversed(used):
        given = attributes(proto)
        taken = tuple(values.get(name) if name else None for name in proto.input)
        if proto.op_type == "Constant":
            values[proto.output[0]] = np.asarray(next(iter(given.values())))
            continue
        if not any(isinstance(value, Flow) for value in taken):
            _fold(proto, model, values)
            continue
        if proto.op_type not in HANDLERS or proto.domain not in {"", "ai.onnx", "ai.onnx.ml"}:
            raise NoChain(f"the operator `{proto.op_type}` has no step")
        result = HANDLERS[proto.op_type](Node(proto.op_type, given, taken))
        flows = result if isinstance(result, tuple) else (result,)
        for name, flow in zip(proto.output, flows, strict=False):
            values[name] = flow


def _fold(proto: onnx.NodeProto, model: onnx.ModelProto, values: dict[str, Value]) -> None:
    """Compute what follows from stored tensors alone."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    if proto.op_type not in FOLDED:
        raise NoChain(f"the operator `{proto.op_type}` over stored tensors is not computed")
    feed: dict[str, Any] = {str(name): values[name] for name in proto.input if name}
    graph = helper.make_graph(
        [proto],
        "stored",
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in feed],
        [helper.make_tensor_value_info(proto.output[0], TensorProto.UNDEFINED, None)],
    )
    alone = helper.make_model(graph, opset_imports=list(model.opset_import))
    results: Any = ReferenceEvaluator(alone).run(None, feed)
    values[proto.output[0]] = np.asarray(results[0])


def _margin(head: Head, width: int) -> list[Step]:
    """From the scores to what the teacher answers."""
    if len(head.classes) != 2:
        return []
    if width == 1:
        return [Affine(np.eye(1), np.array([-head.threshold]))] if head.threshold else []
    row = MARGINS[head.margin]
    return [Affine(np.array([row]), np.zeros(1))]


def _tidied(steps: list[Step]) -> tuple[Step, ...]:
    """A score and its negative put together again, exactly: (s - -s) / 2 is s."""
    if len(steps) >= 2 and isinstance(steps[-1], Affine) and isinstance(steps[-2], Affine):
        last, before = steps[-1], steps[-2]
        if (
            last.weights.tolist() == [[-0.5, 0.5]]
            and (before.weights[0] == -before.weights[1]).all()
        ):
            weights, bias = before.weights[1:], 0.5 * (before.bias[1:] - before.bias[:1])
            if weights.shape == (1, 1) and weights[0, 0] == 1 and not bias.any():
                return tuple(steps[:-2])
            return (*steps[:-2], Affine(weights, bias))
        if last.weights.tolist() == [[0.0, 1.0]]:
            return (*steps[:-2], Affine(before.weights[1:], before.bias[1:]))
    return tuple(steps)
