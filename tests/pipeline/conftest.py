"""A small, quick study for tests that need a whole one."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from distill.config.folder import read_option
from distill.config.schema import StudyConfig
from distill.firmware import verify
from distill.firmware.toolchains import host_compilers

HERE = Path(__file__).parent

MakeQuick = Callable[[Path, pytest.MonkeyPatch], StudyConfig]


def _make_quick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    """Distill the pendulum with the polynomial engine; results are kept in ``folder``.

    The C is verified with one host compiler: the others take most of the time.
    """
    monkeypatch.setattr(verify, "host_compilers", lambda: host_compilers()[:1])
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    config = StudyConfig(target=read_option("target", "pic32"), root=str(folder / "studies"))
    config.teacher.source = "teachers_for_tests:pendulum"
    config.domain.variables = {
        "length": {"low": 0.1, "high": 2.0, "unit": "m"},
        "gravity": {"low": 1.5, "high": 12.0, "unit": "m/s^2"},
    }
    config.tolerance = 0.2
    config.sampling.points = 256
    config.engine.name = "polynomial"
    config.engine.evaluations = 100_000
    config.engine.operators = ["add", "sub", "mul", "div", "square", "sqrt"]
    config.engine.options = {"max_terms": 5, "max_degree": 3}
    config.engine.keep, config.engine.rounds = 4, 1
    config.score.points = 2_000
    config.score.starts = 8
    config.export.verify_points = 5_000
    config.tracking.enabled = False
    return config


@pytest.fixture(scope="session")
def make_quick() -> MakeQuick:
    """Makes a config that distills the pendulum within seconds, its results kept in a folder."""
    return _make_quick


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    """That config for one test."""
    return _make_quick(tmp_path, monkeypatch)


@pytest.fixture
def built(tmp_path: Path) -> Callable[[Path], ctypes.CDLL]:
    """Compile a bundle's C for this machine and load it."""

    def load(source: Path) -> ctypes.CDLL:
        library = tmp_path / f"{source.stem}.so"
        command = ["gcc", "-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC"]
        subprocess.run([*command, str(source), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))

    return load
