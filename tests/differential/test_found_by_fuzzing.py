"""What fuzzing and random formulas found, made small."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import read_expression
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain, Variable
from distill.errors import (
    DistillError,
    DomainError,
    ExportError,
    FormulaError,
    StorageError,
    TeacherError,
)
from distill.firmware.graph import build_graph
from distill.firmware.implementation import implement
from distill.firmware.kernels.curve import fit_curve
from distill.firmware.kernels.horner import integer_horner
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula
from distill.sweeping.folder import SWEEP, SweepFolder
from distill.teachers.load import load_teacher
from distill.teachers.torch.archive import open_archive

BOX = Domain.box(a=(1, 2), b=(3, 5))
HUGE = 10**400
"""A whole number that JSON and YAML can hold and a float cannot."""


def test_bounds_that_no_float_holds():
    row = {"name": "x", "low": 0, "high": HUGE}
    with pytest.raises(DomainError, match="`high` of `x` is not a number"):
        Domain.from_data({"version": 1, "variables": [row]})


def test_a_field_of_a_chain_that_no_float_holds():
    data = ClosedForm(Chain(2, (Apply("elu", 2, 0.5),)), BOX).to_data()
    data["chain"]["steps"][0]["parameter"] = HUGE
    with pytest.raises(FormulaError, match="parameter"):
        read_expression(json.loads(json.dumps(data)))


@pytest.mark.parametrize("jobs", [[1.5], 7, [["a"], None]])
def test_a_sweep_whose_jobs_are_none(jobs: object, tmp_path: Path):
    (tmp_path / SWEEP).write_text(json.dumps({"identity": "x", "jobs": jobs}))
    with pytest.raises(StorageError, match="the sweep cannot be read"):
        SweepFolder(tmp_path).jobs()


def test_a_csv_that_stops_being_text_behind_an_empty_cell(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b,y\n1,,3\n4,5,6\n\xe8")
    with pytest.raises(TeacherError):
        load_teacher(path)


def test_a_parquet_file_whose_names_are_no_text(tmp_path: Path):
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.table({"abcdef": [1.0, 2], "y": [1.0, 2]}), buffer)
    (tmp_path / "rows.parquet").write_bytes(buffer.getvalue().replace(b"abcdef", b"\x9bbcdef"))
    with pytest.raises(TeacherError, match="not a readable Parquet file"):
        load_teacher(tmp_path / "rows.parquet")


# Estimators in skops files: compiled code believes what it is given. ------------------------------


def boosted(folder: Path) -> Path:
    """Gradient boosting of two stages."""
    import skops.io
    from sklearn.ensemble import GradientBoostingRegressor

    x = BOX.sample(60, seed=1)
    path = folder / "model.skops"
    skops.io.dump(GradientBoostingRegressor(n_estimators=2, max_depth=2).fit(x, x[:, 0]), path)
    return path


def rewritten(path: Path, change) -> None:
    """The archive with each entry as ``change(name, bytes)`` gives it."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, change(name, content))


def refusal(path: Path) -> str:
    with pytest.raises(TeacherError) as caught:
        load_teacher(path, domain=BOX).predict(BOX.corners())
    return caught.value.what


def test_a_leaf_that_is_marked_by_another_number(tmp_path: Path):
    """Compiled code walks on from any child but -1, out of the tree's memory."""
    path = boosted(tmp_path)

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith(".npy"):
            return content
        array = np.load(io.BytesIO(content), allow_pickle=False)
        if array.dtype.names and "left_child" in array.dtype.names:
            array["left_child"][array["left_child"] == -1] = -256
            array["right_child"][array["right_child"] == -1] = -256
            buffer = io.BytesIO()
            np.save(buffer, array)
            return buffer.getvalue()
        return content

    rewritten(path, change)
    assert "child is not behind it" in refusal(path)


def test_stages_of_more_trees_than_there_are_columns(tmp_path: Path):
    """Compiled code adds each tree to its column, there or not."""
    import skops.io

    path = boosted(tmp_path)
    model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    model.estimators_ = model.estimators_.reshape(1, 2)
    skops.io.dump(model, path)
    assert "its stages have another number of trees" in refusal(path)


@pytest.mark.parametrize(
    "header",
    [b"{'descr': '<f8', (((", b"(" * 200, b"{'descr': '<f8'}"],
    ids=["open", "deep", "few"],
)
def test_an_array_whose_header_is_no_literal(header: bytes, tmp_path: Path):
    path = boosted(tmp_path)
    padded = header.ljust(117) + b"\n"
    broken = b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded

    def change(name: str, content: bytes) -> bytes:
        return broken if name.endswith(".npy") else content

    rewritten(path, change)
    assert "an array of the file cannot be read" in refusal(path)


def test_a_loader_that_is_no_name(tmp_path: Path):
    path = boosted(tmp_path)

    def change(name: str, content: bytes) -> bytes:
        if name != "schema.json":
            return content
        schema = json.loads(content)
        schema["content"]["__loader__"] = {"a": 1}
        return json.dumps(schema).encode()

    rewritten(path, change)
    with pytest.raises(DistillError):
        load_teacher(path, domain=BOX)


def test_an_estimator_that_lacks_a_parameter(tmp_path: Path):
    import skops.io
    from sklearn.linear_model import LinearRegression

    x = BOX.sample(20, seed=1)
    model = LinearRegression().fit(x, x[:, 0])
    del model.positive
    skops.io.dump(model, tmp_path / "model.skops")
    assert "no estimator" in refusal(tmp_path / "model.skops")


def test_an_archive_whose_entry_ends_before_it_should(tmp_path: Path):
    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"0123456789")
    raw = path.read_bytes().replace((10).to_bytes(4, "little") * 2, (99).to_bytes(4, "little") * 2)
    path.write_bytes(raw + bytes(200))
    with zipfile.ZipFile(path) as archive, pytest.raises((EOFError, zipfile.BadZipFile)):
        archive.read("net/data.pkl")
    with pytest.raises(TeacherError, match="is damaged"):
        open_archive(path).read("data.pkl")


# Found by random formulas, where one number says it better than a formula. ------------------------


def test_a_curve_over_a_range_that_no_float_divides():
    domain = Domain.box(x=(0, 1))
    graph = build_graph(Formula.parse("exp(x)", domain))
    assert fit_curve(graph, 0.0, 1e-310, 1e-3, False, 0.5) is None
    assert fit_curve(graph, 0.0, 1.0, 1e-3, False, 0.5) is not None


@pytest.mark.parametrize(("bits", "most"), [(16, 2**15), (32, 2**31)])
def test_tiny_coefficients_fit_their_integers(bits: int, most: int):
    for size in (1e-9, 1e-12, 1e-15, 1e-18, 1e-25):
        horner = integer_horner([size, -size, size], bits, 0.5, 1e-3)
        assert horner is None or max(map(abs, horner.coefficients)) < most


def test_negative_bases_of_whole_powers_are_refused_in_fixed_point():
    domain = Domain((Variable("n", 5, 10, kind="integer"),))
    with pytest.raises(ExportError):
        implement(Formula.parse("sin(n)^n", domain), "fixed", 1e-4)
    # Where no base is negative it stays what it was.
    sure = Formula.parse("abs(sin(n))^n", domain)
    x = np.arange(5.0, 11.0)[:, None]
    found = implement(sure, "fixed", 1e-3).answers(x)
    assert np.abs(found - sure(x)).max() <= 1e-3


def test_rounding_that_may_turn_an_angle_once_around_is_counted():
    domain = Domain.box(x=(-1, 1))
    graph = build_graph(Formula.parse("atan2(x - 0.1, -1)", domain))
    x = np.array([[float(np.float32(0.1))], [0.5]])
    near, far = rounding_bound(graph, x, "float32")
    assert near >= 2 * np.pi
    assert far < 1e-5
