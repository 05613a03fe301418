"""Functions between layers against fifty digits: values, derivatives, their turns, relaxations."""

import mpmath as mp
import numpy as np
import pytest

from distill.bounds import activations, curves
from distill.bounds.activations import CURVES, curve
from distill.bounds.lines import LINES, Lines, kink, relax_lines, step
from distill.bounds.steps.blocks import Activation, Bent
from distill.chain.functions import FUNCTIONS, SELU_SCALE, SELU_SLOPE

mp.mp.dps = 50
HALF = mp.mpf(1) / 2


def _sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def _hard(z):
    return min(max(z + 3, mp.mpf(0)), mp.mpf(6)) / 6


EXACT = {
    "sigmoid": _sigmoid,
    "softplus": lambda z: mp.log1p(mp.exp(z)) if z < 80 else z + mp.exp(-z),
    "silu": lambda z: z * _sigmoid(z),
    "mish": lambda z: z * mp.tanh(mp.log1p(mp.exp(z)) if z < 80 else z),
    "gelu": lambda z: z * HALF * mp.erfc(-z / mp.sqrt(2)),
    "erf": mp.erf,
    "expm1": mp.expm1,
    "log1p": mp.log1p,
    "elu": lambda z: mp.mpf(1.5) * mp.expm1(z) if z < 0 else z,
    "selu": lambda z: mp.mpf(SELU_SLOPE) * mp.expm1(z) if z < 0 else mp.mpf(SELU_SCALE) * z,
    "softsign": lambda z: z / (1 + abs(z)),
    "hardswish": lambda z: z * _hard(z),
    "identity": lambda z: z,
    "relu": lambda z: max(z, mp.mpf(0)),
    "abs": abs,
    "hardtanh": lambda z: min(max(z, mp.mpf(-1)), mp.mpf(1)),
    "relu6": lambda z: min(max(z, mp.mpf(0)), mp.mpf(6)),
    "hardsigmoid": _hard,
    "sign": mp.sign,
}
LOW = {"log1p": -0.999}
ROWS = [n for n in EXACT if n not in LINES]


def relaxed(name):
    return Bent(LINES[name]) if name in LINES else Activation.of(name, 1.5)


def test_every_function_of_chains_is_here_or_an_operator():
    operators = {"tanh", "sin", "cos", "exp", "log", "sqrt", "square", "inv", "leaky_relu"}
    assert set(EXACT) == set(FUNCTIONS) - operators


def intervals(name, n, seed):
    """Intervals of all widths, everywhere from far left to far right, with kinks at their ends."""
    rng = np.random.default_rng(seed)
    centre = rng.choice([0.3, 3.0, 12.0, 40.0], n) * rng.normal(size=n)
    width = 10 ** rng.uniform(-9, 1, n) * (rng.random(n) > 0.1)
    centre[::7] = rng.choice([-3.0, -1.0, 0.0, 1.0, 3.0, 6.0], len(centre[::7]))
    low, high = centre - width * rng.random(n), centre + width * rng.random(n)
    low[::11] = centre[::11]
    low = np.maximum(low, LOW.get(name, -np.inf))
    high = np.maximum(high, low)
    return low, high


def check(name, n=150, seed=0):
    low, high = intervals(name, n, seed)
    rng = np.random.default_rng(seed + 1)
    around = np.where(rng.random(n) < 0.8, low + (high - low) * rng.random(n), low - 0.01)
    around = np.maximum(around, LOW.get(name, -np.inf))
    function = relaxed(name)
    made = function.relaxed(around, low, high)
    least, most = function.steep(low, high)
    for i in range(n):
        for share in (0.0, 1.0, *rng.random(3)):
            z = mp.mpf(min(max(low[i] + (high[i] - low[i]) * share, low[i]), high[i]))
            t, y = z - mp.mpf(around[i]), EXACT[name](z)
            parts = [mp.mpf(float(a[i])) for a in (made.value, made.slope, made.curve)]
            rest = y - parts[0] - parts[1] * t - parts[2] * t * t
            assert made.low[i] <= rest <= made.high[i]
            assert made.range[0][i] <= y <= made.range[1][i]
        a, b = (EXACT[name](mp.mpf(float(end[i]))) for end in (low, high))
        if low[i] < high[i]:
            secant = (b - a) / (mp.mpf(float(high[i])) - mp.mpf(float(low[i])))
            assert least[i] - 1e-15 <= secant <= most[i] + 1e-15


@pytest.mark.parametrize("name", EXACT)
def test_parabola_and_remainder_hold_the_function(name):
    check(name)


@pytest.mark.parametrize("name", CURVES)
def test_derivatives_and_their_turns(name):
    """Each derivative to thirteen digits; between two turns none changes its direction."""
    row = CURVES[name]
    z = np.linspace(LOW.get(name, -9.0) + 0.1, 9.0, 41)
    for order, (f, turns) in enumerate(zip(row.derivatives, row.turns, strict=True)):
        exact = [float(mp.diff(EXACT[name], mp.mpf(float(a)), order)) for a in z]
        assert np.allclose(f(z), exact, rtol=1e-11, atol=1e-13)
        for turn in turns:
            assert abs(mp.diff(EXACT[name], mp.mpf(turn), order + 1)) < 1e-14
        fine = np.linspace(LOW.get(name, -9.0) + 0.01, 9.0, 20_001)
        moves = np.sign(np.diff(f(fine)))
        moves[np.abs(np.diff(f(fine))) < 1e-15] = 0
        seen = moves[moves != 0]
        assert (np.diff(seen) != 0).sum() == len(turns)


def test_small_intervals_leave_the_third_order():
    for name in ROWS:
        function, z = relaxed(name), np.array([-1.3, 0.4, 2.2]) + (name == "log1p")
        found = []
        for r in (0.02, 0.002):
            made = function.relaxed(z, z - r, z + r)
            found.append((made.high - made.low).max())
        assert found[0] / found[1] > 500 or found[0] < 1e-11


def test_lines_are_exact_where_one_is_left_and_chords_across_a_kink():
    z = np.array([0.0])
    made = relax_lines(kink(0.0, 1.0), z, z + 1, z + 2)
    assert made.slope[0] == 1
    assert made.high[0] - made.low[0] < 1e-13
    made = relax_lines(kink(0.0, 1.0), z, z - 1, z + 1)
    assert made.slope[0] == 0.5
    assert made.high[0] - made.low[0] == pytest.approx(0.5, abs=1e-12)


def test_a_step_is_known_up_to_its_threshold():
    low = np.array([-1.0, -1.0, 0.25, np.nextafter(0.25, 1)])
    high = np.array([0.25, 0.3, 0.25, 1.0])
    least, most = relax_lines(step(0.25), low, low, high).range
    assert np.abs(least - [0, 0, 0, 1]).max() < 1e-12
    assert np.abs(most - [0, 1, 0, 1]).max() < 1e-12


@pytest.mark.parametrize(
    ("room", "target", "name", "broken"),
    [
        # The turns inside an interval forgotten, rounding forgotten.
        (curves, "_hull", "silu", lambda f, turns, low, high: (f(low), f(high))),
        (activations, "LOST", "gelu", -(2.0**-30)),
    ],
)
def test_a_broken_rule_is_noticed(monkeypatch, room, target, name, broken):
    monkeypatch.setattr(room, target, broken)
    with pytest.raises(AssertionError):
        check(name)


def test_a_forgotten_knot_is_noticed(monkeypatch):
    monkeypatch.setattr(Lines, "alone", lambda self, low, high: (low * 0 + 1, low * 0))
    monkeypatch.setattr(Lines, "extremes", lambda self, tilt, low, high: (low * 0, low * 0))
    with pytest.raises(AssertionError):
        check("relu6")


def test_a_function_without_a_row_is_named():
    with pytest.raises(activations.NotBounded, match="`gamma`"):
        curve("gamma")
