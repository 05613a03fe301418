"""What the operating system tells of processes: who descends from whom, memory, time worked."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>


@dataclass(frozen=True, slots=True)
class Process:
    """One line of ``/proc/PID/stat`` (proc(5)): ids, seconds of work, bytes in memory."""

    pid: int
    parent: int
    session: int
    seconds: float
    resident: int


def processes() -> Iterator[Process]:
    """All that can be seen; none where there is no ``/proc``. Zombies hold no memory."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):  # it ended while we looked
            # The name in brackets may hold anything; what follows it is numbers.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            yield Process(
                pid=int(folder.name),
                parent=int(fields[1]),
                session=int(fields[3]),
                seconds=(int(fields[11]) + int(fields[12])) / tick,
                resident=int(fields[21]) * page,
            )


def descendants(pid: int) -> set[int]:
    """The children of a process, theirs, and so on."""
    children: dict[int, list[int]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = [child for child in children.get(waiting.pop(), []) if child not in found]
        found.update(new)
        waiting += new
    return found


def resident(pids: Collection[int]) -> int:
    """Bytes of memory that these processes hold; what they share counts for each."""
    return sum(p.resident for p in processes() if p.pid in pids)


def seconds_worked(session: int) -> float:
    """Processor seconds of all processes of a session that still run."""
    return sum(p.seconds for p in processes() if p.session == session)


def kill(pids: Collection[int]) -> None:
    """End these at once."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """Processes whose parent ends become children of this one, so that none gets lost (Linux)."""
    if LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """Have this process killed when its parent, of this id, ends (Linux)."""
    if LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it had ended before
        os.kill(os.getpid(), signal.SIGKILL)


def usable_cores() -> int:
    """As many as the cluster's job was given, else as many as this process may run on."""
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if given.isdigit() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if LINUX else os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that new processes may take before others suffer; 0 where nobody tells."""
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable:"))
        return min(int(line.split()[1]) * 1024, _left_to_group())
    return 0


def _left_to_group() -> int:
    """What the control group of this process, where it has a limit, leaves it (cgroup v2)."""
    folder = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError, IndexError):
        group = Path("/proc/self/cgroup").read_text().strip().rpartition(":")[2]
        inner = folder / group.lstrip("/")
        inner = inner if (inner / "memory.max").exists() else folder
        limit = int((inner / "memory.max").read_text())  # "max" is no number
        return max(0, limit - int((inner / "memory.current").read_text()))
    return sys.maxsize
