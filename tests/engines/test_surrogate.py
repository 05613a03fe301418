"""Smooth models of tables."""

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.engines.surrogate import surrogate


def bent(x):
    return np.exp(-x[:, 0]) * np.sin(3 * x[:, 1]) + x[:, 0]


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


@pytest.mark.parametrize(
    ("domain", "function", "rows"),
    [
        (Domain.box(a=(1, 4), b=(0.5, 3)), bent, 200),
        (Domain.box(a=(1, 4), b=(0.5, 3)), bent, 2500),
        (Domain.box(a=(0, 2)), lambda x: np.exp(x[:, 0]), 30),
        (
            Domain((Variable("f", 1, 1e4, scale="log"), Variable("g", -1, 1))),
            lambda x: np.log(x[:, 0]) * (2 + x[:, 1]),
            150,
        ),
        (
            Domain.box(a=(0, 3), b=(0, 3), c=(0, 3), d=(0, 3)),
            lambda x: x[:, 0] * np.exp(-x[:, 1]) + np.sin(x[:, 2]) * x[:, 3],
            600,
        ),
    ],
    ids=["two inputs", "many rows", "one input", "log scale", "four inputs"],
)
def test_the_error_it_states_is_about_right(make_sample, domain, function, rows):
    sample = make_sample(function, domain, rows)
    model = surrogate(sample)
    fresh = domain.sample(2000, seed=99)
    error = rms(model(fresh) - function(fresh))
    assert error < 3 * model.error
    assert model.error < 0.02 * float(np.std(sample.y))
    # It is asked like a teacher, gradients included.
    assert model.differentiable
    u = 0.1 + 0.8 * domain.to_unit(fresh[:20])
    for reach in 1e-3 * np.eye(len(domain)):
        below, above = domain.from_unit(u - reach), domain.from_unit(u + reach)
        along = (model.gradient(domain.from_unit(u)) * (above - below)).sum(axis=1)
        assert np.allclose(along, model(above) - model(below), rtol=1e-2, atol=1e-5)


def test_without_a_good_model_there_is_none(make_sample, plane):
    rng = np.random.default_rng(0)
    assert surrogate(make_sample(lambda x: rng.standard_normal(len(x)), plane)) is None
    assert surrogate(make_sample(lambda x: np.sign(x[:, 0] - 2), plane)) is None
    assert surrogate(make_sample(lambda x: np.full(len(x), 3.0), plane)) is None
    assert surrogate(make_sample(bent, plane, 5)) is None
    many = Domain.box(**{f"x{i}": (0, 1) for i in range(9)})
    assert surrogate(make_sample(lambda x: x.sum(axis=1), many)) is None


def test_equal_rows_and_noise_are_no_trouble(make_sample, plane):
    rng = np.random.default_rng(0)
    sample = make_sample(lambda x: bent(x) + 2e-3 * rng.standard_normal(len(x)), plane, 200)
    twice = type(sample)(
        plane, np.vstack([sample.x, sample.x]), np.tile(sample.y, 2), sample.rejected
    )
    for table in (sample, twice):
        model = surrogate(table)
        fresh = plane.sample(1000, seed=9)
        assert rms(model(fresh) - bent(fresh)) < 3e-3


def test_the_same_table_gives_the_same_model(make_sample, plane):
    sample = make_sample(bent, plane, 200)
    x = plane.sample(50)
    assert (surrogate(sample)(x) == surrogate(sample)(x)).all()
