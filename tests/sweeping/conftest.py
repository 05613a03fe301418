"""A teacher of one line, and small sweeps of it as a user starts them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TEACHER = '''"""2 x + y, which may end the process that asks for it."""

import os
import signal
from pathlib import Path


def answer(x):
    """Kill the process that wanted the answer, once, where a file says so."""
    fuse = Path("fuse")
    if fuse.exists():
        fuse.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
    return 2 * x[:, 0] + x[:, 1]
'''

WORDS = (
    "teacher=function", "teacher.source=line:answer",
    "domain=box", "+domain.variables.x={low: 0, high: 1}", "+domain.variables.y={low: 0, high: 1}",
    "engine=polynomial", "engine.options.max_terms=3", "engine.rounds=1", "engine.evaluations=500",
    "score=quick", "score.points=200", "score.starts=2", "score.prove=false", "target=host",
    "export.verify=false", "export.prove=false",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        """The JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Place:
    """A folder with the teacher in it, where commands are given."""

    folder: Path

    def start(self, *words, tracking=False):
        """A sweep as a process of its own."""
        tracked = [] if tracking else ["tracking=off"]
        command = [sys.executable, "-m", "distill.cli", "run", "-m", *WORDS, *tracked, *words]
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "140"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sweep(self, *words, tracking=False):
        """A sweep, waited for."""
        process = self.start(*words, tracking=tracking)
        out, err = process.communicate(timeout=300)
        return Ended(process.returncode, out, err)

    @property
    def sweeps(self):
        """The folders of the sweeps."""
        return sorted((self.folder / "studies" / "sweeps").iterdir())

    def records(self):
        """The records of the only sweep's jobs, by their numbers."""
        (sweep,) = self.sweeps
        files = sorted((sweep / "jobs").glob("*.json"), key=lambda file: int(file.stem))
        return {int(file.stem): json.loads(file.read_text()) for file in files}

    def found(self):
        """What the jobs chose: formulas, errors and the C, by the jobs' numbers."""
        chosen = {}
        for number, record in self.records().items():
            (study,) = record["result"]["studies"]
            source = self.folder / record["result"]["export"]["source"]
            chosen[number] = (
                study["chosen"]["formula"],
                study["chosen"]["max_error"],
                source.read_bytes(),
            )
        return chosen


@pytest.fixture
def place(tmp_path):
    """Where a user works."""
    (tmp_path / "line.py").write_text(TEACHER)
    return Place(tmp_path)
