"""A search in a thread beside another."""

import threading
from dataclasses import replace
from functools import partial

import pytest

from distill.engines.base import Budget, Candidate
from distill.engines.beside import Beside
from distill.engines.child import EngineError
from distill.engines.operon import Operon, OperonOptions
from distill.errors import ConfigError
from distill.formula import Formula


@pytest.fixture
def proposed(plane):
    return [Candidate(Formula.parse(f"a + {i}", plane), "fake") for i in range(4)]


def drained(beside):
    while not beside.finished:
        yield from beside.drain()
    yield from beside.drain()


def test_all_that_is_found_is_drained_in_order(product, proposed):
    with Beside(lambda problem: iter(proposed), product) as beside:
        assert list(drained(beside)) == proposed
        assert beside.drain() == []


def test_closing_ends_a_search_that_would_go_on_for_ever(product, proposed):
    ended = threading.Event()

    def search(problem):
        try:
            yield proposed[0]
            while True:
                problem.tell(0.5)
        finally:
            ended.set()

    beside = Beside(search, product)
    beside.start()
    while not beside.drain():
        pass
    assert not beside.finished
    beside.close()
    assert ended.is_set()
    assert beside.finished


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (ConfigError("no operator"), "no operator"),
        (EngineError("crashed"), "crashed"),
    ],
)
def test_a_failure_is_told_once_after_what_was_found(product, proposed, error, says):
    def search(problem):
        yield proposed[0]
        raise error

    beside = Beside(search, product)
    beside.start()
    beside._thread.join()
    assert beside.drain() == proposed[:1]
    with pytest.raises(EngineError, match=says):
        beside.drain()
    assert beside.drain() == []
    beside.close()


def test_a_failure_that_nobody_drained_is_told_at_the_end(product):
    def search(problem):
        raise ZeroDivisionError
        yield

    beside = Beside(search, product)
    beside.start()
    with pytest.raises(EngineError):
        beside.close()


def test_a_failure_does_not_hide_that_of_the_search_it_stands_beside(product):
    def search(problem):
        raise ZeroDivisionError
        yield

    with pytest.raises(KeyError), Beside(search, product):
        raise KeyError


def test_what_was_never_started_can_be_closed(product):
    Beside(lambda problem: iter(()), product).close()


def test_operon_beside(product):
    small = Operon(OperonOptions(population_size=100, generations=5, max_length=15, rows=64))
    timed = replace(product, budget=Budget(seconds=60))
    with Beside(partial(small.search, blocks=()), timed) as beside:
        found = []
        while not found:
            found = beside.drain()
    assert found[0].engine == "operon"
    assert beside.finished
