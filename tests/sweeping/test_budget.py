"""How the hours of a sweep are shared."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.errors import ConfigError
from distill.sweeping.budget import Begun, Plan, Shares, check, share, time_beside
from distill.sweeping.jobs import Job
from distill.sweeping.record import JobRecord


def test_equal_jobs_get_equal_shares_of_what_is_not_put_aside():
    plan = Plan(1000.0, 2, (60.0,) * 10)
    # 2 processes of 1,000 s, less 10 times 20 s beside the search, over 10 jobs.
    assert share(plan, 3, range(10), (), 20.0, 0.0) == pytest.approx((2000 - 200) / 10)


def test_shares_keep_the_ratio_of_the_jobs_own_seconds():
    plan = Plan(1000.0, 1, (60.0, 60.0, 300.0))
    shares = [share(plan, n, range(3), (), 0.0, 0.0) for n in range(3)]
    assert shares == pytest.approx([1000 / 7, 1000 / 7, 5000 / 7])


def test_what_running_jobs_will_take_is_left_to_them():
    plan = Plan(1000.0, 2, (1.0,) * 3)
    running = [Begun(0, 0.0, 500.0)]
    assert share(plan, 1, [1, 2], running, 0.0, 100.0) == pytest.approx((1800 - 400) / 2)


def test_a_job_that_ended_early_leaves_its_time_to_the_next():
    plan = Plan(100.0, 1, (1.0,) * 4)
    assert share(plan, 0, range(4), (), 0.0, 0.0) == pytest.approx(25)
    assert share(plan, 1, [1, 2, 3], (), 0.0, 1.0) == pytest.approx(33)


def test_no_share_goes_past_the_end():
    plan = Plan(100.0, 8, (1.0,))
    assert share(plan, 0, [0], (), 10.0, 0.0) == pytest.approx(90)


@given(
    st.lists(st.floats(1, 1000), min_size=1, max_size=12),
    st.integers(1, 4),
    st.floats(1, 1e5),
    st.floats(0, 60),
)
def test_jobs_in_a_row_that_use_all_they_get_end_in_time(weights, parallel, hours, beside):
    """The deadline holds whatever the jobs weigh, as long as they keep to their shares."""
    plan = Plan(hours, parallel, tuple(weights))
    free = [0.0] * parallel
    begun: list[Begun] = []
    for number in range(len(weights)):
        now = min(free)
        running = [b for b in begun if b.began + b.seconds + beside > now]
        seconds = share(plan, number, range(number, len(weights)), running, beside, now)
        if seconds < 1:
            continue
        begun.append(Begun(number, now, seconds))
        free[free.index(now)] = now + seconds + beside
    assert max(free) <= hours + 1e-6 * hours


def test_too_little_time_is_refused_with_how_much_is_needed():
    with pytest.raises(ConfigError, match="no time to search") as caught:
        check(Plan(360.0, 1, (60.0,) * 100), 100, 0.0)
    assert "sweep.hours=0.84" in caught.value.hint


def test_time_beside_the_search_is_learned_from_finished_jobs():
    records = [
        JobRecord(Job(0, ()), "done", seconds=40.0, searched=30.0),
        JobRecord(Job(1, ()), "done", seconds=20.0, searched=14.0),
        JobRecord(Job(2, ()), "failed", seconds=1.0, searched=0.5),
        JobRecord(Job(3, ()), "done", seconds=3.0),
    ]
    assert time_beside(records) == pytest.approx(8)
    assert time_beside([]) == 20


def test_a_job_that_died_gets_the_same_again(tmp_path):
    shares = Shares(tmp_path, Plan(time.time() + 1000, 1, (1.0, 1.0)))
    first = shares.begin(0, 60.0, {0, 1}, 0.0)
    assert first == pytest.approx(500, abs=5)
    assert shares.begin(0, 60.0, {0, 1}, 0.0) == first


def test_with_less_time_left_it_gets_what_there_is(tmp_path):
    Shares(tmp_path, Plan(time.time() + 1000, 1, (1.0,))).begin(0, 60.0, {0}, 0.0)
    again = Shares(tmp_path, Plan(time.time() + 100, 1, (1.0,))).begin(0, 60.0, {0}, 0.0)
    assert again == pytest.approx(100, abs=5)


def test_searches_that_count_evaluations_take_what_they_take(tmp_path):
    assert Shares(tmp_path, Plan(time.time() + 9, 1, (0.0,))).begin(0, None, {0}, 0.0) == math.inf
    assert Shares(tmp_path, Plan(time.time() - 9, 1, (0.0,))).begin(0, None, {0}, 0.0) is None


def test_when_time_is_up_nothing_begins(tmp_path):
    assert Shares(tmp_path, Plan(time.time(), 1, (1.0,))).begin(0, 60.0, {0}, 0.0) is None


def test_a_damaged_note_is_as_good_as_none(tmp_path):
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "1.json").write_text("{")
    seconds = Shares(tmp_path, Plan(time.time() + 100, 1, (1.0, 1.0))).begin(0, 60.0, {0, 1}, 0.0)
    assert seconds == pytest.approx(50, abs=5)
