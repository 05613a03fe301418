"""What a grid starts again when jobs die, and with which neighbours."""

import os

from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job
from distill.sweeping.kind import GridKind
from distill.sweeping.record import JobRecord

JOBS = tuple(Job(number, (f"a={number}",)) for number in range(5))


def begun(folder, number):
    """A job has told something."""
    file = folder.events_file(number)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        stream.write("x\n")
    count = file.stat().st_size
    os.utime(file, ns=(count, count))


def launches(tmp_path, launcher, size=1, attempts=2):
    """The rows of each launch, of a launcher that does with a row of jobs what it is told."""
    folder = SweepFolder(tmp_path)
    folder.make(["a=range(5)"], JOBS, "x")
    seen = []
    kind = GridKind(JOBS, size, attempts)
    for source, tasks in kind.starts(folder):
        assert tasks == len(source.numbers)
        seen.append(source.numbers)
        launcher(folder, source.numbers)
        assert len(seen) < 20
    return seen, kind.died(folder)


def done(folder, number):
    begun(folder, number)
    folder.keep(JobRecord(JOBS[number], "done"))


def test_what_is_done_is_started_once(tmp_path):
    def launcher(folder, rows):
        for row in rows:
            for number in row:
                done(folder, number)

    assert launches(tmp_path, launcher, size=2) == ([((0, 1), (2, 3), (4,))], [])


def test_jobs_that_die_by_themselves_are_started_again_together(tmp_path):
    def launcher(folder, rows):
        for (number,) in rows:
            begun(folder, number) if number in {1, 3} else done(folder, number)

    seen, died = launches(tmp_path, launcher)
    assert seen == [((0,), (1,), (2,), (3,), (4,)), ((1,), (3,))]
    assert died == [1, 3]


def test_a_job_that_takes_all_with_it_costs_the_others_nothing(tmp_path):
    """Two side by side; when job 1 dies, the launcher gives up everything."""

    def launcher(folder, rows):
        numbers = [number for row in rows for number in row]
        for at in range(0, len(numbers), 2):
            pair = numbers[at : at + 2]
            for number in pair:
                begun(folder, number)
            if 1 in pair:
                return
            for number in pair:
                done(folder, number)

    seen, died = launches(tmp_path, launcher)
    assert seen == [((0,), (1,), (2,), (3,), (4,)), ((2,), (3,), (4,)), ((0,),), ((1,),)]
    assert died == [1]


def test_a_launcher_that_starts_nothing_is_not_asked_for_ever(tmp_path):
    seen, died = launches(tmp_path, lambda folder, rows: None)
    assert len(seen) <= 6
    assert died == [0, 1, 2, 3, 4]


def test_each_value_is_tried_once_and_of_many_the_ends():
    rows = [(f"a={a}", f"b={b}") for a in "xyz" for b in range(50)]
    jobs = tuple(Job(number, row) for number, row in enumerate(rows))
    probes = GridKind(jobs, 1, 1).probes
    assert [job.overrides for job in probes] == [
        ("a=x", "b=0"), ("a=x", "b=49"), ("a=y", "b=0"), ("a=z", "b=0"),
    ]  # fmt: skip
    few = tuple(Job(n, (f"b={n}",)) for n in range(8))
    assert GridKind(few, 1, 1).probes == few
    assert GridKind((Job(0, ()),), 1, 1).probes == (Job(0, ()),)
