"""What a check says: it held, or where it did not."""

from __future__ import annotations

from dataclasses import dataclass

from distill.arrays import Array


@dataclass(frozen=True)
class Checked:
    """A printer agreed at ``points``, using ``used`` of what it is allowed at most."""

    printer: str
    points: int
    used: float = 0.0


class Mistake(Exception):
    """A printer does not do what it promises, at a point where there is one."""

    def __init__(self, printer: str, what: str, at: Array | None = None) -> None:
        where = "" if at is None else f" at ({', '.join(repr(float(v)) for v in at)})"
        super().__init__(f"{printer}: {what}{where}")
        self.printer = printer
