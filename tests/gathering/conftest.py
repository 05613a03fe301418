"""A simulator of the user's, and ``distill sample`` of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from distill.config.folder import conf_directory

PLANT = '''
"""Slow functions; every call leaves a line in a file."""
import os, signal, time

def _mark(*values):
    with open("calls.txt", "a") as file:
        file.write(" ".join(map(repr, values)) + "\\n")

def flow(a, b):
    _mark(a, b)
    time.sleep(0.005)
    if a > 0.9:
        raise ValueError("valve is stuck")
    return a * b + a

def both(a, b):
    _mark(a, b)
    return a * b, a - b

def late(a, b):
    _mark(a, b)
    if a > 0.9:
        time.sleep(30)
    return a * b

def broken(a, b):
    _mark(a, b)
    return undefined_name

def nowhere(a, b):
    _mark(a, b)
    raise ValueError("no solution")

def kills_its_asker_once(a, b):
    _mark(a, b)
    time.sleep(0.005)
    if sum(1 for line in open("calls.txt")) > 20:
        try:
            os.mkdir("killed")
        except FileExistsError:
            pass
        else:
            time.sleep(0.6)
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(30)
    return a * b
'''

BOX = [
    "domain=box",
    "+domain.variables.a={low: 0, high: 1}",
    "+domain.variables.b={low: 1, high: 2}",
]


def plant(folder: Path) -> None:
    """Put the user's module into a folder."""
    (folder / "their_plant.py").write_text(PLANT)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the user's module; answers are kept beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    plant(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def calls() -> Callable[[], list[str]]:
    """The calls of the user's functions so far."""
    return lambda: Path("calls.txt").read_text().splitlines() if Path("calls.txt").exists() else []


def words(name: str, *more: str) -> list[str]:
    """Arguments that name a function of the user's module."""
    return ["teacher=simulator", f"teacher.source=their_plant:{name}", *BOX, *more]


def composed(name: str, *more: str) -> DictConfig:
    """What Hydra makes of them."""
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        return compose("config", overrides=words(name, *more))


def distill(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "distill.cli", command, *arguments],
        capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
