"""``limits.questions`` holds for every teacher, to the point, and in a whole study."""

import pickle

import pytest

from distill import load_teacher
from distill.config.folder import read_option
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.engines.oracle import Oracle
from distill.errors import TeacherError
from distill.pipeline.one_output import search
from distill.progress import Silent
from distill.teachers.base import calls_left
from distill.teachers.rationed import Ration, rationed

DOMAIN = Domain.box(a=(0.5, 2.0, "m"), b=(1.0, 3.0, "s"))


class Counting:
    """A function that counts the points that it was asked at."""

    def __init__(self):
        self.points = 0

    def __call__(self, x):
        self.points += len(x)
        return x[:, 0] ** 2 / x[:, 1]


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def teacher(counting):
    return load_teacher(counting, domain=DOMAIN, name="counted")


def test_the_last_question_is_answered_and_the_next_is_not(teacher, counting):
    counting.points = 0
    limited = rationed(teacher, 10)
    assert calls_left(limited) == 10
    limited.predict(DOMAIN.sample(7))
    limited.predict(DOMAIN.sample(3))
    assert (counting.points, calls_left(limited)) == (10, 0)
    with pytest.raises(TeacherError, match="at 1 points, but 10 of 10 questions") as caught:
        limited.predict(DOMAIN.sample(1))
    assert counting.points == 10, "it is not asked"
    assert caught.value.where == "config key `limits.questions`"


def test_more_at_once_than_is_left_asks_nothing(teacher, counting):
    counting.points = 0
    limited = rationed(teacher, 10)
    with pytest.raises(TeacherError):
        limited.predict(DOMAIN.sample(11))
    assert (counting.points, calls_left(limited)) == (0, 10)


def test_looking_for_the_point_at_which_a_teacher_raises_counts():
    asked = []

    def picky(x):
        asked.append(len(x))
        if (x[:, 0] > 1.9).any():
            raise ValueError("too far")
        return x[:, 0]

    limited = rationed(load_teacher(picky, domain=DOMAIN, name="picky"), 100)
    asked.clear()
    with pytest.raises(TeacherError):
        limited.predict(DOMAIN.sample(64))
    assert sum(asked) == 100 - calls_left(limited) <= 100


def test_derivatives_count_and_refused_ones_do_not(teacher):
    network = rationed(load_teacher("wet_bulb"), 20)
    network.gradient(network.domain.sample(8))
    assert calls_left(network) == 12
    limited = rationed(teacher, 5)
    assert not Oracle(limited, DOMAIN).differentiable
    assert calls_left(limited) == 5


@pytest.mark.parametrize("name", ["wet_bulb"])
def test_all_else_of_a_teacher_is_as_it_was(name):
    teacher = load_teacher(name)
    limited = rationed(teacher, 10)
    for what in ("name", "outputs", "fingerprint", "domain", "classes", "input_names", "notes"):
        assert getattr(limited, what) == getattr(teacher, what)
    assert limited.chain is not None
    assert rationed(limited, 10) is limited, "opened twice, there is one count"
    assert rationed(teacher, None) is teacher


def test_a_ration_can_be_sent_to_another_process(teacher):
    ration = Ration(load_teacher("wet_bulb").teacher, 3)
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(ration)  # two counts would be none
    assert ration.questions == 3
    with pytest.raises(AttributeError):
        _ = ration.nothing_of_the_kind


@pytest.mark.parametrize("engine", ["polynomial", "structure"])
def test_a_whole_study_keeps_to_it(teacher, counting, tmp_path, monkeypatch, engine):
    monkeypatch.chdir(tmp_path)
    config = StudyConfig(target=read_option("target", "host"), root=str(tmp_path / "studies"))
    config.engine.name, config.engine.evaluations = engine, 2_000
    config.engine.operators = ["add", "mul", "div", "square"]
    config.engine.keep, config.engine.rounds = 3, 1
    config.engine.options = {"max_terms": 3} if engine == "polynomial" else {}
    config.sampling.points, config.score.points, config.score.starts = 64, 200, 2
    config.target, config.tracking.enabled = {}, False
    config.limits.questions = 500
    counting.points = 0
    study = search(config, Silent(), teacher, DOMAIN)
    assert 64 < counting.points <= 500
    assert study.chosen is not None
    assert study.chosen.score.max_error < 0.1


def test_too_few_for_the_sample_is_said(teacher, tmp_path):
    config = StudyConfig(root=str(tmp_path / "studies"))
    config.engine.name, config.engine.evaluations = "polynomial", 2_000
    config.sampling.points, config.limits.questions = 64, 50
    with pytest.raises(TeacherError, match="of 50 questions are used") as caught:
        search(config, Silent(), teacher, DOMAIN)
    assert "sampling.points" in caught.value.hint
