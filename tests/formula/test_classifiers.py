"""Naive Bayes and logistic regression as formulas agree with scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, GaussianNB

from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.classifiers import (
    gaussian_bayes_margin,
    gaussian_bayes_scores,
    linear_margin,
    linear_scores,
)

DOMAIN = Domain.box(warmth=(-40.0, 85.0, "degC"), pressure=(95e3, 108e3, "Pa"), level=(0.0, 1.0))


def data(classes, seed=0, n=300):
    """Points of DOMAIN (n, 3) around a middle of each class, and the classes (n,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    middles = rng.uniform(0.2, 0.8, (classes, 3))
    widths = rng.uniform(0.02, 0.3, (classes, 3))
    unit = np.clip(middles[labels] + widths[labels] * rng.standard_normal((n, 3)), 0, 1)
    return DOMAIN.from_unit(unit), labels


def bayes(model):
    return model.theta_, model.var_, model.class_prior_


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_the_margin_of_naive_bayes(seed):
    x, labels = data(2, seed)
    # the model's own smoothing, 1e-9 of the widest input's variance, would drown `level`
    model = GaussianNB(var_smoothing=0.0).fit(x, labels)
    margin = gaussian_bayes_margin(*bayes(model), DOMAIN)
    points = DOMAIN.sample(256, seed)
    logs = model.predict_log_proba(points)
    odds = logs[:, 1] - logs[:, 0]
    assert margin(points) == pytest.approx(odds, rel=1e-9, abs=1e-9)
    clear = np.abs(odds) > 1e-9
    assert (margin(points) > 0)[clear].tolist() == (model.predict(points) == 1)[clear].tolist()
    assert clear.mean() > 0.9
    # one term of six nodes for each input at most (Horner: seven), the constant, the sums
    assert margin.complexity <= 3 * 7 + 1 + 3


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_scores_of_naive_bayes(classes):
    x, labels = data(classes, seed=classes)
    model = GaussianNB(priors=np.arange(1, classes + 1) / sum(range(classes + 1))).fit(x, labels)
    scores = gaussian_bayes_scores(*bayes(model), DOMAIN)
    points = DOMAIN.sample(256)
    values = np.column_stack([score(points) for score in scores])
    expected = model.predict_joint_log_proba(points)
    assert values == pytest.approx(expected, rel=1e-10, abs=1e-9)
    assert values.argmax(axis=1).tolist() == model.predict(points).tolist()


def test_large_means_cost_no_digits():
    # 100000 Pa with a spread of 10 Pa: squared about zero, nine digits would cancel
    domain = Domain.box(p=(99_900.0, 100_100.0))
    means, variances = np.array([[99_990.0], [100_015.0]]), np.array([[100.0], [144.0]])
    margin = gaussian_bayes_margin(means, variances, np.array([0.5, 0.5]), domain)
    assert "square(p - " in margin.text
    p = np.linspace(99_900, 100_100, 401)[:, None]
    logs = -0.5 * ((p - means.T) ** 2 / variances.T + np.log(variances.T))
    assert margin(p) == pytest.approx(logs[:, 1] - logs[:, 0], rel=1e-11, abs=1e-11)
    in_float32 = margin.to_torch().float()(np_to_torch(p))[:, 0].double().numpy()
    assert np.abs(in_float32 - margin(p)).max() < 2e-3  # about 200 where it is largest


def np_to_torch(x):
    import torch

    return torch.from_numpy(x).float()


def test_almost_equal_spreads_do_not_put_the_vertex_far_away():
    domain = Domain.box(x=(-3.0, 3.0))
    means, variances = np.array([[-1.0], [1.0]]), np.array([[1.0], [1.0 + 1e-9]])
    margin = gaussian_bayes_margin(means, variances, np.array([0.5, 0.5]), domain)
    assert "square" not in margin.text
    x = np.linspace(-3, 3, 100)[:, None]
    expected = -0.5 * ((x[:, 0] - 1) ** 2 / (1 + 1e-9) - (x[:, 0] + 1) ** 2 + np.log1p(1e-9))
    assert margin(x) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_the_text_of_small_ones():
    domain = Domain.box(x=(-3.0, 3.0), y=(0.0, 1.0))
    half = np.array([0.5, 0.5])
    same = np.ones((2, 2))
    means = np.array([[-1.0, 0.5], [1.0, 0.5]])
    assert gaussian_bayes_margin(means, same, half, domain).text == "2*x"
    means = np.zeros((2, 2))
    spread = np.array([[1.0, 1.0], [2.0, 1.0]])
    assert (
        gaussian_bayes_margin(means, spread, half, domain).readable() == "0.25*square(x) + -0.34657"
    )
    assert gaussian_bayes_margin(means, same, half, domain).text == "0"
    assert linear_margin(np.array([2.0, 0.0]), -1.0, domain).text == "2*x + -1"
    assert linear_margin(np.zeros(2), 0.0, domain).text == "0"


def test_logistic_regression_of_two_classes():
    x, labels = data(2, seed=4)
    unit, domain = DOMAIN.to_unit(x), Domain.box(a=(0, 1), b=(0, 1), c=(0, 1))
    model = LogisticRegression(C=50.0).fit(unit, labels)
    margin = linear_margin(model.coef_[0], model.intercept_[0], domain)
    points = domain.sample(256)
    logs = model.predict_log_proba(points)
    assert margin(points) == pytest.approx(logs[:, 1] - logs[:, 0], rel=1e-9, abs=1e-9)
    assert (margin(points) > 0).tolist() == (model.predict(points) == 1).tolist()
    assert margin.complexity == 13


def test_scores_of_several_classes():
    x, labels = data(4, seed=5)
    unit, domain = DOMAIN.to_unit(x), Domain.box(a=(0, 1), b=(0, 1), c=(0, 1))
    points = domain.sample(256)
    for model in (LogisticRegression(C=50.0, max_iter=500), BernoulliNB(binarize=None)):
        model.fit(unit > 0.5 if isinstance(model, BernoulliNB) else unit, labels)
        if isinstance(model, BernoulliNB):  # linear in zeros and ones
            points = np.round(points)
            no = np.log1p(-np.exp(model.feature_log_prob_))
            slopes = model.feature_log_prob_ - no
            scores = linear_scores(slopes, model.class_log_prior_ + no.sum(axis=1), domain)
        else:
            scores = linear_scores(model.coef_, model.intercept_, domain)
        values = np.column_stack([score(points) for score in scores])
        logs = model.predict_log_proba(points)
        expected = logs - logs[:, :1]
        assert values - values[:, :1] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert values.argmax(axis=1).tolist() == model.predict(points).tolist()
        assert Formula.from_data(scores[0].to_data()) == scores[0]


@pytest.mark.parametrize(
    ("means", "variances", "priors", "what"),
    [
        (np.zeros((2, 2)), np.ones((2, 3)), np.ones(2), "`means` has the shape"),
        (np.zeros((2, 3)), np.ones((1, 3)), np.ones(2), "`variances` has the shape"),
        (np.zeros((3, 3)), np.ones((3, 3)), np.ones(3), r"not \(2, 3\)"),
        (np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2), "not positive"),
        (np.zeros((2, 3)), np.ones((2, 3)), np.array([0.0, 1.0]), "not positive"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(means, variances, priors, what):
    with pytest.raises(FormulaError, match=what):
        gaussian_bayes_margin(means, variances, priors, DOMAIN)
    with pytest.raises(FormulaError, match="`coefficients` has the shape"):
        linear_margin(np.zeros(2), 1.0, DOMAIN)
