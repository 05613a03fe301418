"""A limit of memory ends a run with words and a code, wherever it is."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill import limits
from distill.errors import LimitError
from distill.limits import GIGABYTE, MemoryWatch

pytestmark = pytest.mark.skipif(not limits.LINUX, reason="memory is told by Linux alone")


def run(code: str) -> subprocess.CompletedProcess[str]:
    head = "import signal, subprocess, sys, time\nfrom distill.limits import MemoryWatch\n"
    return subprocess.run(
        [sys.executable, "-c", head + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def patient(monkeypatch):
    """Never ends this process itself."""
    monkeypatch.setattr(limits, "FAR", float("inf"))
    monkeypatch.setattr(limits, "PATIENCE", float("inf"))


def test_too_much_memory_ends_the_stage_it_is_in(patient):
    ended = []

    def work(watch: MemoryWatch) -> None:
        watch.begin("sample", "")
        watch.begin("fit", "searching")
        try:
            _wait()
        finally:
            ended.append("cleaned up")

    with pytest.raises(LimitError) as caught, MemoryWatch(0.001) as watch:
        work(watch)
    error = caught.value
    assert ended == ["cleaned up"]
    assert error.exit_code == 3
    assert "the fit stage took" in error.what
    assert "0.001 GB it may have" in error.what
    assert error.where == "config key `limits.memory`"
    assert "finished stages are kept" in error.hint


def test_what_follows_from_the_end_is_not_what_is_told(patient):
    """An engine whose process is gone says so; the reason is the memory."""

    def work() -> None:
        try:
            _wait()
        except KeyboardInterrupt:
            raise ValueError("the search process ended") from None

    with pytest.raises(LimitError), MemoryWatch(0.001):
        work()


def _wait() -> None:
    while True:
        time.sleep(0.01)


def test_enough_memory_changes_nothing():
    with MemoryWatch(1000) as watch:
        watch.begin("fit", "")
    with pytest.raises(KeyError), MemoryWatch(1000):
        raise KeyError("mine")
    with pytest.raises(KeyboardInterrupt), MemoryWatch(1000):
        raise KeyboardInterrupt


def test_a_run_deep_in_a_library_is_ended_all_the_same():
    ended = run(
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
        "with MemoryWatch(0.3) as watch:\n"
        "    watch.begin('score', '')\n"
        "    held = bytearray(400_000_000)\n"
        "    time.sleep(100)\n"
    )
    assert ended.returncode == 3
    assert ended.stderr.startswith("distill: the score stage took 0.4")
    assert "raise it, or let the stage do less" in ended.stderr


def test_processes_of_a_run_count_and_end_with_it():
    ended = run(
        "with MemoryWatch(0.3) as watch:\n"
        "    watch.begin('fit', '')\n"
        "    child = subprocess.Popen([sys.executable, '-c',\n"
        "        'held = bytearray(400_000_000); import time; time.sleep(100)'])\n"
        "    print(child.pid, flush=True)\n"
        "    child.wait()\n"
    )
    assert ended.returncode == 3, ended.stderr
    assert "the fit stage took 0.4" in ended.stderr
    deadline = time.monotonic() + 20
    while _alive(int(ended.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(ended.stdout))


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_elsewhere_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "LINUX", False)
    with pytest.raises(limits.ConfigError, match="does not tell") as caught:
        MemoryWatch(1)
    assert caught.value.where == "config key `limits.memory`"


def test_a_gigabyte_is_a_round_number():
    assert MemoryWatch(1.5).limit == 1.5 * GIGABYTE == 1_500_000_000
