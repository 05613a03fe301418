"""The processes around Julia: what they say, and that none of them stays behind."""

import gc
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from distill.engines.pysr.processes import descendants
from distill.engines.pysr.session import GONE, Session, environment
from distill.engines.pysr.worker import NO_PYSR

SLEEPS = {"sleep": 600}
CHILDREN = [{"grandchild": 600, "detached": True}]


@pytest.fixture
def start(julia, monkeypatch):
    """Start a session whose Julia plays these steps when it starts, and give it back."""
    sessions = []

    def start(*steps, memory=0):
        for name, value in julia.environment({"start": steps}, "2.7.2").items():
            monkeypatch.setenv(name, value)
        sessions.append(Session(julia.folder / "julia.log", threads=1, memory=memory))
        return sessions[-1]

    yield start
    while sessions:
        sessions.pop().close()


@pytest.fixture
def family(julia, wait_for):
    """The ids of a session's processes, once Julia has started its own child."""

    def wait(keeper):
        child = int(wait_for(julia.folder / "grandchild"))
        return [keeper, child, *descendants(keeper)]

    return wait


def next_event(session, *names):
    """The next event that is called so; all waits of tests are for what must come."""
    for _ in range(240):
        event = session.event(0.25)
        if event is not None and event["event"] in names:
            return event
    pytest.fail(f"none of {names} came")


@pytest.mark.parametrize("last", [SLEEPS, {"hang": 600}, {"hold": 600}], ids=str)
def test_closing_ends_all_processes_at_once(start, family, all_gone, last):
    session = start(*CHILDREN, last)
    pids = family(session.pid)
    assert len(pids) >= 3
    session.close()
    assert not session.alive
    assert all_gone(*pids, within=1)
    session.close()


def test_a_session_that_nobody_keeps_is_ended(julia, monkeypatch, family, all_gone):
    for name, value in julia.environment({"start": [*CHILDREN, SLEEPS]}, "2.7.2").items():
        monkeypatch.setenv(name, value)
    session = Session(julia.folder / "julia.log", threads=1, memory=0)
    pids = family(session.pid)
    del session
    gc.collect()
    assert all_gone(*pids)


OWNER = """
import sys, time
from pathlib import Path
from distill.engines.pysr.session import Session
session = Session(Path(sys.argv[1]), threads=1, memory=0)
print(session.pid, flush=True)
while True:
    event = session.event(1.0)
    if event is not None:
        print(event, flush=True)
"""


@pytest.fixture
def owner(julia):
    """Start a process of its own that has a session; ended at the end."""
    owners = []

    def start(*steps):
        command = [sys.executable, "-c", OWNER, str(julia.folder / "julia.log")]
        told = julia.environment({"start": steps}, "2.7.2")
        owners.append(subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True))
        return owners[-1]

    yield start
    for process in owners:
        process.kill()
        process.communicate()


def test_killed_with_its_run(owner, family, all_gone):
    process = owner(*CHILDREN, {"hold": 600})
    pids = family(int(process.stdout.readline()))
    process.kill()
    assert all_gone(*pids)


def test_a_death_while_the_run_sleeps_is_noticed(owner, family, all_gone):
    process = owner(*CHILDREN, SLEEPS)
    keeper = int(process.stdout.readline())
    _, child, *rest = family(keeper)
    (worker,) = set(rest) - {child}
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    assert all_gone(keeper, child)
    os.kill(process.pid, signal.SIGCONT)
    said = [process.stdout.readline().strip() for _ in range(3)]
    assert said == [
        "{'event': 'importing'}",
        "{'event': 'ended', 'why': 'exit', 'code': -9}",
        f"{{'event': '{GONE}'}}",
    ]


def test_a_keeper_that_is_asked_to_end_cleans_up(start, family, all_gone):
    session = start(*CHILDREN, SLEEPS)
    pids = family(session.pid)
    os.kill(session.pid, signal.SIGTERM)
    assert all_gone(*pids[1:])
    next_event(session, GONE)
    assert not session.alive


def test_a_worker_dies_with_its_keeper(start, wait_for, all_gone, julia):
    session = start({"grandchild": 1}, {"hold": 600})
    wait_for(julia.folder / "grandchild")
    (worker,) = (p for p in descendants(session.pid) if p != int(julia.left("grandchild")))
    os.kill(session.pid, signal.SIGKILL)
    assert all_gone(worker)
    next_event(session, GONE)


@pytest.mark.parametrize(
    ("step", "code"),
    [({"die": "SIGKILL"}, -9), ({"die": "SIGSEGV"}, -11), ({"leave": 7}, 7)],
    ids=str,
)
def test_the_end_of_julia_is_told_with_its_code(start, step, code):
    session = start({"say": "the last words\n", "to": 2}, step)
    assert next_event(session, "ended") == {"event": "ended", "why": "exit", "code": code}
    assert session.event(60)["event"] == GONE
    assert "the last words" in session.last_words()


def test_more_memory_than_allowed(start):
    session = start({"allocate": 400}, SLEEPS, memory=300_000_000)
    ended = next_event(session, "ended")
    assert ended["why"] == "memory"
    assert ended["limit"] == 300_000_000 < ended["used"]


def test_a_julia_that_does_not_start_says_why(start):
    session = start({"fail": "no network"})
    assert next_event(session, "no_pysr")["message"] == "JuliaError: no network"
    assert "Traceback" in session.last_words()


def test_the_real_juliacall_without_a_network_gives_up_at_once(julia, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PATH", str(julia.folder))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(julia.folder / "project"))
    monkeypatch.delenv("PYTHON_JULIAPKG_EXE", raising=False)
    session = Session(julia.folder / "julia.log", threads=1, memory=0)
    assert "Connection refused" in next_event(session, "no_pysr")["message"]
    assert next_event(session, "ended")["code"] == NO_PYSR
    session.close()


def test_nonsense_on_every_channel_is_passed_over(start):
    session = start(
        {"say": '\x00garbage {"event": "done"}\n' * 1000},
        {"say": "\x1b[31mgarbage\n", "to": 2},
        # The descriptor on which events leave.
        {"say": 'garbage\n[1, 2]\n"done"\n{"event": 3}\n\u2550\n', "to": 3},
        {"fail": "no network"},
    )
    assert session.event(60) == {"event": "importing"}
    assert session.event(60)["event"] == "no_pysr"


def test_one_job_after_the_other(start, julia):
    session = start()
    folder = julia.folder / "with blank and ü"
    folder.mkdir()
    np.save(folder / "x.npy", np.arange(12.0).reshape(6, 2))
    np.save(folder / "y.npy", np.arange(6.0))
    job = {
        "parameters": {"output_directory": str(julia.folder), "run_id": folder.name},
        **{"fit": {}, "functions": [], "template": None, "deadline": None, "go_on": False},
    }
    told = {**job, "reserve": 1.0}
    (julia.folder / "script.json").write_text(json.dumps({"search": [{"fit": "linear"}]}))
    (folder / "job.json").write_text(json.dumps(told))
    session.submit(folder / "job.json")
    assert [session.event(60)["event"] for _ in range(4)] == [
        "importing",
        "imported",
        "searching",
        "done",
    ]
    (folder / "job.json").write_text(json.dumps({**told, "parameters": {"maxsize": 3}}))
    session.submit(folder / "job.json")
    refused = next_event(session, "refused")
    assert refused == {
        "event": "refused",
        "kind": "ValueError",
        "message": "PySR requires a maxsize of at least 7",
    }
    (folder / "job.json").write_text(json.dumps({**told, "go_on": True}))
    session.submit(folder / "job.json")
    next_event(session, "done")
    called = julia.called(folder)
    assert called["searches"] == 2
    assert not called["torch"]


def test_what_the_worker_is_started_with(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("JULIA_PROJECT", "/mine")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    told = environment(3)
    assert "JULIA_PROJECT" not in told
    assert told["PYTHON_JULIACALL_THREADS"] == "3"
    assert told["PYTHON_JULIACALL_HANDLE_SIGNALS"] == "yes"
    assert told["OMP_NUM_THREADS"] == "1"
    assert told["PYTHONPATH"].split(os.pathsep)[0] == "/somewhere"
