"""What an ONNX teacher takes and gives: inputs of every kind, batches, outputs, gradients."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from distill.domain import Domain, Variable
from distill.errors import ConfigError, NotDifferentiable, TeacherError
from distill.teachers.load import load_teacher

from .conftest import Save, model_of

X = np.random.default_rng(0).uniform(-1, 1, (40, 2)).astype(np.float32).astype(np.float64)


def stored(name: str, values: Any, kind: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def tanh_network(kind: int = T.FLOAT, batch: Any = "n", width: Any = 2) -> Any:
    numbers = np.float32 if kind == T.FLOAT else np.float64
    rng = np.random.default_rng(1)
    return model_of(
        [
            helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
            helper.make_node("Tanh", ["h"], ["t"]),
            helper.make_node("MatMul", ["t", "v"], ["y"]),
        ],
        {"x": (kind, [batch, width])},
        {"y": (kind, [batch, 2])},
        (
            stored("w", rng.normal(size=(2, 16)), numbers),
            stored("b", rng.normal(size=16), numbers),
            stored("v", rng.normal(size=(16, 2)), numbers),
        ),
    )


def test_answers_do_not_depend_on_the_points_beside(save: Save):
    teacher = load_teacher(save(tanh_network()))
    assert [o.name for o in teacher.outputs] == ["y_0", "y_1"]
    together = teacher.predict(X)
    one_by_one = np.vstack([teacher.predict(point[None]) for point in X])
    np.testing.assert_array_equal(together, one_by_one)
    assert "float32" in teacher.teacher.notes[0]


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_a_fixed_number_of_points_is_kept_to(batch: int, save: Save):
    wanted = load_teacher(save(tanh_network())).predict(X)
    teacher = load_teacher(save(tanh_network(batch=batch)))
    np.testing.assert_allclose(teacher.predict(X), wanted, atol=1e-6)
    assert teacher.predict(X[:0]).shape == (0, 2)


@pytest.mark.parametrize(("kind", "off"), [(T.FLOAT, 2e-5), (T.DOUBLE, 1e-9)])
def test_gradients_by_differences(kind: int, off: float, save: Save):
    box = Domain.box(a=(-1, 1), b=(-1, 1))
    teacher = load_teacher(save(tanh_network(kind)), domain=box)
    exact = load_teacher(save(tanh_network(T.DOUBLE)), domain=box)
    step = 1e-6 * np.eye(2)
    wanted = np.stack(
        [(exact.predict(X + step[i]) - exact.predict(X - step[i])) / 2e-6 for i in range(2)], axis=2
    )
    assert np.abs(teacher.gradient(X) - wanted).max() < max(off, 3e-9) * np.abs(wanted).max()


def mixed() -> Any:
    """speed (float) * gear (int64) + 2 * reverse (bool) + offset (double)."""
    return model_of(
        [
            helper.make_node("Cast", ["gear"], ["g"], to=T.FLOAT),
            helper.make_node("Cast", ["is reverse"], ["r"], to=T.FLOAT),
            helper.make_node("Cast", ["offset"], ["o"], to=T.FLOAT),
            helper.make_node("Mul", ["speed", "g"], ["a"]),
            helper.make_node("Mul", ["r", "two"], ["b"]),
            helper.make_node("Sum", ["a", "b", "o"], ["y"]),
        ],
        {
            "speed": (T.FLOAT, ["n", 1]), "gear": (T.INT64, ["n", 1]),
            "is reverse": (T.BOOL, ["n", 1]), "offset": (T.DOUBLE, ["n", 1]),
        },
        {"y": (T.FLOAT, ["n", 1])},
        (stored("two", 2.0),),
    )  # fmt: skip


GEARS = Domain(
    (
        Variable("speed", 0, 2),
        Variable("gear", 1, 5, kind="integer"),
        Variable("is_reverse", 0, 1, kind="boolean"),
        Variable("offset", 0, 1),
    )
)


def test_inputs_of_several_kinds_in_the_models_order(save: Save):
    teacher = load_teacher(save(mixed()), domain=GEARS)
    assert teacher.teacher.input_names == ("speed", "gear", "is_reverse", "offset")
    x = np.array([[1.5, 3, 1, 0.25], [0.5, 2, 0, 0.5]])
    np.testing.assert_array_equal(teacher.predict(x)[:, 0], [6.75, 1.5])
    with pytest.raises(NotDifferentiable, match="whole numbers"):
        teacher.gradient(x)
    assert teacher.chain is None


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [(1, 2.5, "whole numbers of int64"), (2, 0.5, "0 or 1"), (1, 1e30, "whole numbers of int64")],
)
def test_fractions_where_whole_numbers_are_taken(column: int, value: float, said: str, save: Save):
    teacher = load_teacher(save(mixed()))
    x = np.array([[1.5, 3, 1, 0.25], [0.5, 2, 0, 0.5]])
    x[1, column] = value
    with pytest.raises(TeacherError, match=said):
        teacher.predict(x)


def test_a_domain_in_another_order_or_of_other_kinds_is_refused(save: Save):
    speed, gear, reverse, offset = GEARS.variables
    with pytest.raises(TeacherError, match="in another order"):
        load_teacher(save(mixed()), domain=Domain((gear, speed, reverse, offset)))
    with pytest.raises(TeacherError, match="int64 for the variable `gear`, which is continuous"):
        load_teacher(save(mixed()), domain=Domain((speed, Variable("gear", 1, 5), reverse, offset)))
    with pytest.raises(TeacherError, match="wrong number of inputs"):
        load_teacher(save(mixed()), domain=Domain((speed, gear)))


def two_outputs() -> Any:
    return model_of(
        [helper.make_node("Exp", ["x"], ["up"]), helper.make_node("Neg", ["x"], ["down side"])],
        {"x": (T.FLOAT, ["n", 2])},
        {"up": (T.FLOAT, ["n", 2]), "down side": (T.FLOAT, ["n", 2])},
    )


def test_outputs_are_picked_by_name(save: Save):
    every = load_teacher(save(two_outputs()))
    assert [o.name for o in every.outputs] == ["up_0", "up_1", "down_side_0", "down_side_1"]
    np.testing.assert_array_equal(every.chain.evaluate(X, "float32")[:, 2:], -X)
    down = load_teacher(save(two_outputs()), answers=["down side"], outputs=["p", "q"])
    np.testing.assert_array_equal(down.predict(X), -X)
    assert [o.name for o in down.outputs] == ["p", "q"]
    with pytest.raises(ConfigError, match="no output `left`") as caught:
        load_teacher(save(two_outputs()), answers=["left"])
    assert "down side" in caught.value.hint
    with pytest.raises(ConfigError, match="2 outputs are named, the model has 4"):
        load_teacher(save(two_outputs()), outputs=["p", "q"])


def tree(mode: str, threshold: float = 0.5, **options: Any) -> Any:
    """1 where the question is answered with yes, else 2."""
    return model_of(
        [
            helper.make_node(
                "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml",
                **{
                    "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2],
                    "nodes_featureids": [1, 0, 0], "nodes_values": [threshold, 0.0, 0.0],
                    "nodes_modes": [mode, "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0],
                    "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0],
                    "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0],
                    "n_targets": 1, **options,
                },
            )
        ],
        {"x": (T.FLOAT, ["n", 2])},
        {"y": (T.FLOAT, ["n", 1])},
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["LEQ", "LT", "GTE", "GT"])
@pytest.mark.parametrize("tracks", [0, 1])
def test_every_question_of_a_tree_at_its_threshold(mode: str, tracks: int, save: Save):
    cut = np.float32(0.1)
    steps = [cut, np.nextafter(cut, np.float32(-1)), np.nextafter(cut, np.float32(1)), np.nan]
    x = np.array([[0.0, float(step)] for step in steps])
    options = {"nodes_missing_value_tracks_true": [tracks, 0, 0], "base_values": [0.5]}
    teacher = load_teacher(save(tree(f"BRANCH_{mode}", float(cut), **options)))
    found = teacher.predict(x)
    assert set(found[:, 0].tolist()) == {1.5, 2.5}
    np.testing.assert_array_equal(teacher.chain.evaluate(x, "float32"), found)
    with pytest.raises(NotDifferentiable, match="TreeEnsembleRegressor"):
        teacher.gradient(x)


def test_a_question_for_a_category_has_no_chain(save: Save):
    teacher = load_teacher(save(tree("BRANCH_EQ")))
    np.testing.assert_array_equal(teacher.predict(np.array([[0, 0.5], [0, 1]]))[:, 0], [1, 2])
    assert teacher.chain is None
    assert "BRANCH_EQ" in teacher.teacher.closed_form[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"nodes_truenodeids": [0, 0, 0]}, "in a circle"),
        ({"nodes_truenodeids": [9, 0, 0]}, "a child that is missing"),
        ({"nodes_featureids": [1000000, 0, 0]}, "requests feature 1000000"),
        ({"nodes_modes": ["BRANCH_LEQ", "LEAF"]}, "3 nodes, but 2 of `nodes_modes`"),
        ({"target_ids": [0, 7]}, "to no output"),
    ],
)
def test_trees_that_are_none_are_refused(options: dict[str, Any], said: str, save: Save):
    with pytest.raises(TeacherError, match=said):
        load_teacher(save(tree("BRANCH_LEQ", **options)))
