"""The real PySR, of both major versions, over a stand-in for Julia (`julia/juliacall`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill.engines.base import Candidate, Problem
from distill.engines.pysr.engine import Pysr
from distill.engines.pysr.options import PysrOptions

HERE = Path(__file__).parent / "julia"
OLD = Path(sys.prefix) / "pysr-1.5"

LINEAR = {"search": [{"fit": "linear"}]}


@dataclass(frozen=True)
class Julia:
    """A stand-in for Julia whose scripts, and what they leave, lie in `folder`."""

    folder: Path

    def environment(self, script: Mapping[str, Any], version: str) -> dict[str, str]:
        """Return the variables under which `import pysr` is this version over the stand-in."""
        place = self.folder / "script.json"
        place.write_text(json.dumps(script))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JULIA", "PYTHON_JULIA"))}
        path = [HERE, *([OLD] if version.startswith("1.") else [])]
        return kept | {
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "STAND_IN_SCRIPT": str(place),
            "PYTHON_JULIAPKG_PROJECT": str(self.folder / "project"),
            "PYTHON_JULIAPKG_OFFLINE": "yes",
            "JULIA_DEPOT_PATH": str(self.folder / "depot"),
            "OMP_NUM_THREADS": "1",
        }

    def called(self, folder: Path) -> dict[str, Any]:
        """Return what the last search with this folder as its own was called with."""
        return json.loads((folder / "called.json").read_text())

    def left(self, name: str) -> str:
        """Return what a step of the script left for the test."""
        return (self.folder / name).read_text()


@pytest.fixture
def julia(tmp_path: Path) -> Julia:
    return Julia(tmp_path)


@pytest.fixture(params=["1.5", "2.7"], scope="session")
def pysr_version(request: pytest.FixtureRequest) -> str:
    """A version of PySR, which must have been installed; CI takes no skip for an answer."""
    if request.param == "1.5":
        if not OLD.is_dir():
            pytest.skip(f"PySR 1.5 is missing: pip install --no-deps --target {OLD} pysr==1.5.10")
        return "1.5.10"
    try:
        found = version("pysr")
    except PackageNotFoundError:
        found = "none"
    if not found.startswith("2.7."):
        pytest.skip(f"PySR 2.7 is missing ({found} is there): pip install pysr==2.7.2")
    return found


@dataclass(frozen=True)
class Fits:
    """A process with one version of PySR, asked for one fit after the other."""

    version: str
    julia: Julia
    process: subprocess.Popen[str]
    runs: list[str] = field(default_factory=list)

    def __call__(
        self,
        parameters: Mapping[str, Any] | None,
        x: np.ndarray,
        y: np.ndarray,
        *,
        script: Mapping[str, Any] = LINEAR,
        template: Mapping[str, Any] | None = None,
        **fit: Any,
    ) -> dict[str, Any]:
        """Return what a new model answered, or the one of before where there are no parameters."""
        if parameters is not None:
            self.runs.append(f"run{len(self.runs)}")
            own = {"output_directory": str(self.julia.folder), "run_id": self.runs[-1]}
            quiet = {"verbosity": 0, "progress": False, "input_stream": "devnull"}
            parameters = {**own, **quiet, **parameters}
        request = {"parameters": parameters, "template": template, "fit": fit, "script": script}
        self.send({**request, "x": x.tolist(), "y": y.tolist()})
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def send(self, request: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    @property
    def folder(self) -> Path:
        """The folder of the last run."""
        return self.julia.folder / self.runs[-1]

    @property
    def called(self) -> dict[str, Any]:
        return self.julia.called(self.folder)


@pytest.fixture(scope="session")
def start_fits(pysr_version: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Fits]:
    """Start further processes of a version of PySR."""

    def start() -> Fits:
        julia = Julia(tmp_path_factory.mktemp("fits"))
        process = subprocess.Popen(
            [sys.executable, str(HERE / "fits.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=julia.environment(LINEAR, pysr_version),
        )
        return Fits(pysr_version, julia, process)

    return start


@pytest.fixture(scope="session")
def fits(start_fits: Callable[[], Fits]) -> Iterator[Fits]:
    """One process of each version for all tests that leave it alive."""
    started = start_fits()
    yield started
    assert started.process.stdin is not None
    started.process.stdin.close()
    started.process.wait()


@dataclass
class Found:
    """What one search of the engine gave, and what it said meanwhile."""

    candidates: list[Candidate] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doings: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [candidate.formula.text for candidate in self.candidates]

    def error(self, problem: Problem) -> float:
        """Return the smallest largest error over the sample."""
        x, y = problem.sample.x, problem.sample.y
        return min(float(np.abs(c.formula(x) - y).max()) for c in self.candidates)


@dataclass
class Searches:
    """The engine over the stand-in, in this process; the Julia of one is kept between searches."""

    julia: Julia
    version: str
    engine: Pysr

    def __call__(
        self,
        problem: Problem,
        *steps: Mapping[str, Any],
        start: Sequence[Mapping[str, Any]] = (),
        at: Callable[[Candidate], None] = lambda candidate: None,
        **options: Any,
    ) -> Found:
        """Search, with `steps` played by Julia and options of the engine; call `at` on each."""
        script = {"start": start, "search": steps or LINEAR["search"]}
        (self.julia.folder / "script.json").write_text(json.dumps(script))
        (self.julia.folder / "played").unlink(missing_ok=True)
        self.engine.options = replace(PysrOptions(threads=1), **options)
        found = Found()
        asked = replace(problem, warn=found.warnings.append, doing=found.doings.append)
        with self.installed():
            for candidate in self.engine.search(asked):
                found.candidates.append(candidate)
                at(candidate)
        return found

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within it, this version of PySR is the installed one."""
        script = json.loads(self.julia.left("script.json"))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.julia.environment(script, self.version).items():
                patch.setenv(name, value)
            old = [str(OLD)] if self.version.startswith("1.") else []
            patch.setattr(sys, "path", [*old, *sys.path])
            yield

    @property
    def called(self) -> dict[str, Any]:
        """What the last search that was begun was called with."""
        return json.loads(self.julia.left("called.json"))


@pytest.fixture(scope="module")
def start_searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Searches]]:
    """Make engines over the stand-in; they are closed at the end of the module."""
    engines = []

    def start(version: str) -> Searches:
        engines.append(Pysr())
        return Searches(Julia(tmp_path_factory.mktemp("searches")), version, engines[-1])

    yield start
    for engine in engines:
        engine.close()


@pytest.fixture
def searches(start_searches: Callable[..., Searches]) -> Searches:
    """An engine of the newer version, with a Julia of its own."""
    return start_searches("2.7.2")


@pytest.fixture(scope="module")
def shared(pysr_version: str, start_searches: Callable[..., Searches]) -> Searches:
    """One engine of each version for all tests of a module that leave its Julia alive."""
    return start_searches(pysr_version)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be looked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def all_gone() -> Callable[..., bool]:
    """Whether all these processes are gone, some seconds later at the latest."""

    def check(*pids: int, within: float = 30.0) -> bool:
        until = time.monotonic() + within
        while any(map(is_alive, pids)) and time.monotonic() < until:
            time.sleep(0.02)
        return not any(map(is_alive, pids))

    return check


@pytest.fixture
def wait_for() -> Callable[[Path], str]:
    """Wait until a file is there and has a text, and return it."""

    def wait(path: Path, within: float = 60.0) -> str:
        until = time.monotonic() + within
        while not (path.exists() and path.read_text()):
            assert time.monotonic() < until, f"{path} never came"
            time.sleep(0.02)
        return path.read_text()

    return wait
