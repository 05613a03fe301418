"""Running another program: no shell, no input, a time limit, and nothing of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from distill.errors import ToolchainError

_running: set[subprocess.Popen[bytes]] = set()

SHOWN_LINES = 6
"""Lines of a failing tool's output that an error message repeats."""


class ToolMissing(ToolchainError):
    """A compiler or emulator that is not installed: what it would show stays unknown."""


class ToolTimeout(ToolchainError):
    """A program that did not end in time, and was killed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended: its exit status (negative: the signal) and what it wrote."""

    status: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """The first lines that say what went wrong, for an error message."""
        lines = [line.rstrip() for line in (self.errors + self.output).splitlines()]
        lines = [line for line in lines if line]
        # Notes and source excerpts follow the line that matters; begin there.
        start = next((i for i, line in enumerate(lines) if "error" in line.lower()), 0)
        return "\n    ".join(lines[start : start + SHOWN_LINES]) or f"exit status {self.status}"


def run_tool(
    arguments: Sequence[str],
    *,
    seconds: float,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program in ``folder`` and wait for its end.

    ``environment`` is added to this process's own. When the time is up, or this process is
    interrupted, the program and its children are killed as one group.

    Raises
    ------
    ToolchainError : when the program cannot be started.
    ToolTimeout : when it does not end in time.
    """
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name == "posix",
        )
    except OSError as error:
        raise ToolchainError(
            f"`{arguments[0]}` cannot be started: {error.strerror}.",
            hint="`distill doctor` shows which tools this machine has.",
        ) from error
    _running.add(process)
    try:
        output, errors = process.communicate(timeout=seconds)
    except BaseException as error:
        _kill(process)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ToolTimeout(
                f"`{Path(arguments[0]).name}` did not end within {seconds:g} s.",
                where=" ".join(arguments[:8]),
                hint="the machine may be busy: repeat the command.",
            ) from None
        raise
    finally:
        _running.discard(process)
    return Finished(
        process.returncode, output.decode(errors="replace"), errors.decode(errors="replace")
    )


def kill_tools() -> None:
    """Kill every program that other threads wait for in :func:`run_tool`."""
    for process in list(_running):
        if process.returncode is None:  # else its number may be another's
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError):  # it may have ended in the meantime
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
