"""What is asked of Slurm and told of it, without one: its commands are small scripts here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from distill.config.folder import read_option
from distill.errors import ClusterError, ConfigError
from distill.sweeping import slurm_queue
from distill.sweeping.slurm import SlurmConfig, read_slurm
from distill.sweeping.slurm_queue import Queue, largest_array

Command = Callable[[str, str], None]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Put a shell script in front of all programs: ``command(name, script)``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(name: str, script: str) -> None:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    return make


def test_only_what_was_submitted_from_the_folder_is_looked_at(command, tmp_path):
    rows = [
        f"7|2|RUNNING|{tmp_path}/sweep/slurm/7_submission.sh",
        f"7|3-99%4|PENDING|{tmp_path}/sweep/slurm/7_submission.sh",
        f"7|0|COMPLETED|{tmp_path}/sweep/slurm/7_submission.sh",
        f"7|1|TIMEOUT|{tmp_path}/sweep/slurm/7_submission.sh",
        f"5|1|OUT_OF_MEMORY|{tmp_path}/sweep/slurm/5_submission.sh",
        f"5|0|OUT_OF_MEMORY|{tmp_path}/sweep/slurm/5_submission.sh",
        f"8|N/A|COMPLETING|{tmp_path}/sweep/slurm/.submission_file_1|2.sh",
        f"9|N/A|RUNNING|{tmp_path}/sweep2/slurm/9_submission.sh",
        "10|N/A|RUNNING|(null)",
        "",
    ]
    command("squeue", "cat <<'END'\n" + "\n".join(rows) + "\nEND")
    queue = Queue(tmp_path / "sweep" / "slurm")
    assert [element.name for element in queue.active()] == ["7_2", "7_3-99%4", "8"]
    assert queue.states["7_0"] == "COMPLETED"
    assert queue.deaths() == "2 OUT_OF_MEMORY (first 5_1), 1 TIMEOUT (first 7_1)"


def test_a_controller_that_does_not_answer_is_asked_again(command, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(slurm_queue, "FIRST_PAUSE", 0.01)
    count = tmp_path / "count"
    down = "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"
    running = f"echo '3|N/A|RUNNING|{tmp_path}/3_submission.sh'"
    command(
        "squeue",
        f"echo >> {count}\ncase $(wc -l < {count}) in 1|5) {running};; 2|3|4) {down};; esac",
    )
    Queue(tmp_path).wait()
    assert count.read_text() == "\n" * 6
    (warning,) = caplog.messages
    assert "Unable to contact slurm controller" in warning
    assert "Asking again" in warning


def test_without_slurm_the_other_launcher_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="`scontrol` is not installed here") as caught:
        largest_array()
    assert "hydra/launcher=joblib" in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("says", "size"), [("MaxArraySize            = 1001", 1001), ("MaxArraySize = 0", 1)]
)
def test_the_largest_array_is_the_clusters(command, says, size):
    command("scontrol", f"echo 'Configuration data'; echo 'MaxJobCount = 9'; echo '{says}'")
    assert largest_array() == size


def given(**changes: object) -> dict[str, object]:
    shipped = {k: v for k, v in read_option("hydra/launcher", "slurm").items() if k != "_target_"}
    return {**shipped, "submitit_folder": "slurm", **changes}


def test_the_shipped_keys_fit() -> None:
    config = read_slurm(given())
    assert config.setup == ["export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK"]
    assert set(given()) == set(vars(SlurmConfig("slurm")))


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"timeout_min": "soon"}, "timeout_min", "soon"),
        ({"cpus_per_task": 0}, "cpus_per_task", "larger than 0"),
        ({"array_size": -1}, "array_size", "larger than 0"),
        ({"timeout_min": 2}, "signal_delay_s", "within the 120 s"),
        ({"memory": 4}, "memory", "memory"),
    ],
)
def test_a_wrong_key_is_named(change, key, says):
    with pytest.raises(ConfigError, match=says) as caught:
        read_slurm(given(**change))
    assert caught.value.where == f"config key `hydra.launcher.{key}`"
