"""The trials that the workers of a sweep share."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from filelock import FileLock
from optuna.trial import TrialState

from distill.config.schema import PruningConfig, SweepConfig
from distill.errors import ConfigError
from distill.progress import Best
from distill.sweeping.adaptive.kind import AdaptiveKind
from distill.sweeping.adaptive.pruning import Watched
from distill.sweeping.adaptive.source import FOLDER, AdaptiveSource
from distill.sweeping.adaptive.summary import found, found_data
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.noting import Noting
from distill.sweeping.record import JobRecord, Status
from distill.sweeping.source import Hopeless
from tests.sweeping.adaptive.jobs import WORDS, candidate, done, run, source, space, study, worked

FINITE = ("engine=a,b", "engine.seed=range(0,3)")


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "sweep")


@pytest.fixture(params=["journal", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return None if request.param == "journal" else f"sqlite:///{tmp_path}/trials.db"


def states(adaptive: AdaptiveSource) -> list[TrialState]:
    return [trial.state for trial in adaptive.trials.study.get_trials()]


def test_jobs_are_numbered_and_asked_until_all_trials_are(
    folder: SweepFolder, storage: str | None
) -> None:
    adaptive = source(folder, trials=12, storage=storage)
    assert adaptive.left() == 2 * 12
    jobs = run(adaptive)
    assert [job.number for job in jobs] == list(range(12))
    assert len({job.overrides for job in jobs}) == 12
    assert adaptive.left() == 0
    assert run(adaptive) == []
    trials = adaptive.trials.study.get_trials()
    for trial, job in zip(trials, jobs, strict=True):
        error, instructions = trial.values
        assert instructions == 10 * trial.params["engine.max_complexity"]
        assert trial.constraints == {"tolerance": 0 if error <= 0.1 else pytest.approx(
            max(0.01, error / 0.1 - 1))}  # fmt: skip
        assert job.overrides[2] == f"engine.max_complexity={trial.params['engine.max_complexity']}"


def test_the_same_seed_draws_the_same_jobs_however_often_it_is_interrupted(
    tmp_path: Path,
) -> None:
    whole = run(source(SweepFolder(tmp_path / "a"), trials=20))
    parts: list[Job] = []
    for _ in range(20):
        # A new process each time, that does one job and goes.
        adaptive = source(SweepFolder(tmp_path / "b"), trials=20)
        job = next(adaptive.jobs(0))
        adaptive.folder.keep(worked(job))
        adaptive.tell(worked(job))
        parts.append(job)
    assert parts == whole
    assert run(source(SweepFolder(tmp_path / "c"), trials=20, seed=1)) != whole


def test_the_sampler_goes_where_the_tolerance_is_kept(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=60)
    run(adaptive)
    good = [trial.constraints["tolerance"] <= 0 for trial in adaptive.trials.study.get_trials()]
    assert sum(good[:10]) <= 4
    assert sum(good[-30:]) >= 24


def test_workers_share_the_trials_and_never_draw_alike(
    folder: SweepFolder, storage: str | None
) -> None:
    workers = [source(folder, trials=12, storage=storage) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        shares = list(pool.map(run, workers, range(3)))
    jobs = [job for share in shares for job in share]
    assert sorted(job.number for job in jobs) == list(range(12))
    assert len({job.overrides for job in jobs}) == 12


def test_a_small_space_is_searched_whole_and_no_further(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=50, words=FINITE, objectives=["max_error"])
    jobs = []
    for job in adaptive.jobs(0):
        jobs.append(job)
        adaptive.tell(done(job, study(candidate(0.05))))
    assert sorted(job.overrides for job in jobs) == [
        (f"engine={engine}", f"engine.seed={seed}") for engine in "ab" for seed in range(3)
    ]
    assert adaptive.left() == 0


def test_more_trials_go_on_with_the_same_sweep(folder: SweepFolder) -> None:
    run(source(folder, trials=5))
    assert [job.number for job in run(source(folder, trials=8))] == [5, 6, 7]


def test_another_space_or_other_objectives_need_another_name(
    folder: SweepFolder, storage: str | None
) -> None:
    run(source(folder, trials=2, storage=storage))
    with pytest.raises(ConfigError, match="searched with other values") as caught:
        run(source(folder, words=FINITE, storage=storage))
    assert caught.value.where == "config key `sweep.name`"
    with pytest.raises(ConfigError, match="searched with other objectives"):
        run(source(folder, objectives=["rmse"], storage=storage))


def test_sweeps_of_two_folders_are_neighbours_in_one_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trials.db"
    here, there = (source(SweepFolder(tmp_path / n / "s"), 3, storage=url) for n in "ab")
    assert [job.number for job in run(here)] == [0, 1, 2]
    assert [job.number for job in run(there)] == [0, 1, 2]


def test_a_figure_that_is_not_known_counts_and_teaches_nothing(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=2)
    jobs = adaptive.jobs(0)
    adaptive.tell(done(next(jobs), study(candidate(0.05, None))))
    # MLflow was not there in the end, but the figures are.
    adaptive.tell(replace(done(next(jobs), study(candidate(0.05))), status="failed", exit_code=3))
    assert list(jobs) == []
    assert states(adaptive) == [TrialState.FAIL, TrialState.COMPLETE]


@pytest.mark.parametrize("status", ["failed", "left_out"])
def test_what_came_to_nothing_is_done_by_the_next_command(
    folder: SweepFolder, status: Status
) -> None:
    adaptive = source(folder, trials=4)
    job = next(jobs := adaptive.jobs(0))
    record = JobRecord(job, status)
    folder.keep(record)
    adaptive.tell(record)
    jobs.close()  # type: ignore[attr-defined]
    # A failed job does not keep others from being done; when time is up nothing more is drawn.
    rest = [each.number for each in run(adaptive)]
    assert rest == ([1, 2, 3] if status == "failed" else [])
    assert states(adaptive)[0] == TrialState.RUNNING
    assert adaptive.left() == 0
    kind = AdaptiveKind(SweepConfig(), space(*WORDS), 0.1, "second")
    assert kind.again(record)
    folder.forget(job.number)
    again = run(replace(adaptive, session="second"))
    assert again[0] == job
    assert len(again) == (1 if status == "failed" else 4)


def test_a_job_that_was_done_but_not_told_is_not_done_again(folder: SweepFolder) -> None:
    job = next(source(folder, trials=3).jobs(0))
    folder.keep(worked(job))
    adaptive = source(folder, trials=3)
    assert [each.number for each in run(adaptive)] == [1, 2]
    assert states(adaptive) == [TrialState.COMPLETE] * 3


def test_telling_twice_changes_nothing(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=1)
    job = next(adaptive.jobs(0))
    adaptive.tell(worked(job))
    adaptive.tell(worked(job))
    adaptive.tell(JobRecord(job, "failed"))
    assert states(adaptive) == [TrialState.COMPLETE]


def begin_and_die(adaptive: AdaptiveSource) -> Job:
    """A process begins a job and is killed: its lock is free again, and nothing was told."""
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("fork").Process(target=_begin, args=[adaptive, theirs])
    worker.start()
    job = ours.recv()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert isinstance(job, Job)
    return job


def _begin(adaptive: AdaptiveSource, pipe: Connection) -> None:
    # As a worker gets it: nothing is open yet.
    jobs = pickle.loads(pickle.dumps(adaptive)).jobs(0)
    pipe.send(next(jobs))
    signal.pause()


def test_the_trial_of_a_killed_worker_is_gone_on_with(
    folder: SweepFolder, storage: str | None
) -> None:
    adaptive = source(folder, trials=4, storage=storage)
    killed = begin_and_die(adaptive)
    undisturbed = run(source(SweepFolder(folder.path.with_name("other")), trials=4))
    assert run(adaptive) == undisturbed
    assert undisturbed[0] == killed


def test_a_job_that_kills_its_workers_is_left_to_the_next_command(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=3, attempts=2)
    assert begin_and_die(adaptive) == begin_and_die(adaptive)
    assert [job.number for job in run(adaptive)] == [1, 2]
    assert (adaptive.left(), adaptive.running()) == (0, [0])
    again = replace(adaptive, session="second")
    assert again.left() == 2
    assert [job.number for job in run(again)] == [0]
    assert (again.left(), again.running()) == (0, [])


def test_a_trial_that_runs_elsewhere_is_left_alone(folder: SweepFolder) -> None:
    first, second = source(folder, trials=2), source(folder, trials=2)
    running = first.jobs(0)
    job = next(running)
    assert [each.number for each in run(second)] == [1]
    first.tell(worked(job))
    assert list(running) == []


def test_workers_wait_for_those_of_a_command_that_was_killed(folder: SweepFolder) -> None:
    old, new = source(folder, trials=2), source(folder, trials=2, session="second")
    running = old.jobs(0)
    job = next(running)
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(run, new)
        while len(new.folder.ended()) < 1:
            time.sleep(0.01)
        assert not rest.done()
        # It dies, and its trial is free.
        running.close()  # type: ignore[attr-defined]
        assert [each.number for each in rest.result()] == [1, job.number]
    assert new.running() == []


def test_what_is_handed_to_a_worker_holds_no_open_storage(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=2)
    job = next(adaptive.jobs(0))
    handed = pickle.loads(pickle.dumps(adaptive))
    assert handed == adaptive
    assert "trials" not in vars(handed)
    handed.tell(worked(job))
    assert states(adaptive) == [TrialState.COMPLETE]


def watch(adaptive: AdaptiveSource, job: Job, errors: list[float]) -> JobRecord:
    """A search with these errors; its record says whether it was ended."""
    voice = adaptive.watch(job, Noting())
    voice.begin("fit", "")
    try:
        for number, error in enumerate(errors, 1):
            voice.front([Best(1, error, "x")])
            voice.advance(number / len(errors), "")
        voice.end("fit", "", reused=False)
    except Hopeless:
        return JobRecord(job, "pruned")
    return done(job, study(None, [candidate(errors[-1])]))


def test_hopeless_searches_end_and_the_sampler_learns_how_far_off_they_were(
    folder: SweepFolder, storage: str | None
) -> None:
    adaptive = source(folder, trials=6, storage=storage, pruning=PruningConfig(trials=3))
    curves = [[1.0, 0.5, 0.3, 0.2]] * 3 + [[3.0] * 4, [1.0, 0.5, 0.3, 0.08], [9.0, 9.0, 0.09, 0.05]]
    ends = []
    for job, curve in zip(adaptive.jobs(0), curves, strict=True):
        record = watch(adaptive, job, curve)
        adaptive.tell(record)
        ends.append(record.status)
    assert ends == ["done", "done", "done", "pruned", "done", "pruned"]
    trials = adaptive.trials.study.get_trials()
    assert trials[3].state == TrialState.PRUNED
    assert trials[3].constraints == {"tolerance": pytest.approx(29)}
    assert found(adaptive).front == ()


def test_the_tolerance_of_a_job_is_its_own(folder: SweepFolder) -> None:
    adaptive = source(folder, 2, ["tolerance=interval(2,3)"], pruning=PruningConfig(trials=0))
    job = next(adaptive.jobs(0))
    record = watch(adaptive, job, [6.0, 6.0])
    adaptive.tell(record)
    (curve,) = adaptive.trials.curves.get_trials()
    tolerance = float(job.overrides[0].partition("=")[2])
    assert set(curve.intermediate_values.values()) == {6.0 / tolerance}


def test_without_pruning_nobody_watches(folder: SweepFolder) -> None:
    voice = Noting()
    none = source(folder, pruning=PruningConfig(rule="none"))
    assert none.watch(Job(0, ()), voice) is voice
    assert isinstance(source(folder).watch(Job(0, ()), voice), Watched)


def test_a_storage_that_goes_away_ends_no_search(folder: SweepFolder, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trials.db"
    adaptive = source(folder, 2, storage=url, pruning=PruningConfig(trials=0, fraction=0.0))
    job = next(adaptive.jobs(0))
    (tmp_path / "trials.db").write_bytes(b"no database at all" * 100)
    adaptive.trials.study._storage.remove_session()  # type: ignore[attr-defined]
    assert watch(adaptive, job, [5.0, 4.0]).status == "done"


def test_a_front_of_all_trials_and_what_made_the_difference(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=30)
    run(adaptive)
    came = found(adaptive)
    within = {n: v for n, v in came.values.items() if v[0] <= 0.1}
    assert came.front == tuple(
        n for n, v in within.items()
        if not any(w != v and w[0] <= v[0] and w[1] <= v[1] for w in within.values())
    )  # fmt: skip
    assert came.front
    assert sum(came.importance.values()) == pytest.approx(1)
    assert set(came.importance) == {"engine", "sampling.points", "engine.max_complexity"}
    data = found_data(came)
    assert data["values"][str(came.front[0])] == list(came.values[came.front[0]])
    assert data["objectives"] == ["max_error", "instructions"]


def test_of_few_trials_nobody_knows_what_matters(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=3)
    run(adaptive)
    assert found(adaptive).importance == {}


def test_the_best_of_one_objective_is_the_front(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=10, words=FINITE, objectives=["hypervolume"])
    for job in adaptive.jobs(0):
        adaptive.tell(done(job, study(candidate(0.01 * (1 + job.number % 3)))))
    # Jobs 0 and 3 are equally good.
    assert found(adaptive).front == (0, 3)


def test_locks_lie_in_the_folder_of_the_sweep(folder: SweepFolder) -> None:
    adaptive = source(folder, trials=1)
    jobs = adaptive.jobs(0)
    next(jobs)
    lock = FileLock(folder.path / FOLDER / "0.lock")
    with pytest.raises(TimeoutError):
        lock.acquire(timeout=0)
    jobs.close()  # type: ignore[attr-defined]
    with lock.acquire(timeout=0):
        pass
