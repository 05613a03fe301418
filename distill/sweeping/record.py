"""What a job of a sweep came to."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from distill.reading import json_of
from distill.sweeping.jobs import Job
from distill.voices.json_lines import finite

Status: TypeAlias = Literal["done", "failed", "pruned", "left_out"]
"""Done; ended by an error that would come again; ended as hopeless; not begun, time was up."""


def launcher_job() -> str:
    """The scheduler's number of the running process; empty where none started it."""
    array, element = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    return f"{array}_{element}" if array and element else os.environ.get("SLURM_JOB_ID", "")


@dataclass(frozen=True)
class JobRecord:
    """One job that has ended.

    Attributes
    ----------
    problem : what was wrong, as a person reads it; empty without one.
    seconds : what it took; ``searched`` of it the engine's budget, None where it had none in time.
    result : what ``distill run --json`` says of it in its last line.
    host, launcher_job : where it ran, and the scheduler's number there (empty without one).
    """

    job: Job
    status: Status
    exit_code: int = 0
    problem: str = ""
    seconds: float = 0.0
    searched: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    host: str = field(default_factory=socket.gethostname)
    launcher_job: str = field(default_factory=launcher_job)

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(finite(asdict(self)), indent=1)

    @classmethod
    def from_json(cls, text: str) -> JobRecord:
        """Read a record back.

        Raises
        ------
        ValueError, KeyError, TypeError : when the text is none.
        """
        data = json_of(text)
        job = Job(int(data["job"]["number"]), tuple(map(str, data["job"]["overrides"])))
        record = cls(**{**data, "job": job})
        for key, kinds in _KINDS.items():
            if not isinstance(getattr(record, key), kinds):
                raise TypeError(f"`{key}` is {data[key]!r}")
        return record


_KINDS: dict[str, tuple[type, ...]] = {
    "status": (str,),
    "exit_code": (int,),
    "problem": (str,),
    "seconds": (int, float),
    "searched": (int, float, type(None)),
    "result": (dict,),
    "host": (str,),
    "launcher_job": (str,),
}
