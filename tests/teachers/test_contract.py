"""What every teacher promises, whatever it is made of."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from distill.domain import Domain
from distill.errors import NotDifferentiable, TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers.base import Teacher
from distill.teachers.checked import Checked
from distill.teachers.load import load_teacher

X = np.array([[1.0, 3.0], [1.25, 4.5], [2.0, 5.0], [1.5, 3.0]])


class Bilinear(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x[:, 0] * x[:, 1]


def _product(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1]


def _table() -> pd.DataFrame:
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "power": X[:, 0] * X[:, 1]})


def _csv(folder: Path, box: Domain) -> Teacher:
    _table().to_csv(folder / "t.csv", index=False)
    return load_teacher(folder / "t.csv", domain=box)


def _parquet(folder: Path, box: Domain) -> Teacher:
    _table().to_parquet(folder / "t.parquet")
    return load_teacher(str(folder / "t.parquet"), domain=box)


def _state_dict(folder: Path, box: Domain) -> Teacher:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    torch.save(net.state_dict(), folder / "net.pt")
    return load_teacher(folder / "net.pt", domain=box, layers=[2, 4, 3], activation="relu")


KINDS: dict[str, Callable[[Path, Domain], Teacher]] = {
    "shipped": lambda folder, box: load_teacher("wet_bulb", domain=box),
    "state_dict": _state_dict,
    "module": lambda folder, box: load_teacher(Bilinear(), domain=box),
    "callable": lambda folder, box: load_teacher(_product, domain=box),
    "lambda": lambda folder, box: load_teacher(lambda x: x.sum(axis=1), domain=box),
    "scalar callable": lambda folder, box: load_teacher(
        lambda a, b: a - b, domain=box, vectorized=False
    ),
    "function": lambda folder, box: load_teacher("their_model:product", domain=box),
    "two outputs": lambda folder, box: load_teacher(
        "their_model:both", domain=box, outputs=["total", {"name": "power", "unit": "W"}]
    ),
    "scalar function": lambda folder, box: load_teacher(
        "their_model:scalar", domain=box, vectorized=False, batch=3
    ),
    "csv": _csv,
    "parquet": _parquet,
    "frame": lambda folder, box: load_teacher(_table(), domain=box),
}


@pytest.fixture(params=KINDS)
def teacher(request: pytest.FixtureRequest, tmp_path: Path, functions: str, box: Domain) -> Teacher:
    return KINDS[request.param](tmp_path, box)


def test_is_a_checked_teacher_with_a_name_outputs_and_a_fingerprint(teacher: Teacher, box: Domain):
    assert isinstance(teacher, Checked)
    assert isinstance(teacher, Teacher)
    assert why_not_identifier(teacher.name) is None
    assert teacher.outputs
    assert all(why_not_identifier(output.name) is None for output in teacher.outputs)
    assert teacher.domain == box
    assert set(teacher.fingerprint) <= set("0123456789abcdef")
    assert len(teacher.fingerprint) >= 32


def test_answers_are_float64_of_shape_n_k_and_repeat_to_the_bit(teacher: Teacher):
    first, second = teacher.predict(X), teacher.predict(X)
    assert first.dtype == np.float64
    assert first.shape == (len(X), len(teacher.outputs))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


def test_the_points_asked_are_left_as_they_were(teacher: Teacher):
    x = X.copy()
    teacher.predict(x)
    np.testing.assert_array_equal(x, X)


def test_each_point_is_answered_on_its_own(teacher: Teacher):
    one_by_one = np.vstack([teacher.predict(point[None, :]) for point in X])
    np.testing.assert_allclose(one_by_one, teacher.predict(X), rtol=1e-12)


def test_no_points_no_answers(teacher: Teacher):
    assert teacher.predict(np.empty((0, 2))).shape == (0, len(teacher.outputs))


@pytest.mark.parametrize("x", [np.ones((3, 1)), np.ones((3, 3)), np.ones(2)])
def test_wrong_number_of_inputs_is_named_with_both_numbers(teacher: Teacher, x: np.ndarray):
    with pytest.raises(TeacherError, match="wrong number of inputs") as caught:
        teacher.predict(x)
    assert "2" in caught.value.what
    assert str(x.shape[-1]) in caught.value.what


def test_gradient_is_that_of_the_answers_or_refused(teacher: Teacher):
    if not teacher.can_be_asked or "torch" not in type(teacher.teacher).__module__:
        with pytest.raises(NotDifferentiable):
            teacher.gradient(X)
        return
    inside = X[[1, 3]]
    slopes = teacher.gradient(inside)
    assert slopes.shape == (2, len(teacher.outputs), 2)
    for i in range(2):
        step = np.zeros(2)
        step[i] = 1e-6
        numeric = (teacher.predict(inside + step) - teacher.predict(inside - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, i], numeric, rtol=1e-5, atol=1e-7)


def test_a_table_knows_its_own_rows_only(teacher: Teacher):
    if teacher.can_be_asked:
        assert np.isfinite(teacher.predict(X + 0.001)).all()
        return
    with pytest.raises(TeacherError, match="no row for the point"):
        teacher.predict(X + 0.001)
