"""In a folder of another's no process imports a module that lies there."""

import contextlib
import copy
import subprocess
import sys

import numpy as np
import pytest

from distill.checking.check import check
from distill.engines.child import Child, EngineError
from distill.firmware.toolchains.zig import zig_command
from distill.tracking import ui
from distill.tracking.store import Store
from tests.checking.making import halved, plain, raw

PLANTED = ("json", "multiprocessing", "numpy", "distill", "ziglang", "mlflow", "struct", "queue")


@pytest.fixture(autouse=True)
def planted(place, canary, monkeypatch):
    """A working folder with modules of these names; the tests start as the command does."""
    for name in PLANTED:
        (place / f"{name}.py").write_text(f"{canary.code}\nraise SystemExit(9)\n")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return place


def test_an_engines_process():
    with (
        contextlib.suppress(EngineError),
        Child("distill.engines.operon_worker", {}, np.zeros((1, 1))) as child,
    ):
        list(child.messages(None))


def test_the_processes_that_check_a_certificate():
    data = copy.deepcopy(plain())
    data["claims"][0] |= {"splits": halved(8)}
    assert check(raw(data), jobs=2)[1].leaves == 256


def test_the_compiler(place):
    command = [*zig_command("cc"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "clang" in done.stdout + done.stderr


def test_the_tracking_server(place, monkeypatch):
    """It starts in the folder of the results, and starts others."""
    given = {}

    def start(command, **options):
        given.update(options)
        raise InterruptedError

    store = Store(f"sqlite:///{place}/mlflow.db", place / "artifacts")
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", start)
        with pytest.raises(InterruptedError), ui.running(store, port=0):
            pass
    bait = [sys.executable, "-c", "import json"]
    subprocess.run(bait, env=given["env"], cwd=place, check=True)


def test_the_bait_is_real(place, canary):
    done = subprocess.run([sys.executable, "-c", "import json"], cwd=place, check=False)
    assert done.returncode == 9
    assert canary.path.exists()
    canary.path.unlink()
