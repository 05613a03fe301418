"""Counterexamples: the worst points of formulas, apart from each other."""

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.formula import Formula
from distill.sampling.counterexamples import counterexamples
from distill.teachers.load import load_teacher

BOX = Domain.box(a=(0, 1), b=(0, 10))


def _bump(x: np.ndarray) -> np.ndarray:
    """A narrow hill of height one at (0.3, 7)."""
    return np.exp(-((x[:, 0] - 0.3) ** 2 / 1e-3) - (x[:, 1] - 7) ** 2 / 0.1)


def _ask(formulas, function, domain=BOX, n=8, seed=0, **options):
    parsed = [Formula.parse(text, domain) for text in formulas]
    teacher = load_teacher(function, domain=domain, **options)
    return counterexamples(parsed, teacher, domain, n=n, seed=seed)


def test_the_worst_point_comes_first_and_is_climbed_to():
    x = _ask(["0"], _bump)
    np.testing.assert_allclose(x[0], [0.3, 7], atol=1e-3)


def test_each_formula_gives_its_own():
    x = _ask(["a", "b"], lambda p: np.where(p[:, 0] > p[:, 1] / 10, p[:, 0], p[:, 1]), n=2)
    # a is worst where b is the answer and large; b where a is the answer.
    assert len(x) == 2
    np.testing.assert_allclose(x[0], [0, 10], atol=1e-2)


def test_they_keep_apart_stay_in_the_domain_and_repeat():
    x = _ask(["0", "a"], _bump, n=16)
    assert len(x) == 16
    assert BOX.contains(x).all()
    u = BOX.to_unit(x)
    apart = np.abs(u[:, None] - u[None]).max(axis=2) + np.eye(len(u))
    assert apart.min() > 0.5 * 16**-0.5
    np.testing.assert_array_equal(x, _ask(["0", "a"], _bump, n=16))


def test_where_a_formula_is_not_finite_it_is_most_wrong():
    x = _ask(["log(a - 0.5)"], lambda p: p[:, 0], n=1)
    assert x[0, 0] <= 0.5


def test_where_the_teacher_has_no_answer_there_is_no_counterexample():
    x = _ask(["0"], lambda p: np.where(p[:, 0] > 0.5, np.nan, p[:, 0]), n=8)
    assert (x[:, 0] <= 0.5).all()
    assert x[:, 0].max() > 0.45
    assert _ask(["0"], lambda p: np.full(len(p), np.nan)).shape == (0, 2)


def test_no_formulas_no_points():
    assert _ask([], _bump).shape == (0, 2)
    assert _ask(["a"], _bump, n=0).shape == (0, 2)


def test_whole_numbers_stay_whole():
    domain = Domain((Variable("n", 0, 50, kind="integer"), Variable("on", 0, 1, kind="boolean")))
    x = _ask(["n"], lambda p: np.where(p[:, 0] == 31, 99.0, p[:, 0]), domain=domain, n=4)
    assert x[0, 0] == 31
    np.testing.assert_array_equal(x, np.round(x))


def test_gradients_are_used_where_there_are_any():
    import torch

    class Bump(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.exp(-((x[:, 0] - 0.3) ** 2 / 1e-3) - (x[:, 1] - 7) ** 2 / 0.1)

    x = _ask(["0"], Bump())
    np.testing.assert_allclose(x[0], [0.3, 7], atol=1e-5)


@pytest.mark.parametrize("n", [1, 3, 32])
def test_at_most_so_many(n: int):
    assert 1 <= len(_ask(["a", "b", "a*b"], _bump, n=n)) <= n
