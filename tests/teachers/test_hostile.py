"""What no room of its own owns: sources that are none, sizes that are absurd, objects that lie."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from distill.building.vector import VectorOrder, build_vector, with_known_errors
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.config.folder import read_option
from distill.config.schema import ExportConfig, ScoreConfig
from distill.domain import Domain, Variable
from distill.engines.exact import closed_candidates
from distill.errors import ConfigError, DistillError, NotDifferentiable, TeacherError
from distill.firmware.evidence import Check
from distill.firmware.subject import Code
from distill.firmware.target import load_target
from distill.firmware.toolchains import host_compilers
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.verify_host import build_loop
from distill.progress import Silent
from distill.sampling.sample import draw
from distill.stages.score import score
from distill.teachers import columns
from distill.teachers.base import Output, chain_of
from distill.teachers.load import load_teacher

BOX = Domain.box(a=(1, 2), b=(3, 5))


def complaint(source: object, **options: Any) -> DistillError:
    """The error of loading and asking; it says where and what to do."""
    with pytest.raises((TeacherError, ConfigError)) as caught:
        load_teacher(source, **options).predict(np.array([[1.0, 3.0], [2.0, 5.0]]))
    assert caught.value.where
    return caught.value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (3, "a int is no teacher"),
        (None, "a NoneType is no teacher"),
        (np.zeros((3, 2)), "a ndarray is no teacher"),
        ("/dev/zero", "no plain file"),
        ("x\0y.onnx", "is no path"),
        ("a" * 5000 + ".onnx", "is no path"),
        (Path("a" * 5000 + ".csv"), "is no path"),
        ("~no_such_user/x.csv", "is no path"),
    ],
)
def test_sources_that_are_none(source: object, words: str):
    error = complaint(source)
    assert words in error.what
    assert error.hint
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    "name", ["rows.csv", "model.onnx", "net.pt2", "net.safetensors", "m.skops"]
)
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(name: str, tmp_path: Path):
    os.mkfifo(tmp_path / name)
    assert "no plain file" in complaint(tmp_path / name).what


@pytest.mark.parametrize("domain", [{"a": (1, 2)}, [(1, 2), (3, 5)], "a"])
def test_what_is_no_domain_is_told_at_once(domain: object):
    error = complaint(lambda x: x[:, 0], domain=domain)
    assert "is no domain" in error.what
    assert "Domain.box" in error.hint


@pytest.mark.parametrize("outputs", [3, [], [3], [{"unit": "m"}], ["x", "X"], ["a b"]])
def test_outputs_that_are_none(outputs: object):
    assert "output" in complaint(lambda x: x[:, 0], domain=BOX, outputs=outputs).what


def test_a_table_without_answers():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0], "y": [1.0, 2.0]})
    assert "no column is named for the answers" in complaint(frame, outputs=[]).what


def test_a_parquet_file_with_absurdly_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "rows.parquet"
    rows = pa.array(np.arange(100_000) % 7)
    parquet.write_table(pa.table({"a": rows, "b": rows, "y": rows}), path)
    assert load_teacher(path).predict(np.array([[3.0, 3.0]])) == 3.0
    monkeypatch.setattr(columns, "MOST", 299_999)
    error = complaint(path)
    assert "100,000 rows of 3 columns" in error.what
    assert error.hint


OWN: dict[str, Any] = {
    "name": "mine",
    "outputs": (Output("y"),),
    "domain": None,
    "fingerprint": "ab12",
    "can_be_asked": True,
    "validation_error": None,
    "predict": lambda x: x[:, 0],
    "gradient": lambda x: np.ones((len(x), 1, 2)),
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "not a name"}, "`name` is 'not a name'"),
        ({"name": 3}, "`name` is 3"),
        ({"outputs": ()}, "names no output"),
        ({"outputs": ["y"]}, "no tuple of `Output`s"),
        ({"outputs": (Output("y"), Output("Y"))}, "two outputs have the same name"),
        ({"outputs": (Output("double"),)}, "its output is called `double`"),
        ({"fingerprint": b"ab"}, "`fingerprint` is no text"),
        ({"domain": (1, 2)}, "neither a Domain nor None"),
        ({"classes": ["no", "yes"]}, "no tuple of names"),
        ({"classes": ("one",)}, "one class"),
        ({"classes": ("p", "q", "r")}, "3 classes do not go with 1 outputs"),
        ({"chain": "steps"}, "neither a Chain nor None"),
        ({"chain": Chain(2, ())}, "its chain gives 2 numbers and it has 1 outputs"),
        (
            {"chain": Chain(3, (Affine(np.ones((1, 3)), np.zeros(1)),)), "domain": BOX},
            "takes 3 inputs and its domain has 2",
        ),
    ],
)
def test_an_object_that_is_almost_a_teacher(change: dict[str, Any], words: str):
    assert load_teacher(SimpleNamespace(**OWN)).predict(np.ones((2, 2))).shape == (2, 1)
    error = complaint(SimpleNamespace(**{**OWN, **change}))
    assert words in error.what
    assert "add-a-teacher" in error.hint


@pytest.mark.parametrize("slopes", ["steep", None, np.array([["a"]]), [[[1.0, 2.0]]]])
def test_a_gradient_that_is_no_array_of_numbers(slopes: object):
    teacher = load_teacher(SimpleNamespace(**{**OWN, "gradient": lambda x: slopes}), domain=BOX)
    with pytest.raises(TeacherError, match="no array of numbers"):
        teacher.gradient(np.ones((1, 2)))


def test_an_archive_whose_number_of_inputs_is_open(tmp_path: Path):
    class Mean(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=1, keepdim=True)

    shapes = ({0: torch.export.Dim("n"), 1: torch.export.Dim("width")},)
    program = torch.export.export(Mean(), (torch.zeros(3, 4),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "mean.pt2")
    error = complaint(tmp_path / "mean.pt2", domain=BOX)
    assert error.hint


@pytest.mark.slow
def test_ten_thousand_inputs_from_the_model_to_its_c(tmp_path: Path):
    from sklearn.linear_model import Ridge

    d = 10_000
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (20, d))
    model = Ridge().fit(x, x[:, 0] + 2 * x[:, 1])
    box = Domain(tuple(Variable(f"x{i}", 0, 1) for i in range(d)))
    teacher = load_teacher(model, domain=box, name="wide")
    with pytest.raises(NotDifferentiable, match="10,000 inputs"):
        teacher.gradient(x)
    assert len(box.corners()) * d <= 2**20

    (closed,) = closed_candidates(chain_of(teacher), box, 0)
    sample = draw(teacher, box, "sobol", 64, 0)
    config = ScoreConfig(points=200, starts=2)
    found = score(config, sample, [closed], [], teacher, 0, None, 1e-6, Silent())
    assert found.scores[closed.id].max_error < 1e-12

    order = VectorOrder(
        name="wide",
        domain=box,
        content=chain_of(teacher),
        outputs=teacher.outputs,
        classes=(),
        max_errors=(1e-12,),
        tolerance=1e-3,
        options=ExportConfig(),
        target=load_target(read_option("target", "host")),
        provenance={},
    )
    spec = with_known_errors(build_vector(order, "float32"), order.content, teacher.predict)
    assert 0 < spec.max_errors[0] < 1e-3
    bundle = write_vector_bundle(spec, tmp_path / "wide")
    code = Code(bundle.directory, spec.name, spec.numbers, (), True, 120.0)
    ask = build_loop(code, host_compilers()[0], tmp_path)
    assert not isinstance(ask, Check), ask.detail
    points = spec.numbers.inside(x)
    np.testing.assert_allclose(ask(points).ravel(), model.predict(points), rtol=1e-4)
