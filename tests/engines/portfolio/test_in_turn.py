"""Engines that take turns."""

import math

import pytest

from distill.engines.base import Budget
from distill.engines.child import EngineError
from distill.engines.oracle import OutOfQuestions
from distill.errors import ConfigError


def silent(problem):
    return iter(())


def told(part):
    def search(problem):
        problem.tell(part)
        yield from ()

    return search


def budgets(fake):
    return [problem.budget.evaluations for problem in fake.problems]


def test_all_have_the_same_share_and_the_whole_is_spent(make_portfolio, asked):
    portfolio, fakes = make_portfolio(dict.fromkeys(("structure", "operon", "pysr"), silent))
    assert list(portfolio.search(asked)) == []
    assert budgets(fakes["structure"]) == [400_000]
    assert budgets(fakes["operon"]) == budgets(fakes["pysr"]) == [400_000]


def test_slices_are_searched_in_a_fixed_order_with_seeds_of_their_own(make_portfolio, asked):
    order = []

    def noted(name):
        def search(problem):
            order.append((name, problem.budget.evaluations, problem.seed))
            yield from ()

        return search

    portfolio, _ = make_portfolio({n: noted(n) for n in ("structure", "operon")}, slices=2)
    list(portfolio.search(asked))
    assert order == [
        ("structure", 600_000, 0),
        ("operon", 300_000, 0),
        ("operon", 300_000, 1000),
    ]


@pytest.mark.parametrize(("whole", "slices"), [(599_999, 1), (900_000, 3), (9_000_000, 5)])
def test_slices_are_no_shorter_than_a_search_needs(make_portfolio, asked, whole, slices):
    from dataclasses import replace

    portfolio, fakes = make_portfolio({"operon": silent}, slices=5)
    list(portfolio.search(replace(asked, budget=Budget(evaluations=whole))))
    assert len(fakes["operon"].problems) == slices
    assert sum(budgets(fakes["operon"])) == whole


def test_what_one_leaves_of_its_share_goes_to_the_others(make_portfolio, asked):
    portfolio, fakes = make_portfolio({"structure": told(0.25), "operon": silent}, slices=1)
    list(portfolio.search(asked))
    assert budgets(fakes["structure"]) == [600_000]
    assert budgets(fakes["operon"]) == [1_050_000]


def test_progress_is_that_of_the_whole(make_portfolio, asked):
    from dataclasses import replace

    parts = []
    portfolio, _ = make_portfolio({"structure": told(0.5), "operon": told(1.0)}, slices=1)
    list(portfolio.search(replace(asked, tell=parts.append)))
    assert parts == [0.25, 1.0]


def test_each_starts_from_what_all_have_found(make_portfolio, asked, proposal):
    start = proposal("a", "earlier").formula
    from dataclasses import replace

    asked = replace(asked, known=(start,))
    worse, better = proposal("3*a*b", "structure"), proposal("3*a*b + 1.9", "operon")
    slices = iter([[better], []])
    portfolio, fakes = make_portfolio(
        {"structure": lambda p: iter([worse]), "operon": lambda p: iter(next(slices))}
    )
    assert list(portfolio.search(asked)) == [worse, better]
    assert fakes["structure"].problems[0].known == (start,)
    assert [p.known for p in fakes["operon"].problems] == [
        (worse.formula, start),
        (worse.formula, better.formula, start),
    ]


def test_what_is_no_better_than_another_engine_s_is_not_passed_on(make_portfolio, asked, proposal):
    good, rounder = proposal("3*a*b + 2.01", "structure"), proposal("3*a*b + 1.9", "structure")
    late = proposal("3*a*b + 1.95", "operon")
    portfolio, _ = make_portfolio(
        {"structure": lambda p: iter([good, rounder]), "operon": lambda p: iter([late])}, slices=1
    )
    # Of an engine that asks all is passed on: the rounder constant may be the true one.
    assert list(portfolio.search(asked)) == [good, rounder]


@pytest.mark.parametrize(
    ("text", "left"), [("3*a*b + 2", 240_000), ("3*a*b + 2.001", 600_000)], ids=["exact", "near"]
)
def test_once_the_teacher_s_own_formula_is_found_the_others_get_a_fifth(
    make_portfolio, asked, proposal, text, left
):
    found = proposal(text, "structure")
    portfolio, fakes = make_portfolio(
        {"structure": lambda p: iter([found]), "operon": silent}, slices=1
    )
    list(portfolio.search(asked))
    assert budgets(fakes["operon"]) == [left]


def failing(found, error):
    def search(problem):
        yield found
        raise error

    return search


def test_one_that_fails_is_left_out_and_the_others_get_its_share(
    make_portfolio, asked, proposal, warned
):
    found = proposal("3*a*b", "pysr")
    broken = failing(found, EngineError("Julia is gone.", hint="start again."))
    portfolio, fakes = make_portfolio({"operon": silent, "pysr": broken})
    assert list(portfolio.search(asked)) == [found]
    assert warned == ["the portfolio goes on without pysr: Julia is gone. start again."]
    assert len(fakes["pysr"].problems) == 1
    assert budgets(fakes["operon"]) == [300_000, 600_000]


def test_when_all_fail_the_first_failure_is_raised(make_portfolio, asked, proposal):
    found = proposal("3*a*b", "pysr")
    scripts = {
        "operon": failing(found, ConfigError("no operator is allowed.")),
        "pysr": failing(found, EngineError("Julia is gone.")),
    }
    portfolio, _ = make_portfolio(scripts)
    with pytest.raises(ConfigError, match="no operator"):
        list(portfolio.search(asked))


def test_running_out_of_questions_is_an_end_and_no_failure(make_portfolio, asked, proposal, warned):
    found = proposal("3*a*b", "structure")
    portfolio, fakes = make_portfolio(
        {"structure": failing(found, OutOfQuestions()), "operon": silent}
    )
    assert list(portfolio.search(asked)) == [found]
    assert warned == []
    assert fakes["operon"].problems


def test_a_mistake_in_an_engine_is_not_hidden(make_portfolio, asked, proposal):
    found = proposal("3*a*b", "operon")
    portfolio, _ = make_portfolio({"operon": failing(found, ZeroDivisionError())})
    with pytest.raises(ZeroDivisionError):
        list(portfolio.search(asked))


def test_closing_closes_the_search_whose_turn_it_is(make_portfolio, asked, proposal):
    ended = []
    texts = (f"3*a*b + {2 - 1 / n}" for n in range(1, 1000))

    def endless(problem):
        try:
            for text in texts:
                yield proposal(text, "operon")
        finally:
            ended.append(next(texts))

    portfolio, _ = make_portfolio({"operon": endless})
    search = portfolio.search(asked)
    next(search)
    search.close()
    assert ended == [f"3*a*b + {2 - 1 / 2}"]


def test_formulas_without_values_are_no_start_for_others(make_portfolio, asked, proposal):
    hole = proposal("log(a - b)", "structure")
    portfolio, fakes = make_portfolio(
        {"structure": lambda p: iter([hole]), "operon": silent}, slices=1
    )
    assert list(portfolio.search(asked)) == [hole]
    assert fakes["operon"].problems[0].known == ()
    assert math.isfinite(budgets(fakes["operon"])[0])
