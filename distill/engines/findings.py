"""What an engine learned about the teacher on the way: a tree that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, cast, get_args

from distill.errors import FormulaError

State = Literal["solved", "believed", "rejected", "open"]
"""Solved: a formula within the error. Believed: verified on fresh points, not solved. Rejected: it
looked true and what was built on it was not. Open: nothing was found here."""


@dataclass(frozen=True)
class Finding:
    """One thing found about one piece of the teacher, and what was found in the parts it left.

    Attributes
    ----------
    piece : what it is about, in the teacher's inputs: ``f(x1 - x2, m)``.
    text : what was found: ``depends on x1 - x2 only``.
    error : how far the teacher's answers would have to be off for it to be true, in their unit.
    formula : what the piece came to, where it was solved.
    """

    piece: str
    text: str
    state: State
    error: float
    formula: str = ""
    parts: tuple[Finding, ...] = ()

    def to_data(self) -> dict[str, object]:
        """A plain form; :meth:`from_data` reads it back."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Finding:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        FormulaError : when it is no finding.
        """
        try:
            state, parts = data["state"], data["parts"]
            if state not in get_args(State) or not isinstance(parts, list | tuple):
                raise ValueError(state)
            return cls(
                str(data["piece"]),
                str(data["text"]),
                cast(State, state),
                float(str(data["error"])),
                str(data["formula"]),
                tuple(cls.from_data(part) for part in parts),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormulaError(f"not a finding: {error!r}.") from None


def lines(finding: Finding, indent: str = "") -> Iterator[str]:
    """The tree as text, a finding a line, its parts below it and further in."""
    solved = f" = {finding.formula}" if finding.formula else ""
    mark = {"solved": "✓", "believed": "·", "rejected": "✗", "open": "?"}[finding.state]
    yield f"{indent}{mark} {finding.piece}{solved}: {finding.text} (within {finding.error:.2g})"
    for part in finding.parts:
        yield from lines(part, indent + "  ")
