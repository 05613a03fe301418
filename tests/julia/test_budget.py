"""Evaluations give the same result again, seconds end in time, memory has a limit."""

import time
from dataclasses import replace

import pytest

from distill.engines.child import EngineError
from distill.engines.pysr import installed
from distill.engines.pysr.engine import Pysr
from distill.engines.pysr.options import read_options

SLACK = 5.0
"""Seconds by which a limit may be missed: this is what is promised."""

BOX = {"a": (0.5, 2.0), "b": (0.5, 2.0)}
OPERATORS = ("add", "sub", "mul", "div", "exp", "sin")
# Nothing that these operators say in so few nodes.
OUT_OF_REACH = "tanh(3*a*b - 4) + log(a + b*b)*cbrt(b) + cos(7*a)"


def options(**given):
    return read_options(given, installed.require())


def texts(candidates):
    return [(candidate.formula.text, candidate.metrics) for candidate in candidates]


def test_the_same_evaluations_give_the_same_candidates_to_the_bit(search, problem):
    asked = problem(OUT_OF_REACH, BOX, OPERATORS, evaluations=30_000, seed=4)
    first = search(asked)
    assert len(first.candidates) > 3
    again = search(asked)
    assert texts(again.candidates) == texts(first.candidates)
    assert [row.equation for row in again.rows] == [row.equation for row in first.rows]
    engine = Pysr()  # another Julia
    try:
        assert texts(engine.search(asked)) == texts(first.candidates)
    finally:
        engine.close()


def test_seconds_are_kept_when_julia_has_to_start_and_when_it_runs(problem, tmp_path):
    asked = problem(OUT_OF_REACH, BOX, OPERATORS, seconds=30, points=1000, most=40)
    engine = Pysr(options(early_stop=0))
    try:
        for name in ("cold", "warm"):
            began = time.monotonic()
            found = list(engine.search(replace(asked, folder=tmp_path)))
            took = time.monotonic() - began
            assert 30 - SLACK < took < 30 + SLACK, f"{name}: {took:.1f} s"
        assert len(found) > 3
    finally:
        began = time.monotonic()
        engine.close()
        took = time.monotonic() - began
    assert took < SLACK


def test_a_small_limit_of_memory_is_said(problem, tmp_path, marked):
    asked = replace(problem("a*b", BOX, OPERATORS, seconds=120), folder=tmp_path)
    engine = Pysr(options(memory_gb=0.2))
    try:
        with pytest.raises(EngineError, match=r"more than the 0\.2 GB of memory") as told:
            list(engine.search(asked))
    finally:
        engine.close()
    assert "engine.options.memory_gb" in told.value.hint
    assert marked.workers() == []
