"""Signals wherever they come: a command ends, and says that nothing is lost."""

import signal
import subprocess
import sys

import pytest

DELETED = """
import os, signal, sys, time, weakref
from distill.cli import front
from distill.cli.command import Command

class Kept:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGNAL)
        time.sleep(0.01)

def in_del(arguments):
    Kept()
    time.sleep(20)
    return 0

def in_finalize(arguments):
    class Nothing: pass
    nothing = Nothing()
    weakref.finalize(nothing, lambda: (os.kill(os.getpid(), signal.SIGNAL), time.sleep(0.01)))
    del nothing
    time.sleep(20)
    return 0

def in_library(arguments):
    try:
        os.kill(os.getpid(), signal.SIGNAL)
        time.sleep(20)
    finally:
        raise AttributeError("half-made")

def in_scipy(arguments):
    # Its compiled part prints what is raised, and goes on.
    import numpy.lib._npyio_impl as files
    from scipy.stats import qmc
    read = files.format.read_array
    def struck(*given, **named):
        os.kill(os.getpid(), signal.SIGNAL)
        return read(*given, **named)
    files.format.read_array = struck
    qmc.Sobol(2)
    time.sleep(20)
    return 0

front.COMMANDS["wait"] = Command("wait", "", WHERE)
front.program(["wait"])
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("where", ["in_del", "in_finalize", "in_library", "in_scipy"])
def test_a_signal_is_not_dropped_wherever_it_comes(name: str, where: str) -> None:
    code = DELETED.replace("SIGNAL", name).replace("WHERE", where)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip() == "stopped. Nothing is lost: the same command goes on from here."
