"""``score.proof_seconds`` and ``export.proof_seconds`` hold, whatever is proven.

The clock runs as it does, and every box that is bounded puts it forward by what it would take of a
large network: how far it was put forward says how long was proven, however busy the machine is.
"""

import time

import numpy as np
import pytest

from distill import load_teacher
from distill.bounds.boxes import Boxes
from distill.bounds.deadline import FIRST, Deadline
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.config.folder import read_option
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.formula import Formula
from distill.pipeline.one_output import search
from distill.progress import Silent
from distill.proving.cells import unproven
from distill.scoring import facts
from distill.scoring.facts import Demands, facts_of
from distill.scoring.own_form import OwnForm
from distill.scoring.suspects import suspects

BOX = Domain.box(a=(0.0, 1.0, ""), b=(0.0, 1.0, ""), c=(0.0, 1.0, ""))
SECONDS = 3.0
ALLOWED = 5.0
ENDLESS = 10**9
WAVES = Formula.parse("sin(7*a*b + 3*c) + cos(5*b*c - a)*sqrt(1 + a*c)", BOX)


class Slow:
    """A function whose boxes take a while on the clock that everybody reads."""

    def __init__(self, function, monkeypatch, cost):
        self.function, self.cost, self.spent = function, cost, 0.0
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self.spent)

    def __call__(self, x):
        return self.function(x)

    def enclose(self, boxes):
        self.spent += self.cost * boxes.count
        return self.function.enclose(boxes)

    def slopes(self, boxes):
        self.spent += self.cost * boxes.count
        return self.function.slopes(boxes)

    def cuts(self, boxes):
        return self.function.cuts(boxes)


@pytest.fixture(params=[0.01, 0.5])
def slow(request, monkeypatch):
    """A function whose boxes take so many seconds each."""
    return Slow(enclosable(WAVES), monkeypatch, request.param)


def test_a_proof_ends_in_time_however_long_a_box_takes(slow):
    bound = prove(slow, BOX, Limits(ratio=1.0, seconds=SECONDS, boxes=ENDLESS))
    assert bound.proven
    assert 0 < slow.spent <= SECONDS + ALLOWED


def test_cells_of_which_nothing_was_proven_in_time_go_to_the_table(slow):
    ends = np.linspace(0, 1, 65)
    low, high = np.zeros((3, 64)), np.ones((3, 64))
    low[0], high[0] = ends[:-1], ends[1:]
    until = time.monotonic() + SECONDS
    failed = unproven(slow, Boxes(low, high), 2.0, ENDLESS, until)
    assert failed.any()
    assert 0 < slow.spent <= SECONDS + ALLOWED


def test_cells_are_the_same_with_time_enough():
    ends = np.linspace(0, 1, 65)
    low, high = np.zeros((3, 64)), np.ones((3, 64))
    low[0], high[0] = ends[:-1], ends[1:]
    cells, function = Boxes(low, high), enclosable(WAVES)
    plenty = time.monotonic() + 600
    timed = unproven(function, cells, 2.0, 5000, plenty)
    assert timed.tolist() == unproven(function, cells, 2.0, 5000).tolist()
    assert 0 < timed.sum() < 64


def test_what_is_demanded_of_a_formula_is_not_proven_for_longer(monkeypatch):
    slow = Slow(enclosable(WAVES), monkeypatch, 0.5)
    monkeypatch.setattr(facts, "enclosable", lambda expression: slow)
    until = time.monotonic() + SECONDS
    (finite, within) = facts_of(
        WAVES, Demands(low=-2.4, high=2.4), BOX, ENDLESS, finite=True, until=until
    )
    assert finite.proven
    assert not within.proven, "it is true, and there was no time to show it"
    assert 0 < slow.spent <= SECONDS + ALLOWED


def test_points_where_least_is_proven_are_not_looked_for_any_longer(slow):
    doubted = [Formula.parse(f"{k}*a", BOX) for k in range(1, 7)]
    own = OwnForm(WAVES, slow)
    x = suspects(doubted, own, BOX, boxes=ENDLESS, n=20, seconds=SECONDS)
    assert BOX.contains(x).all()
    assert 0 < slow.spent <= SECONDS + ALLOWED


def test_without_a_limit_the_clock_is_not_asked():
    never = Deadline()
    with never.bounding(1):
        pass
    assert never.at_once(8192) == 8192
    assert not never.over
    assert Deadline.after(100.0).at_once(8192) == FIRST


def test_a_network_whose_output_has_the_default_name_is_recorded(tmp_path):
    """Its closed form as C has a name of its own: the output's is one of the C's variables."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    layers = [(24, 3), (24, 24), (1, 24)]
    weights = {f"{2 * k}.weight": rng.normal(size=size) for k, size in enumerate(layers)}
    biases = {f"{2 * k}.bias": rng.normal(size=size[0]) for k, size in enumerate(layers)}
    save_file(weights | biases, tmp_path / "net.safetensors")
    options = {"layers": [3, 24, 24, 1], "activation": "tanh"}
    teacher = load_teacher(tmp_path / "net.safetensors", domain=BOX, **options)
    config = StudyConfig(target=read_option("target", "host"), root=str(tmp_path / "studies"))
    config.engine.name, config.sampling.points = "exact", 64
    config.score.points, config.score.starts, config.tracking.enabled = 64, 1, False
    config.score.prove = False
    study = search(config, Silent(), teacher, BOX)
    (candidate,) = study.record(study.key).candidates
    assert "the_answer(" in candidate.c_source
