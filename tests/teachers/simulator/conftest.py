import sys
from pathlib import Path

import pytest

EQUATIONS = '''
"""Devices given by differential equations, and slow functions; calls leave lines in a file."""
import os, time
import numpy as np

def _mark(*values):
    with open("calls.txt", "a") as file:
        file.write(" ".join(map(repr, values)) + "\\n")

def decay(t, y, rate):
    return -rate * y

def start(rate):
    _mark(os.getpid(), rate)
    return [2.0]

class Oscillator:
    """x'' = -w^2 x: starts at a, swings between -a and a."""
    def initial(self, w, a):
        return [a, 0.0]
    def rhs(self, t, y, w, a):
        return [y[1], -w * w * y[0]]

def make():
    return Oscillator()

def energy(t, y):
    return [np.ptp(y[0]), t[-1]]

def explodes(t, y, a):
    return a * y**2          # y = 1 / (1 - a t): no solution past t = 1 / a

def busy(t, y, a):
    if a > 1:
        time.sleep(30)
    return -a * y

def slow_product(a, b):
    _mark(os.getpid(), a, b)
    time.sleep(0.02)
    return a * b

def sometimes(a):
    _mark(a)
    if a > 2:
        raise ValueError("valve is stuck")
    if a > 1.5:
        return float("inf")
    return 3 * a

def broken(a):
    return undefined_name * a

def hesitates(a):
    _mark(a)
    if a > 1:
        time.sleep(30)
    return a

def rows(x):
    _mark(len(x))
    return np.column_stack([x.sum(axis=1), x.prod(axis=1)])
'''


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of the user's, in the working folder; answers are kept beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "their_device.py").write_text(EQUATIONS)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "their_device" not in sys.modules
    return "their_device"


@pytest.fixture
def calls(device: str):
    """How often the user's functions were called so far."""
    return lambda: (
        len(Path("calls.txt").read_text().splitlines()) if Path("calls.txt").exists() else 0
    )
