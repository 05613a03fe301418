"""Curves of sensors come out as formulas that hold beyond the interval, too."""

import numpy as np
import pytest


def steinhart_hart(r):
    logarithm = np.log(r)
    return 1 / (1.129148e-3 + 2.34125e-4 * logarithm + 8.76741e-8 * logarithm**3) - 273.15


def stribeck(v):
    return (0.8 + 0.4 * np.exp(-((v / 0.2) ** 2))) * np.tanh(v / 0.05) + 0.3 * v


def battery(s):
    return 3.8 - 0.012 / s - 0.25 * s + 0.08 * np.log(s) - 0.06 * np.log(1 - s)


def pt100(r):
    a, b = 3.9083e-3, -5.775e-7
    return (-a + np.sqrt(a * a - 4 * b * (1 - r / 100))) / (2 * b)


def dew_point(e):
    logarithm = np.log(e / 6.1)
    return 243.04 * logarithm / (17.625 - logarithm)


QUICK = {
    "thermistor": (steinhart_hart, (500, 50_000), (200, 150_000)),
    "pt100": (pt100, (80, 250), (40, 290)),
    "barometer": (lambda p: 44330 * (1 - (p / 1013.25) ** 0.1903), (300, 1100), (100, 1300)),
    "diode": (lambda v: 3.1 - 1.2e-9 * np.exp(38.7 * v), (0.3, 0.6), (0.22, 0.68)),
    "magnus": (lambda t: 6.11 * np.exp(17.625 * t / (243.04 + t)), (-20, 50), (-37, 67)),
    "dew point": (dew_point, (1, 70), (0.25, 87)),
}


@pytest.mark.parametrize("name", QUICK)
def test_comes_out_at_once(name, solve, off):
    function, inside, wide = QUICK[name]
    last = [f for f in solve(function, *inside) if off(f, function, *inside) < 1e-6]
    assert last
    assert off(last[0], function, *wide) < 1e-6


@pytest.mark.parametrize(
    ("function", "inside", "wide"),
    [(battery, (0.05, 0.95), (0.03, 0.99)), (stribeck, (-1, 1), (-1.5, 1.5))],
    ids=["battery", "stribeck"],
)
def test_comes_out_with_more_effort(function, inside, wide, solve, off):
    last = [f for f in solve(function, *inside, effort=1) if off(f, function, *inside) < 1e-6]
    assert last
    assert off(last[0], function, *wide) < 1e-6


@pytest.mark.parametrize("name", ["pt100", "diode", "barometer", "magnus"])
def test_keeps_its_form_behind_an_approximate_teacher(name, solve, off):
    function, inside, wide = QUICK[name]
    low, high = inside
    spread = np.std(function(np.linspace(low, high, 501)))

    def teacher(x):
        part = (x - low) / (high - low)
        return function(x) + 1e-4 * spread * (np.sin(5 * part) + np.sin(9 * part + 1))

    fits = solve(teacher, low, high, part=1e-4, effort=0)
    assert min(off(f, function, *wide) for f in fits) < 3e-3
