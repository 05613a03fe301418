"""An append-only record of work done, which survives a kill: what was written can be used again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from distill.files import disk_errors


class Journal:
    """JSON lines in one file; each is forced to the disk before :meth:`append` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def folder(self) -> Path:
        """Where it lies: what else is kept here survives a kill as well."""
        return self.path.parent

    def entries(self) -> list[dict[str, object]]:
        """Everything written so far. A last line cut short by a kill is dropped."""
        if not self.path.exists():
            return []
        entries: list[dict[str, object]] = []
        whole = 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                break
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
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())
