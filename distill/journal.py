"""An append-only record of work done, which survives a kill: what was written can be used again."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from distill.files import disk_errors


class Journal:
    """Lines of a checksum and JSON; each is on the disk before :meth:`append` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def folder(self) -> Path:
        """Where it lies: what else is kept here survives a kill as well."""
        return self.path.parent

    def entries(self) -> list[dict[str, object]]:
        """Everything written so far, up to a line that was cut short by a kill, or damaged."""
        if not self.path.exists():
            return []
        entries: list[dict[str, object]] = []
        whole = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            text = line[_SUM:].removesuffix(b"\n")
            if line != _checked(text):
                break
            entries.append(json.loads(text))
            whole += len(line)
        if whole < self.path.stat().st_size:
            with disk_errors(self.path):
                os.truncate(self.path, whole)
        return entries

    def append(self, entry: Mapping[str, object]) -> None:
        """Add one entry.

        Raises
        ------
        StorageError : when the disk is full or the folder cannot be written.
        """
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(_checked(json.dumps(entry).encode()))
                file.flush()
                os.fsync(file.fileno())


_SUM = 9  # eight digits and a blank


def _checked(text: bytes) -> bytes:
    """A line with its CRC-32 before it."""
    return b"%08x %b\n" % (zlib.crc32(text), text)
