"""The teacher's own error, found by asking it."""

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.engines.noise import estimate_error
from distill.engines.oracle import Oracle
from distill.teachers.load import load_teacher


class Asked:
    """A function as a teacher."""

    outputs = ("answer",)

    def __init__(self, function, validation_error=None):
        self.function, self.validation_error = function, validation_error

    def predict(self, x):
        return self.function(x)[:, None]


@pytest.fixture
def estimated(plane, make_sample):
    def estimate(function, *, domain=plane, validation_error=None, questions=None, **more):
        oracle = Oracle(Asked(function, validation_error), domain, questions=questions)
        found = estimate_error(oracle, make_sample(function, domain, 1000), **more)
        assert oracle.asked <= (1200 if questions is None else questions)
        return found

    return estimate


def smooth(x):
    return np.exp(-x[:, 0]) * np.sin(3 * x[:, 1]) + x[:, 0]


def leaves(x, digits=6):
    rng = np.random.default_rng(5)
    y = np.zeros(len(x))
    for split in range(40):
        y += np.where(x[:, split % 2] > rng.uniform(0.5, 4), rng.normal(), rng.normal())
    return np.round(y, digits)


WEIGHTS = np.random.default_rng(0).normal(size=(3, 64))


def network(x):
    weights = WEIGHTS.astype(np.float32)
    return (np.tanh(x.astype(np.float32) @ weights[:2]) @ weights[2]).astype(float)


@pytest.mark.parametrize(
    "function",
    [
        smooth,
        leaves,
        lambda x: leaves(3 * x, 0),
        lambda x: 3 * x[:, 0] + 1,
        lambda x: np.abs(x[:, 0] - 2) + x[:, 1],
        lambda x: np.maximum(x @ WEIGHTS[:2] + WEIGHTS[0], 0) @ WEIGHTS[2],
        lambda x: 1e9 * smooth(x),
        lambda x: np.where(x[:, 0] < 2, np.nan, smooth(x)),
    ],
    ids=["smooth", "tree", "whole leaves", "line", "kink", "ReLU", "large", "holes"],
)
def test_exact_functions_have_no_error(estimated, make_sample, plane, function):
    sample = make_sample(function, plane, 1000)
    known = np.isfinite(sample.y)
    oracle = Oracle(Asked(function), plane)
    kept = type(sample)(plane, sample.x[known], sample.y[known], sample.x[~known])
    assert estimate_error(oracle, kept).value == 0.0


def test_noise_is_measured(estimated):
    rng = np.random.default_rng(1)
    found = estimated(lambda x: smooth(x) + 1e-3 * rng.standard_normal(len(x)))
    assert found.kind == "noise"
    assert found.value == pytest.approx(1e-3, rel=0.3)


def test_a_network_of_32_bits_is_recognised(estimated):
    found = estimated(network)
    assert found.kind == "float32"
    assert 1e-8 < found.value < 1e-5


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_steps_of_an_adc_are_an_error(estimated, bits):
    step = 5 / 2**bits
    found = estimated(lambda x: step * np.round(smooth(x) / step))
    assert found.kind == "quantised"
    assert found.value == pytest.approx(step / np.sqrt(12), rel=1e-6)


def test_roughness_that_repeats_is_an_error(estimated):
    found = estimated(lambda x: smooth(x) + 5e-4 * np.sin(1e9 * smooth(x)))
    assert found.kind == "rough"
    assert found.value == pytest.approx(5e-4 / np.sqrt(2), rel=0.4)


def test_a_validation_error_is_a_largest_one(estimated):
    found = estimated(smooth, validation_error=0.01)
    assert found.kind == "validation"
    assert 0.001 < found.value < 0.01


def test_what_the_user_states_counts(estimated):
    found = estimated(network, validation_error=0.01, stated=0.25, questions=0)
    assert (found.value, found.kind) == (0.25, "stated")


def test_few_questions_are_not_overspent(estimated):
    rng = np.random.default_rng(1)
    for questions in (0, 10, 100, 700):
        found = estimated(
            lambda x: smooth(x) + 1e-3 * rng.standard_normal(len(x)), questions=questions
        )
        assert found.kind == ("noise" if questions > 20 else "exact")


def test_whole_numbers_are_not_steps():
    domain = Domain((Variable("n", 0, 99, kind="integer"), Variable("m", 0, 99, kind="integer")))
    oracle = Oracle(Asked(lambda x: x[:, 0] * x[:, 1]), domain)
    x = domain.sample(500)
    from distill.sampling.sample_set import SampleSet

    sample = SampleSet(domain, x, x[:, 0] * x[:, 1], np.empty((0, 2)))
    assert estimate_error(oracle, sample).value == 0.0


def test_the_shipped_network_is_as_good_as_it_says(make_sample):
    teacher = load_teacher("wet_bulb")
    sample = make_sample(lambda x: teacher.predict(x)[:, 0], teacher.domain)
    found = estimate_error(Oracle(teacher, teacher.domain), sample)
    assert found.kind == "validation"
    assert 0 < found.value < teacher.validation_error
