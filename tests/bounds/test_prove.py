"""Proofs: never below what is found, as near to it as asked, at any time."""

import itertools

import numpy as np
import pytest

from distill.bounds.base import Difference, NotBounded
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain, Variable
from distill.extremum import largest
from distill.formula import Formula


def box(d, low=-1.0, high=1.0):
    return Domain.box(**{f"x{i}": (low, high) for i in range(d)})


def network(domain, seed, width=8, function="tanh"):
    """A random network of two hidden layers."""
    rng = np.random.default_rng(seed)
    sizes = [len(domain), width, width, 1]
    steps = []
    for i, (k, m) in enumerate(itertools.pairwise(sizes)):
        steps.append(Affine(rng.normal(size=(m, k)) * 1.5 / np.sqrt(k), rng.normal(size=m)))
        if i < 2:
            steps.append(Apply(function, m, 0.1))
    return ClosedForm(Chain(len(domain), tuple(steps)), domain)


FORMULAS = (
    "0.3*x0 + sin(2*x1)",
    "exp(-square(x0))*x1 + 0.1/(1.5 + x0)",
    "max(x0, x1) + abs(x0 - 0.2)",
    "tanh(x0*x1) - sqrt(2 + x0)",
    "ifless(x0, 0.3, x1^2, x1^2 + 0.5)",
    "log(2.5 + x0 + x1) + cbrt(2 + x1)",
)


@pytest.mark.parametrize("function", ["tanh", "relu", "sigmoid", "leaky_relu", "sin"])
@pytest.mark.parametrize("text", FORMULAS)
def test_a_bound_is_never_below_what_is_found(function, text):
    domain = box(2)
    formula = Formula.parse(text, domain)
    for seed in range(4):
        difference = Difference(enclosable(formula), enclosable(network(domain, seed, 8, function)))
        bound = prove(difference, domain, Limits(ratio=1.05, boxes=20_000))
        found = largest(difference, domain, points=4096, starts=8, seed=seed)
        assert bound.bound >= found.value
        assert bound.found <= bound.bound <= 1.05 * bound.found * (1 + 1e-12)
        assert abs(difference(bound.at[None])[0]) == bound.found


@pytest.mark.parametrize(
    ("d", "ratio", "boxes"), [(2, 1.05, 500), (3, 1.1, 2000), (4, 1.2, 20_000)]
)
def test_few_boxes_are_enough_for_smooth_networks(d, ratio, boxes):
    domain = box(d)
    formula = Formula.parse("exp(-square(x0))*x1" + " + 0.5*x1" * (d > 2), domain)
    difference = Difference(enclosable(formula), enclosable(network(domain, 1, 16)))
    bound = prove(difference, domain, Limits(ratio=ratio, boxes=boxes))
    assert bound.ratio <= ratio


def test_more_boxes_only_improve_a_bound():
    domain = box(3)
    difference = Difference(
        enclosable(Formula.parse("x0*x1 + sin(3*x2)", domain)), enclosable(network(domain, 2))
    )
    bounds = [prove(difference, domain, Limits(1.001, boxes=n)).bound for n in (1, 10, 100, 1000)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 0.9 * bounds[0]


def test_it_is_the_same_again_and_with_more_workers():
    domain = box(3)
    difference = Difference(
        enclosable(Formula.parse("x0*x1 + sin(3*x2)", domain)), enclosable(network(domain, 2))
    )
    first, again, shared = (
        prove(difference, domain, Limits(1.02, boxes=6000, workers=w)) for w in (1, 1, 3)
    )
    assert (first.bound, first.found, first.splits) == (again.bound, again.found, again.splits)
    assert shared.bound == pytest.approx(first.bound, rel=1e-9)


def test_it_stops_below_what_is_asked():
    domain = box(2)
    difference = Difference(enclosable(Formula.parse("x0", domain)), enclosable(network(domain, 3)))
    found = prove(difference, domain, Limits(1.01, boxes=50_000))
    loose = prove(difference, domain, Limits(1.01, below=3 * found.bound, boxes=50_000))
    assert found.bound <= loose.bound <= 3 * found.bound
    assert loose.boxes < found.boxes


def test_time_ends_it_and_what_it_has_holds():
    domain = box(6)
    difference = Difference(
        enclosable(Formula.parse("x0*x1*x2 + sin(3*x3)", domain)),
        enclosable(network(domain, 2, 32)),
    )
    bound = prove(difference, domain, Limits(1.0001, seconds=0.0, boxes=10**9))
    assert bound.boxes < 10_000
    assert bound.proven
    assert bound.bound >= bound.found


def test_a_pole_leaves_nothing_proven():
    domain = box(1)
    pole = enclosable(Formula.parse("1/(x0 - 0.123)", domain))
    bound = prove(pole, domain, Limits(boxes=2000))
    assert bound.bound == np.inf
    assert not bound.proven
    assert abs(bound.worst[0, 0] - 0.123) < 0.01


def test_whole_numbers_are_taken_one_by_one():
    domain = Domain((Variable("n", 0, 20, kind="integer"), Variable("flag", 0, 1, kind="boolean")))
    formula = enclosable(Formula.parse("sin(2*n) + 0.5*flag", domain))
    bound = prove(formula, domain, Limits(1 + 1e-9))
    every = np.array([[n, f] for n in range(21) for f in (0.0, 1.0)])
    assert bound.found == np.abs(formula(every)).max()
    assert bound.bound == pytest.approx(bound.found, rel=1e-9)


def test_twelve_inputs_get_some_bound():
    domain = box(12)
    text = " + ".join(f"x{i}*x{i + 1}" for i in range(11))
    difference = Difference(
        enclosable(Formula.parse(text, domain)), enclosable(network(domain, 5, 16))
    )
    bound = prove(difference, domain, Limits(boxes=500))
    assert np.isfinite(bound.bound)
    assert bound.bound >= bound.found
    assert bound.bound <= 11 + 2 * 16 * 5  # the triangle inequality, generously


def test_what_has_no_enclosure_is_named():
    domain = box(2)

    class Strange:
        inputs = outputs = 2
        stored = operations = 0

        def evaluate(self, x, real):
            return x

    form = ClosedForm.__new__(ClosedForm)
    object.__setattr__(form, "chain", Chain(2, (Strange(),)))
    object.__setattr__(form, "domain", domain)
    object.__setattr__(form, "output", 0)
    with pytest.raises(NotBounded, match="Strange"):
        enclosable(form)
