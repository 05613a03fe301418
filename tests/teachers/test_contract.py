"""What every teacher promises, whatever it is made of."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill.domain import Domain
from distill.errors import DistillError, NotDifferentiable, TeacherError
from distill.identifiers import why_not_identifier
from distill.teachers.base import Classifier, Output, Teacher, Transparent, chain_of
from distill.teachers.checked import Checked
from distill.teachers.labels import labels_of

from . import examples
from .examples import BOX, EXAMPLES, Example, Own, X

INSIDE = X[4:9]
"""Points off the edges, with room for a step to either side."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("teachers")


Case = tuple[Example, Checked, Own]


@pytest.fixture(scope="module")
def cases(folder: Path) -> dict[str, Case]:
    """Every example, loaded once: nothing that is asked of a teacher changes it."""
    return {name: (example, *example.load(folder)) for name, example in EXAMPLES.items()}


@pytest.fixture(params=EXAMPLES)
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference, relative to the largest of what is wanted."""
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def test_a_name_outputs_classes_a_domain_and_a_fingerprint(case: Case):
    example, teacher, _ = case
    assert isinstance(teacher, Checked)
    for role in (Teacher, Classifier, Transparent):
        assert isinstance(teacher, role)
    assert why_not_identifier(teacher.name) is None
    assert len(teacher.outputs) == example.outputs
    assert all(isinstance(output, Output) for output in teacher.outputs)
    names = [output.name for output in teacher.outputs]
    assert all(why_not_identifier(name) is None for name in names)
    assert len({name.lower() for name in names}) == len(names)
    assert len(teacher.classes) == example.classes
    assert len(set(teacher.classes)) == example.classes
    assert all(isinstance(name, str) for name in teacher.classes)
    assert teacher.domain == BOX
    assert teacher.inputs == 2
    assert set(teacher.fingerprint) <= set("0123456789abcdef")
    assert len(teacher.fingerprint) >= 32
    assert teacher.validation_error is None or teacher.validation_error > 0


def test_answers_are_float64_of_shape_n_k_and_repeat_to_the_bit(case: Case):
    _, teacher, _ = case
    x = X.copy()
    first, second = teacher.predict(x), teacher.predict(x)
    assert first.dtype == np.float64
    assert first.shape == (len(X), len(teacher.outputs))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(x, X)
    first[:] = 0  # what is answered is the caller's
    np.testing.assert_array_equal(teacher.predict(X), second)


def test_answers_and_labels_are_the_models_own(case: Case):
    example, teacher, own = case
    answers = teacher.predict(X)
    if example.classes:
        assert len(teacher.outputs) == (1 if example.classes == 2 else example.classes)
        labels = labels_of(answers)
        np.testing.assert_array_equal(labels, own(X))
        assert len(set(labels.tolist())) > 1  # otherwise nothing was shown
    else:
        assert off(answers, own(X)) <= example.off


def test_each_point_is_answered_on_its_own(case: Case):
    example, teacher, _ = case
    together = teacher.predict(X)
    one_by_one = np.vstack([teacher.predict(point[None, :]) for point in X])
    assert off(one_by_one, together) <= min(example.off, 1e-6)
    assert off(teacher.predict(X[::-1])[::-1], together) <= min(example.off, 1e-6)
    if example.classes:
        np.testing.assert_array_equal(labels_of(one_by_one), labels_of(together))


def test_no_points_no_answers(case: Case):
    example, teacher, _ = case
    none = np.empty((0, 2))
    assert teacher.predict(none).shape == (0, example.outputs)
    if example.slopes:
        assert teacher.gradient(none).shape == (0, example.outputs, 2)


@pytest.mark.parametrize("x", [np.ones((3, 1)), np.ones((3, 3)), np.ones(2), np.ones((0, 3))])
def test_wrong_number_of_inputs_is_named_with_both_numbers(case: Case, x: np.ndarray):
    _, teacher, _ = case
    for ask in (teacher.predict, teacher.gradient):
        with pytest.raises(TeacherError, match="wrong number of inputs") as caught:
            ask(x)
        assert "2" in caught.value.what
        assert str(x.shape[-1]) in caught.value.what


def test_gradient_is_that_of_the_answers_or_refused(case: Case):
    example, teacher, _ = case
    if not example.slopes:
        with pytest.raises(NotDifferentiable) as caught:
            teacher.gradient(INSIDE)
        assert teacher.name in caught.value.what
        return
    slopes = teacher.gradient(INSIDE)
    assert slopes.shape == (len(INSIDE), example.outputs, 2)
    assert slopes.dtype == np.float64
    single = example.off > 1e-9
    step = 2.0**-6 if single else 2.0**-20  # floats too, so that points stay exact
    for i in range(2):
        aside = np.where(np.arange(2) == i, step, 0.0)
        numeric = (teacher.predict(INSIDE + aside) - teacher.predict(INSIDE - aside)) / (2 * step)
        assert np.abs(slopes[:, :, i] - numeric).max() <= (2e-3 if single else 1e-6) * max(
            1.0, np.abs(slopes).max()
        )


def test_a_chain_is_the_teachers_own_arithmetic(case: Case):
    example, teacher, _ = case
    chain = chain_of(teacher)
    if example.chain is None:
        assert chain is None
        return
    assert chain is not None
    assert (chain.inputs, chain.outputs) == (2, example.outputs)
    found, answers = chain.evaluate(X, example.chain), teacher.predict(X)
    assert off(found, answers) <= example.off
    if example.classes:
        np.testing.assert_array_equal(labels_of(found), labels_of(answers))


def test_a_table_knows_its_own_rows_only(case: Case):
    _, teacher, _ = case
    if teacher.can_be_asked:
        assert np.isfinite(teacher.predict(INSIDE + 2.0**-10)).all()
        return
    with pytest.raises(TeacherError, match="no row for the point"):
        teacher.predict(INSIDE + 2.0**-10)


TABLES = {"frame", "csv", "parquet"}
"""Their outputs are called after the columns, so that names are no free choice."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_without_a_domain_it_has_its_own_or_none_and_outputs_are_called_as_asked(
    name: str, folder: Path
):
    example = EXAMPLES[name]
    wanted = [{"name": f"y{i}", "unit": "W"} for i in range(example.outputs)]
    asked = {} if name in TABLES | {"written by the user"} else {"outputs": wanted}
    teacher, _ = example.load(folder, domain=None, **asked)
    if asked:
        assert teacher.outputs == tuple(Output(f"y{i}", "W") for i in range(example.outputs))
    domain = teacher.domain
    if domain is None:
        assert teacher.predict(X).shape == (len(X), example.outputs)
        return
    assert len(domain) == teacher.inputs == 2
    assert Domain.from_json(domain.to_json()) == domain
    if teacher.can_be_asked:
        assert np.isfinite(teacher.predict(domain.sample(16))).all()
    else:
        assert domain.contains(X).all()


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"written by the user"}))
def test_more_outputs_than_there_are_cannot_be_named(name: str, folder: Path):
    example = EXAMPLES[name]
    many = [f"y{i}" for i in range(example.outputs + 1)]
    with pytest.raises(DistillError) as caught:
        example.load(folder, outputs=many)[0].predict(X)
    assert caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_domain_of_another_size_is_refused(name: str, folder: Path):
    wide = Domain.box(a=(1, 2), b=(3, 5), c=(0, 1))
    with pytest.raises(DistillError) as caught:
        EXAMPLES[name].load(folder, domain=wide)[0].predict(np.ones((4, 3)))
    assert caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"shipped"}))
def test_other_weights_are_another_fingerprint_and_other_answers(
    name: str, cases: dict[str, Case], folder: Path
):
    example, teacher, _ = cases[name]
    other, _ = example.load(folder, 1.5)
    assert other.fingerprint != teacher.fingerprint
    assert not np.array_equal(other.predict(X), teacher.predict(X))


@pytest.fixture(scope="module")
def elsewhere(folder: Path, cases: dict[str, Case]) -> dict[str, Any]:
    """What another process makes of the same files and the same code."""
    program = (
        "import importlib.util, json, sys\n"
        "name, path, folder = sys.argv[1:]\n"
        "from pathlib import Path\n"
        "spec = importlib.util.spec_from_file_location(name, path)\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules[name] = module\n"
        "spec.loader.exec_module(module)\n"
        "print(json.dumps(module.report(Path(folder))))\n"
    )
    command = [sys.executable, "-c", program, examples.__name__, examples.__file__, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == set(EXAMPLES)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_another_process_finds_the_same_fingerprint_and_answers(
    name: str, cases: dict[str, Case], elsewhere: dict[str, Any]
):
    example, teacher, _ = cases[name]
    assert elsewhere[name]["fingerprint"] == teacher.fingerprint
    assert off(np.array(elsewhere[name]["answers"]), teacher.predict(X)) <= example.off


def test_nothing_is_unpickled_but_what_the_user_trusts(elsewhere: dict[str, Any]):
    unpickled = {name for name, found in elsewhere.items() if found["unpickled"]}
    assert unpickled == {"trusted pickle"}
