"""An adaptive sweep as a user starts it."""

from __future__ import annotations

import json

import pytest

WORDS = (
    "sweep=adaptive", "sweep.name=searched", "engine.options.max_terms=range(1,5)",
    "sampling.points=interval(16,64)", "sweep.objectives=[max_error,complexity]",
)  # fmt: skip


def test_a_sweep_is_searched_gone_on_with_and_told(place):
    first = place.sweep(*WORDS, "sweep.trials=4", "--json")
    assert first.code == 0, first.err
    plan, *_, last = first.lines
    assert (plan["event"], plan["count"], plan["finished"], plan["jobs"]) == ("plan", 4, 0, [])
    assert [job["status"] for job in last["jobs"]] == ["done"] * 4
    found = last["adaptive"]
    assert found["objectives"] == ["max_error", "complexity"]
    assert set(found["values"]) == {"0", "1", "2", "3"}
    for number in found["front"]:
        record = place.records()[number]
        chosen = record["result"]["studies"][0]["chosen"]
        assert found["values"][str(number)] == [chosen["max_error"], chosen["complexity"]]

    more = place.sweep(*WORDS, "sweep.trials=5")
    assert more.code == 0, more.err
    assert "5 jobs, 4 done before" in more.err
    assert more.err.count("✓") == 1
    assert "front in max_error, complexity: job" in more.out

    (sweep,) = place.sweeps
    jobs = [json.loads(file.read_text())["job"] for file in (sweep / "jobs").glob("*.json")]
    assert sorted(job["number"] for job in jobs) == [0, 1, 2, 3, 4]
    assert len({tuple(job["overrides"]) for job in jobs}) == 5


@pytest.mark.slow
def test_a_job_that_kills_its_worker_is_begun_again(place):
    (place.folder / "fuse").touch()
    ended = place.sweep(
        *WORDS, "sweep.trials=3", "sweep.workers=2", "sweep.attempts=3", "hydra/launcher=joblib"
    )
    assert ended.code == 0, ended.err
    assert "the launcher stopped" in ended.err
    assert "3 done" in ended.out


def test_mistakes_are_told_before_anything_starts(place):
    ended = place.sweep(*WORDS[:3], "sweep.objectives=[max_eror]")
    assert ended.code == 2
    assert "did you mean `max_error`?" in ended.err
    ended = place.sweep("sweep=adaptive", "sampling.points=interval(0,64)")
    assert ended.code == 2
    assert "`sampling.points` is 0" in ended.err
    assert not (place.folder / "studies" / "sweeps").exists()
