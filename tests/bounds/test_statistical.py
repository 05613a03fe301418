"""The statement about what cannot be proven: exact figures, and how often it is wrong."""

import json
import math

import numpy as np
import pytest
from scipy.stats import binom

from distill.bounds.statistical import Statement, confident_fraction, random_points, state
from distill.domain import Domain, Variable

BOX = Domain.box(x=(-2, 6), y=(0, 1))


def test_figures_by_hand():
    # the rule of three, and 59 points for 95 % confidence in 95 % of the domain
    assert confident_fraction(1000, 0.95) == pytest.approx(0.0029912, rel=1e-4)
    assert confident_fraction(59, 0.95) < 0.05 < confident_fraction(58, 0.95)
    assert confident_fraction(0, 0.95) == 1.0
    assert confident_fraction(10, 0.95, 10) == 1.0


@pytest.mark.parametrize("exceeding", [0, 1, 7])
def test_it_is_the_exact_binomial_bound(exceeding):
    # at the bound so few exceedances are just as rare as the confidence says
    fraction = confident_fraction(400, 0.99, exceeding)
    assert binom.cdf(exceeding, 400, fraction) == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize(("points", "confidence", "exceeding"), [(9, 1, 0), (9, 0, 0), (3, 0.9, 4)])
def test_what_cannot_be_is_refused(points, confidence, exceeding):
    with pytest.raises(ValueError, match=r"confidence|exceed"):
        confident_fraction(points, confidence, exceeding)


def test_the_statement_is_wrong_no_more_often_than_it_says():
    # |error| is uniform, so the part of the domain above a size s is 1 - s
    wrong = 0
    for seed in range(2000):
        errors = random_points(Domain.box(x=(0, 1)), 40, seed)[:, 0]
        made = state(errors, 0.9)
        assert made.size == errors.max()
        wrong += 1 - made.size > made.fraction
    assert 0.07 < wrong / 2000 < 0.13


def test_the_best_of_many_is_covered_by_sharing_the_chance_out():
    # of ten equally good ones the one is taken that looked best: alone it would lie often
    wrong, alone = 0, 0
    for seed in range(1000):
        errors = np.random.default_rng(seed).random((10, 40))
        best = int(errors.max(axis=1).argmin())
        made = state(errors[best], 0.9, beside=10)
        wrong += 1 - made.size > made.fraction
        single = state(errors[best], 0.9)
        alone += 1 - single.size > single.fraction
    assert wrong / 1000 < 0.12
    assert alone / 1000 > 0.3


def test_a_size_that_was_stated_before_counts_what_is_above_it():
    errors = np.array([0.1, 0.2, 0.5, np.nan])
    made = state(errors, 0.95, size=0.3)
    assert made.exceeding == 2
    assert made.fraction == pytest.approx(confident_fraction(4, 0.95, 2))
    assert math.isinf(state(errors, 0.95).size)


def test_points_are_uniform_by_scale_and_kind_and_repeat():
    domain = Domain(
        (
            Variable("a", 1e-3, 1e3, scale="log"),
            Variable("k", 1, 4, kind="integer"),
            BOX.variables[0],
        )
    )
    x = random_points(domain, 20_000, [3, 4])
    assert domain.contains(x).all()
    assert np.mean(x[:, 0] < 1) == pytest.approx(0.5, abs=0.02)
    assert np.bincount(x[:, 1].astype(int))[1:] / 20_000 == pytest.approx([0.25] * 4, abs=0.02)
    assert np.mean(x[:, 2] < 0) == pytest.approx(0.25, abs=0.02)
    assert np.array_equal(x, random_points(domain, 20_000, [3, 4]))
    assert not np.array_equal(x, random_points(domain, 20_000, [3, 5]))


def test_it_is_told_as_what_it_is_and_survives_json():
    made = state(np.full(2000, 0.031), 0.99, beside=5)
    text = made.told("degC")
    assert text.startswith("Not proven, but with 99 % confidence it is off by more than 0.031 degC")
    assert "of 2,000 random points none was" in text
    assert f"{100 * made.fraction:.2f}" == "0.31"
    assert "at most 0.32 % of the domain" in text, "rounded up"
    assert Statement.from_data(json.loads(json.dumps(made.to_data()))) == made
