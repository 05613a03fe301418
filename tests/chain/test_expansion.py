"""Chains written out as formulas: equal, simplified, and never too large to handle."""

import tracemalloc

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.expansion import READABLE, formula_of, growth
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Scale
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.winner import Softmax
from distill.chain.terms import LIMIT
from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.tree import Symbol, complexity

from .strategies import random_trees

RNG = np.random.default_rng(4)
DOMAIN = Domain.box(a=(-2, 2), b=(0.5, 5))


def affine(k, d):
    return Affine(RNG.normal(size=(k, d)), RNG.normal(size=k))


def test_a_linear_model_behind_a_scaler_is_a_line():
    chain = Chain(2, (Scale(np.array([1.0, 2]), np.array([2.0, 4])), Affine([[4, 8]], [3])))
    formula = formula_of(chain, DOMAIN)
    assert formula is not None
    x = DOMAIN.sample(500)
    assert np.allclose(formula(x), chain.evaluate(x)[:, 0], rtol=1e-12, atol=1e-12)
    assert formula.complexity == Formula.parse("2*(a + b) - 3", DOMAIN).complexity


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize(
    "chain",
    [
        Chain(2, (affine(3, 2), Apply("tanh", 3), affine(2, 3))),
        Chain(2, (affine(3, 2), Apply("softplus", 3), affine(2, 3), Softmax(2))),
        Chain(2, (Monomials(np.array([[1, 0], [2, 1], [0, 4]])), affine(2, 3))),
        Chain(2, (Gaussians(*RNG.normal(size=(2, 2, 2)), np.zeros(2)),)),
        Chain(2, (affine(3, 2), random_trees(1))),
    ],
)
def test_formulas_are_equal_to_the_chain(chain, output):
    formula = formula_of(chain, DOMAIN, output)
    assert formula is not None
    x = DOMAIN.sample(2000)
    assert np.allclose(formula(x), chain.evaluate(x)[:, output], rtol=1e-9, atol=1e-9)
    assert formula.complexity <= growth(chain)[-1][output]


def test_large_arguments_stay_finite_and_right():
    steps = [Apply(f, 1) for f in ("sigmoid", "silu", "softplus", "mish", "softsign")]
    domain = Domain.box(x=(-1e4, 1e4))
    x = np.linspace(-1e4, 1e4, 2001)[:, None]
    for step in steps:
        formula = formula_of(Chain(1, (step,)), domain)
        found, wanted = formula(x), Chain(1, (step,)).evaluate(x)[:, 0]
        assert np.isfinite(found).all()
        assert np.abs(found - wanted).max() <= 1e-12 * max(1, np.abs(wanted).max())
    scores = Chain(1, (Affine([[1.0], [-2.0], [0.5]], [0, 1, 2]), Softmax(3)))
    for output in range(3):
        formula = formula_of(scores, domain, output)
        assert np.abs(formula(x) - scores.evaluate(x)[:, output]).max() < 1e-12


def test_growth_is_counted_far_beyond_what_can_be_built():
    layers = [step for _ in range(40) for step in (affine(64, 64), Apply("tanh", 64))]
    chain = Chain(64, tuple(layers))
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(64)})
    tracemalloc.start()
    counts = growth(chain)
    assert formula_of(chain, domain) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(counts) == 80
    assert max(counts[-1]) > 64**40
    assert peak < 20e6


def test_growth_is_the_size_of_what_is_built():
    chain = Chain(2, (affine(3, 2), Apply("sigmoid", 3), affine(2, 3), Softmax(2)))
    counts = growth(chain)
    for k in range(1, len(chain.steps) + 1):
        part = Chain(2, chain.steps[:k])
        trees = part.expand([Symbol("a"), Symbol("b")])
        assert counts[k - 1] == [complexity(tree) for tree in trees]


def test_too_large_expansions_are_refused_before_they_are_built():
    forest = random_trees(1, count=100, depth=9)
    chain = Chain(3, (forest,))
    assert growth(chain)[-1][0] > LIMIT
    tracemalloc.start()
    with pytest.raises(FormulaError, match="nodes") as caught:
        forest.expand([Symbol(n) for n in "abc"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "closed form" in caught.value.hint
    assert peak < 5e6
    assert formula_of(chain, Domain.box(a=(0, 1), b=(0, 1), c=(0, 1))) is None


def test_limits_count():
    chain = Chain(2, (affine(3, 2), Apply("tanh", 3), affine(1, 3)))
    size = growth(chain)[-1][0]
    assert size < READABLE
    assert formula_of(chain, DOMAIN, limit=size - 1) is None
    assert formula_of(chain, DOMAIN, limit=size) is not None


def test_steps_without_a_formula_give_none():
    assert formula_of(Chain(2, (Apply("gelu", 2),)), DOMAIN) is None
    deep = Chain(2, tuple(Apply("tanh", 2) for _ in range(120)))
    assert formula_of(deep, DOMAIN) is None


def test_wrong_questions_are_refused():
    chain = Chain(2, (affine(2, 2),))
    with pytest.raises(FormulaError, match="no output 2"):
        formula_of(chain, DOMAIN, 2)
    with pytest.raises(FormulaError, match="over 1 variables"):
        formula_of(chain, Domain.box(a=(0, 1)))
    with pytest.raises(FormulaError, match="1 trees for a step of 2 inputs"):
        chain.expand([Symbol("a")])
    with pytest.raises(FormulaError, match="shape"):
        chain.evaluate(np.zeros((5, 3)))
