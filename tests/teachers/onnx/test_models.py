"""Models of other libraries as ONNX: their answers, their labels, and their chains.

Chains are compared in units in the last place of the largest answer.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from distill.teachers.load import load_teacher

FLOWERS, SPECIES = load_iris(return_X_y=True)
POINTS, SIDES = make_classification(400, 5, n_informative=4, n_redundant=0, random_state=1)
VALUES = np.sin(POINTS[:, 0]) + POINTS[:, 1] * POINTS[:, 2]

warnings.filterwarnings("ignore", category=UserWarning)


def asked(x: np.ndarray) -> np.ndarray:
    """Points that float32 has: those of the data, and many around them."""
    around = np.random.default_rng(0).uniform(x.min(axis=0), x.max(axis=0), (3000, x.shape[1]))
    return np.concatenate([x, around]).astype(np.float32).astype(np.float64)


def units(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found - wanted).max() / np.spacing(np.float32(np.abs(wanted).max())))


def labels(values: np.ndarray) -> np.ndarray:
    return (values[:, 0] > 0).astype(int) if values.shape[1] == 1 else values.argmax(axis=1)


def exported(model: Any, x: np.ndarray, folder: Path) -> Any:
    path = folder / "their_model.onnx"
    path.write_bytes(to_onnx(model, x[:1].astype(np.float32)).SerializeToString())
    return load_teacher(path)


def small(kind: Any, **options: Any) -> Any:
    return kind(n_estimators=20, max_depth=4, random_state=0, **options)


REGRESSORS = {  # model, how far the chain is off in units
    "linear": (make_pipeline(StandardScaler(), LinearRegression()), 4),
    "forest": (small(RandomForestRegressor), 0),
    "boosted": (small(GradientBoostingRegressor), 0),
    "network": (
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8, 8), random_state=0)),
        8,
    ),
    "kernel": (SVR(), 16),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_answer_as_the_model_and_their_chains_as_they(name: str, tmp_path: Path):
    model, off = REGRESSORS[name]
    teacher = exported(model.fit(POINTS, VALUES), POINTS, tmp_path)
    x = asked(POINTS)
    found = teacher.predict(x)
    np.testing.assert_allclose(found[:, 0], model.predict(x), atol=2e-5)
    chain, why = teacher.teacher.closed_form
    assert why == ""
    assert units(chain.evaluate(x, "float32"), found) <= off


CLASSIFIERS = {
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), 4),
    "forest": (small(RandomForestClassifier), 1),
    "boosted": (small(GradientBoostingClassifier), 0),
    "network": (MLPClassifier(hidden_layer_sizes=(8,), random_state=0), 12),
    "bayes": (GaussianNB(), 8),
    "margins": (LinearSVC(), 4),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("data", ["two", "three"])
def test_labels_that_follow_from_the_scores_are_the_models_own(
    name: str, data: str, tmp_path: Path
):
    import onnxruntime

    model, off = CLASSIFIERS[name]
    inputs, targets = (POINTS, SIDES) if data == "two" else (FLOWERS, SPECIES)
    teacher = exported(model.fit(inputs, targets), inputs, tmp_path)
    assert teacher.classes == (("0", "1") if data == "two" else ("0", "1", "2"))
    assert len(teacher.outputs) == (1 if data == "two" else 3)
    x = asked(inputs)
    found = teacher.predict(x)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # with more, sums of votes and so ties depend on their number
    session = onnxruntime.InferenceSession(tmp_path / "their_model.onnx", options)
    own = session.run(None, {"X": x.astype(np.float32)})[0]
    np.testing.assert_array_equal(labels(found), own)
    assert teacher.teacher.moved.points <= 2
    chain, why = teacher.teacher.closed_form
    assert why == ""
    values = chain.evaluate(x, "float32")
    assert units(values, found) <= off
    assert (labels(values) != own).sum() <= (0 if off <= 1 else 1)


def test_scores_are_from_before_the_probabilities(tmp_path: Path):
    model = LogisticRegression(C=1e4).fit(POINTS, SIDES)
    teacher = exported(model, POINTS, tmp_path)
    far = asked(POINTS) * 50  # where probabilities are 0 and 1 in float32
    np.testing.assert_allclose(
        teacher.predict(far)[:, 0], model.decision_function(far), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("probability", [False, True])
def test_a_support_vector_machine_has_no_chain_but_its_labels(probability: bool, tmp_path: Path):
    model = SVC(probability=probability, random_state=0).fit(POINTS, SIDES)
    teacher = exported(model, POINTS, tmp_path)
    x = asked(POINTS)
    assert (labels(teacher.predict(x)) == model.predict(x)).mean() > 0.999
    assert teacher.chain is None
    assert "SVMClassifier" in teacher.teacher.closed_form[1]


@pytest.mark.parametrize("data", ["two", "three", "values"])
def test_lightgbm_to_the_bit(data: str, tmp_path: Path):
    import lightgbm

    kind = lightgbm.LGBMRegressor if data == "values" else lightgbm.LGBMClassifier
    model = kind(n_estimators=20, num_threads=1, verbose=-1)
    inputs, targets = {
        "two": (POINTS, SIDES), "three": (FLOWERS, SPECIES), "values": (POINTS, VALUES)
    }[data]  # fmt: skip
    inputs = inputs.astype(np.float32).astype(np.float64)
    model.fit(inputs, targets)
    proto = convert_lightgbm(
        model, initial_types=[("sensors", FloatTensorType([None, inputs.shape[1]]))]
    )
    path = tmp_path / "boosted.onnx"
    path.write_bytes(proto.SerializeToString())
    teacher = load_teacher(path)
    assert teacher.teacher.input_names[0] == "sensors_0"
    x = asked(inputs)
    found = teacher.predict(x)
    if data == "values":
        np.testing.assert_allclose(found[:, 0], model.predict(x), atol=1e-5)
    else:
        np.testing.assert_array_equal(labels(found), model.predict(x))
    np.testing.assert_array_equal(teacher.chain.evaluate(x, "float32"), found)


def test_a_convolutional_network_of_torch(tmp_path: Path):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.SiLU(),
        torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 6, 3, stride=2), torch.nn.GELU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(6, 3),
    ).eval()  # fmt: skip
    path = tmp_path / "images.onnx"
    torch.onnx.export(
        network, (torch.zeros(2, 1, 8, 8),), path, verbose=False, external_data=False,
        dynamic_shapes=({0: torch.export.Dim("n")},),
    )  # fmt: skip
    teacher = load_teacher(path, classes=["a", "b", "c"])
    x = np.random.default_rng(0).uniform(size=(50, 64)).astype(np.float32).astype(np.float64)
    with torch.no_grad():
        wanted = network(torch.tensor(x, dtype=torch.float32).reshape(-1, 1, 8, 8)).numpy()
    found = teacher.predict(x)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert units(teacher.chain.evaluate(x, "float32"), found) <= 8
    np.testing.assert_array_equal(labels(found), wanted.argmax(axis=1))
