"""``engine.seconds`` holds within 5 s with a teacher that is slow, whoever asks it.

The clock runs as it does, and a question puts it forward by what an answer would take: how far it
was put forward while the search went on says how long it asked, however busy the machine is.
"""

import time

import numpy as np
import pytest

from distill import load_teacher
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.formula import Formula
from distill.pipeline.one_output import search
from distill.progress import Silent
from distill.sampling.counterexamples import counterexamples

SECONDS = 3.0
ALLOWED = 5.0
DOMAIN = Domain.box(a=(0.5, 2.0, "m"), b=(1.0, 3.0, "s"), c=(1.0, 2.0, ""))


class Slow:
    """A function whose answers take a while on the clock that everybody reads."""

    def __init__(self, monkeypatch, seconds):
        self.seconds, self.spent = seconds, 0.0
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self.spent)

    def __call__(self, x):
        self.spent += self.seconds * len(x)
        return x[:, 0] ** 2 / x[:, 1] + 0.1 * x[:, 2]


class Fit(Silent):
    """Notes what the clock was put forward by while the fit stage worked."""

    def __init__(self, slow):
        self.slow, self.asked, self._began = slow, None, 0.0

    def begin(self, stage, detail):
        self._began = self.slow.spent

    def end(self, stage, detail, *, reused):
        if stage == "fit":
            self.asked = self.slow.spent - self._began


@pytest.mark.parametrize("cost", [0.002, 0.1])
@pytest.mark.parametrize(
    "engine",
    ["polynomial", "structure", "operon", pytest.param("portfolio", marks=pytest.mark.slow)],
)
def test_a_slow_teacher_is_asked_no_longer_than_allowed(tmp_path, monkeypatch, engine, cost):
    slow = Slow(monkeypatch, cost)
    teacher = load_teacher(slow, domain=DOMAIN, name="slow")
    config = StudyConfig(root=str(tmp_path / "studies"))
    config.engine.name, config.engine.seconds = engine, SECONDS
    config.engine.operators = ["add", "mul", "div", "square"]
    config.engine.rounds, config.engine.keep = 2, 3
    config.sampling.points, config.score.points, config.score.starts = 32, 16, 1
    config.tracking.enabled = False
    heard = Fit(slow)
    search(config, heard, teacher, DOMAIN)
    assert heard.asked is not None
    assert 0 < heard.asked <= SECONDS + ALLOWED


def test_worst_points_are_not_climbed_to_for_longer(monkeypatch):
    """A teacher that answers quickly is asked ten thousands of times for them."""
    slow = Slow(monkeypatch, 4e-4)
    teacher = load_teacher(slow, domain=DOMAIN, name="slow")
    formulas = [Formula.parse(f"{k}*a/b + 0.1*c", DOMAIN) for k in range(1, 7)]
    began = slow.spent
    x = counterexamples(formulas, teacher, DOMAIN, n=32, seed=0, seconds=SECONDS)
    timed = slow.spent - began
    assert 0 < timed <= SECONDS + ALLOWED
    assert DOMAIN.contains(x).all()
    assert len(x) == 32
    everything = counterexamples(formulas, teacher, DOMAIN, n=32, seed=0)
    assert slow.spent - began - timed > SECONDS + ALLOWED, "or it would hold without a clock"
    assert np.array_equal(everything, counterexamples(formulas, teacher, DOMAIN, n=32, seed=0))
