"""Engines that search at the same time."""

import threading
from dataclasses import replace

import pytest

from distill.engines.base import Budget
from distill.engines.child import EngineError
from distill.engines.findings import Finding
from distill.engines.portfolio import side_by_side

WAIT = 60.0
"""Seconds after which a thread that waits for another must have been forgotten."""


def silent(problem):
    return iter(())


def endless(problem):
    while True:
        problem.tell(0.5)
        threading.Event().wait(0.001)
    yield


def test_each_slice_starts_from_what_all_have_found(make_portfolio, timed, proposal):
    passed_on = threading.Event()
    good = proposal("3*a*b", "structure")
    first, second = threading.Event(), []

    def sliced(problem):
        if not first.is_set():
            first.set()
            assert passed_on.wait(WAIT)
        else:
            second.append(problem.known)
        yield from ()

    portfolio, fakes = make_portfolio({"structure": lambda p: iter([good]), "operon": sliced})
    for candidate in portfolio.search(timed):
        assert candidate == good
        passed_on.set()
    assert second == [(good.formula,)]
    assert [p.seed for p in fakes["operon"].problems] == [0, 1000]
    assert len(fakes["structure"].problems) == 1


def test_seconds_are_those_left_until_the_slice_is_over(make_portfolio, timed):
    portfolio, fakes = make_portfolio({"structure": silent, "operon": silent}, slices=2)
    list(portfolio.search(timed))
    assert 3500 < fakes["structure"].problems[0].budget.seconds <= 3600
    first, second = (p.budget.seconds for p in fakes["operon"].problems)
    assert 1700 < first <= 1800
    # The first ended at once: the second has all the time that is left.
    assert 3500 < second <= 3600


def test_slices_are_no_shorter_than_a_search_needs(make_portfolio, timed):
    portfolio, fakes = make_portfolio({"operon": silent}, slices=5)
    list(portfolio.search(replace(timed, budget=Budget(seconds=25.0))))
    assert len(fakes["operon"].problems) == 2


def test_once_the_teacher_s_own_formula_is_found_the_others_get_a_part_of_the_time(
    make_portfolio, timed, proposal, monkeypatch
):
    monkeypatch.setattr(side_by_side, "AFTERWARDS", 0.0)
    exact = proposal("3*a*b + 2", "structure")
    portfolio, _ = make_portfolio({"structure": lambda p: iter([exact]), "operon": endless})
    assert list(portfolio.search(timed)) == [exact]


def test_what_keeps_no_time_is_stopped(make_portfolio, timed, monkeypatch):
    monkeypatch.setattr(side_by_side, "GRACE", 0.0)
    portfolio, _ = make_portfolio({"operon": endless})
    assert list(portfolio.search(replace(timed, budget=Budget(seconds=0.05)))) == []


def test_one_that_fails_is_left_out_with_what_it_found(make_portfolio, timed, proposal, warned):
    found = proposal("3*a*b", "pysr")

    def broken(problem):
        yield found
        raise EngineError("Julia is gone.", hint="start again.")

    portfolio, fakes = make_portfolio({"operon": silent, "pysr": broken})
    assert list(portfolio.search(timed)) == [found]
    assert warned == ["the portfolio goes on without pysr: Julia is gone. start again."]
    assert len(fakes["pysr"].problems) == 1
    assert len(fakes["operon"].problems) == 2


def test_when_all_fail_the_failure_is_raised(make_portfolio, timed):
    def broken(problem):
        raise EngineError("crashed.")
        yield

    portfolio, _ = make_portfolio({"operon": broken, "pysr": broken})
    with pytest.raises(EngineError, match="crashed"):
        list(portfolio.search(timed))


def test_closing_ends_all_threads_at_once(make_portfolio, timed, proposal):
    before = threading.active_count()
    both = threading.Barrier(2)
    stopped = []

    def script(name):
        def search(problem):
            both.wait(WAIT)
            if name == "operon":
                yield proposal("3*a*b", name)
            try:
                yield from endless(problem)
            finally:
                stopped.append(name)

        return search

    portfolio, _ = make_portfolio({name: script(name) for name in ("operon", "pysr")})
    search = portfolio.search(timed)
    next(search)
    search.close()
    assert sorted(stopped) == ["operon", "pysr"]
    assert threading.active_count() == before


def test_what_engines_say_is_heard_in_the_thread_of_the_search(make_portfolio, timed):
    heard = []

    def note(what):
        return lambda value: heard.append((what, value, threading.current_thread()))

    finding = Finding("f(a, b)", "nothing found", "open", 1.0)

    def talking(problem):
        problem.doing("compiles")
        problem.explain(finding)
        problem.warn("slow")
        yield from ()

    portfolio, _ = make_portfolio({"pysr": talking}, slices=1)
    problem = replace(timed, doing=note("doing"), explain=note("explain"), warn=note("warn"))
    list(portfolio.search(problem))
    here = threading.current_thread()
    assert heard == [
        ("doing", "pysr: compiles", here),
        ("explain", finding, here),
        ("warn", "slow", here),
    ]
