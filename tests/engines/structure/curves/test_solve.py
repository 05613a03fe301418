"""The door: fronts, promises, and curves nobody wants."""

import time

import numpy as np
import pytest

from distill.engines.structure.curves.allowed import within
from distill.engines.structure.curves.solve import solve_curve
from distill.formula.tree import complexity

KNOWN = {
    "odd root": (lambda x: x / np.sqrt(1 - x**2), (0.1, 0.6), (0.03, 0.72)),
    "doppler": (lambda x: (1 + x) / np.sqrt(1 - x**2), (0.1, 0.6), (0.03, 0.72)),
    "bose": (lambda x: x / (np.exp(x) - 1), (0.5, 5), (0.12, 6)),
    "arcsine": (lambda x: np.arcsin(0.3 * x), (0.5, 2), (0.12, 2.4)),
    "bell": (lambda x: 2.3 * np.exp(-(((x - 1.2) / 0.7) ** 2)) + 0.4, (-1, 3), (-2, 4)),
    "normal": (lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), (1, 3), (0.5, 3.5)),
    "damped": (lambda x: np.exp(-0.7 * x) * np.cos(5 * x), (0, 4), (0, 5)),
    "root of a ratio": (lambda x: np.sqrt((1 + 2 * x) / (3 + x**2)), (0, 3), (0, 3.7)),
    "saturation": (lambda x: 3.2 * x / (0.7 + x), (0.1, 5), (0.02, 6.2)),
    "constant": (lambda x: 4.25 + 0 * x, (0, 1), None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_forms_come_out(name, solve, off):
    function, inside, wide = KNOWN[name]
    fits = solve(function, *inside)
    if wide is None:
        assert [f.error for f in fits] == [0.0]
        return
    assert any(off(f, function, *wide) < 1e-6 for f in fits)


def test_sums_of_waves_and_exponentials_need_more_effort(solve, off):
    def function(x):
        return np.exp(-0.3 * x) + 0.5 * np.exp(-1.9 * x) - 0.8 * np.exp(-6 * x) + 0.1

    assert any(off(f, function, 0, 5) < 1e-6 for f in solve(function, 0, 4, effort=1))


def test_the_front_rises_in_complexity_and_falls_in_error(solve):
    fits = solve(lambda x: np.sin(x * x) * np.exp(np.cos(3 * x)), 0, 3)
    reached = [f for f in fits if f.error <= 1e-9]
    rest = [f for f in fits if f.error > 1e-9]
    assert len(rest) <= 8
    assert len(reached) <= 3
    assert [complexity(f.tree) for f in fits] == sorted(complexity(f.tree) for f in fits)
    assert [f.error for f in rest] == sorted((f.error for f in rest), reverse=True)


def test_the_same_seed_gives_the_same_fits(solve):
    def function(x):
        return np.exp(np.sin(2 * x)) / (1 + x)

    assert solve(function, 0, 4, part=1e-3) == solve(function, 0, 4, part=1e-3)


def test_only_allowed_operators_are_used(solve):
    operators = ["add", "sub", "mul", "div", "exp"]
    for fit in solve(np.tanh, -2, 2, operators=operators):
        assert within(fit.tree, operators)


def test_a_deadline_that_has_passed_still_gives_a_front(make_curve):
    curve = make_curve(lambda x: np.sin(x) * np.exp(x), 0, 9)
    fits = solve_curve(
        curve, target=1e-9, operators=["exp"], seed=0, effort=2, deadline=time.monotonic() - 1
    )
    assert fits


def _decades(x):
    return x**-2.5


HARD = {
    "half without answers": lambda x: np.where(x < 0, np.nan, np.sqrt(np.abs(x))),
    "steps": lambda x: np.floor(3 * x),
    "kink": lambda x: np.abs(x - 0.21),
    "jump": lambda x: np.sign(x - 0.3) + x,
    "one pole": lambda x: 1 / (x - 0.123),
    "a spike": lambda x: np.where(np.abs(x) < 0.01, 1e6, 0.0),
    "noise": lambda x: np.sin(1e5 * x),
    "huge": lambda x: 1e80 * np.exp(x),
    "tiny": lambda x: 1e-80 * np.exp(x),
}


@pytest.mark.parametrize("name", HARD)
def test_bad_input_ends_with_an_honest_front(name, solve):
    fits = solve(HARD[name], -1, 1)
    assert fits
    assert all(np.isfinite(f.error) for f in fits)


def test_no_answers_at_all(solve):
    assert solve(lambda x: np.full_like(x, np.nan), 0, 1) == []


def test_twelve_decades(solve, off):
    fits = solve(_decades, 1e-6, 1e6)
    assert any(off(f, _decades, 1e-5, 1e-3) < 1e-6 for f in fits)
