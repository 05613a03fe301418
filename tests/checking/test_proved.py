"""What the prover writes, the checker accepts; and a little less, it does not."""

import numpy as np
import pytest

from distill.bounds.base import Difference
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.checking.check import check
from distill.checking.refusals import Rejected
from distill.domain import Domain, Variable
from distill.formula import Formula

from ..chain.strategies import random_trees
from .making import DOMAIN, FORMULA, certificate, network, raw


def proved(formula, teacher, ratio):
    difference = Difference(enclosable(formula), enclosable(teacher))
    return prove(difference, teacher.domain, Limits(ratio=ratio, boxes=20_000))


def checked(formula, teacher, bound, splits):
    return check(raw(certificate(formula, teacher, bound, list(splits))))[1]


def both_ways(formula, teacher, ratio=1.05):
    proof = proved(formula, teacher, ratio)
    assert proof.bound <= ratio * 1.0001 * proof.found
    verdict = checked(formula, teacher, proof.bound, proof.splits)
    assert verdict.leaves == sum(isinstance(s, int) and s < 0 for s in proof.splits)
    with pytest.raises(Rejected, match="- teacher"):
        checked(formula, teacher, 0.999 * proof.found, proof.splits)
    return verdict


@pytest.mark.parametrize("function", ["tanh", "relu", "silu"])
def test_networks(function):
    teacher = ClosedForm(network(12, function), DOMAIN)
    verdict = both_ways(Formula.parse(FORMULA, DOMAIN), teacher)
    assert verdict.boxes < 12 * verdict.leaves


def test_three_inputs():
    domain = Domain.box(a=(10, 50), b=(5, 60), c=(20, 40))
    teacher = ClosedForm(network(8, d=3), domain)
    both_ways(Formula.parse("tanh(a/20 - 1) - 0.02*b + sin(c/9)", domain), teacher, 1.2)


@pytest.mark.parametrize("goes", ["float32_at_most", "float32_below", "at_most", "below"])
def test_forests_are_proven_by_their_cells(goes):
    domain = Domain.box(x=(-3, 3), y=(-3, 3), z=(-3, 3))
    chain = Chain(3, (random_trees(3, goes=goes, outputs=1),))
    verdict = both_ways(Formula.parse("0.4*x - 0.1*y*z", domain), ClosedForm(chain, domain))
    assert verdict.leaves > 8


def test_whole_numbers():
    domain = Domain((Variable("x", -3, 3), Variable("n", 0, 6, kind="integer")))
    teacher = ClosedForm(network(8, seed=2), domain)
    both_ways(Formula.parse("0.1*x*n - 0.02*n*n", domain), teacher)


def test_a_formula_of_kinks_and_choices():
    teacher = ClosedForm(network(6, seed=4), DOMAIN)
    text = "ifless(t, 30, abs(h - 40)/50, max(t/40, h/90)) + min(0.1, t/200)"
    proof = proved(Formula.parse(text, DOMAIN), teacher, 1.1)
    assert np.isfinite(proof.bound)
    verdict = checked(Formula.parse(text, DOMAIN), teacher, proof.bound, proof.splits)
    assert verdict.boxes >= verdict.leaves
