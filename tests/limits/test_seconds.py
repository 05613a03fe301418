"""``engine.seconds`` holds within 5 s with a teacher that is slow, whoever asks it.

The clock runs as it does, and a question puts it forward by what an answer would take: how far it
was put forward while the search went on says how long it asked, however busy the machine is.
"""

import time

import pytest

from distill import load_teacher
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.pipeline.one_output import search
from distill.progress import Silent

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
