"""The trained models that other generators emit: networks, a decision tree, naive Bayes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.extremum import border_points

Truth = Callable[[Array], Array]

TRAINING = 2000
"""Points a network is trained on: a third of them on edges, corners and faces."""

ITERATIONS = 400


@dataclass(frozen=True, eq=False)
class Network:
    """A tanh network in scikit-learn's class, with what is done to its inputs and output.

    It answers ``scale * regressor((x - centre) * spread) + offset``; the generated C does the same
    around what is emitted for the regressor, so that scaling costs the constants no digits.
    """

    regressor: Any
    centre: Array
    spread: Array
    scale: float
    offset: float

    def __call__(self, x: Array) -> Array:
        """The answers (n,) at x (n, d)."""
        answers: Array = self.regressor.predict((x - self.centre) * self.spread)
        return answers * self.scale + self.offset


def train_network(truth: Truth, domain: Domain, hidden: tuple[int, ...]) -> Network:
    """A tanh network trained on the truth by L-BFGS, with a fixed seed."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits

    x = np.vstack([border_points(domain, TRAINING // 3, 0), domain.sample(2 * TRAINING // 3)])
    y = truth(x)
    centre, spread = (domain.low + domain.high) / 2, 2 / (domain.high - domain.low)
    offset, scale = float(y.mean()), float(y.std())
    regressor = MLPRegressor(
        hidden_layer_sizes=hidden, activation="tanh", solver="lbfgs", alpha=0.0, tol=1e-9,
        max_iter=ITERATIONS, max_fun=10 * ITERATIONS, random_state=0,
    )  # fmt: skip
    # One thread: quicker for networks this small, and the same sums in the same order everywhere.
    with threadpool_limits(1), warnings.catch_warnings():
        # The iterations are limited on purpose: what a network costs does not depend on them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Larger targets keep the optimiser's relative stopping rule from ending it early.
        regressor.fit((x - centre) * spread, (y - offset) / scale * 10)
    return Network(regressor, centre, spread, scale / 10, offset)


def shipped_network(name: str) -> Network:
    """A shipped teacher, its own weights in scikit-learn's class."""
    from sklearn.neural_network import MLPRegressor

    from distill.teachers.load import load_teacher
    from distill.teachers.torch_module import TorchTeacher

    loaded = load_teacher(name).teacher
    assert isinstance(loaded, TorchTeacher)
    module: Any = loaded.module
    weights = [weight.detach().numpy() for weight in module.weights]
    regressor = MLPRegressor(activation=module.activation)
    regressor.coefs_ = [weight.T for weight in weights]
    regressor.intercepts_ = [bias.detach().numpy() for bias in module.biases]
    regressor.n_layers_, regressor.n_outputs_ = len(weights) + 1, 1
    regressor.out_activation_ = "identity"
    return Network(
        regressor,
        module.input_mean.numpy(),
        1 / module.input_scale.numpy(),
        float(module.output_scale[0]),
        float(module.output_mean[0]),
    )


@dataclass(frozen=True, eq=False)
class Learned:
    """A model of scikit-learn and the data it was trained on."""

    model: Any
    x: Array
    domain: Domain


def train_tree(names: Sequence[str]) -> Learned:
    """A regression tree of depth 8 on the diabetes data of scikit-learn, in natural units."""
    from sklearn.datasets import load_diabetes
    from sklearn.tree import DecisionTreeRegressor

    x, y = load_diabetes(return_X_y=True, scaled=False)
    model = DecisionTreeRegressor(max_depth=8, random_state=0).fit(x, y)
    return Learned(model, x, _box(names, x))


def train_bayes(names: Sequence[str]) -> Learned:
    """Gaussian naive Bayes, malignant or benign, on the ten means of the breast cancer data."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.naive_bayes import GaussianNB

    x, y = load_breast_cancer(return_X_y=True)
    x = x[:, : len(names)]
    return Learned(GaussianNB().fit(x, y), x, _box(names, x))


def _box(names: Sequence[str], x: Array) -> Domain:
    bounds = {name: (low, high) for name, low, high in zip(names, x.min(0), x.max(0), strict=True)}
    return Domain.box(**bounds)


def at_thresholds(learned: Learned, per_split: int = 8) -> Array:
    """Points of the data moved onto each split of a tree, and to the next float32 above it."""
    tree = learned.model.tree_
    splits = np.flatnonzero(tree.children_left >= 0)
    rng = np.random.default_rng(0)
    rows = []
    for i in splits:
        threshold = np.float32(tree.threshold[i])
        for value in (threshold, np.nextafter(threshold, np.float32(np.inf))):
            moved = learned.x[rng.integers(len(learned.x), size=per_split)].copy()
            moved[:, tree.feature[i]] = value
            rows.append(moved)
    return np.vstack(rows)
