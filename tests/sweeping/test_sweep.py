"""Sweeps as a user starts them: what is done once, what again, and what a kill costs."""

import json
import signal
import time

import pytest

from distill.tracking.store import open_store

POINTS = "sampling.points=32,48"


def test_jobs_are_done_once_and_told_as_json(place):
    first = place.sweep(POINTS, "--json")
    assert first.code == 0, first.err
    plan, *events, last = first.lines
    assert (plan["event"], plan["count"], plan["finished"], plan["parallel"]) == ("plan", 2, 0, 1)
    assert [job["overrides"] for job in plan["jobs"]] == [
        ["sampling.points=32"], ["sampling.points=48"],
    ]  # fmt: skip
    results = [line for line in events if line["event"] == "result"]
    assert [line["job"] for line in results] == [0, 1]
    assert all(line["exit_code"] == 0 for line in results)
    assert (last["event"], last["job"], last["exit_code"]) == ("result", None, 0)
    assert [job["status"] for job in last["jobs"]] == ["done", "done"]
    assert last["best"] == [0, 1]
    assert {record["result"]["studies"][0]["chosen"]["formula"] for record in
            place.records().values()} == {"2*x + y"}  # fmt: skip

    again = place.sweep(POINTS, "--json")
    plan, last = again.lines
    assert (plan["finished"], last["exit_code"]) == (2, 0)
    assert last["jobs"] == first.lines[-1]["jobs"]

    (sweep,) = place.sweeps
    log = (sweep / "logs" / "1.txt").read_text()
    assert log.startswith("job 1: sampling.points=48\n")
    assert "✓ fit" in log
    assert "2*x + y" in log
    assert log.count("✓ fit") == 1


def test_another_model_is_another_sweep(place):
    assert place.sweep("sampling.points=32", "--quiet").code == 0
    source = place.folder / "line.py"
    source.write_text(source.read_text().replace("2 * x", "3 * x"))
    ended = place.sweep("sampling.points=32", "--quiet")
    assert ended.code == 0
    assert len(place.sweeps) == 2
    assert ended.out.startswith("sweep one-")
    assert "1 done" in ended.out


def test_a_failing_job_is_done_again_and_the_others_are_not(place):
    wall = place.folder / "wall"
    wall.write_text("no folder")
    words = ("export.directory=out,wall/in", "sampling.points=32")
    ended = place.sweep(*words)
    assert ended.code == 3
    assert "1 done, 1 failed" in ended.out
    assert "✗   1  export.directory=wall/in" in ended.err
    assert "the same command again" in ended.out
    first = place.records()
    assert first[1]["problem"].startswith("cannot write")

    wall.unlink()
    assert place.sweep(*words).code == 0
    again = place.records()
    assert again[0] == first[0]
    assert again[1]["status"] == "done"
    assert (wall / "in" / "line.c").exists() or any((wall / "in").rglob("*.c"))


def test_a_job_whose_process_is_killed_is_started_again(place):
    (place.folder / "fuse").touch()
    ended = place.sweep(POINTS, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert ended.code == 0, ended.err
    assert "warning: the launcher stopped: TerminatedWorkerError" in ended.err
    assert "2 done" in ended.out
    assert {formula for formula, *_ in place.found().values()} == {"2*x + y"}


@pytest.mark.slow
def test_a_job_that_died_is_told_and_done_by_the_same_command(place):
    (place.folder / "fuse").touch()
    words = (POINTS, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    ended = place.sweep(*words, "sweep.attempts=1", "--json")
    assert ended.code == 3
    last = ended.lines[-1]
    assert last["exit_code"] == 3
    assert last["died"]
    assert len(last["died"]) + len(last["jobs"]) == 2
    ended = place.sweep(*words)
    assert ended.code == 0
    assert "2 done" in ended.out


def test_ctrl_c_ends_a_sweep_with_a_result_and_the_same_command_goes_on(place):
    process = place.start(POINTS, "--json")
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list(place.folder.rglob("events/0.jsonl")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["job"], last["exit_code"]) == ("result", None, 130)
    assert last["problem"]["what"] == "stopped."
    assert "the same command goes on" in err
    assert place.sweep(POINTS).code == 0
    assert len(place.found()) == 2


@pytest.mark.slow
def test_a_killed_command_goes_on_to_what_it_would_have_come_to(place, tmp_path_factory):
    words = ("sampling.points=32,48,64,80",)
    process = place.start(*words)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list(place.folder.rglob("jobs/1.json")):
        time.sleep(0.05)
    process.kill()
    process.communicate()
    before = place.records()
    assert {0, 1} <= set(before) != {0, 1, 2, 3}
    ended = place.sweep(*words)
    assert ended.code == 0, ended.err
    assert f"{len(before)} done before" in ended.err
    after = place.records()
    assert {number: after[number] for number in before} == before

    other = type(place)(tmp_path_factory.mktemp("undisturbed"))
    (other.folder / "line.py").write_text((place.folder / "line.py").read_text())
    assert other.sweep(*words).code == 0
    assert place.found() == other.found()


@pytest.mark.slow
def test_results_that_are_gone_are_made_again(place):
    import shutil

    assert place.sweep(POINTS).code == 0
    shutil.rmtree(place.folder / "studies" / "answer", ignore_errors=True)
    removed = [f for f in (place.folder / "studies").iterdir() if f.name not in {"sweeps"}]
    for folder in removed:
        shutil.rmtree(folder)
    ended = place.sweep(POINTS, "--json")
    assert ended.lines[0]["finished"] == 0
    assert ended.code == 0


@pytest.mark.slow
def test_the_log_of_a_job_is_found_from_mlflow(place):
    ended = place.sweep("sampling.points=32", "sweep.name=mine", tracking=True)
    assert ended.code == 0, ended.err
    store = open_store(place.folder / "studies")
    client = store.client()
    experiments = [e.experiment_id for e in client.search_experiments()]
    (run,) = client.search_runs(experiments, "tags.`distill.sweep` = 'mine' and "
                                             "tags.`distill.kind` = 'study'")  # fmt: skip
    (sweep,) = place.sweeps
    assert sweep.name == "mine"
    assert run.data.tags["distill.job"] == "0"
    assert run.data.tags["distill.log"] == str(sweep / "logs" / "0.txt")
    assert run.data.tags["distill.host"]
    assert [file.path for file in client.list_artifacts(run.info.run_id, "log")] == ["log/0.txt"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep.hours=1,2"], "`sweep.hours` holds for the whole sweep"),
        (["root=a,b"], "`root` holds for the whole sweep"),
        (["sampling.points=32,0"], "in job 1 (sampling.points=0)"),
        (["tolerance=interval(0,1)"], "`tolerance=interval(0,1)` is no list of values"),
        (["sweep.hours=0"], "`sweep.hours` is 0"),
        (["sweep=gird"], "gird"),
        (["engine=polynomial,operon"], "in job 1 (engine=operon)"),
        (["teacher.source=line:nothing,line:answer"], "nothing"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(place, words, says):
    ended = place.sweep(*words)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert not (place.folder / "studies" / "sweeps").exists()


def test_a_name_is_one_sweep(place):
    assert place.sweep("sampling.points=32", "sweep.name=mine").code == 0
    ended = place.sweep("sampling.points=48", "sweep.name=mine")
    assert ended.code == 2
    assert "the sweep `mine` is there, made from other words, models or code" in ended.err
