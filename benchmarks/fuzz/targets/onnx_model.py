"""ONNX models: judged, read as a chain, and asked."""

from __future__ import annotations

import random

from fuzz.mutating import any_bytes
from fuzz.seeds import asked, given_as, onnx_models
from fuzz.target import Target


def once(data: bytes) -> None:
    """Load and ask it."""
    with given_as(data, "net.onnx") as path:
        asked(path)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Other attributes, sizes, names and weights in a model that stays one; or any bytes."""
    import onnx
    from google.protobuf.message import DecodeError

    rng = random.Random(seed)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        return any_bytes(data, most, seed)
    nodes = list(model.graph.node)
    if not nodes or rng.random() < 0.3:
        return any_bytes(data, most, seed)
    node = rng.choice(nodes)
    match rng.randrange(6):
        case 0 if node.attribute:
            one = rng.choice(list(node.attribute))
            one.i, one.f = rng.choice((0, -1, 1, 7, 2**31, -(2**62))), rng.choice((0.0, -1.5, 1e38))
            for numbers in (one.ints, one.floats):
                if numbers:
                    numbers[rng.randrange(len(numbers))] = rng.choice((0, 1, -1, 3, 9, 10**6))
        case 1 if node.input:
            names = [name for other in nodes for name in (*other.input, *other.output)]
            node.input[rng.randrange(len(node.input))] = rng.choice(names)
        case 2 if model.graph.initializer:
            tensor = rng.choice(list(model.graph.initializer))
            if tensor.dims:
                tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(
                    (0, 1, 2, 3, 4, -1, 2**40)
                )
        case 3:
            node.op_type = rng.choice(nodes).op_type
        case 4 if model.graph.initializer:
            tensor = rng.choice(list(model.graph.initializer))
            tensor.data_type = rng.choice((1, 6, 7, 9, 10, 11, 16))
        case _:
            del model.graph.node[rng.randrange(len(nodes))]
    changed: bytes = model.SerializeToString()
    return changed[:most]


TARGET = Target("ONNX models", once, onnx_models, mutate)
