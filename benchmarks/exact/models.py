"""Trained models, small and large, each with the box of its inputs and the rows it learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.fold import folded
from distill.chain.steps.columns import Branches
from distill.chain.steps.trees import Trees
from distill.domain import Domain
from distill.firmware.graph import Arithmetic
from distill.teachers.base import chain_of
from distill.teachers.checked import Checked
from distill.teachers.labels import LabelArray, labels_of
from distill.teachers.load import load_teacher

CELLS = 10
"""So many means of the breast cancer data are read."""


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier that is to be written as C.

    Attributes
    ----------
    estimator : of scikit-learn, or None where it is a network of torch.
    x : the rows (n, d) it learned, float32 numbers.
    ways : the arithmetics it is written in.
    too_large_for : targets whose flash its leaves alone would fill.
    """

    name: str
    title: str
    estimator: Any
    teacher: Checked
    x: Array
    ways: tuple[Arithmetic, ...] = ("float32", "double")
    too_large_for: tuple[str, ...] = ()

    @property
    def domain(self) -> Domain:
        """The box of its rows."""
        assert self.teacher.domain is not None
        return self.teacher.domain

    @cached_property
    def chain(self) -> Chain:
        """Its own arithmetic."""
        chain = chain_of(self.teacher)
        assert chain is not None  # every model here has one
        return folded(chain)

    def scores(self, x: Array) -> Array:
        """Its own scores (n, k) at x (n, d)."""
        return self.teacher.predict(x)

    def labels(self, x: Array) -> LabelArray:
        """What its ``predict`` says, as numbers of classes."""
        return labels_of(self.scores(x))

    def points(self, count: int) -> Array:
        """``count`` points and more (n, d), float32 numbers of the box.

        Each threshold of its trees and one unit in the last place to either side of it, all else as
        in a row that it learned; those rows; and the rest all over the box.
        """
        rows = [self.x]
        rng = np.random.default_rng(0)
        for trees in _trees(self.chain):
            split = trees.splits
            cut = trees.cuts("float32")[split].astype(np.float32)
            finite = np.isfinite(cut)
            split, cut = split[finite], cut[finite]
            for value in (cut, *(np.nextafter(cut, np.float32(end)) for end in (-np.inf, np.inf))):
                moved = self.x[rng.integers(len(self.x), size=len(split))].copy()
                moved[np.arange(len(split)), trees.feature[split]] = value
                rows.append(moved)
        left = max(count - sum(map(len, rows)), count // 2)
        found = np.vstack([*rows, self.domain.sample(left, seed=5)])
        return self.domain.clip(found).astype(np.float32).astype(float)


def _trees(chain: Chain) -> list[Trees]:
    """The trees of a chain, those in its branches too, where they read the inputs themselves."""
    if not chain.steps:
        return []
    first = chain.steps[0]
    if isinstance(first, Branches):
        return [trees for branch in first.chains for trees in _trees(branch)]
    return [first] if isinstance(first, Trees) else []


def _cells() -> tuple[Array, Any]:
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _float32(x[:, :CELLS]), y


def _digits() -> tuple[Array, Any]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _float32(x), y


def _float32(x: Array) -> Array:
    return np.asarray(x, dtype=np.float32).astype(float)


def _box(x: Array) -> Domain:
    low, high = x.min(axis=0), x.max(axis=0)
    # A pixel that is always white has no range.
    ends = zip(low, np.where(high > low, high, low + 1), strict=True)
    return Domain.box(**{f"x{i}": (float(a), float(b)) for i, (a, b) in enumerate(ends)})


def _learned(
    name: str, title: str, estimator: Any, data: tuple[Array, Any], *ways: Arithmetic
) -> Model:
    x, y = data
    estimator.fit(x, y)
    teacher = load_teacher(estimator, domain=_box(x), name=name)
    return Model(name, title, estimator, teacher, x, ways or ("float32", "double"))


def tree() -> Model:
    """One tree."""
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=8, random_state=0)
    return _learned("tree", "decision tree of depth 8", model, _cells(), "float32", "fixed")


def forest(trees: int = 100) -> Model:
    """A forest with a label in most of its 10,000 leaves."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(trees, max_depth=12, random_state=0)
    title = f"forest of {trees} trees of depth 12, digits"
    found = _learned("forest", title, model, _digits(), "float32", "fixed")
    return replace(found, too_large_for=("avr",))


def boosted() -> Model:
    """Gradient boosting."""
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(n_estimators=50, max_depth=3, random_state=0)
    return _learned(
        "boosted", "50 boosted trees of depth 3", model, _cells(), "float32", "double", "fixed"
    )


def logistic() -> Model:
    """Logistic regression of ten classes."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    return _learned("logistic", "logistic regression, digits", model, _digits())


def bayes() -> Model:
    """Gaussian naive Bayes."""
    from sklearn.naive_bayes import GaussianNB

    return _learned("bayes", "Gaussian naive Bayes", GaussianNB(), _cells())


def svm() -> Model:
    """A support vector machine."""
    from sklearn.svm import SVC

    x, y = _cells()
    model = SVC(C=1.0, gamma=float(1 / (CELLS * x.var())))
    return _learned("svm", "support vectors, radial basis functions", model, (x, y))


def neighbours() -> Model:
    """The five nearest rows."""
    from sklearn.neighbors import KNeighborsClassifier

    x, y = _cells()
    return _learned(
        "neighbours", "5 nearest of 190 rows", KNeighborsClassifier(5), (x[::3], y[::3])
    )


def clusters() -> Model:
    """K-means."""
    from sklearn.cluster import KMeans

    model = KMeans(8, n_init=1, random_state=0)
    return _learned("clusters", "8 means", model, _cells())


def network() -> Model:
    """A multilayer perceptron."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((16,), max_iter=300, tol=1e-3, random_state=0)
    return _learned("network", "64-16-10 network, digits", model, _digits())


def convolutions() -> Model:
    """A convolutional network; that it is trained changes neither bytes nor instructions much."""
    import torch

    x, y = _digits()
    torch.manual_seed(0)
    nn = torch.nn
    module = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(54, 10),
    ).double()  # fmt: skip
    adam = torch.optim.Adam(module.parameters(), lr=0.01)
    points, numbers = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(5):
        for rows in torch.randperm(len(x)).split(64):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(module(points[rows]), numbers[rows]).backward()
            adam.step()
    classes = [str(digit) for digit in range(10)]
    teacher = load_teacher(
        module, domain=_box(x), name="convolutions", classes=classes, input_shape=[64]
    )
    return Model("convolutions", "convolutional network, digits", None, teacher, x)


MODELS: dict[str, Callable[[], Model]] = {
    each.__name__: each
    for each in (
        tree, bayes, logistic, boosted, neighbours, clusters, network, convolutions, svm, forest,
    )
}  # fmt: skip
