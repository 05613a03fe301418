"""Proofs about models of every family: no bound is below an error that can be found."""

import numpy as np
import pytest
from sklearn import (
    discriminant_analysis,
    ensemble,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from distill.bounds.base import Difference, NotBounded
from distill.bounds.boxes import Boxes
from distill.bounds.builder import Builder
from distill.bounds.chains import chain_block
from distill.bounds.prove import Limits, prove
from distill.bounds.read import MOST_INPUTS, enclosable
from distill.bounds.steps import cells, near, scores
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.images import Pool
from distill.chain.steps.winner import Softmax, Winner
from distill.domain import Domain
from distill.formula import Formula

from .proofs import CLASSES, DOMAIN, Y, check, closed_form, fitted, inside

REGRESSORS = {
    "linear": linear_model.LinearRegression(),
    "tree": tree.DecisionTreeRegressor(max_depth=5, random_state=0),
    "forest": ensemble.RandomForestRegressor(15, max_depth=6, random_state=0),
    "boosting": ensemble.GradientBoostingRegressor(n_estimators=30, random_state=0),
    "histogram boosting": ensemble.HistGradientBoostingRegressor(max_iter=20),
    "scaler and tree": make_pipeline(
        StandardScaler(), tree.DecisionTreeRegressor(max_depth=5, random_state=0)
    ),
    "scaler and network": make_pipeline(
        StandardScaler(),
        neural_network.MLPRegressor(
            hidden_layer_sizes=(12,), activation="tanh", max_iter=300, random_state=0
        ),
    ),
    "network of two layers": neural_network.MLPRegressor(
        hidden_layer_sizes=(12, 12), max_iter=300, random_state=0
    ),
    "support vectors": svm.SVR(),
    "polynomial support vectors": svm.SVR(kernel="poly"),
    "polynomial": make_pipeline(PolynomialFeatures(3), linear_model.Ridge()),
    "neighbours": neighbors.KNeighborsRegressor(3),
    "weighed neighbours": neighbors.KNeighborsRegressor(3, weights="distance"),
}
CLASSIFIERS = {
    "naive Bayes": naive_bayes.GaussianNB(),
    "linear discriminant": discriminant_analysis.LinearDiscriminantAnalysis(),
    "quadratic discriminant": discriminant_analysis.QuadraticDiscriminantAnalysis(),
    "logistic": linear_model.LogisticRegression(),
    "support vectors": svm.SVC(),
    "forest": ensemble.RandomForestClassifier(10, max_depth=5, random_state=0),
    "boosting": ensemble.AdaBoostClassifier(n_estimators=10, random_state=0),
    "network": neural_network.MLPClassifier((12,), max_iter=200, random_state=0),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors(name):
    form = closed_form(fitted(REGRESSORS[name], Y))
    assert check(form).ratio <= 1.1


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_scores_of_classifiers(name):
    form = closed_form(fitted(CLASSIFIERS[name], CLASSES), output=1)
    assert check(form).ratio <= 1.1


def labels():
    form = closed_form(fitted(CLASSIFIERS["logistic"], CLASSES))
    return ClosedForm(Chain(2, (*form.chain.steps, Winner(3))), DOMAIN, 0)


def test_labels_are_proven_by_their_range():
    label = labels()
    constant = Formula.parse("1 + 0*a", DOMAIN)
    bound = check(label, constant, boxes=2000)
    assert bound.bound == pytest.approx(1, abs=1e-9)


def test_boxes_at_thresholds_are_split_there_and_proofs_of_trees_end():
    """A tree against itself: beside its thresholds nothing is left."""
    form = closed_form(fitted(REGRESSORS["tree"], Y))
    function = Difference(enclosable(form), enclosable(form))
    limits = Limits(ratio=1.0, below=1e-9, boxes=2000)
    bound = prove(function, DOMAIN, limits)
    assert bound.bound <= 1e-9
    cuts = [entry for entry in bound.splits if isinstance(entry, tuple)]
    thresholds = form.chain.steps[0].cuts("double")
    assert cuts
    assert all(cut in thresholds for _, cut in cuts)


def test_images_that_need_too_large_a_matrix_are_named():
    chain = Chain(5000, (Pool((1, 50, 100), "max", (2, 2), (2, 2)),))
    with pytest.raises(NotBounded, match=r"`Pool` .* 5,000 by 5,000"):
        chain_block(Builder(5000), chain, 0)


def test_too_many_inputs_are_told():
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(MOST_INPUTS + 1)})
    with pytest.raises(NotBounded, match="129 inputs are too many"):
        enclosable(Formula.parse("x0 + x1", domain))


def test_too_many_classes_are_named():
    chain = Chain(100, (Softmax(100),))
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(100)})
    with pytest.raises(NotBounded, match="100 classes"):
        enclosable(ClosedForm(chain, domain, 0))


@pytest.mark.parametrize(
    ("owner", "rule", "broken", "model"),
    [
        (cells.Cells, "ranges", lambda self, f: self.forest.ranges(f.centre, f.centre), "tree"),
        (near._Candidates, "ranges", lambda self, low, high: np.zeros((2, 1, low.shape[1])),
         "neighbours"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_noticed(monkeypatch, owner, rule, broken, model):
    monkeypatch.setattr(owner, rule, broken)
    with pytest.raises(AssertionError):
        inside(closed_form(fitted(REGRESSORS[model], Y)))


def test_a_winner_that_forgets_a_score_is_noticed(monkeypatch):
    possible = scores.Best._possible
    monkeypatch.setattr(
        scores.Best, "_possible", lambda self, form: possible(self, form) & (form.centre > 0)
    )
    with pytest.raises(AssertionError):
        inside(labels())


def test_a_scaler_before_a_tree_decides_every_float64():
    """Bounds hold beside thresholds that are no float32."""
    form = closed_form(fitted(REGRESSORS["scaler and tree"], Y))
    scaler, trees = form.chain.steps[:2]
    cut = trees.cuts("double")[trees.splits[0]]
    axis = int(trees.feature[trees.splits[0]])
    at = scaler.shift[axis] + cut * scaler.divisor[axis]
    x = np.tile((DOMAIN.low + DOMAIN.high) / 2, (2001, 1))
    x[:, axis] = at + np.arange(-1000, 1001) * np.spacing(at)
    y = form(x)
    assert len(np.unique(y)) > 1
    boxes = Boxes(x.T, x.T)
    low, high = enclosable(form).enclose(boxes).range()
    assert (low <= y).all()
    assert (y <= high).all()
