"""What the search keeps: pieces as quests, the ways tried on them, the best formulas so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from distill.engines.findings import Finding, State
from distill.engines.structure.assemble import Judge, length
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Fit, Piece
from distill.formula.text import to_text


@dataclass
class Branch:
    """A way to take a piece apart, and the quests for its parts."""

    move: Move
    quests: list[Quest]


@dataclass
class Quest:
    """A piece, what was tried on it and the best formulas so far.

    ``path`` says where in the tree it is: it seeds its random points.
    """

    piece: Piece
    path: tuple[int, ...]
    fits: list[Fit] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    effort: int = -1
    solved_by: Branch | None = None
    more: Iterator[Move] | None = None
    judge: Judge | None = None

    def best(self, target: float) -> Fit | None:
        """The simplest formula within the target, else the most accurate one."""
        within = [f for f in self.fits if f.error <= target]
        if within:
            return min(within, key=lambda f: (length(f.tree), f.error))
        return min(self.fits, key=lambda f: f.error, default=None)

    @property
    def is_root(self) -> bool:
        """Whether it is the whole."""
        return len(self.path) == 1


def solved(quest: Quest, level: Level) -> bool:
    """Whether the whole has a formula within the teacher's own error."""
    return any(fit.error <= level.final for fit in quest.fits)


def explained(quest: Quest, level: Level, unit: float) -> Finding:
    """What was found about a piece and its parts; ``unit`` turns errors into the teacher's unit."""
    target = level.final if quest.is_root else level.target
    best = quest.best(target)
    solved = best is not None and best.error <= target
    formula = to_text(quest.piece.shown(best.tree), 5) if solved and best is not None else ""
    label = quest.piece.label
    chosen = quest.solved_by
    if chosen is None and quest.branches and not solved:
        chosen = max(quest.branches, key=_progress)
    rejected = tuple(
        Finding(label, b.move.text, "rejected", b.move.price * unit)
        for b in quest.branches
        if b is not chosen
    )
    if chosen is None:
        state: State = "solved" if solved else "open"
        text = "solved directly" if solved else "nothing found"
        error = best.error * unit if best else np.inf
        return Finding(label, text, state, error, formula, rejected)
    parts = tuple(explained(part, level, unit) for part in chosen.quests)
    state = "solved" if solved else "believed"
    error = chosen.move.price * unit
    return Finding(label, chosen.move.text, state, error, formula, rejected + parts)


def _progress(branch: Branch) -> float:
    return sum(bool(part.fits) for part in branch.quests) / len(branch.quests)
