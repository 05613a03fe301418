"""Answers kept on disk: files that are only ever appended to, and survive a kill at any moment.

Every machine appends to a file of its own, each time by one write, and reads those of all. So no
locks are needed, which network file systems have only sometimes: appending is safe among the
processes of one machine, and no two machines write to one file. What is torn all the same (a kill
in the middle of a write, a full disk) is told from a record by its hash, and skipped.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.files import disk_errors

CHECK = 8
"""Bytes of a record's hash."""


def answers_folder() -> Path:
    """Where answers are kept unless the user says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "distill" / "answers"


@dataclass
class Answers:
    """What a teacher answered, by the bytes of the points; on disk where there is a folder.

    A record is d + k float64 (a point, then its answers; NaN where there is none) with eight bytes
    of their hash, which depends on the teacher, so that no other one's record is believed.

    Attributes
    ----------
    folder : None keeps answers in memory alone.
    fingerprint : of the teacher; a part of it is in the files' names.
    outputs : k.
    """

    folder: Path | None
    fingerprint: str
    outputs: int
    _known: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    _read: dict[Path, int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, x: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Answers (n, k) at x (n, d), NaN where unknown, and which are known (n,)."""
        self._refresh(x.shape[1])
        answers = np.full((len(x), self.outputs), np.nan)
        known = np.zeros(len(x), dtype=bool)
        for i, point in enumerate(np.ascontiguousarray(x)):
            kept = self._known.get(point.tobytes())
            if kept is not None:
                answers[i], known[i] = np.frombuffer(kept), True
        return answers, known

    def any_finite(self, d: int) -> bool:
        """Whether there is an answer at any point of d numbers, whoever asked."""
        self._refresh(d)
        return any(np.isfinite(np.frombuffer(kept)).all() for kept in self._known.values())

    def add(self, x: Array, y: Array) -> None:
        """Keep the answers y (n, k) at x (n, d).

        Raises
        ------
        StorageError : when the disk is full or the folder cannot be written.
        """
        pairs = [
            (np.ascontiguousarray(point).tobytes(), np.ascontiguousarray(answer).tobytes())
            for point, answer in zip(x, y, strict=True)
        ]
        self._known.update(pairs)
        if self.folder is None or not pairs:
            return
        path = self.folder / f"{self._stem(x.shape[1])}.{this_machine()}.answers"
        rest = memoryview(b"".join(a + b + self._hash(a + b) for a, b in pairs))
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as file:
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())

    def _refresh(self, d: int) -> None:
        """Read what was written since, also by others."""
        if self.folder is None:
            return
        size = (d + self.outputs) * 8 + CHECK
        for path in self.folder.glob(f"{self._stem(d)}.*.answers"):
            with path.open("rb") as file:
                file.seek(self._read.setdefault(path, 0))
                data = file.read()
            at = 0
            while at + size <= len(data):
                record = data[at : at + size - CHECK]
                if self._hash(record) == data[at + size - CHECK : at + size]:
                    self._known[record[: 8 * d]] = record[8 * d :]
                    at += size
                else:  # torn or damaged: the next whole record may begin anywhere
                    at += 1
            self._read[path] += at

    def _stem(self, d: int) -> str:
        return f"{self.fingerprint[:32]}_{d}_{self.outputs}"

    def _hash(self, record: bytes) -> bytes:
        key, salt = self.fingerprint.encode()[:64], str(self.outputs).encode()
        return hashlib.blake2b(record, digest_size=CHECK, key=key, salt=salt).digest()


@functools.cache
def this_machine() -> str:
    """What tells this machine from all that share a folder with it: its name and its last boot.

    Images of machines and containers often have equal names; those that run the same kernel may
    write to one file.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        boot = ""
    return re.sub(r"[^\w-]", "_", f"{socket.gethostname()}-{boot}")[:64]
