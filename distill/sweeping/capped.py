"""A log that cannot fill the disk: what is written past its limit is left out, and it says so."""

from __future__ import annotations

import io
from typing import TextIO

MOST = 10_000_000
"""Characters of a job's log; a usual one has some thousands."""


class CappedText(io.TextIOBase):
    """Passes at most ``most`` characters on to a file."""

    def __init__(self, file: TextIO, most: int = MOST) -> None:
        self._file, self._left = file, most

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Write what there is room for; the last line says where the log is cut."""
        if self._left > 0:
            self._file.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._file.write("\n... the log is cut here: it has its largest size.\n")
        return len(text)

    def flush(self) -> None:
        """Hand over what is held back."""
        self._file.flush()
