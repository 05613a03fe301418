"""Proofs of many formulas: never below what is found, within the budget, told as what they are."""

import json
import math

import numpy as np
import pytest

from distill.bounds.read import MOST_INPUTS
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply
from distill.domain import Domain, Variable
from distill.errors import NotDifferentiable
from distill.formula import Formula
from distill.formula.tree import Symbol
from distill.scoring.certify import LEFT_OUT, OVER, Effort, certify, with_statements
from distill.scoring.facts import FINITE, Demands
from distill.scoring.judge import compare, judge
from distill.scoring.own_form import own_form
from distill.scoring.score import Score
from distill.scoring.truth import ask, ask_teacher
from distill.teachers.load import load_teacher

BOX = Domain.box(x=(-1, 2), y=(0.5, 3))
TAUGHT = Formula.parse("x*exp(-y) + 0.02*sin(9*x)", BOX)
TEXTS = ("0", "x/3", "x*exp(-y)", "x*exp(-y) + 0.02*sin(9*x)", "x*exp(-y) + 0*log(y - 0.6)")


def network(seed=0, inputs=2, width=8, size=1.0):
    """A tanh network as a chain; ``size`` of its first weights."""
    rng = np.random.default_rng(seed)
    first = Affine(size * rng.normal(size=(width, inputs)), rng.normal(size=width))
    last = Affine(rng.normal(size=(1, width)), rng.normal(size=1))
    return Chain(inputs, (first, Apply("tanh", width), last))


class Taught:
    """A teacher of one output with a chain; answers in float32."""

    name, fingerprint, can_be_asked, validation_error = "taught", "00", True, None

    def __init__(self, chain, domain=BOX, why=""):
        self.chain, self.domain, self.why_no_chain = chain, domain, why
        self.outputs = load_teacher(lambda x: x[:, 0], domain=domain, name="a").outputs

    def predict(self, x):
        return self.chain.evaluate(x, "float32").astype(np.float32).astype(float)

    def gradient(self, x):
        raise NotDifferentiable("none.")


def formulas(*texts, domain=BOX):
    return [Formula.parse(text, domain) for text in texts]


def judged(teacher, candidates, domain=BOX):
    truth = ask_teacher(teacher, 0, domain, points=500, seed=3)
    return truth, judge(candidates, truth, starts=8)


def a_formula_teacher():
    return load_teacher(TAUGHT, domain=BOX, name="taught")


def test_bounds_hold_and_are_near_to_what_is_found():
    teacher, candidates = a_formula_teacher(), formulas(*TEXTS)
    own, why = own_form(teacher, BOX, 0)
    assert why == ""
    truth, scores = judged(teacher, candidates)
    told = []
    result = certify(candidates, scores, truth, own, Effort(), 0.1, tell=told.append)
    x = np.vstack([BOX.sample(200_000, 11), BOX.corners()])
    for formula, score in zip(candidates[:4], result[:4], strict=True):
        dense = np.abs(formula(x) - TAUGHT(x)).max()
        assert score.certified_error >= dense
        assert score.certified_error >= score.max_error >= score.proof.found - 1e-12
        assert score.proof.ratio <= 1.1 or score.certified_error <= 0.001
        assert score.facts[0].says == FINITE
        assert score.facts[0].proven
    assert (result[3].proof.bound, result[3].proof.method) == (0.0, "the teacher itself")
    # off the domain of a logarithm nothing is proven, and nothing was tried: the error is infinite
    assert math.isinf(result[4].max_error)
    assert result[4].certified_error is None
    assert told == sorted(told)
    assert told[-1] == 1.0
    again = certify(candidates, scores, truth, own, Effort(), 0.1)
    assert again == result


def test_a_network_is_proven_against_its_real_numbers_and_its_rounding_is_told():
    chain = network()
    teacher = Taught(chain)
    own, _ = own_form(teacher, BOX, 0)
    expanded = Formula(chain.expand([Symbol("x"), Symbol("y")])[0], BOX)
    closed = ClosedForm(chain, BOX, 0)
    truth, scores = judged(teacher, [expanded, closed])
    written, itself = certify([expanded, closed], scores, truth, own, Effort(), 1e-3)
    # the answers are float32: off from the chain by some 1e-7, which no proof is about
    assert 1e-9 < written.max_error < 1e-5
    assert written.proof.found < 1e-12
    assert written.proof.bound < 1e-5, "less than a hundredth of the tolerance is enough"
    assert itself.proof.bound == 0.0
    assert itself.certified_error == itself.max_error > 0
    assert "in real numbers no difference at all" in itself.told()
    assert "with the rounding of the teacher's own answers" in itself.told()


def test_the_worst_point_of_a_proof_counts_as_found():
    spike = Formula.parse("exp(-((x - 0.3)^2 + (y - 1.1)^2)/0.0001)", BOX)
    teacher = load_teacher(spike, domain=BOX, name="spike")
    own, _ = own_form(teacher, BOX, 0)
    candidates = formulas("0")
    truth = ask(spike, BOX, points=64, seed=1)
    scores = [Score(compare(candidates[0], truth))]
    assert scores[0].max_error < 0.5
    (score,) = certify(candidates, scores, truth, own, Effort(), 0.1)
    assert score.max_error == pytest.approx(1.0, abs=1e-3)
    assert score.teacher.max_error_at == pytest.approx((0.3, 1.1), abs=1e-2)
    assert score.certified_error <= 1.1


def test_within_the_tolerance_comes_first_and_the_rest_says_why_not():
    teacher, candidates = a_formula_teacher(), formulas(*TEXTS[:3], "x*exp(-y) + 0.02*x")
    own, _ = own_form(teacher, BOX, 0)
    truth, scores = judged(teacher, candidates)
    result = certify(candidates, scores, truth, own, Effort(candidates=1), 0.1)
    assert [s.certified_error is not None for s in result] == [False, False, True, False]
    assert result[0].unproven == LEFT_OUT
    late = certify(candidates, scores, truth, own, Effort(seconds=1e-9), 0.1)
    assert {s.unproven for s in late if s.teacher.searched} <= {OVER, ""}
    assert not any(s.certified_error for s in late)


def test_too_few_boxes_give_a_bound_that_is_told_as_what_it_is():
    teacher, candidates = a_formula_teacher(), formulas("x*exp(-y)")
    own, _ = own_form(teacher, BOX, 0)
    truth, scores = judged(teacher, candidates)
    (few,) = certify(candidates, scores, truth, own, Effort(ratio=1.001, boxes=40), 0.1)
    (many,) = certify(candidates, scores, truth, own, Effort(ratio=1.001), 0.1)
    assert few.certified_error > many.certified_error > few.max_error
    assert f"ratio {few.proof.ratio:.3g}" in few.told("degC")
    assert few.told("degC").startswith("Proven: off by at most ")


def test_a_pole_of_the_teacher_leaves_nothing_proven_and_no_failure():
    teacher = load_teacher(Formula.parse("1/(x - 0.3)", BOX), domain=BOX, name="pole")
    candidates = formulas("x", "1/(x - 0.3)")
    own, _ = own_form(teacher, BOX, 0)
    truth, scores = judged(teacher, candidates)
    result = certify(candidates, scores, truth, own, Effort(boxes=300), 0.1)
    assert result[0].certified_error is None


def test_every_point_of_a_small_domain_is_a_proof():
    domain = Domain((Variable("a", 0, 30, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    truth = ask(
        lambda x: np.where((x == [17, 1]).all(axis=1), 5.0, x[:, 0]), domain, points=9, seed=0
    )
    candidates = formulas("a", domain=domain)
    (score,) = certify(candidates, judge(candidates, truth), truth, None, Effort(), 0.1)
    assert score.certified_error == 12.0
    assert score.told() == (
        "Proven: off by at most 12 anywhere on the domain (compared at each of its 62 points)."
    )


def test_why_a_teacher_has_no_form():
    assert "asked only" in own_form(load_teacher(np.sin, domain=Domain.box(x=(0, 1))), BOX, 0)[1]
    wide = Domain.box(**{f"x{i}": (0, 1) for i in range(MOST_INPUTS + 1)})
    own, why = own_form(Taught(network(inputs=MOST_INPUTS + 1), wide), wide, 0)
    assert own.function is None
    assert f"{MOST_INPUTS + 1} inputs are too many" in why
    own, why = own_form(Taught(None, why="its layer `LSTM` is not known."), BOX, 0)
    assert (own, why) == (None, "its layer `LSTM` is not known")


def test_more_than_twelve_inputs_are_tried_and_told_as_what_they_are():
    domain = Domain.box(**{f"x{i}": (-1, 1) for i in range(14)})
    teacher = Taught(network(inputs=14, size=0.2), domain)
    own, _ = own_form(teacher, domain, 0)
    candidates = formulas("0.5*x0", domain=domain)
    truth, scores = judged(teacher, candidates, domain)
    (score,) = certify(candidates, scores, truth, own, Effort(boxes=300), 1.0)
    assert score.certified_error > score.max_error
    assert score.proof.ratio > 1.1
    assert f"ratio {score.proof.ratio:.3g}" in score.told()


def test_demands_are_proven_of_the_formula_whatever_the_teacher_is():
    candidates = formulas("x*exp(-y)")
    truth = ask(TAUGHT, BOX, points=200, seed=1)
    demands = Demands(-1.0, 1.3, {"x": "increasing", "y": "decreasing"})
    (score,) = certify(
        candidates, judge(candidates, truth), truth, None, Effort(), 0.1, demands=demands
    )
    assert score.proof is None
    assert {f.says: f.proven for f in score.facts} == {
        FINITE: True,
        "at least -1 and at most 1.3": True,
        "increasing in x": True,
        "decreasing in y": False,
    }


# statements


def test_a_statement_in_place_of_a_proof():
    truth = ask(TAUGHT, BOX, points=300, seed=1)
    candidates = formulas(*TEXTS[:3], TEXTS[4])
    scores = judge(candidates, truth, starts=4)
    asked = []

    def answer(x):
        asked.append(x)
        return np.where(x[:, 0] < -0.9, np.nan, TAUGHT(x))

    given = {"points": 2000, "confidence": 0.95, "seed": 7}
    result = with_statements(candidates, scores, truth, answer, **given)
    x = np.vstack(asked)
    assert len(x) == 2000
    known = (x[:, 0] >= -0.9).sum()
    for score, formula in zip(result[:3], candidates, strict=False):
        made = score.statement
        assert (made.points, made.beside, made.confidence) == (known, 4, 0.95)
        assert made.size == score.max_error
        assert made.fraction == pytest.approx(1 - 0.0125 ** (1 / known))
        off = np.abs(formula(x) - TAUGHT(x))[x[:, 0] >= -0.9].max()
        assert off <= made.size
        assert "with 95 % confidence" in score.told()
        assert "proven: off" not in score.told().lower()
    assert result[3].statement is None, "where the formula has no value there is nothing to state"
    # the points hang on what is judged: no search that used the same seed can have seen them
    other = []
    with_statements(
        candidates[:2], scores[:2], truth, lambda x: other.append(x) or TAUGHT(x), **given
    )
    assert not np.array_equal(other[0], asked[0])
    assert with_statements(candidates, scores, truth, answer, **given) == result


def test_the_worst_of_the_random_points_counts_as_found():
    truth = ask(lambda x: np.zeros(len(x)), BOX, points=64, seed=1)
    candidates = formulas("0")
    scores = judge(candidates, truth)
    (score,) = with_statements(
        candidates, scores, truth, lambda x: x[:, 0], points=500, confidence=0.9, seed=1
    )
    assert score.max_error > 1.9
    assert score.statement.size == score.max_error


def test_what_is_proven_needs_no_statement_and_a_score_survives_json():
    teacher, candidates = a_formula_teacher(), formulas(*TEXTS)
    own, _ = own_form(teacher, BOX, 0)
    truth, scores = judged(teacher, candidates)
    proven = certify(
        candidates, scores, truth, own, Effort(), 0.1, demands=Demands(monotone={"x": "increasing"})
    )
    result = with_statements(candidates, proven, truth, TAUGHT, points=100, confidence=0.9, seed=1)
    for score in result:
        assert (score.statement is None) or score.certified_error is None
        assert Score.from_data(json.loads(json.dumps(score.to_data()))) == score


def test_the_teachers_own_form_is_itself_though_nothing_else_can_be_proven():
    domain = Domain.box(**{f"x{i}": (0, 1) for i in range(MOST_INPUTS + 1)})
    chain = network(inputs=len(domain))
    teacher = Taught(chain, domain)
    own, _ = own_form(teacher, domain, 0)
    candidates = [*formulas("x0", domain=domain), ClosedForm(chain, domain, 0)]
    truth, scores = judged(teacher, candidates, domain)
    other, itself = certify(candidates, scores, truth, own, Effort(boxes=1), 0.1)
    assert other.certified_error is None
    assert itself.proof.bound == 0.0
