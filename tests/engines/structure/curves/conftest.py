"""Curves from plain functions."""

import numpy as np
import pytest

from distill.engines.structure.curves.atoms import Target
from distill.engines.structure.curves.solve import solve_curve
from distill.engines.structure.piece import Curve, Values
from distill.formula.program import compile_tree

OPERATORS = (
    "add", "sub", "mul", "div", "square", "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos",
    "atan", "tanh", "pow", "abs",
)  # fmt: skip


@pytest.fixture
def make_curve():
    def make(function, low, high):
        def ask(x):
            with np.errstate(all="ignore"):
                y = np.asarray(function(x), dtype=float) * np.ones_like(x)
            return Values(y, np.ones_like(x))

        return Curve(ask, low, high)

    return make


@pytest.fixture
def solve_at():
    def run(curve, *, target, operators=OPERATORS, effort=0, seed=0):
        return solve_curve(curve, target=target, operators=operators, seed=seed, effort=effort)

    return run


@pytest.fixture
def solve(make_curve):
    def run(function, low, high, *, part=1e-9, operators=OPERATORS, effort=0, seed=0):
        curve = make_curve(function, low, high)
        y = curve(np.linspace(low, high, 501)).y
        spread = float(np.std(y[np.isfinite(y)])) if np.isfinite(y).any() else 1.0
        return solve_curve(
            curve, target=part * (spread or 1.0), operators=operators, seed=seed, effort=effort
        )

    return run


@pytest.fixture
def off():
    """The relative RMS error of a fit on an interval."""

    def measure(fit, function, low, high):
        x = np.linspace(low, high, 701)
        with np.errstate(all="ignore"):
            y = function(x)
            values = compile_tree(fit.tree, ("x",))(x[:, None])
        good = np.isfinite(y)
        error = np.sqrt(np.mean((values - y)[good] ** 2))
        return float(error / np.std(y[good]))

    return measure


@pytest.fixture
def make_target():
    def make(function, low, high, n=65):
        u = np.linspace(low, high, n)
        return Target(u, function(u), np.ones(n))

    return make
