"""Errors, fresh points and the judging of many formulas against one truth."""

import json
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import NotDifferentiable, SampleError, TeacherError
from distill.extremum import Extremum
from distill.formula import Formula
from distill.scoring.errors import measure_errors, with_worst
from distill.scoring.judge import compare, judge, search
from distill.scoring.proof import Fact, Proof
from distill.scoring.score import Score
from distill.scoring.truth import BATCH, ask, ask_teacher, fresh_points, held_out
from distill.teachers.base import Output, Teacher
from distill.teachers.load import load_teacher

DOMAIN = Domain.box(x=(-1, 1), y=(0, 2))


class Wave:
    """Two outputs, 0 and sin(5x)*y; with a spike, at (0.3, 1.1), too narrow for any design."""

    name = "wave"
    outputs = (Output("zero"), Output("wave"))
    domain = DOMAIN
    fingerprint = "00"
    can_be_asked = True
    validation_error = None

    def __init__(self, differentiable=True, spike=0.0):
        self.differentiable, self.spike = differentiable, spike
        self.asked = []

    def _spike(self, x):
        return self.spike * np.exp(-((x[:, 0] - 0.3) ** 2 + (x[:, 1] - 1.1) ** 2) / 0.02)

    def predict(self, x):
        self.asked.append(len(x))
        return np.column_stack([np.zeros(len(x)), np.sin(5 * x[:, 0]) * x[:, 1] + self._spike(x)])

    def gradient(self, x):
        if not self.differentiable:
            raise NotDifferentiable("no gradient.")
        slope = np.zeros((len(x), 2, 2))
        slope[:, 1, 0] = 5 * np.cos(5 * x[:, 0]) * x[:, 1] - 100 * (x[:, 0] - 0.3) * self._spike(x)
        slope[:, 1, 1] = np.sin(5 * x[:, 0]) - 100 * (x[:, 1] - 1.1) * self._spike(x)
        return slope


def _formula(text, domain=DOMAIN):
    return Formula.parse(text, domain)


# errors


def test_errors_by_hand():
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    errors = measure_errors(np.array([1.0, 2.0, 3.0, 8.0]), np.array([1.0, 2.0, 3.0, 4.0]), x)
    assert errors.rmse == 2.0
    assert errors.relative_rmse == pytest.approx(2 / math.sqrt(1.25))
    assert errors.r2 == pytest.approx(1 - 16 / 5)
    assert (errors.max_error, errors.max_error_at) == (4.0, (4.0,))
    assert (errors.non_finite, errors.points, errors.searched) == (0, 4, False)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30))
def test_errors_agree_with_scikit_learn(pairs):
    from sklearn.metrics import max_error, r2_score, root_mean_squared_error

    values, truth = np.array(pairs).T
    errors = measure_errors(values, truth, np.arange(len(truth), dtype=float)[:, None])
    assert errors.max_error == max_error(truth, values)
    assert errors.rmse == pytest.approx(root_mean_squared_error(truth, values), rel=1e-9)
    if np.ptp(truth) > 1e-3:
        assert errors.r2 == pytest.approx(r2_score(truth, values), rel=1e-6, abs=1e-9)
        assert errors.relative_rmse == pytest.approx(errors.rmse / truth.std(), rel=1e-6)
    at = int(errors.max_error_at[0])
    assert abs(values[at] - truth[at]) == errors.max_error


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_makes_the_largest_error_infinite(bad):
    x = np.array([[1.0], [2.0], [3.0]])
    errors = measure_errors(np.array([1.0, bad, 9.0]), np.array([1.0, 2.0, 3.0]), x)
    assert (errors.max_error, errors.max_error_at, errors.non_finite) == (math.inf, (2.0,), 1)
    assert errors.rmse == pytest.approx(math.sqrt(18))
    nothing = measure_errors(np.full(3, bad), np.array([1.0, 2.0, 3.0]), x)
    assert (nothing.rmse, nothing.r2, nothing.non_finite) == (math.inf, 0.0, 3)


def test_huge_values_do_not_overflow():
    x = np.array([[1.0], [2.0]])
    errors = measure_errors(np.array([1e200, -1e200]), np.array([0.0, 1.0]), x)
    assert errors.rmse == pytest.approx(1e200)
    overflow = measure_errors(np.array([1e308, 0.0]), np.array([-1e308, 0.0]), x)
    assert (overflow.max_error, overflow.max_error_at) == (math.inf, (1.0,))


def test_a_constant_truth():
    x = np.array([[1.0], [2.0]])
    exact = measure_errors(np.full(2, 3.0), np.full(2, 3.0), x)
    assert (exact.rmse, exact.relative_rmse, exact.r2) == (0.0, 0.0, 1.0)
    wrong = measure_errors(np.full(2, 4.0), np.full(2, 3.0), x)
    assert (wrong.rmse, wrong.relative_rmse, wrong.r2) == (1.0, math.inf, 0.0)


def test_a_worse_point_found_elsewhere_counts_for_the_largest_error_only():
    x = np.array([[1.0], [2.0]])
    values, truth = np.array([1.0, 2.5]), np.array([1.0, 2.0])
    plain = measure_errors(values, truth, x)
    worse = measure_errors(values, truth, x, Extremum(np.array([1.7]), 0.8))
    assert (worse.max_error, worse.max_error_at, worse.searched) == (0.8, (1.7,), True)
    assert worse.rmse == plain.rmse
    better = with_worst(plain, Extremum(np.array([1.7]), 0.1), searched=True)
    assert (better.max_error, better.max_error_at) == (0.5, (2.0,))
    hole = with_worst(plain, Extremum(np.array([1.7]), math.inf), searched=True)
    assert (hole.max_error, hole.non_finite) == (math.inf, 1)


# truth


@pytest.mark.parametrize("seed", [0, 1, 2**62])
def test_fresh_points_are_in_no_sample(seed):
    fresh = {row.tobytes() for row in fresh_points(DOMAIN, 2000, seed)}
    assert len(fresh) == 2000
    for other in (0, 1, seed, seed + 1):
        assert not fresh & {row.tobytes() for row in DOMAIN.sample(2000, other)}


def test_a_teacher_is_asked_once_in_batches():
    teacher = Wave()
    assert isinstance(teacher, Teacher)
    truth = ask_teacher(teacher, 1, DOMAIN, points=20_000, seed=5)
    assert max(teacher.asked) <= BATCH
    assert sum(teacher.asked) == 20_000 + 4096 + 4
    assert truth.y == pytest.approx(np.sin(5 * truth.x[:, 0]) * truth.x[:, 1], abs=0)
    assert truth.slope is not None
    assert ask_teacher(Wave(differentiable=False), 1, DOMAIN, points=50, seed=5).slope is None


def test_how_many_points_are_asked_is_told_after_each_batch_of_the_teachers():
    told = []
    teacher = replace(load_teacher(lambda x: x[:, 0], domain=DOMAIN, name="line"), batch=64)
    ask_teacher(
        teacher, 0, DOMAIN, points=200, seed=5, tell=lambda asked, of: told.append((asked, of))
    )
    assert told[:4] == [(64, 404), (128, 404), (192, 404), (200, 404)]
    assert told[-1] == (404, 404)


def test_an_error_of_the_teacher_is_passed_on():
    def broken(x):
        raise TeacherError("the sensor is gone.")

    with pytest.raises(TeacherError, match="the sensor is gone"):
        ask(broken, DOMAIN, points=10, seed=0)


def test_points_without_a_truth_are_left_out():
    def half(x):
        return np.where(x[:, 0] < 0, np.nan, x[:, 1])

    truth = ask(half, DOMAIN, points=1000, seed=0)
    assert 400 < len(truth.x) < 600
    assert (truth.x[:, 0] >= 0).all()
    assert (truth.border_x[:, 0] >= 0).all()
    # the climb goes over the edge, where there is nothing to be compared with
    score = judge([_formula("y - x")], truth)[0]
    assert score.max_error == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(SampleError, match="none of the answers at 10 fresh points"):
        ask(lambda x: np.full(len(x), np.inf), DOMAIN, points=10, seed=0)


def test_a_small_discrete_domain_is_judged_completely():
    domain = Domain((Variable("a", 0, 30, kind="integer"), Variable("b", 0, 1, kind="boolean")))
    asked = []

    def answer(x):
        asked.append(len(x))
        return np.where((x == [17, 1]).all(axis=1), 5.0, x[:, 0])

    truth = ask(answer, domain, points=10, seed=0)
    errors = judge([Formula.parse("a", domain)], truth)[0].teacher
    assert (errors.max_error, errors.max_error_at) == (12.0, (17.0, 1.0))
    assert (errors.points, errors.searched, asked) == (62, True, [62])


def test_held_out_rows_are_all_that_a_table_has():
    x = np.array([[0.0, 1.0], [0.5, 1.5]])
    errors = judge([_formula("x")], held_out(DOMAIN, x, np.array([0.0, 0.75])))[0].teacher
    assert (errors.max_error, errors.max_error_at) == (0.25, (0.5, 1.5))
    assert (errors.points, errors.searched) == (2, False)
    with pytest.raises(SampleError) as caught:
        held_out(DOMAIN, x[:0], np.empty(0))
    assert "sampling.held_out" in caught.value.where
    with pytest.raises(SampleError, match="not finite"):
        held_out(DOMAIN, x, np.array([np.nan, 0.0]))


# judging


@pytest.mark.parametrize("differentiable", [True, False])
def test_the_worst_point_between_all_points_is_found(differentiable):
    # the formula misses a spike of height 1 at (0.3, 1.1) on top of a function it has exactly
    truth = ask_teacher(Wave(differentiable, spike=1.0), 1, DOMAIN, points=200, seed=1)
    formula = _formula("sin(5*x)*y")
    assert compare(formula, truth).max_error < 1 - 1e-6
    errors = judge([formula], truth, starts=8)[0].teacher
    assert errors.max_error == pytest.approx(1.0, abs=1e-9)
    assert errors.max_error_at == pytest.approx((0.3, 1.1), abs=1e-4)
    assert errors.searched


def test_the_border_counts():
    # the largest error, 3, is in one corner only; the fresh points never reach it
    truth = ask(lambda x: np.zeros(len(x)), DOMAIN, points=64, seed=0)
    errors = compare(_formula("x + y"), truth)
    assert (errors.max_error, errors.max_error_at) == (3.0, (1.0, 2.0))
    assert not errors.searched


def test_where_the_formula_has_no_value_the_error_is_infinite():
    truth = ask(lambda x: x[:, 0], DOMAIN, points=64, seed=0)
    undefined = judge([_formula("sqrt(x)")], truth)[0].teacher
    assert math.isinf(undefined.max_error)
    assert undefined.max_error_at[0] < 0
    assert undefined.non_finite > 20


def test_the_climb_goes_up_a_pole_between_the_points():
    truth = ask(lambda x: x[:, 0], DOMAIN, points=64, seed=0)
    formula = _formula("x + 1e-3*inv(x - 0.2345678)")
    errors = judge([formula], truth)[0].teacher
    assert errors.max_error > 1000 * compare(formula, truth).max_error
    assert errors.max_error_at[0] == pytest.approx(0.2345678, abs=1e-4)


FORMULAS = [_formula(t) for t in ("0", "x", "5*x*y", "sin(5*x)*y", "sin(5*x)*y + 0.5*x", "y + y")]


def test_everything_on_the_front_has_been_searched():
    truth = ask_teacher(Wave(spike=0.3), 1, DOMAIN, points=500, seed=1)
    told = []
    scores = judge(FORMULAS, truth, starts=8, always=[5], tell=told.append)
    errors = [s.teacher for s in scores]
    rows = list(zip([f.complexity for f in FORMULAS], errors, strict=True))
    for complexity, error in rows:
        beaten = any(
            c <= complexity and e.max_error <= error.max_error and e is not error for c, e in rows
        )
        assert beaten or error.searched
    assert errors[5].searched, "asked for"
    assert not errors[4].searched, "beaten by a simpler one before any search"
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_searching_never_makes_an_error_smaller_and_the_order_is_kept():
    truth = ask_teacher(Wave(), 1, DOMAIN, points=500, seed=1)
    for formula, score in zip(FORMULAS, judge(FORMULAS, truth, starts=4), strict=True):
        plain = compare(formula, truth)
        assert score.max_error >= plain.max_error
        assert score.teacher.rmse == plain.rmse
    x = DOMAIN.sample(20_000, 3)
    worst = np.abs(FORMULAS[1](x) - np.sin(5 * x[:, 0]) * x[:, 1]).max()
    assert search(FORMULAS[1], truth).value >= worst


def test_judging_repeats_to_the_bit():
    first, second = (
        judge(FORMULAS, ask_teacher(Wave(), 1, DOMAIN, points=300, seed=2), seed=7)
        for _ in range(2)
    )
    assert first == second


def test_the_reference_is_asked_once_for_all_and_never_in_a_search():
    asked = []

    def slow(x):
        asked.append(len(x))
        return np.sin(5 * x[:, 0]) * x[:, 1] + 0.01

    reference = ask(slow, DOMAIN, points=100, seed=3, again=False)
    once = list(asked)
    truth = ask_teacher(Wave(), 1, DOMAIN, points=300, seed=2)
    scores = judge(FORMULAS, truth, reference=reference)
    assert asked == once == [100, 104]
    assert scores[3].reference.max_error == pytest.approx(0.01)
    assert scores[3].max_error == 0.0
    assert not scores[3].reference.searched
    assert judge(FORMULAS[:1], truth)[0].reference is None


def test_a_score_survives_json():
    truth = ask_teacher(Wave(), 1, DOMAIN, points=300, seed=2)
    scores = judge([*FORMULAS, _formula("log(x)")], truth, reference=truth)
    for score in scores:
        assert Score.from_data(json.loads(json.dumps(score.to_data()))) == score
    proof = Proof(2.5, 1.0, (0.5, 1.5), 7)
    proven = Score(scores[0].teacher, proof=proof, facts=(Fact("finite", True),), unproven="why")
    assert proven.max_error < proven.certified_error == 2.5
    assert Score.from_data(json.loads(json.dumps(proven.to_data()))) == proven


def test_no_formulas():
    truth = ask_teacher(Wave(), 1, DOMAIN, points=10, seed=2)
    assert judge([], truth) == []


def test_memory_does_not_grow_with_the_number_of_formulas():
    truth = ask_teacher(Wave(), 1, DOMAIN, points=50_000, seed=2)
    peaks = []
    for count in (2, 20):
        tracemalloc.start()
        judge([_formula(f"sin({i}*x)*y + {i}") for i in range(count)], truth, starts=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 30e6
