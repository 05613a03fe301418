"""The process between a run and its Julia: whatever happens to either, nothing stays behind.

    python -P -m distill.engines.pysr.keeper LOG BYTES

It starts the worker, hands on the lines that it is given, and kills the worker with all its
children when its own standard input closes (the run ended, in whatever way), when they hold more
memory than ``BYTES`` (0: as much as they want), and when the worker ends. The worker cannot watch
for itself: while it searches, Julia may hold Python's lock. What the worker and Julia print goes to
``LOG``; events leave as JSON lines on standard output. Needs nothing but the standard library, so
that it starts at once and never hangs.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from distill.engines.pysr.processes import adopt_orphans, descendants, kill, resident

WORKER = "distill.engines.pysr.worker"
LOOK = 0.2
"""Seconds between two looks at the worker and its memory."""

PATIENCE = 5.0
"""So many seconds what was killed may take to be gone."""


def main() -> None:
    """Keep one worker until either side ends."""
    log, limit = Path(sys.argv[1]), int(sys.argv[2])
    # Ended by others with SIGTERM, it still cleans up.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    adopt_orphans()
    events = os.dup(sys.stdout.fileno())
    with log.open("ab") as said:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, str(events), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            pass_fds=[events],
        )
    os.close(events)  # the worker has it: when both are gone the run sees the end
    try:
        ended = _watch(worker, limit)
    finally:
        _clean_up(worker)
    if ended is not None:
        _say(ended)


def _watch(worker: subprocess.Popen[bytes], limit: int) -> dict[str, object] | None:
    """Why the worker is over; None where nobody is left to be told."""
    assert worker.stdin is not None
    while True:
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], LOOK)
        if ready:
            lines = os.read(sys.stdin.fileno(), 65536)
            if not lines:
                return None
            with suppress(BrokenPipeError):  # it has just ended, which the next look finds
                worker.stdin.write(lines)
                worker.stdin.flush()
        code = worker.poll()
        if code is not None:
            return {"event": "ended", "why": "exit", "code": code}
        used = resident(descendants(os.getpid())) if limit else 0
        if used > limit:
            return {"event": "ended", "why": "memory", "used": used, "limit": limit}


def _clean_up(worker: subprocess.Popen[bytes]) -> None:
    """Kill all that descends from the worker, and wait until it is gone."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        left = descendants(os.getpid()) | ({worker.pid} if worker.returncode is None else set())
        if not left:
            return
        kill(left)
        worker.poll()
        with suppress(ChildProcessError):  # orphans that came to this process
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        time.sleep(0.01)


def _say(event: dict[str, object]) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
