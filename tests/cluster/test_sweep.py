"""A sweep on Slurm: the same command, the same results, whatever is killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.mlflow_server import MlflowServer, mlflow_server, with_tables
from tests.servers.postgres import postgres, programs
from tests.sweeping.conftest import TEACHER, Place

JOBS = ("sampling.points=32,48,64",)
Found = tuple[str, float, bytes]

SLURM = ("hydra/launcher=slurm",)
HELD = TEACHER.replace(
    '    fuse = Path("fuse")',
    '    while Path("hold").exists():\n        time.sleep(0.05)\n    fuse = Path("fuse")',
).replace("import signal", "import signal\nimport time")


@pytest.fixture
def place(cluster: object, tmp_path: Path) -> Place:
    """A folder to give commands in, with a teacher that waits while there is a file ``hold``."""
    (tmp_path / "line.py").write_text(HELD)
    return Place(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Found]:
    """What the jobs find without Slurm."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "line.py").write_text(HELD)
    place = Place(folder)
    assert place.sweep(*JOBS).code == 0
    return place.found()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """What a cluster has: one MLflow server for all, with PostgreSQL behind it."""
    if (bin_ := programs()) is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with postgres(bin_) as database:
        with_tables(database, "shared")
        with mlflow_server(database.uri("shared"), tmp_path_factory.mktemp("server")) as running:
            yield running


def test_the_same_command_gives_the_same_on_slurm_and_its_logs_are_found(
    place, server, undisturbed
):
    ended = place.sweep(*JOBS, *SLURM, f"tracking.uri={server.url}", tracking=True)
    assert ended.code == 0, ended.err
    assert place.found() == undisturbed

    from mlflow import MlflowClient

    client = MlflowClient(server.url)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    studies = client.search_runs(experiments, filter_string="tags.`distill.kind` = 'study'")
    (sweep,) = place.sweeps
    records = place.records()
    assert len({record["launcher_job"] for record in records.values()}) == 3
    assert {run.info.status for run in studies} == {"FINISHED"}
    for run in studies:
        tags = run.data.tags
        record = records[int(tags["distill.job"])]
        assert tags["distill.sweep"] == sweep.name
        assert tags["distill.launcher_job"] == record["launcher_job"]
        assert Path(tags["distill.log"]) == sweep / "logs" / f"{tags['distill.job']}.txt"
        (log,) = [file.path for file in client.list_artifacts(run.info.run_id, "log")]
        assert "✓ fit" in Path(client.download_artifacts(run.info.run_id, log)).read_text()
    assert sorted(int(run.data.tags["distill.job"]) for run in studies) == [0, 1, 2]


@pytest.mark.slow
def test_killed_and_cancelled_jobs_are_done_again_and_a_killed_driver_is_gone_on_with(
    place, cluster, undisturbed
):
    hold = place.folder / "hold"
    hold.touch()
    driver = place.start(*JOBS, *SLURM, "--quiet")
    cluster.until(lambda: len(list((place.folder / "studies").rglob("events/*.jsonl"))) == 3)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()

    # One job is cancelled by hand, another will kill itself; one goes on without its driver.
    (sweep,) = place.sweeps
    (script,) = (sweep / "slurm").glob("*_submission.sh")
    array = script.name.partition("_")[0]
    cluster.ask("scancel", f"{array}_2")
    cluster.until(lambda: "CANCELLED" in cluster.ask("squeue", "-h", "-t", "all", "-o", "%i %T"))
    (place.folder / "fuse").touch()
    again = place.start(*JOBS, *SLURM)
    waiting = ""
    while "waiting for what runs already" not in waiting:
        waiting = again.stderr.readline()
        assert waiting
    assert f"{array}_0" in waiting
    assert f"{array}_2" not in waiting
    hold.unlink()
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "3 done" in out
    assert place.found() == undisturbed
    # One is as the first driver started it, two were started by the second.
    elements = [record["launcher_job"] for record in place.records().values()]
    assert [bool(e) for e in elements] == [True] * 3
    assert sum(element.startswith(f"{array}_") for element in elements) == 1
    for number in range(3):
        assert (sweep / "logs" / f"{number}.txt").read_text().count("✓ fit") == 1
