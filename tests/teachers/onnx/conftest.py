from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import helper

Save = Callable[[Any], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a model, or a list of nodes between inputs and outputs, to a file."""

    def write(model: onnx.ModelProto) -> Path:
        path = tmp_path / "their_model.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def model_of(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], stored: tuple[Any, ...] = ()
) -> onnx.ModelProto:
    """A model; inputs and outputs are {name: (type, shape)}."""
    graph = helper.make_graph(
        nodes,
        "theirs",
        [helper.make_tensor_value_info(n, *v) for n, v in inputs.items()],
        [helper.make_tensor_value_info(n, *v) for n, v in outputs.items()],
        list(stored),
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model
