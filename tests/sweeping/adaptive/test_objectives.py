"""What a sweep is told of a job."""

from __future__ import annotations

import math

import pytest

from distill.errors import ConfigError
from distill.sweeping.adaptive.objectives import OBJECTIVES, check_objectives, outcome
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord
from tests.sweeping.adaptive.jobs import candidate, done, study

JOB = Job(3, ("engine=operon",))


def test_the_figures_are_those_of_the_choice() -> None:
    record = done(JOB, study(candidate(0.05, 42), [candidate(0.01, 500)]), seconds=7.0)
    came = outcome(record, ["max_error", "instructions", "flash_bytes", "rmse", "seconds"])
    assert came.values == (0.05, 42.0, 100.0, 0.01, 7.0)
    assert came.excess == 0


def test_without_a_choice_the_most_accurate_counts_and_the_tolerance_is_broken() -> None:
    others = [candidate(0.4, 10), candidate(0.3, 20), candidate(None, 1)]
    published = candidate(0.2, 5, engine="published")
    came = outcome(done(JOB, study(None, [*others, published])), ["max_error", "instructions"])
    assert came.values == (0.3, 20.0)
    assert came.excess == pytest.approx(2)


def test_inside_the_tolerance_but_not_chosen_breaks_it_a_little() -> None:
    assert outcome(done(JOB, study(None, [candidate(0.0999)])), ["max_error"]).excess == 0.01


def test_several_outputs_join_the_worst_error_and_all_costs() -> None:
    record = done(JOB, study(candidate(0.05, 42)), study(None, [candidate(0.2, 8)]))
    came = outcome(record, ["max_error", "instructions", "complexity"])
    assert came.values == (0.2, 50.0, 10.0)
    assert came.excess == pytest.approx(1)


@pytest.mark.parametrize(
    ("record", "unknown"),
    [
        (done(JOB, study(candidate(0.05, None))), "instructions"),
        (done(JOB, study(None)), "max_error"),
        (done(JOB), "max_error"),
        (JobRecord(JOB, "done"), "max_error"),
        (done(JOB, study(candidate(math.inf))), "max_error"),
    ],
)
def test_what_is_not_known_is_named(record: JobRecord, unknown: str) -> None:
    came = outcome(record, ["max_error", "instructions"])
    assert (came.values, came.unknown) == (None, unknown)


def test_the_hypervolume_is_that_of_the_whole_front() -> None:
    # 100 nodes and 100 tolerances are the corner: 80 * 3 decades, and 10 nodes more of 1 decade.
    front = [candidate(0.01, complexity=20), candidate(1.0, complexity=10)]
    worse = candidate(1.0, complexity=30)
    record = done(JOB, study(candidate(0.01, complexity=20), [*front, worse]))
    assert outcome(record, ["hypervolume"]).values == pytest.approx((80 * 3 + 10 * 1,))
    assert OBJECTIVES["hypervolume"].direction == "maximize"


def test_a_record_read_back_comes_to_the_same() -> None:
    record = done(JOB, study(None, [candidate(0.4, 10), candidate(math.inf, 1)]))
    again = JobRecord.from_json(record.to_json())
    names = ["max_error", "instructions", "hypervolume"]
    assert outcome(again, names) == outcome(record, names)


def test_unknown_and_repeated_objectives_are_refused() -> None:
    check_objectives(["max_error", "instructions"])
    with pytest.raises(ConfigError, match="`instrutions` is not an objective") as caught:
        check_objectives(["max_error", "instrutions"])
    assert caught.value.hint.startswith("did you mean `instructions`?")
    with pytest.raises(ConfigError, match="`rmse` is given twice"):
        check_objectives(["rmse", "rmse"])
    with pytest.raises(ConfigError, match="there is no objective"):
        check_objectives([])
