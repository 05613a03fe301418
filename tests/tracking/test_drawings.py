"""Reports and plots made in a process beside are those made here, whatever becomes of it."""

import os
import signal

import pytest

from distill.tracking import drawings
from distill.tracking.drawings import Drawings, published_first

RUN = "0123456789abcdef" * 2


@pytest.fixture
def many(study, monkeypatch):
    """The small study as one that a process draws."""
    monkeypatch.setattr(drawings, "FEW", 1)
    return study


def everything(drawn, record):
    return [dict(drawn.candidate(c, RUN)) for c in published_first(record)] + [dict(drawn.study())]


@pytest.fixture(scope="module")
def expected(study):
    drawn = drawings._Here(study)
    return [drawn.candidate(c, RUN) for c in published_first(study)] + [drawn.study()]


def test_a_process_draws_the_same_bytes(many, expected):
    with Drawings(many) as drawn:
        made = everything(drawn, many)
        assert drawn._here is None
    assert made == expected
    assert f"distill export run={RUN}".encode() in made[0]["report.html"]
    assert set(made[0]) == {"report.html", "parity.png", "residuals.png"}
    assert set(made[-1]) == {"report.html", "front.png", "front_instructions.png"}


def test_what_a_killed_process_leaves_is_drawn_here(many, expected, monkeypatch):
    started = []
    child = drawings.Child
    monkeypatch.setattr(drawings, "Child", lambda *job: started.append(child(*job)) or started[-1])
    first, *rest = published_first(many)
    with Drawings(many) as drawn:
        made = [drawn.candidate(first, RUN)]
        os.kill(started[0].pid, signal.SIGKILL)
        made += [drawn.candidate(c, RUN) for c in rest] + [drawn.study()]
    assert made == expected
    assert len(started) == 1


def test_only_what_comes_after_the_first_one_asked_for_is_drawn_beside(many, expected):
    earlier, *_, last = published_first(many)[:-1]
    with Drawings(many) as drawn:
        late = drawn.candidate(last, RUN)
        assert drawn._here is None
        early = drawn.candidate(earlier, RUN)
    assert (early, late) == (expected[0], expected[-3])


def test_few_need_no_process_and_nothing_to_do_needs_none(study, expected, monkeypatch):
    monkeypatch.setattr(drawings, "Child", None)  # would raise
    with Drawings(study) as drawn:
        assert everything(drawn, study) == expected
    with Drawings(study):
        pass
