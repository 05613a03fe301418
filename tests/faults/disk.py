"""A process that meets its end, or a full disk, at the k-th thing it does to the disk."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OPERATIONS = ("fsync", "mkdir", "rename", "replace", "rmdir", "unlink", "open", "truncate")
"""All by which a file or folder comes, goes, gets its name or reaches the disk."""

Fault = Callable[[str], None]


def killed(name: str) -> None:
    """As by the system when memory runs out, or by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def interrupted(name: str) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def full(name: str) -> None:
    """No room is left; deleting works all the same."""
    if name not in ("rmdir", "unlink"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


@contextmanager
def counted(at: int | None = None, fault: Fault = killed, *, after: bool = False) -> Iterator[list]:
    """Count what is done to the disk; the ``at``-th time the fault comes before it, or after."""
    done: list[str] = []
    kept = {name: getattr(os, name) for name in OPERATIONS}

    def standing_for(name: str) -> Callable[..., Any]:
        def operation(*args: Any, **kwargs: Any) -> Any:
            reads = name == "open" and len(args) > 1 and not args[1] & os.O_CREAT
            if reads:
                return kept[name](*args, **kwargs)
            done.append(name)
            now = len(done) - 1 == at
            if now and not after:
                fault(name)
            try:
                return kept[name](*args, **kwargs)
            finally:
                if now and after:
                    fault(name)

        return operation

    for name in OPERATIONS:
        setattr(os, name, standing_for(name))
    try:
        yield done
    finally:
        for name, real in kept.items():
            setattr(os, name, real)


def apart(work: Callable[[], None]) -> int:
    """Do it in a process of its own; its exit status, negative for a signal."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def tree(folder: Path) -> dict[str, bytes]:
    """Every file with its content; hidden ones too, but for locks, which are empty and stay."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(".lock")
    }


def folders(folder: Path) -> list[str]:
    """Every folder."""
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_dir())
