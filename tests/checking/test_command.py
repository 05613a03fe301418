"""``distill check`` as a person meets it: verdicts, exit codes, the teacher, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill import cli
from distill.errors import INTERRUPTED
from distill.teachers.load import load_teacher

from .making import halved, plain, raw


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_bytes(raw(plain()))
    return path


def told(capsys, *arguments):
    code = cli.main(["check", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_an_accepted_one_says_what_is_proven(file, capsys):
    code, out, err = told(capsys, file, "jobs=1")
    bound = json.loads(file.read_text())["bound"]
    assert code == 0
    assert out.startswith(f"accepted: |C - teacher| <= {bound:.6g} degC on the whole domain (64 ")
    assert "0.001 degC, taken from the certificate, not checked here" in out
    assert "verified on every box" in out
    assert "arithmetic of IEEE 754" in out
    assert "✓ check" in err


def test_a_rejected_one_says_where_and_ends_with_2(file, capsys):
    data = json.loads(file.read_text())
    data["claims"][0]["bound"] *= 0.5
    file.write_bytes(raw(data))
    code, out, err = told(capsys, file, "--jobs=1")
    assert code == 2
    assert not out
    assert "rejected: |formula - teacher| is " in err
    assert "where: t = " in err
    assert "do not rely on it" in err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "which certificate?"),
        (["a", "b"], "2 files"),
        (["missing.json"], "cannot be read"),
        (["a.json", "jobs=0"], "no count"),
        (["a.json", "budget=many"], "no count"),
        (["a.json", "--jobs", "0"], "no count"),
        (["a.json", "--jobs"], "no count"),
        (["a.json", "--jobs=-1"], "no count"),
        (["a.json", "job=2"], "did you mean `jobs`"),
    ],
)
def test_mistakes_are_told(capsys, arguments, what):
    code, out, err = told(capsys, *arguments)
    assert code == 2
    assert what in err
    assert not out


def test_damaged_files_are_told(tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_bytes(b'{"version": 1')
    code, _, err = told(capsys, path)
    assert code == 2
    assert "no certificate that can be checked" in err
    assert "Traceback" not in err


def test_the_teacher_is_compared(file, capsys):
    data = json.loads(file.read_text())
    code, _, err = told(capsys, file, "teacher=wet_bulb", "jobs=1")
    assert code == 2
    assert "another teacher than `wet_bulb`" in err
    found = load_teacher("wet_bulb").fingerprint
    data["teacher"]["fingerprint"] = found
    file.write_bytes(raw(data))
    code, out, _ = told(capsys, file, "teacher=wet_bulb", "jobs=1")
    assert code == 0
    assert "the fingerprint of `wet_bulb` is the certificate's" in out


def test_ctrl_c_ends_all_processes(tmp_path):
    data = plain(width=32, depth=12, above=3.0)
    data["claims"][0]["splits"] = halved(14)
    path = tmp_path / "certificate.json"
    path.write_bytes(raw(data))
    running = subprocess.Popen(
        [sys.executable, "-m", "distill.cli", "check", str(path), "jobs=2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        children: list[int] = []
        for _ in range(600):
            children = _children(running.pid)
            if len(children) > 2 or running.poll() is not None:
                break
            time.sleep(0.05)
        assert running.poll() is None, running.communicate()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == INTERRUPTED
    assert "Traceback" not in err
    assert not out
    for _ in range(100):
        if not any(_alive(child) for child in children):
            return
        time.sleep(0.05)
    raise AssertionError("a process of the check outlived it")


def _children(pid):
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_help_names_it(capsys):
    assert cli.main(["check", "--help"]) == 0
    assert "check FILE" in capsys.readouterr().out
