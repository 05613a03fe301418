"""The engine that searches for nothing: closed forms of chains, and minimised logic."""

import numpy as np

from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain, Variable
from distill.engines.base import Budget, Candidate, Problem
from distill.engines.exact import closed_candidates, counted_candidates
from distill.engines.registry import make_engine
from distill.formula import Formula
from distill.sampling.sample_set import SampleSet
from distill.teachers.load import load_teacher

PLANE = Domain.box(a=(-1, 2), b=(0, 3))


def network(hidden):
    rng = np.random.default_rng(hidden)
    return Chain(
        2,
        (
            Affine(rng.normal(size=(hidden, 2)), rng.normal(size=hidden)),
            Apply("tanh", hidden),
            Affine(rng.normal(size=(2, hidden)), np.zeros(2)),
        ),
    )


def test_a_small_network_is_a_formula_and_a_closed_form():
    chain = network(3)
    found = closed_candidates(chain, PLANE, 1)
    assert [type(c.formula) for c in found] == [Formula, ClosedForm]
    x = PLANE.sample(500)
    for candidate in found:
        np.testing.assert_allclose(candidate.formula(x), chain.evaluate(x)[:, 1], rtol=1e-12)
        again = Candidate.from_data(candidate.to_data())
        assert again == candidate
        assert again.id == candidate.id


def test_a_network_nobody_could_read_is_a_closed_form_alone():
    (found,) = closed_candidates(network(200), PLANE, 0)
    assert isinstance(found.formula, ClosedForm)
    assert found.formula.complexity > 1000


def test_without_known_arithmetic_there_is_nothing():
    assert closed_candidates(None, PLANE, 0) == []


def parity(x):
    return (x.sum(axis=1) % 2 == 1).astype(float)


def test_a_teacher_of_booleans_is_logic_whatever_it_is_made_of():
    domain = Domain(tuple(Variable(n, 0, 1, kind="boolean") for n in "abc"))
    teacher = load_teacher(parity, domain=domain)
    x = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=float)
    found = counted_candidates(teacher, x, parity(x), domain, 0)
    assert {type(c.formula) for c in found} == {Formula, ClosedForm}
    for candidate in found:
        assert np.array_equal(candidate.formula(x), parity(x))


def problem(closed):
    x = PLANE.sample(16)
    sample = SampleSet(PLANE, x, x[:, 0], x[:0])
    return Problem(sample, 0.1, {}, 10, Budget(evaluations=1), 0, closed=tuple(closed))


def test_the_engine_hands_on_what_is_known():
    closed = closed_candidates(network(2), PLANE, 0)
    assert list(make_engine("exact", {}).search(problem(closed))) == closed
