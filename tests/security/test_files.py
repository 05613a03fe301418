"""Hostile files: refused with their name and a reason, nothing run, in little time and memory."""

import pickle
import resource

import pytest

from distill.errors import DistillError
from distill.teachers.load import load_teacher
from tests.security import hostile_files as corpus
from tests.security.conftest import Canary

MEGABYTES = 400
"""What a refusal may take; what the bombs would unfold to is far more."""


@pytest.fixture
def made(tmp_path, canary):
    """Makes a file of the corpus."""

    def make(name, how):
        path = tmp_path / f"theirs{corpus.suffix_of(name)}"
        how(path, canary)
        return path

    return make


def refusal(path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DistillError) as caught:
        load_teacher(path)
    error = caught.value
    assert path.name in str(error)
    assert error.hint
    assert error.exit_code == 2
    assert len(str(error)) < 1000
    assert sorted(path.parent.iterdir()) == [path]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024
    return error


@pytest.mark.parametrize("name", corpus.PICKLES)
def test_no_pickle_is_opened_whatever_it_is_called(name, made):
    refusal(made(name, corpus.PICKLES[name]))


@pytest.mark.parametrize("name", corpus.HARMLESS)
def test_a_pickle_beside_the_data_is_not_opened(name, made):
    teacher = load_teacher(made(name, corpus.HARMLESS[name]))
    assert teacher.predict([[1.0], [2.0]]).tolist() == [[3.0], [4.0]]


@pytest.mark.parametrize("name", corpus.BOMBS)
def test_bombs_are_refused_unexploded(name, made):
    refusal(made(name, corpus.BOMBS[name]))


def test_the_payload_is_a_real_one(tmp_path):
    """So that a canary that lives says something."""
    canary = Canary(tmp_path / "canary")
    pickle.loads(pickle.dumps(canary))
    assert canary.path.exists()
