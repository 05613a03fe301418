"""The search process: what it says arrives, and it never stays behind."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from distill.engines.child import Child, EngineError
from distill.errors import DistillError

WORKERS = {
    "echoing": """
from distill.engines.child import receive_job, send
job, table = receive_job()
send({"double": 2 * job["number"], "sum": float(table.sum())})
""",
    "crashing": """
import os, sys
from distill.engines.child import receive_job, send
receive_job()
send({"found": 1})
sys.stderr.write("the library fell over\\n"); sys.stderr.flush()
os.abort()
""",
    "endless": """
import time
from distill.engines.child import receive_job, send
receive_job()
send({"ready": True})
while True: time.sleep(1)
""",
    "stillborn": "raise SystemExit('no such library')",
}

PARENT = """
import numpy as np, os, sys
from distill.engines.child import Child
child = Child("endless", {}, np.zeros((1, 1)))
next(child.messages(None))
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def workers(tmp_path, monkeypatch):
    for name, text in WORKERS.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def gone(pid):
    """Whether the process has ended, or ends within ten seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_job_and_table_arrive_and_the_answer_comes_back():
    with Child("echoing", {"number": 21}, np.arange(6.0).reshape(3, 2)) as child:
        assert list(child.messages(None)) == [{"double": 42, "sum": 15.0}]


def test_a_table_of_some_megabytes_arrives_whole():
    with Child("echoing", {"number": 0}, np.ones((200_000, 3))) as child:
        assert next(child.messages(None))["sum"] == 600_000.0


def test_a_crash_is_told_with_the_last_words_after_what_was_found():
    found = []
    with (
        pytest.raises(EngineError) as caught,
        Child("crashing", {}, np.zeros((1, 1))) as child,
    ):
        found.extend(child.messages(None))
    assert found == [{"found": 1}]
    assert "the library fell over" in caught.value.where
    assert isinstance(caught.value, DistillError)


def test_a_worker_that_cannot_start_is_told_too():
    with (
        pytest.raises(EngineError, match="ended with code 1"),
        Child("stillborn", {}, np.ones((300_000, 2))) as child,
    ):
        list(child.messages(None))


def test_the_deadline_ends_the_messages_and_closing_ends_the_process():
    with Child("endless", {}, np.zeros((1, 1))) as child:
        assert next(child.messages(None)) == {"ready": True}
        assert list(child.messages(time.monotonic() + 0.2)) == []
    assert gone(child.pid)


def test_the_child_ends_when_its_parent_is_killed():
    parent = subprocess.run(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    assert parent.returncode == -9
    assert gone(int(parent.stdout))
