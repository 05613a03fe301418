"""Answers kept on disk: a file that is only ever appended to, and survives a kill at any moment."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from distill.arrays import Array
from distill.files import disk_errors

MAGIC = b"distill answers 1\n"
HEADER, CHECK = 128, 8


def answers_folder() -> Path:
    """Where answers are kept unless the user says otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "distill" / "answers"


@dataclass
class Answers:
    """What a teacher answered, by the bytes of the points; on disk where there is a folder.

    The file is a header and records of d + k float64 (points, then answers; NaN where there is
    none) with eight bytes of their hash. A record that was cut off by a kill is cut away by the
    next writer; one that is damaged is not believed.

    Attributes
    ----------
    folder : None keeps answers in memory alone.
    fingerprint : of the teacher; part of the file's name and header.
    outputs : k.
    """

    folder: Path | None
    fingerprint: str
    outputs: int
    _known: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    _read: int = field(default=HEADER, repr=False)

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
        path = self._path(x.shape[1])
        size = (x.shape[1] + self.outputs) * 8 + CHECK
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock"), path.open("a+b") as file:
                file.seek(0)
                known = file.read(HEADER) == self._header(x.shape[1])
                end = file.seek(0, os.SEEK_END)
                if not known:  # new, cut off at its beginning, or damaged there
                    file.truncate(0)
                    file.write(self._header(x.shape[1]))
                elif (end - HEADER) % size:
                    file.truncate(end - (end - HEADER) % size)
                file.write(b"".join(a + b + _hash(a + b) for a, b in pairs))
                file.flush()
                os.fsync(file.fileno())

    def _refresh(self, d: int) -> None:
        """Read what was written since, also by others."""
        path = self._path(d) if self.folder is not None else None
        if path is None or not path.is_file():
            return
        size = (d + self.outputs) * 8 + CHECK
        with path.open("rb") as file:
            if file.read(HEADER) != self._header(d):
                return
            file.seek(self._read)
            data = file.read()
        whole = len(data) - len(data) % size
        for at in range(0, whole, size):
            record = data[at : at + size - CHECK]
            if _hash(record) == data[at + size - CHECK : at + size]:
                self._known[record[: 8 * d]] = record[8 * d :]
        self._read += whole

    def _path(self, d: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{self.fingerprint[:32]}_{d}_{self.outputs}.answers"

    def _header(self, d: int) -> bytes:
        text = MAGIC + f"{self.fingerprint} {d} {self.outputs}\n".encode()
        return text.ljust(HEADER, b" ")


def _hash(record: bytes) -> bytes:
    return hashlib.blake2b(record, digest_size=CHECK).digest()
