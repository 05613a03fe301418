"""Which jobs the words of a command line are, and what their sweep is called."""

import itertools
import math

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.errors import ConfigError
from distill.sweeping.jobs import fixed, grid, name_of


def parsed(*words):
    return OverridesParser.create().parse_overrides(list(words))


def test_every_combination_is_a_job_and_the_rest_holds_for_all():
    words = parsed("engine=operon,structure", "tolerance=0.5", "sampling.points=range(1,4)")
    assert fixed(words) == ("tolerance=0.5",)
    jobs = grid(words)
    assert [job.number for job in jobs] == list(range(6))
    assert jobs[0].overrides == ("engine=operon", "sampling.points=1")
    assert jobs[5].overrides == ("engine=structure", "sampling.points=3")


def test_lists_and_quoted_text_stay_one_value():
    words = parsed("engine.operators=[add,mul],[add,exp]", "+domain.unit='a,b','c=d'")
    assert [job.overrides for job in grid(words)] == [
        ("engine.operators=[add,mul]", "+domain.unit='a,b'"),
        ("engine.operators=[add,mul]", "+domain.unit='c=d'"),
        ("engine.operators=[add,exp]", "+domain.unit='a,b'"),
        ("engine.operators=[add,exp]", "+domain.unit='c=d'"),
    ]


def test_a_deletion_and_an_addition_hold_for_all():
    assert fixed(parsed("~domain.x", "+a.b=1")) == ("~domain.x", "+a.b=1")


def test_nothing_varied_is_one_job():
    (job,) = grid(parsed("tolerance=0.5"))
    assert job.overrides == ()


def test_an_interval_is_for_optuna():
    with pytest.raises(ConfigError, match="no list of values") as caught:
        grid(parsed("engine=operon,structure", "tolerance=interval(0,1)"))
    assert "sweep=adaptive" in caught.value.hint


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_there_are_as_many_jobs_as_combinations(sizes):
    jobs = grid(
        parsed(*(f"k{i}=choice({','.join(map(str, range(n)))})" for i, n in enumerate(sizes)))
    )
    assert len(jobs) == math.prod(sizes)
    rows = itertools.product(*(range(n) for n in sizes))
    assert [job.overrides for job in jobs] == [
        tuple(f"k{i}={v}" for i, v in enumerate(row)) for row in rows
    ]


def test_a_name_tells_the_keys_and_changes_with_what_jobs_are_made_from():
    words = parsed("engine=operon,structure", "+teacher.options.a=1,2", "tolerance=1")
    assert name_of(words, "0123456789") == "engine-teacher.options.a-01234567"
    assert name_of(parsed("tolerance=1"), "0123456789") == "one-01234567"


def test_a_name_is_a_folder_of_bearable_length():
    words = parsed(*(f"a.very.long.key.number.{i}=1,2" for i in range(50)))
    assert len(name_of(words, "x")) <= 69
