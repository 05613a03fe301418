"""Files that are broken or made to mislead: what is said, and that nothing outside is opened."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from distill.errors import ConfigError, TeacherError
from distill.teachers.load import load_teacher

from .conftest import Save, model_of

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


def product(node: Any = None, stored: Any = None, **changes: Any) -> onnx.ModelProto:
    """y = x @ w, with what is to be wrong put in."""
    model = model_of(
        [node or helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"x": changes.get("x", (T.FLOAT, ["n", 2]))},
        {"y": changes.get("y", (T.FLOAT, ["n", 3]))},
        (numpy_helper.from_array(WEIGHTS, "w") if stored is None else stored,),
    )
    return model


def complaint(path: Path, **options: Any) -> TeacherError:
    with pytest.raises(TeacherError) as caught:
        load_teacher(path, **options)
    assert caught.value.where
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("text", [b"", b"hello, world", b"\x00" * 100, b"PK\x03\x04" + b"x" * 50])
def test_what_is_no_model(text: bytes, tmp_path: Path):
    path = tmp_path / "their_model.onnx"
    path.write_bytes(text)
    assert "no ONNX model" in complaint(path).what


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.97])
def test_a_file_that_was_cut_off(part: float, save: Save):
    path = save(product())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    complaint(path)


def test_every_cut_is_an_error_or_the_whole_model(save: Save):
    path = save(product())
    data = path.read_bytes()
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        complaint(path)


def outside(location: str, **more: str) -> Any:
    tensor = T(name="w", dims=[2, 3], data_type=T.FLOAT, data_location=T.EXTERNAL)
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "", "a/../../secret.bin"])
def test_weights_outside_the_folder_are_not_opened(location: str, save: Save):
    path = save(product(stored=outside(location)))
    (path.parent.parent / "secret.bin").write_bytes(WEIGHTS.tobytes())
    assert "outside the model's folder" in complaint(path).what


def test_a_link_that_leads_outside_is_not_followed(save: Save):
    path = save(product(stored=outside("w.bin")))
    (path.parent.parent / "secret.bin").write_bytes(WEIGHTS.tobytes())
    (path.parent / "w.bin").symlink_to(path.parent.parent / "secret.bin")
    assert "outside the model's folder" in complaint(path).what


def test_weights_in_a_file_beside_the_model(save: Save):
    path = save(product(stored=outside("w.bin", offset="8", length="24")))
    assert "`w.bin`, which is missing" in complaint(path).what
    (path.parent / "w.bin").write_bytes(b"12345678" + WEIGHTS.tobytes())
    x = np.array([[1.0, 2.0], [0.5, 0.0]])
    first = load_teacher(path)
    np.testing.assert_array_equal(first.predict(x), x @ WEIGHTS)
    (path.parent / "w.bin").write_bytes(b"12345678" + (2 * WEIGHTS).tobytes())
    assert load_teacher(path).fingerprint != first.fingerprint
    np.testing.assert_array_equal(first.predict(x), x @ WEIGHTS)


@pytest.mark.parametrize(
    "more", [{"offset": "4"}, {"length": "999999999999"}, {"offset": "-8"}, {"offset": "1e3"}]
)
def test_a_file_of_weights_that_is_too_short(more: dict[str, str], save: Save):
    path = save(product(stored=outside("w.bin", **more)))
    (path.parent / "w.bin").write_bytes(WEIGHTS.tobytes())
    assert "states 24 bytes" in complaint(path).what


@pytest.mark.parametrize("dims", [[2, 4], [2**40, 2**40], [0], [-2, -3]])
def test_tensors_that_lie_about_their_size(dims: list[int], save: Save):
    tensor = numpy_helper.from_array(WEIGHTS, "w")
    del tensor.dims[:]
    tensor.dims.extend(dims)
    assert "tensor `w`" in complaint(save(product(stored=tensor))).what


def test_a_constant_inside_a_node_is_judged_too(save: Save):
    tensor = numpy_helper.from_array(WEIGHTS, "hidden")
    tensor.dims[0] = 2**50
    model = product()
    model.graph.node.insert(0, helper.make_node("Constant", [], ["z"], value=tensor))
    assert "tensor `hidden`" in complaint(save(model)).what


def test_a_small_file_that_wants_much_memory(save: Save):
    model = product()
    shape = numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["huge"]))
    assert "`huge` would hold 1048576 x 1048576" in complaint(save(model)).what


def test_a_circle_of_nodes(save: Save):
    model = product()
    model.graph.node.add().CopyFrom(helper.make_node("Add", ["q", "x"], ["p"], name="first"))
    model.graph.node.add().CopyFrom(helper.make_node("Neg", ["p"], ["q"], name="second"))
    error = complaint(save(model))
    assert "in a circle" in error.what
    assert "`first`" in error.what


def test_functions_that_call_themselves_or_grow_without_bound(save: Save):
    def function(name: str, calls: str, times: int) -> Any:
        nodes = [helper.make_node(calls, ["a"], ["a1"], domain="their")]
        for i in range(1, times):
            nodes.append(helper.make_node(calls, [f"a{i}"], [f"a{i + 1}"], domain="their"))
        opsets = [helper.make_opsetid("their", 1)]
        return helper.make_function("their", name, ["a"], [f"a{times}"], nodes, opsets)

    model = product(helper.make_node("f0", ["x"], ["y"], domain="their"))
    model.functions.append(function("f0", "f0", 1))
    assert "`f0` calls itself" in complaint(save(model)).what
    del model.functions[:]
    model.functions.extend(function(f"f{i}", f"f{i + 1}", 10) for i in range(12))
    assert "nodes when its functions" in complaint(save(model)).what


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (helper.make_node("Magic", ["x"], ["y"]), "no operator `Magic` in version 17"),
        (helper.make_node("Gelu", ["x"], ["y"]), "no operator `Gelu` in version 17"),
        (helper.make_node("Run", ["x"], ["y"], domain="their.ops"), "none is ever loaded"),
    ],
)
def test_operators_that_are_not_known_are_named(node: Any, said: str, save: Save):
    assert said in complaint(save(product(node))).what


def test_an_operator_that_onnxruntime_lacks_is_named(save: Save):
    node = helper.make_node("Det", ["x"], ["y"])
    model = product(node, x=(T.DOUBLE, ["n", 2, 2]), y=(T.DOUBLE, ["n"]))
    error = complaint(save(model))
    assert "`Det`" in error.what
    assert "opset_version" in error.hint


def test_versions_from_the_future(save: Save):
    model = product()
    model.ir_version = 99
    assert "version 99 of the format" in complaint(save(model)).what
    model = product()
    model.opset_import[0].version = 999
    error = complaint(save(model))
    assert "version 999" in error.what
    assert "opset_version" in error.hint


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ((T.FLOAT, ["n", None]), "`x` has the shape"),
        ((T.FLOAT, ["n", "width"]), r"(n, width), which leaves open"),
        ((T.FLOAT, [2]), "no dimension for the points"),
        ((T.FLOAT, []), "no dimension for the points"),
        ((T.STRING, ["n", 2]), "takes text"),
        ((T.COMPLEX64, ["n", 2]), "takes complex64"),
    ],
)
def test_inputs_that_cannot_be_asked_are_named(x: Any, said: str, save: Save):
    error = complaint(
        save(product(helper.make_node("Identity", ["x"], ["y"]), x=x, y=(x[0], ["n", "m"])))
    )
    assert said in error.what
    assert "input `x`" in error.where


def test_shapes_that_do_not_fit(save: Save):
    complaint(save(product(x=(T.FLOAT, ["n", 5]))))


def test_an_output_without_the_points(save: Save):
    node = helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)
    error = complaint(save(product(node, y=(T.FLOAT, []))))
    assert "no dimension for the points" in error.what


def test_a_model_that_does_not_end_is_stopped(save: Save):
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Sin", ["v"], ["u"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", T.INT64, []),
            helper.make_tensor_value_info("going", T.BOOL, []),
            helper.make_tensor_value_info("v", T.FLOAT, ["n", 2]),
        ],
        [
            helper.make_tensor_value_info("still", T.BOOL, []),
            helper.make_tensor_value_info("u", T.FLOAT, ["n", 2]),
        ],
    )
    node = helper.make_node("Loop", ["many", "yes", "x"], ["y"], body=body)
    model = product(node, y=(T.FLOAT, ["n", 2]))
    model.graph.initializer.append(numpy_helper.from_array(np.array(2**62, np.int64), "many"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    assert "within 0.5 s" in complaint(save(model), timeout=0.5).what


def test_options_that_do_not_fit(save: Save):
    path = save(product())
    with pytest.raises(ConfigError, match="no option `layers`"):
        load_teacher(path, layers=[1, 2])
    with pytest.raises(ConfigError, match="4 classes do not fit"):
        load_teacher(path, classes=["a", "b", "c", "d"])
    assert load_teacher(path, classes=["a", "b", "c"]).classes == ("a", "b", "c")
    assert load_teacher(str(path), kind="onnx").teacher.inputs == 2
