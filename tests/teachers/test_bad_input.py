"""Teachers, tables and files as they should not be: what is said, and that nothing is run."""

import importlib.util
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from distill.domain import Domain
from distill.errors import ConfigError, DomainError, TeacherError
from distill.teachers.base import Output
from distill.teachers.checked import Checked
from distill.teachers.load import load_teacher, shipped

X = np.array([[1.0, 3.0], [1.25, 4.5], [2.0, 5.0]])
WET_BULB = Path(__file__).parents[2] / "distill/teachers/shipped/wet_bulb.safetensors"


def complaint(source: object, **options: Any) -> TeacherError:
    """The error of loading and asking a teacher; it says where and what to do."""
    with pytest.raises(TeacherError) as caught:
        load_teacher(source, **options).predict(X)
    error = caught.value
    assert error.where
    assert error.hint
    return error


# files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["no_such.safetensors", "no_such.csv", "folder/no_such.pt", "./x"])
def test_no_such_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    error = complaint(name)
    assert "there is no file" in error.what
    assert str(tmp_path) in error.where


def test_a_misspelt_shipped_name_gets_the_right_one():
    error = complaint("wet_blub")
    assert "did you mean `wet_bulb`?" in error.what
    assert all(entry.name in error.hint for entry in shipped())


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.target,)


def _hostile(path: Path, bomb: Bomb) -> None:
    if path.suffix in {".pt", ".pth"} and "legacy" not in path.stem:
        torch.save({"weight": torch.zeros(2), "bomb": bomb}, path)
    elif "legacy" in path.stem:
        torch.save({"bomb": bomb}, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps(bomb, protocol=0 if "text" in path.stem else 4))


@pytest.mark.parametrize(
    "name",
    [
        "model.pkl",
        "model.pickle",
        "model.joblib",
        "text.pkl",
        "model.bin",
        "model.csv",
        "model",
        "model.pt",
        "model.pth",
        "legacy.pt",
        "model.safetensors",
        "model.parquet",
        "model.pt2",
        "model.onnx",
        "text.txt",
    ],
)
@pytest.mark.parametrize("options", [{}, {"layers": [2, 1]}])
def test_a_hostile_pickle_is_never_opened(name: str, options: dict[str, Any], tmp_path: Path):
    proof = tmp_path / "proof"
    _hostile(tmp_path / name, Bomb(proof))
    try:
        with pytest.raises((TeacherError, ConfigError)):
            load_teacher(tmp_path / name, **options)
        assert not proof.exists()
    finally:
        pickle.loads(pickle.dumps(Bomb(proof)))  # the bomb is real
        assert proof.exists()


def test_a_pickle_is_named_as_such(tmp_path: Path):
    for name in ("model.pkl", "model.dat"):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
        error = complaint(tmp_path / name)
        assert "pickle" in error.what
        assert "safetensors" in error.hint


def test_a_torch_file_with_a_whole_model_is_refused_without_advice_to_trust_it(tmp_path: Path):
    torch.save(torch.nn.Linear(2, 1), tmp_path / "model.pt")
    error = complaint(tmp_path / "model.pt", layers=[2, 1])
    assert "more than weights" in error.what
    assert "state_dict" in error.hint
    assert "weights_only=False" not in str(error)


def test_a_torch_file_that_is_none(tmp_path: Path):
    (tmp_path / "model.pt").write_text("hello")
    assert "torch.save" in complaint(tmp_path / "model.pt", layers=[2, 1]).what
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("zip/readme", "hello")
    assert "damaged" in complaint(tmp_path / "zip.pt", layers=[2, 1]).what


def test_torchscript_and_export_archives_are_told_by_their_contents(tmp_path: Path):
    for name, entry, words in (
        ("script.pt", "script/code/__torch__.py", "a program"),
        ("new.pt", "new/models/m.json", "torch.export archive"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(entry, "")
        assert words in complaint(tmp_path / name).what
    (tmp_path / "model.pt2").write_bytes(b"PK")
    assert "torch.save" in complaint(tmp_path / "model.pt2").what


def test_a_truncated_safetensors_file(tmp_path: Path):
    whole = WET_BULB.read_bytes()
    for size in (0, 4, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.safetensors").write_bytes(whole[:size])
        assert "damaged" in complaint(tmp_path / "cut.safetensors").what


def test_safetensors_without_metadata_need_the_architecture(tmp_path: Path):
    path = tmp_path / "bare.safetensors"
    state = {"0.weight": np.ones((1, 2)), "0.bias": np.array([0.5])}
    save_file(state, path)
    error = complaint(path)
    assert "`distill` is missing" in error.what
    assert "layers" in error.hint
    teacher = load_teacher(path, layers=[2, 1], domain=Domain.box(a=(1, 2), b=(3, 5)))
    np.testing.assert_allclose(teacher.predict(X)[:, 0], X.sum(axis=1) + 0.5)


@pytest.mark.parametrize(
    ("layers", "activation", "words"),
    [
        ([3, 1], "tanh", r"shape \[1, 2\]; layers \[3, 1\] need \[1, 3\]"),
        ([2, 4, 1], "tanh", "need 2 weights"),
        ([2], "tanh", "widths"),
        ([2, 0], "tanh", "widths"),
        ([2, 1], "tan", "not a known activation"),
    ],
)
def test_an_architecture_that_does_not_fit(
    layers: list[int], activation: str, words: str, tmp_path: Path
):
    path = tmp_path / "net.safetensors"
    save_file({"0.weight": np.ones((1, 2)), "0.bias": np.zeros(1)}, path)
    with pytest.raises(TeacherError, match=words) as caught:
        load_teacher(path, layers=layers, activation=activation)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 99}, "version 1"),
        ({"layers": None}, "lacks `layers`"),
        ({"layers": [2, 32, 1]}, "need 2 weights"),
        ({"name": "double"}, "`double`"),
        ({"outputs": ["a", "b"]}, "2 are named"),
        ({"input_scale": [1.0, 0.0]}, "other than 0"),
        ({"input_mean": [1.0]}, "must be 2 finite numbers"),
        ({"input_mean": [float("nan"), 0.0]}, "must be 2 finite numbers"),
        ({"domain": {"version": 1, "variables": []}}, "domain in the metadata"),
        ({"validation_error": -1}, "validation_error"),
    ],
)
def test_wrong_metadata_is_named(change: dict[str, Any], words: str, tmp_path: Path):
    with safe_open(WET_BULB, framework="numpy") as file:
        data = json.loads(file.metadata()["distill"])
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    path = tmp_path / "changed.safetensors"
    save_file(state, path, metadata={"distill": json.dumps({**data, **change})})
    with pytest.raises(TeacherError, match=words) as caught:
        load_teacher(path)
    assert str(path) in caught.value.where


def test_the_reference_a_file_names_is_never_imported(tmp_path: Path, functions: str):
    Path("their_trap.py").write_text("open('sprung', 'w')\n")
    with safe_open(WET_BULB, framework="numpy") as file:
        data = json.loads(file.metadata()["distill"])
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    path = tmp_path / "trap.safetensors"
    metadata = {"distill": json.dumps({**data, "reference": "their_trap:f"})}
    save_file(state, path, metadata=metadata)
    load_teacher(path).predict(np.array([[20.0, 50.0]]))
    assert not Path("sprung").exists()


def test_weights_that_are_not_finite(tmp_path: Path):
    save_file(
        {"0.weight": np.full((1, 2), np.nan), "0.bias": np.zeros(1)}, tmp_path / "n.safetensors"
    )
    assert "not finite" in complaint(tmp_path / "n.safetensors", layers=[2, 1]).what


def test_a_folder_and_an_unknown_kind_of_file(tmp_path: Path):
    assert "cannot be read" in complaint(tmp_path).what
    (tmp_path / "model.xyz").write_text("?")
    assert "no kind" in complaint(tmp_path / "model.xyz").what
    assert "import path" in complaint(str(tmp_path / "model.py")).what


def test_a_kind_that_the_source_is_not(tmp_path: Path):
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_csv(tmp_path / "t.csv", index=False)
    assert "is a table" in complaint(str(tmp_path / "t.csv"), kind="torch").what
    assert "is a network" in complaint(str(WET_BULB), kind="table").what
    assert "import path" in complaint("wet_bulb", kind="function").what
    assert "no shipped teacher" in complaint("a:b", kind="shipped").what
    with pytest.raises(ConfigError, match="`tabel` is not a kind"):
        load_teacher("t.csv", kind="tabel")


@pytest.mark.parametrize("source", [3, None, [1, 2], object()])
def test_an_object_that_is_no_teacher(source: object):
    with pytest.raises(TeacherError, match="is no teacher") as caught:
        load_teacher(source)
    assert "shipped name" in caught.value.hint


def test_an_estimator_is_told_to_give_its_method():
    class Estimator:
        def predict(self, x: np.ndarray) -> np.ndarray:
            return x[:, 0]

    with pytest.raises(TeacherError) as caught:
        load_teacher(Estimator())
    assert "model.predict" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"batch": -1}, "batch"),
        ({"vectorized": "yes"}, "vectorized"),
        ({"layers": [2, 1]}, "no option `layers`"),
        ({"name": "3d"}, "`3d`"),
    ],
)
def test_wrong_options_name_their_key(options: dict[str, Any], words: str, functions: str):
    with pytest.raises(ConfigError, match=words) as caught:
        load_teacher(f"{functions}:product", **options)
    assert "teacher.options." in caught.value.where


# functions ---------------------------------------------------------------------------------------


def test_no_such_module_or_function(functions: str):
    error = complaint("no_such_module_anywhere:f")
    assert "no module `no_such_module_anywhere`" in error.what
    error = complaint(f"{functions}:prodcut")
    assert "no function `prodcut`" in error.what
    assert "product" in error.hint
    assert "no function `not_a_function`" in complaint(f"{functions}:not_a_function").what


def test_a_module_that_fails_to_import(functions: str):
    Path(f"{functions}.py").write_text("import no_such_library_anywhere\n")
    error = complaint(f"{functions}:f")
    assert "no_such_library_anywhere" in error.what
    Path("their_typo.py").write_text("def f(x:\n")
    assert "SyntaxError" in complaint("their_typo:f").what


@pytest.mark.parametrize("where", ["process", "here"])
@pytest.mark.parametrize(
    ("name", "vectorized", "words"),
    [
        ("refuses_large", True, "the teacher raised ValueError: valve is stuck at a = 2, b = 5"),
        ("nothing", True, "NoneType instead of a number"),
        ("some_none", False, "NoneType instead of a number"),
        ("one_number", True, r"shape \(\) instead of \(3,\)"),
        ("a_row", True, r"shape \(1, 3\) instead of \(3,\)"),
        ("text", True, "str instead of a number"),
        ("complex_root", True, "complex numbers, such as .*j at a = 1, b = 3"),
        ("both", True, "gives 2 outputs, 1"),
        ("product", False, "TypeError"),
    ],
)
def test_answers_that_are_none(
    name: str, vectorized: bool, words: str, where: str, functions: str, box: Domain
):
    source: object = f"{functions}:{name}"
    if where == "here":
        spec = importlib.util.spec_from_file_location("copy", f"{functions}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        source = getattr(module, name)
    with pytest.raises(TeacherError, match=words):
        load_teacher(source, domain=box, vectorized=vectorized).predict(X)


def test_the_first_failing_point_of_many_is_found(box: Domain):
    x = box.sample(1000)
    bad = x[:, 0] > 1.9

    def fails(points: np.ndarray) -> np.ndarray:
        if (points[:, 0] > 1.9).any():
            raise ArithmeticError("too far")
        return points[:, 0]

    with pytest.raises(TeacherError, match="ArithmeticError: too far") as caught:
        load_teacher(fails, domain=box).predict(x)
    first = x[np.argmax(bad)]
    assert f"a = {first[0]:.17g}, b = {first[1]:.17g}" in caught.value.what


def test_nan_and_infinity_pass_for_the_sample_to_judge(functions: str, box: Domain):
    answers = load_teacher(f"{functions}:partly_nan", domain=box).predict(X)[:, 0]
    np.testing.assert_array_equal(answers, [1.0, 1.25, np.nan])


def test_a_function_that_writes_into_its_points(functions: str, box: Domain):
    x = X.copy()
    load_teacher(lambda p: np.multiply(p, 2, out=p)[:, 0], domain=box).predict(x)
    load_teacher(f"{functions}:spoils_its_input", domain=box).predict(x)
    np.testing.assert_array_equal(x, X)


# domains -----------------------------------------------------------------------------------------


def test_a_domain_with_another_number_of_inputs():
    with pytest.raises(TeacherError, match="the teacher takes 2, the domain has 3") as caught:
        load_teacher("wet_bulb", domain=Domain.box(a=(1, 2), b=(1, 2), c=(1, 2)))
    assert "a, b, c" in caught.value.what


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"a": (2, 1)}, "low < high"),
        ({"a": (1, 1)}, "low < high"),
        ({"a": (0, float("inf"))}, "not finite"),
        ({"a": (float("nan"), 1)}, "not finite"),
        ({"a": (0, 1), "A": (0, 1)}, "two variables"),
        ({"double": (0, 1)}, "C or C"),
        ({"größe": (0, 1)}, "cannot name a variable"),
        ({"a b": (0, 1)}, "cannot name a variable"),
    ],
)
def test_domains_that_are_none(bounds: dict[str, tuple[float, float]], words: str):
    with pytest.raises(DomainError, match=words):
        Domain.box(**bounds)


def test_units_may_be_any_text():
    domain = Domain.box(speed=(0, 3, "µm/s²"), heat=(1, 2, "°C"))
    teacher = load_teacher(lambda x: x[:, 0], domain=domain)
    assert teacher.domain.variables[0].unit == "µm/s²"
    assert Domain.from_json(domain.to_json()) == domain


# tables ------------------------------------------------------------------------------------------

GOOD = "a,b,y\n1,3,5\n2,4,7\n3,6,8\n"


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("a,b,y\n1,3,5\n2,,7\n3,6,8\n", "`b` has 1 missing value", "line 3, column `b`"),
        ("a,b,y\n\n1,3,5\n2,4,nan\n3,6,\n", "`y` has 2 missing values", "line 4, column `y`"),
        ("a,b,y\n1,3,5\n2,x,7\n3,6,8\n", "`b` holds text: 'x'", "line 3, column `b`"),
        ("a,b,y\n1,3,5\n2,4,inf\n3,6,8\n", "not finite", "line 3, column `y`"),
        ("a;y\n1,5;3\n2,5;4\n", "`a` holds text: '1,5'", "line 2, column `a`"),
        ("a,b,y\n1,3,5\n", "too few rows: 1", "t.csv"),
        ("a,b,y\n", "too few rows: 0", "t.csv"),
        ("", "not a readable CSV", "t.csv"),
        ("y\n1\n2\n", "too few columns: 1", "t.csv"),
        ("1.5 3\n2 4\n", "too few columns: 1", "t.csv"),
        ("a,b,a\n1,3,5\n2,4,7\n", "2 columns are called `a`", "line 1"),
        ("a,b,y\n1,3,5\n2,4\n", "not a readable CSV", "t.csv"),
        ("a,b,y\n1,3,5\n2,4,6,7\n", "not a readable CSV", "t.csv"),
        ("a,b,y\n1,3,5\n1,4,7\n", "`a` is constant: every row holds 1", "t.csv"),
        ("a,b,y\n1,3,5\n2,4,5\n", "`y` is constant", "t.csv"),
        ("a,b,y\n1,2020-01-01,5\n2,2020-01-02,6\n", "not numbers", "column `b`"),
        ("a,,y\n1,2,5\n2,3,6\n", "cannot name", "t.csv"),
        ("a,speed (m/s),y\n1,2,5\n2,3,6\n", "`speed \\(m/s\\)` cannot name", "t.csv"),
    ],
)
def test_tables_that_are_none(text: str, what: str, where: str, tmp_path: Path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TeacherError, match=what) as caught:
        load_teacher(tmp_path / "t.csv")
    assert where in caught.value.where
    assert caught.value.hint


def test_a_decimal_comma_is_recognised(tmp_path: Path):
    (tmp_path / "t.csv").write_text("a;y\n1,5;3\n2,5;4\n")
    assert "decimals with a point" in complaint(tmp_path / "t.csv").hint


def test_a_csv_that_is_binary_or_not_utf8(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes("a,größe,y\n1,2,3\n2,3,4\n".encode("latin-1"))
    assert "not a readable CSV" in complaint(tmp_path / "t.csv").what


def test_a_damaged_parquet_file(tmp_path: Path):
    pd.DataFrame({"a": [1, 2], "y": [3, 4]}).to_parquet(tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert "not a readable Parquet" in complaint(tmp_path / "cut.parquet").what


@pytest.mark.parametrize(
    ("columns", "what", "where"),
    [
        ({"a": [1.0, None, 3.0], "y": [1.0, 2.0, 3.0]}, "1 missing value", "row 2, column `a`"),
        ({"a": [1, "two", 3], "y": [1.0, 2.0, 3.0]}, "numbers only", "column `a`"),
        ({"a": ["one", "two", "3"], "y": [1.0, 2.0, 3.0]}, "text: 'one'", "row 1, column `a`"),
        ({"a": ["1", "2", "3"], "y": [1.0, 2.0, 3.0]}, "numbers written as text", "DataFrame"),
        ({"a": [1j, 2j, 3j], "y": [1.0, 2.0, 3.0]}, "numbers only", "column `a`"),
        ({"a": [None, None, None], "y": [1.0, 2.0, 3.0]}, "is empty", "column `a`"),
    ],
)
def test_frames_that_are_none(columns: dict[str, list[Any]], what: str, where: str):
    with pytest.raises(TeacherError, match=what) as caught:
        load_teacher(pd.DataFrame(columns))
    assert where in caught.value.where


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"inputs": ["a", "z"]}, "no column `z`"),
        ({"output": "z"}, "no column `z`"),
        ({"inputs": ["a", "a"]}, "used twice"),
        ({"inputs": ["a", "y"], "output": "y"}, "used twice"),
        ({"domain": Domain.box(p=(1, 3))}, "no column `p`"),
        ({"inputs": ["a", "b"], "domain": Domain.box(p=(1, 3))}, "gives 2 .* has 1"),
    ],
)
def test_columns_that_do_not_fit(options: dict[str, Any], what: str, tmp_path: Path):
    (tmp_path / "t.csv").write_text(GOOD)
    with pytest.raises(TeacherError, match=what):
        load_teacher(tmp_path / "t.csv", **options)


def test_units_and_names_of_classes_move_no_cursor():
    with pytest.raises(TeacherError, match=r"'K\\x1b\[2J' is no unit: .* '\\x1b'") as caught:
        Output("y", "K\x1b[2J")
    assert "`y`" in caught.value.where

    class Sorting:
        name, outputs, domain, fingerprint = "sorting", (Output("y"),), None, "0"
        classes = ("good", "bad\x07")

    with pytest.raises(TeacherError, match=r"'bad\\x07' cannot name a class"):
        Checked(Sorting())
