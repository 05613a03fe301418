"""How a step's C is called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A static function ``function(const real *x, real *y, arguments...)``.

    Attributes
    ----------
    function : its name.
    arguments : what it takes after x and y.
    in_place : whether y may be x.
    stack : bytes of the arrays that it, and what it calls, keeps on the stack.
    """

    function: str
    arguments: tuple[str, ...] = ()
    in_place: bool = False
    stack: int = 0

    def text(self, x: str, y: str) -> str:
        """The statement."""
        return f"{self.function}({', '.join((x, y, *self.arguments))});"
