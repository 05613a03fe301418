"""hydra/launcher=slurm on a real Slurm of one node, with tasks that do next to nothing."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distill.sweeping.slurm_queue import Queue, largest_array

DRIVER = Path(__file__).parent / "driver.py"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(cluster: object, tmp_path: Path) -> Iterator[Start]:
    """Start the driver over the test's folder: ``start(seconds, words)``."""
    drivers = []

    def start(*seconds: float, words: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        listed = ",".join(str(s) for s in seconds)
        command = [sys.executable, str(DRIVER), str(tmp_path), listed, *words]
        drivers.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.kill()
        driver.communicate()


def queue_of(folder: Path) -> Queue:
    return Queue(folder / "slurm")


def ended(folder: Path, tasks: int) -> list[str]:
    files = [folder / f"ended{task}" for task in range(tasks)]
    return [file.read_text() if file.exists() else "" for file in files]


def test_more_tasks_than_an_array_may_have_are_all_run_before_it_returns(start, tmp_path):
    assert largest_array() == 4
    driver = start(*[0.2] * 5, words=("hydra.launcher.array_parallelism=6",))
    assert driver.communicate(timeout=120) == (None, "")
    assert driver.returncode == 0
    scripts = (tmp_path / "slurm").glob("*_submission.sh")
    first, second = sorted(int(file.name.partition("_")[0]) for file in scripts)
    elements = [*(f"{first}_{n}" for n in range(4)), str(second)]
    assert ended(tmp_path, 5) == [f"tolerance=0.3 threads=1 element={e}" for e in elements]
    # Both share what may run at a time.
    script = (tmp_path / "slurm" / f"{first}_submission.sh").read_text()
    assert "#SBATCH --array=0-3%3\n" in script
    assert "#SBATCH --mem=4096M\n" in script
    assert queue_of(tmp_path).active() == []


def test_a_killed_task_keeps_no_other_from_ending(start, tmp_path):
    driver = start(-1, 3, words=("hydra.launcher.cpus_per_task=2",))
    _, said = driver.communicate(timeout=120)
    assert driver.returncode == 0
    killed, other = ended(tmp_path, 2)
    assert killed == ""
    assert other.startswith("tolerance=0.3 threads=2 ")
    element = other.rpartition("=")[2].replace("_1", "_0")
    assert f"Slurm ended 1 FAILED (first {element})" in said
    assert str(tmp_path / "slurm") in said


def test_ctrl_c_cancels_what_runs_and_what_waits(start, cluster, tmp_path):
    driver = start(*[600] * 6)
    cluster.until((tmp_path / "began3").exists)
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=30)
    assert "cancelled in Slurm: " in said
    cluster.until(lambda: not queue_of(tmp_path).active())
    begun = [(tmp_path / f"began{task}").exists() for task in range(6)]
    assert ended(tmp_path, 6) == ["told to end" if began else "" for began in begun]
    assert not all(begun)


def test_what_a_killed_driver_started_is_waited_for_and_not_done_twice(start, cluster, tmp_path):
    until_go = (math.inf, math.inf)
    driver = start(*until_go)
    cluster.until((tmp_path / "began1").exists)
    driver.kill()
    again = start(*until_go)
    assert again.stderr.readline().startswith("waiting for what runs already: ")
    (tmp_path / "go").touch()
    assert again.communicate(timeout=120) == (None, "")
    assert again.returncode == 0
    assert all(text.startswith("tolerance") for text in ended(tmp_path, 2))
    assert [file.read_text() for file in sorted(tmp_path.glob("began*"))] == ["+", "+"]


@pytest.mark.slow
def test_a_task_past_its_time_limit_is_queued_again(start, tmp_path):
    # Slurm counts in minutes, and looks only twice in one.
    limits = ("hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=58")
    driver = start(100, words=(*limits, "hydra.launcher.max_num_timeout=1"))
    _, said = driver.communicate(timeout=400)
    assert driver.returncode == 0
    assert (tmp_path / "began0").read_text() == "++"
    assert ended(tmp_path, 1) == ["told to end"]
    assert "Slurm ended 1 " in said


def test_what_sbatch_refuses_is_said(start, tmp_path):
    driver = start(1, words=("hydra.launcher.partition=nowhere",))
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 1
    assert "sbatch takes no array of 1 elements" in said
    assert "invalid partition specified: nowhere" in said
    assert "hydra.launcher.*" in said
