"""Skeletons: the form is kept, its free parts are found, mistakes in its text are explained."""

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.engines import polish
from distill.engines.base import Budget, Problem
from distill.engines.free_parts import answer_error, determine
from distill.engines.inside_out import inside_out
from distill.engines.oracle import Oracle, OutOfQuestions
from distill.engines.skeleton import FIXED, Skeleton
from distill.engines.skeleton_search import search_skeleton
from distill.engines.structure.piece import Fit, weighted_error
from distill.errors import ConfigError
from distill.formula import Formula
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.text import to_text
from distill.sampling.sample_set import SampleSet

DOMAIN = Domain.box(x=(0.2, 3), y=(1, 5))
FORMS = {
    1: (
        "2*{0} + 0.5",
        "1.5*exp(-0.3*{0}) + 0.2",
        "0.2 - exp(-0.3*{0})",
        "1.2*{0}^1.3 + 0.1",
        "0.1 + 0.4/({0} + 0.9)",
    ),
    2: ("1.2*{0}*{1} + 0.1", "1.2*{0}*sqrt({1} + 0.1)"),
}


class FormulaTeacher:
    """A formula as the teacher; its gradient is not needed here."""

    name = "formula"

    def __init__(self, formula, noise=0.0):
        self.formula, self.noise = formula, noise

    def predict(self, x):
        y = self.formula(x)
        wiggle = np.sin(1e4 * x.sum(axis=1))  # looks random, and is the same each time
        return (y + self.noise * wiggle)[:, None]


def solve_piece(known):
    """A small stand-in for the solver of pieces: a few forms, fitted by least squares."""
    ask, low, high, names = known.ask, known.low, known.high, known.part.names
    rng = np.random.default_rng(3)
    points, fresh = (low + (high - low) * rng.random((n, len(low))) for n in (200, 80))
    y, truth = ask(points).y, ask(fresh)
    kept = np.isfinite(y)
    fits = []
    for form in FORMS.get(len(names), ()):
        tree = parse(form.format(*names), names)
        solved = polish.least_squares(polish.Fit.of(tree, names, points[kept], y[kept]), 100).solved
        fits.append(Fit(solved, weighted_error(compile_tree(solved, names)(fresh), truth)))
    return fits


def problem(truth, domain=DOMAIN, *, asked=True, questions=None, noise=0.0, explain=None, **more):
    formula = Formula.parse(truth, domain)
    teacher = FormulaTeacher(formula, noise)
    x = domain.sample(256, 0)
    sample = SampleSet(domain, x, teacher.predict(x)[:, 0], np.empty((0, len(domain))))
    oracle = Oracle(teacher, domain, error=noise, questions=questions) if asked else None
    tell = {} if explain is None else {"explain": explain}
    return Problem(sample, 1e-3, {}, 60, Budget(**more), 0, oracle=oracle, **tell)


def found(text, truth, domain=DOMAIN, **options):
    """The best candidate's relative error on fresh points, and all candidates."""
    skeleton = Skeleton.parse(text, domain)
    candidates = list(search_skeleton(skeleton, problem(truth, domain, **options), solve_piece))
    x = domain.sample(500, 77)
    y = Formula.parse(truth, domain)(x)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    errors = [np.sqrt(np.mean((c.formula(x) - y) ** 2)) / np.std(y) for c in candidates]
    return min(errors), candidates


def test_what_is_free():
    domain = Domain.box(temperature=(0, 1), humidity=(0, 1), wind=(0, 1), c2=(0, 1))
    skeleton = Skeleton.parse("exp(-f(temperature)) * g( humidity,wind ) + c1 + c2 + 3", domain)
    assert [(p.name, p.uses) for p in skeleton.parts] == [
        ("f", (("temperature",),)),
        ("g", (("humidity", "wind"),)),
    ]
    assert skeleton.constants == ("c1",)
    parts = {"f": parse("2*temperature", domain.names), "g": parse("wind", domain.names)}
    filled = skeleton.fill(parts, {"c1": 7.0})
    assert to_text(filled) == "exp(-(2*temperature))*wind + 7 + c2 + 3"
    assert [label == FIXED for label in skeleton.labels(parts)] == [False, False, True]


def test_a_part_used_twice_is_one_function_with_shared_constants():
    skeleton = Skeleton.parse("f(x) - 2*f(y)", DOMAIN)
    assert [p.uses for p in skeleton.parts] == [(("x",), ("y",))]
    parts = {"f": parse("3*x^1.5", ["x"])}
    assert to_text(skeleton.fill(parts, {})) == "3*x^1.5 - 2*(3*y^1.5)"
    first, second, own, *again = skeleton.labels(parts)
    assert own == FIXED
    assert [first, second] == again
    assert first != second


def test_names_that_could_be_confused_are_not():
    domain = Domain.box(x=(0, 1), y=(0, 1), x_y=(0, 1), f_x=(0, 1))
    skeleton = Skeleton.parse("f(x, y) + g(x_y) + f_x + h(x) + h_(x)", domain)
    assert [p.name for p in skeleton.parts] == ["f", "g", "h", "h_"]
    text = "h(x_y) + k(x)*h(y)"
    assert len(Skeleton.parse(text, domain).columns) == 4 + 3


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("exp(x) + 2", "nothing free", "free parts look like"),
        ("f(z)", "`z` in `f(z)` is not a variable", "x, y"),
        ("f(x, x)", "twice", "free parts look like"),
        ("f()", "is not a variable", "x, y"),
        ("f(x) + f(x, y)", "different numbers", "name of its own"),
        ("expo(x)", "cannot name", "did you mean `exp`"),
        ("x(y)", "cannot name", "free parts look like"),
        ("F(x)", "cannot name", "free parts look like"),
        ("f(x + 1)", "cannot be read", "free parts look like"),
        ("f(x) +", "cannot be read", "free parts look like"),
        ("f(x) + d1", "cannot be read", "free parts look like"),
        ("__import__(x)", "cannot name", "free parts look like"),
        ("f(x) @ 2", "cannot be read", "free parts look like"),
    ],
)
def test_mistakes_are_explained(text, what, hint):
    with pytest.raises(ConfigError) as caught:
        Skeleton.parse(text, DOMAIN)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert "`engine.skeleton`" in caught.value.where


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("exp(-f(x))*y", "exp(-0.3*x^1.7)*y"),
        ("sqrt(1 + y*f(x))", "sqrt(1 + y*(2 + 0.4*x))"),
        ("atan(y/f(x)) - x", "atan(y/(0.7 + 1.3*x)) - x"),
        ("y^f(x)", "y^(0.3 + 0.4*x)"),
        ("log(3 - tanh(f(x)))/(y + x)", "log(3 - tanh(exp(-0.8*x)))/(y + x)"),
    ],
)
def test_one_part_is_led_back_exactly(text, truth):
    error, candidates = found(text, truth)
    assert error < 1e-12
    assert all(text in c.origin for c in candidates)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("f(x)*g(y)", "(2*x + 0.5)*exp(-0.7*y)"),
        ("f(x) + f(y)", "x^1.6 + y^1.6"),
        ("(f(x) + g(y))^2 + c1", "(exp(-0.5*x) + 1/(y + 0.7))^2 + 1.9"),
        ("c1*exp(c2*x) + c3", "2.5*exp(-0.8*x) + 1.2"),
        ("sin(f(x, y)) + c1*x", "sin(0.1*x*y + 0.2) + 0.3*x"),
    ],
)
@pytest.mark.parametrize("asked", [True, False])
def test_parts_are_found_together(text, truth, asked):
    error, _ = found(text, truth, asked=asked)
    assert error < 1e-9


def test_every_candidate_has_the_form():
    # Whatever the parts are: log(candidate) is a function of x plus one of y.
    _, candidates = found("exp(f(x) + g(y))", "exp(sin(x) + 1/y) + 0.01*x*y")
    assert candidates
    a, b, c, d = (np.array([p]) for p in ([0.5, 2.0], [2.5, 2.0], [0.5, 4.0], [2.5, 4.0]))
    for candidate in candidates:
        z = [np.log(candidate.formula(p)[0]) for p in (a, b, c, d)]
        assert z[3] - z[1] == pytest.approx(z[2] - z[0], abs=1e-9)


def test_the_wrong_branch_is_noticed():
    # The root of the answers is |f|, whose kink no smooth formula has.
    error, _ = found("square(f(x)) + y", "square(exp(-0.5*x) - 0.5) + y")
    assert error < 1e-9


def test_a_form_that_does_not_hold_gives_the_best_that_has_it():
    error, candidates = found("f(x) + y", "x*y")
    assert candidates
    assert 0.2 < error < 1.0


def test_parts_as_functions_and_their_error_bars():
    domain = Domain.box(x=(0.5, 3), y=(0, 3))
    truth = Formula.parse("y*x^1.5", domain)
    skeleton = Skeleton.parse("y*f(x)", domain)
    known = inside_out(skeleton, Oracle(FormulaTeacher(truth), domain))
    u = np.linspace(0.5, 3, 20)[:, None]
    values = known.ask(u)
    np.testing.assert_allclose(values.y, u[:, 0] ** 1.5, rtol=1e-14)
    # An error of 1 in the answer moves f by 1/y, and y was held where it is large.
    assert (values.s < 1 / 2.5).all()
    noisy = Oracle(FormulaTeacher(truth, noise=0.01), domain)
    x, check = domain.sample(600, 1), domain.sample(200, 2)
    parts, _, error = determine(skeleton, (x, noisy(x)), (check, noisy(check)), 0.01, 0)
    again = parts[0].ask(u)
    assert error < 0.02
    assert np.sqrt(np.mean(((again.y - u[:, 0] ** 1.5) / again.s) ** 2)) < 0.02
    assert np.isnan(parts[0].ask(np.array([[0.4], [3.1]])).y).all()


def test_noise_of_the_teacher_is_no_reason_to_go_on():
    error, candidates = found("exp(-f(x))*y", "exp(-0.5*x)*y", noise=1e-3)
    assert error < 2e-3
    assert len(candidates) < 30


def test_whole_numbers_and_logarithmic_variables():
    domain = Domain((Variable("n", 0, 6, kind="integer"), Variable("r", 1, 1e6, scale="log")))
    truth = Formula.parse("(n + 1)^1.5*log(r + 3)", domain)
    x, check = domain.sample(600, 1), domain.sample(200, 2)
    skeleton = Skeleton.parse("f(n)*g(r)", domain)
    assert (
        inside_out(Skeleton.parse("f(n)*r", domain), Oracle(FormulaTeacher(truth), domain)) is None
    )
    y = truth(x)
    error = determine(skeleton, (x, y), (check, truth(check)), answer_error(None, y), 0)[2]
    assert error < 1e-6 * np.std(y)


@pytest.mark.parametrize("questions", [0, 10, 500, 1500])
def test_a_budget_of_questions_is_kept(questions):
    error, candidates = found("y*f(x)", "y*x^1.3", questions=questions)
    assert candidates
    assert error < 1e-2


def test_a_solver_that_runs_out_of_questions_leaves_polynomials():
    def exhausted(known):
        raise OutOfQuestions

    skeleton = Skeleton.parse("y*f(x)", DOMAIN)
    candidates = list(search_skeleton(skeleton, problem("y*(1 + x)"), exhausted))
    x = DOMAIN.sample(100, 5)
    best = min(np.abs(c.formula(x) - x[:, 1] * (1 + x[:, 0])).max() for c in candidates)
    assert best < 1e-12


def test_answers_that_are_not_finite_are_left_out():
    error, _ = found("y*f(x) + c1", "y*sqrt(x - 1)*0 + y*(x + 2) + 1")
    assert error < 1e-9


def test_the_same_problem_gives_the_same_candidates():
    runs = [found("f(x)*g(y)", "(2*x + 0.5)*exp(-0.7*y)")[1] for _ in range(2)]
    assert [c.id for c in runs[0]] == [c.id for c in runs[1]]


def test_no_time_left_is_no_error():
    found_late = search_skeleton(
        Skeleton.parse("f(x)*g(y)", DOMAIN), problem("x*y", seconds=0.0), solve_piece
    )
    assert list(found_late) == []


def test_what_was_found_is_explained():
    findings = []
    found("exp(-f(x))*y", "exp(-0.3*x)*y", explain=findings.append)
    assert findings[-1].piece == "exp(-f(x))*y"
    assert findings[-1].state == "solved"
    assert findings[-1].parts[0].piece == "f(x)"
