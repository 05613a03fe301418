"""Files of scikit-learn, honest, old and hostile."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn import cluster, ensemble, gaussian_process, linear_model, neighbors, svm, tree
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from distill.errors import ConfigError, TeacherError
from distill.teachers.base import Teacher
from distill.teachers.checked import Checked
from distill.teachers.load import load_teacher
from distill.teachers.sklearn.archive import look_through
from distill.teachers.sklearn.estimator import EstimatorTeacher
from distill.teachers.sklearn.trusted import TRUSTED

IRIS, SPECIES = load_iris(return_X_y=True)

MODELS: dict[str, Callable[[], Any]] = {
    "linear": linear_model.LinearRegression,
    "forest": lambda: ensemble.RandomForestClassifier(5, random_state=0),
    "boosted": lambda: ensemble.GradientBoostingClassifier(n_estimators=3),
    "histogram": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3),
    "bagging": lambda: ensemble.BaggingClassifier(n_estimators=3, max_features=0.5),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=3),
    "svc": svm.SVC,
    "svr": svm.SVR,
    "one class": svm.OneClassSVM,
    "neighbours": lambda: neighbors.KNeighborsClassifier(3),
    "ball": lambda: neighbors.KNeighborsRegressor(3, algorithm="ball_tree", metric="manhattan"),
    "k-means": lambda: cluster.KMeans(3, random_state=0),
    "process": gaussian_process.GaussianProcessRegressor,
    "pipeline": lambda: make_pipeline(
        make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough"),
        linear_model.LogisticRegression(max_iter=300),
    ),
}


def complaint(path: Path, **options: Any) -> TeacherError:
    with pytest.raises(TeacherError) as caught:
        load_teacher(path, **options)
    assert caught.value.hint
    assert str(path) in caught.value.where
    return caught.value


def loaded(path: Path, **options: Any) -> EstimatorTeacher:
    teacher = load_teacher(path, **options)
    assert isinstance(teacher, Teacher)
    assert isinstance(teacher, Checked)
    assert isinstance(teacher.teacher, EstimatorTeacher)
    return teacher.teacher


def edited(path: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a skops file with another schema."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                edit(schema)
                content = json.dumps(schema).encode()
            new.writestr(name, content)
    return target


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    skops.io.dump(linear_model.LinearRegression().fit(IRIS, SPECIES), tmp_path / "plain.skops")
    return tmp_path / "plain.skops"


@pytest.mark.parametrize("name", MODELS)
def test_skops_files_need_no_trust_and_answer_as_before(name: str, tmp_path: Path):
    model = MODELS[name]().fit(IRIS, SPECIES)
    path = tmp_path / "my_model.skops"
    skops.io.dump(model, path)
    teacher = loaded(path)
    before = load_teacher(model)
    assert teacher.name == "my_model"
    assert np.array_equal(teacher.predict(IRIS), before.predict(IRIS))
    assert teacher.chain is not None
    assert loaded(path).fingerprint == teacher.fingerprint != before.fingerprint


@pytest.mark.parametrize("suffix", ["pkl", "pickle", "joblib", "sav"])
def test_pickles_are_opened_only_when_the_user_says_so(suffix: str, tmp_path: Path):
    model = MODELS["linear"]().fit(IRIS, SPECIES)
    path = tmp_path / f"model.{suffix}"
    joblib.dump(model, path) if suffix == "joblib" else path.write_bytes(pickle.dumps(model))
    error = complaint(path)
    assert "any code" in error.what
    assert "teacher.options.trust_pickle=true" in error.hint
    complaint(path, trust_pickle=False)
    teacher = loaded(path, trust_pickle=True)
    assert np.array_equal(teacher.predict(IRIS)[:, 0], model.predict(IRIS))
    with pytest.raises(ConfigError, match="true or false"):
        load_teacher(path, trust_pickle="yes")


def test_a_pickle_that_is_no_estimator_or_broken(tmp_path: Path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": 1}))
    assert "dict" in complaint(tmp_path / "a.pkl", trust_pickle=True).what
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(MODELS["linear"]())[:40])
    assert "cannot be loaded" in complaint(tmp_path / "b.pkl", trust_pickle=True).what
    assert "no file" in complaint(tmp_path / "c.pkl", trust_pickle=True).what


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.target,)


def test_a_pickle_that_is_called_skops_is_not_opened(tmp_path: Path):
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "proof")))
    assert "pickle" in complaint(path).what
    assert "pickle" in complaint(path, trust_pickle=True).what
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode", "ConstructorFromReduceNode"])
def test_a_type_that_could_run_code_is_refused_and_named(loader: str, plain: Path, tmp_path: Path):
    def arm(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["bomb"] = {
            "__class__": "system",
            "__module__": "os",
            "__loader__": loader,
            "content": {
                "__class__": "tuple",
                "__module__": "builtins",
                "__loader__": "TupleNode",
                "content": [
                    {
                        "__class__": "str",
                        "__module__": "builtins",
                        "__loader__": "JsonNode",
                        "content": json.dumps(f"mkdir {tmp_path / 'proof'}"),
                        "is_json": True,
                    }
                ],
            },
        }

    error = complaint(edited(plain, tmp_path / "armed.skops", arm))
    assert "os.system" in error.what
    assert "teacher.options.trusted=[os.system]" in error.hint
    assert not (tmp_path / "proof").exists()


def test_a_function_of_the_user_is_trusted_by_name(tmp_path: Path):
    path = tmp_path / "own.skops"
    model = FunctionTransformer(np.polynomial.polynomial.polyval, kw_args={"c": [1.0, 2.0]})
    skops.io.dump(model.fit(IRIS), path)
    name = "numpy.polynomial.polynomial.polyval"
    assert name in complaint(path).what
    teacher = loaded(path, trusted=[name])
    assert np.array_equal(teacher.predict(IRIS), 1 + 2 * IRIS)
    assert teacher.chain is None
    with pytest.raises(ConfigError, match="full name"):
        load_teacher(path, trusted="polyval")


def test_archives_that_would_unpack_to_absurd_sizes_are_not_read(plain: Path, tmp_path: Path):
    bomb = tmp_path / "bomb.skops"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", zipfile.ZipFile(plain).read("schema.json"))
        with archive.open("zeros.npy", "w", force_zip64=True) as member:
            for _ in range(48):
                member.write(bytes(2**20))
    assert bomb.stat().st_size < 2**17
    assert "unpack" in complaint(bomb).what
    claims = bytearray(plain.read_bytes())
    at = claims.rindex(b"PK\x01\x02")  # the last entry of the directory: its size, unpacked
    claims[at + 24 : at + 28] = struct.pack("<I", 2**31)
    (tmp_path / "claims.skops").write_bytes(bytes(claims))
    assert "unpack" in complaint(tmp_path / "claims.skops").what


def test_an_array_used_many_times_counts_every_time(tmp_path: Path):
    path = tmp_path / "m.skops"
    skops.io.dump(linear_model.LinearRegression().fit(np.eye(2000)[:, :1000], np.ones(2000)), path)

    def repeat(schema: dict[str, Any]) -> None:
        inner = schema["content"]["content"]
        inner["many"] = {
            "__class__": "list",
            "__module__": "builtins",
            "__loader__": "ListNode",
            "content": [{**inner["coef_"], "__id__": i + 1} for i in range(150_000)],
        }

    assert "unpack" in complaint(edited(path, tmp_path / "many.skops", repeat)).what


def test_an_array_that_says_it_is_larger_than_it_is(plain: Path, tmp_path: Path):
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(tmp_path / "a.skops", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".npy"):
                stream = io.BytesIO()
                header = {"descr": "<f8", "fortran_order": False, "shape": (2**50,)}
                np.lib.format.write_array_header_1_0(stream, header)
                content = stream.getvalue() + bytes(32)
            new.writestr(name, content)
    assert "shape" in complaint(tmp_path / "a.skops").what


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "a/../../outside", "C:\\outside"])
def test_members_that_leave_the_folder_are_refused(name: str, plain: Path, tmp_path: Path):
    path = tmp_path / "in" / "m.skops"
    path.parent.mkdir()
    path.write_bytes(plain.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    before = sorted(tmp_path.rglob("*"))
    assert "leaves its folder" in complaint(path).what
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("length", [0, 1, 30, 400, -1, -30])
def test_truncated_files(length: int, plain: Path, tmp_path: Path):
    (tmp_path / "cut.skops").write_bytes(plain.read_bytes()[:length])
    assert complaint(tmp_path / "cut.skops").what


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": 0}, "layout 0"),
        ({"protocol": "2"}, "layout '2'"),
        ({"__loader__": 3}, "schema.json"),
        ({"__loader__": "Nonsense"}, "damaged"),
        ({"content": {"a": 1}}, "damaged"),
    ],
)
def test_schemas_that_are_none(change: dict[str, Any], words: str, plain: Path, tmp_path: Path):
    path = edited(plain, tmp_path / "x.skops", lambda schema: schema.update(change))
    assert words in complaint(path).what


def test_a_schema_nested_without_end(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "deep.skops", "w") as archive:
        archive.writestr("schema.json", '{"a":' * 200_000 + "1" + "}" * 200_000)
    assert complaint(tmp_path / "deep.skops").what


def _forest_state(path: Path, target: Path, edit: Callable[[Any], None]) -> Path:
    """A copy of a skops file in which every array of tree nodes is edited."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(content))
                if array.dtype.names and len(array) > 1:
                    edit(array)
                    stream = io.BytesIO()
                    np.save(stream, array)
                    content = stream.getvalue()
            new.writestr(name, content)
    return target


@pytest.mark.parametrize("name", ["forest", "boosted", "histogram", "bagging"])
@pytest.mark.parametrize("fault", ["cycle", "outside", "input"])
def test_trees_that_would_read_foreign_memory_or_never_end(name: str, fault: str, tmp_path: Path):
    skops.io.dump(MODELS[name]().fit(IRIS, SPECIES), tmp_path / "m.skops")

    def harm(nodes: Any) -> None:
        left, feature = (
            ("left", "feature_idx") if "left" in nodes.dtype.names else ("left_child", "feature")
        )
        if fault == "input":
            nodes[feature][0] = 1_000_000
        else:
            nodes[left][0] = 0 if fault == "cycle" else 2_000_000

    path = _forest_state(tmp_path / "m.skops", tmp_path / "harm.skops", harm)
    assert "hold together" in complaint(path).what


def test_a_support_vector_machine_that_counts_wrongly(tmp_path: Path):
    model = svm.SVC().fit(IRIS, SPECIES)
    model._n_support = (model._n_support * 1000).astype(np.int32)
    skops.io.dump(model, tmp_path / "m.skops")
    assert "support vectors" in complaint(tmp_path / "m.skops").what


def test_a_model_of_another_version_says_both(tmp_path: Path):
    import sklearn

    model = linear_model.LinearRegression().fit(IRIS, SPECIES)
    state = pickle.dumps(model).replace(
        sklearn.__version__.encode(), b"0" * (len(sklearn.__version__) - 2) + b".1"
    )
    old = "0" * (len(sklearn.__version__) - 2) + ".1"
    (tmp_path / "old.pkl").write_bytes(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        teacher = loaded(tmp_path / "old.pkl", trust_pickle=True)
    assert len(teacher.notes) == 1
    assert old in teacher.notes[0]
    assert sklearn.__version__ in teacher.notes[0]

    skops.io.dump(model, tmp_path / "new.skops")

    def age(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["_sklearn_version"]["content"] = json.dumps(old)

    path = edited(tmp_path / "new.skops", tmp_path / "old.skops", age)
    assert look_through(path).versions == (old,)
    assert old in loaded(path).notes[0]

    def lacks(schema: dict[str, Any]) -> None:
        age(schema)
        del schema["content"]["content"]["coef_"]

    error = complaint(edited(tmp_path / "new.skops", tmp_path / "lacks.skops", lacks))
    assert error.what


def test_the_trusted_types_exist_and_are_scikit_learn_s():
    import importlib

    for name in sorted(TRUSTED):
        module, _, attribute = name.rpartition(".")
        assert module.split(".")[0] in {"sklearn", "numpy"}
        found = getattr(importlib.import_module(module), attribute)
        assert callable(found)


def test_nothing_heavy_is_imported_before_a_file_is_read():
    code = (
        "import sys, distill.teachers.load; "
        "print([m for m in ('sklearn', 'skops', 'joblib') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_an_untrained_estimator_and_one_that_cannot_answer(tmp_path: Path):
    with pytest.raises(TeacherError, match="not trained"):
        load_teacher(tree.DecisionTreeClassifier())
    with pytest.raises(TeacherError, match="was not trained on"):
        load_teacher(cluster.DBSCAN().fit(IRIS))
    two = np.column_stack([SPECIES, SPECIES])
    with pytest.raises(TeacherError, match="several labels"):
        load_teacher(tree.DecisionTreeClassifier().fit(IRIS, two))
    with pytest.raises(TeacherError, match="one class"):
        load_teacher(tree.DecisionTreeClassifier().fit(IRIS, np.zeros(150)))
