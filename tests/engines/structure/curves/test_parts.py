"""Curves that are simple on a part of the interval only, or seen there only."""

import numpy as np
import pytest

from distill.engines.structure.curves import kinks, zoom
from distill.engines.structure.curves.points import grid
from distill.engines.structure.piece import Curve, Values
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import complexity

OPERATORS = (
    "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "pow", "abs", "min", "max",
)  # fmt: skip

TURNING = {
    "wave": ("cos(9.8*x)", (-50, 50)),
    "tangent": ("tan(x)", (-50, 50)),
    "cotangent": ("1/tan(x)", (-49, 51)),
    "cubic phase": ("11*cos(7.23*x^3) + 6.87", (-50, 50)),
    "two waves": ("sin(9*x) + sin(4*x)", (-50, 50)),
    "growing wave": ("x*sin(7*x)", (-50, 50)),
    "needle": ("exp(-square((x - 11)/0.3))", (-50, 50)),
    "step": ("tanh(x)", (-50, 50)),
}


def relative(curve, text):
    """The curve of a formula with error bars that grow with its answers."""
    program = compile_tree(parse(text, ["x"]), ("x",))

    def ask(x):
        with np.errstate(all="ignore"):
            y = program(x[:, None])
        return Values(y, np.abs(y) + 0.01)

    return Curve(ask, *map(float, curve))


@pytest.fixture
def found(solve_at):
    def run(text, interval, target=1e-12):
        curve = relative(interval, text)
        return curve, solve_at(curve, target=target, operators=OPERATORS)

    return run


def off(fit, curve):
    """The largest error on fresh points but for the worst few, those beside poles."""
    x = np.linspace(curve.low, curve.high, 1777)[1:-1]
    y, s = curve(x)
    with np.errstate(all="ignore"):
        error = np.sort(np.abs((compile_tree(fit.tree, ("x",))(x[:, None]) - y) / s))
    return error[: round(0.97 * len(error))].max()


@pytest.mark.parametrize("name", TURNING)
def test_many_turns_are_found_on_a_part(name, found):
    text, interval = TURNING[name]
    curve, fits = found(text, interval)
    best = min(fits, key=lambda f: off(f, curve))
    assert off(best, curve) < 1e-9
    assert complexity(best.tree) <= complexity(parse(text, ["x"])) + 1


def test_only_curves_that_turn_too_often_are_not_resolved():
    assert zoom.resolved(grid(relative((-3, 3), "exp(x)"), 129))
    assert not zoom.resolved(grid(relative((-50, 50), "cos(9.8*x)"), 129))


def test_a_wrong_form_is_lost_on_the_way():
    curve = relative((-50, 50), "sin(x)")
    part = Curve(curve.ask, -0.5, 0.5)
    assert zoom.carried(parse("x - 0.166*cube(x)", ["x"]), curve, part) is None


KINKED = {
    "lower of two": ("min(2*x + 1, square(x))", (-2, 4)),
    "dead zone": ("min(x + 0.5, max(x - 0.5, 0))", (-2, 2)),
    "limits": ("min(max(0.7*x, -1), 1)", (-3, 3)),
    "kink in a bowl": ("abs(x - 0.7) + 0.3*square(x)", (-2, 2)),
    "two laws": ("max(exp(-x), x/3)", (0, 4)),
}


@pytest.mark.parametrize("name", KINKED)
def test_sides_of_kinks_are_joined(name, found):
    text, interval = KINKED[name]
    curve, fits = found(text, interval)
    last = [f for f in fits if f.error <= 1e-12]
    assert last
    assert off(last[0], curve) < 1e-9
    assert complexity(last[0].tree) <= complexity(parse(text, ["x"])) + 1


def test_kinks_stay_where_noise_is_small():
    curve = relative((-2, 4), "min(2*x + 1, square(x))")

    def ask(x):
        y, s = curve(x)
        return Values(y + 1e-3 * s * np.sin(9 * x), s)

    assert len(kinks.kinks(grid(Curve(ask, -2, 4), 129))) == 2


@pytest.mark.parametrize("text", ["exp(x)", "sin(9*x)", "tanh(20*x)", "1/(x - 0.013)"])
def test_smooth_curves_have_no_kinks(text):
    assert not kinks.kinks(grid(relative((-1, 1), text), 129))
