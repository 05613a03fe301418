"""The tree of hypotheses: what was found about each piece, tried in turn, with growing effort.

Every piece is a *quest*. A quest tries the ways to take its piece apart in the order of its tests;
each way is a *branch* whose parts are quests again. With little effort only the first ways are
followed and only quick means used; what is not solved is visited again with more. A way that looked
true and led nowhere is one of several, so a false positive costs time and not the result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from distill.engines.rules import Rules
from distill.engines.structure import leaves
from distill.engines.structure.allowed import usable
from distill.engines.structure.assemble import Judge, improved, length, pareto, shortened, tidy
from distill.engines.structure.curves.solve import solve_curve
from distill.engines.structure.moves import Level, Move
from distill.engines.structure.piece import Curve, Fit, Piece
from distill.engines.structure.quests import Branch, Quest
from distill.engines.structure.ways import ways
from distill.errors import FormulaError
from distill.formula.tree import Call, Node, complexity, substitute, symbols

EFFORTS = 3
WIDTHS = (2, 4, 8)
"""So many ways of each piece are followed, by effort."""

NODES_A_VARIABLE = 4
SECOND_OPINIONS = 2
"""A longer formula than so many nodes a variable may be a true one in disguise: so many more ways
are followed to find it shorter."""

DEEPEST = 12
FRONT = 6


LOOSE = 3.0
ROOT_POINTS = 1500
PIECE_EVALUATED = 250
"""Evaluated formulas that looking at a piece counts for."""

VISITS = (80, 160, 320)
"""So many pieces are looked at, by effort: false findings breed."""


class OutOfTime(Exception):
    """The deadline has passed."""


class Search:
    """A search at one level of exactness.

    Formulas for the whole are judged on all of its box, ``everywhere``: findings may come from a
    part of it where the teacher is better.
    """

    def __init__(
        self,
        level: Level,
        operators: Mapping[str, float],
        seed: int,
        deadline: float | None,
        everywhere: Piece,
        evaluations: int | None,
        rules: Rules | None = None,
    ) -> None:
        self.level = level
        self.rules = rules or Rules()
        self.everywhere = everywhere
        self.evaluations = evaluations
        self.evaluated = 0
        self._visits = 0
        self.operators = operators
        self.seed = seed
        self.deadline = deadline

    def run(self, root: Quest, effort: int) -> Iterator[None]:
        """Work on the root with one effort, yielding now and then.

        Raises
        ------
        OutOfTime : when the deadline has passed.
        """
        self._visits = 0
        yield from self._work(root, effort)

    def target(self, quest: Quest) -> float:
        """The error at which a quest is solved."""
        return self.level.final if quest.is_root else self.level.target

    def _solved(self, quest: Quest) -> bool:
        return any(f.error <= self.target(quest) for f in quest.fits)

    def _short(self, quest: Quest) -> bool:
        """Whether the formula is about as short as one of its variables can be."""
        best = quest.best(self.target(quest))
        most = NODES_A_VARIABLE * (len(quest.piece) + 1)
        return best is not None and complexity(best.tree) <= most

    def _work(self, quest: Quest, effort: int) -> Iterator[None]:
        if self._solved(quest) or quest.effort >= effort or self._visits >= VISITS[effort]:
            return
        if not self._affords(PIECE_EVALUATED):
            return
        self._visits += 1
        self.evaluated += PIECE_EVALUATED
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
        piece, first = quest.piece, quest.effort < 0
        quest.effort = effort
        rng = np.random.default_rng([self.seed, *quest.path])
        if first:
            root = quest.is_root
            quest.judge = Judge(self.everywhere, rng, ROOT_POINTS) if root else Judge(piece, rng)
            alone = leaves.constant(piece, self.level, rng)
            if alone is not None:
                self._take(quest, [alone], None)
                return
            quest.more = self._ways(piece, rng) if len(quest.path) < DEEPEST else iter(())
        if len(piece) == 1:
            self._take(quest, self._curve(quest, effort), None)
            yield
            return
        left = WIDTHS[effort]
        for branch in self._branches(quest):
            yield from self._follow(quest, branch, effort)
            left -= 1
            if self._solved(quest):
                if self._short(quest):
                    return
                left = min(left, SECOND_OPINIONS)
            if left == 0:
                break
        if self._solved(quest):
            return
        if len(piece) > 1:
            self._take(quest, self._searched(quest, effort), None)
            yield

    def _curve(self, quest: Quest, effort: int) -> list[Fit]:
        effort = effort if self._affords(leaves.CURVE_SEARCHED[effort]) else 0
        self.evaluated += leaves.CURVE_SEARCHED[effort]
        seed = _seed(self.seed, quest.path)
        operators = self.rules.usable(self.operators, quest.piece.views)
        return leaves.curve(quest.piece, self.level, operators, seed, effort, self.deadline)

    def _ways(self, piece: Piece, rng: np.random.Generator) -> Iterator[Move]:
        seed = int(rng.integers(2**31))

        def solve(slice_: Curve) -> list[Fit]:
            return solve_curve(
                slice_,
                target=self.level.target,
                operators=self.operators,
                seed=seed,
                effort=0,
                deadline=self.deadline,
            )

        return ways(piece, self.level, rng, self.operators, solve)

    def _searched(self, quest: Quest, effort: int) -> list[Fit]:
        if not self._affords(leaves.SEARCHED[effort]):
            return []
        self.evaluated += leaves.SEARCHED[effort]
        seed = _seed(self.seed, quest.path)
        operators = self.rules.usable(self.operators, quest.piece.views)
        return leaves.searched(quest.piece, self.level, operators, seed, effort, self.deadline)

    def _affords(self, evaluations: int) -> bool:
        """Whether this much fits into the half of the budget that pieces may use."""
        return self.evaluations is None or self.evaluated + evaluations <= self.evaluations / 2

    def _follow(self, quest: Quest, branch: Branch, effort: int) -> Iterator[None]:
        try:
            for part in branch.quests:
                yield from self._work(part, effort)
                if not self._worth_joining(part):
                    return
        except OutOfTime:
            # What is there is put together before the time is over.
            if all(map(self._worth_joining, branch.quests)):
                self._take(quest, list(self._joined(quest, branch, hurried=True)), branch)
            raise
        self._take(quest, list(self._joined(quest, branch)), branch)
        yield

    def _worth_joining(self, part: Quest) -> bool:
        best = part.best(self.level.target)
        return best is not None and best.error <= self.level.rough

    def _joined(self, quest: Quest, branch: Branch, *, hurried: bool = False) -> Iterator[Fit]:
        """Formulas of the parts put together: equally simple ones, then one part made different.

        A part's answers may be worse than they are taken to be, so a simpler formula a little
        further off may be the true one; the whole decides. ``hurried`` takes the first ones as
        they are.
        """
        loose = self.level.target if self.level.exact else LOOSE * self.level.target
        choices: list[list[Node]] = []
        for part in branch.quests:
            names = dict(zip(part.piece.names, part.piece.local, strict=True))
            wanted = [part.best(loose), part.best(self.level.target), part.best(0.0), *part.fits]
            different = dict.fromkeys(substitute(f.tree, names) for f in wanted if f is not None)
            choices.append(list(different))
        most = max((len(trees) for trees in choices), default=1)
        combos = [[trees[min(k, len(trees) - 1)] for trees in choices] for k in range(min(most, 3))]
        first = combos[0]
        for i, others in enumerate(choices):
            combos += [[*first[:i], other, *first[i + 1 :]] for other in others[1:3]]
        judge, root = quest.judge, quest.is_root
        assert judge is not None
        found: list[Fit] = []
        for combo in list(dict.fromkeys(map(tuple, combos))):
            try:
                fit = tidy(branch.move.join(combo), judge)
            except (FormulaError, OverflowError):
                continue
            if hurried:
                yield fit
                return
            found += improved(fit, judge, self.level, boldly=root)
        yield from found
        done = [fit for fit in found if fit.error <= self.level.final]
        if root and done:
            yield shortened(min(done, key=lambda f: length(f.tree)), judge, self.level)

    def _take(self, quest: Quest, fits: Sequence[Fit], branch: Branch | None) -> None:
        before = self._solved(quest)
        piece, root = quest.piece, quest.is_root
        usable_ones = [
            f
            for f in fits
            if usable(f.tree, self.operators) and self.rules.allows(piece.shown(f.tree), whole=root)
        ]
        quest.fits = pareto([*quest.fits, *usable_ones], FRONT)
        if self._solved(quest) and not before:
            quest.solved_by = branch

    def blocks(self, quest: Quest) -> Iterator[Node]:
        """Views of several variables and formulas of parts, over the variables of ``quest``."""
        for branch in quest.branches[:2]:
            for part in branch.quests:
                names = dict(zip(part.piece.names, part.piece.local, strict=True))
                for view in part.piece.local:
                    if isinstance(view, Call):
                        yield view
                best = part.best(self.level.target)
                if best is not None and best.error <= self.level.target and symbols(best.tree):
                    yield substitute(best.tree, names)
                for tree in self.blocks(part):
                    yield substitute(tree, names)

    def _branches(self, quest: Quest) -> Iterator[Branch]:
        """Those already there, then new ones as the tests give them."""
        yield from list(quest.branches)
        assert quest.more is not None
        for move in quest.more:
            views = [view for part in move.parts for view in part.views]
            if not all(
                usable(view, self.operators) and self.rules.allows(view, whole=False)
                for view in views
            ):
                continue
            n = len(quest.branches)
            quests = [Quest(part, (*quest.path, 16 * n + k)) for k, part in enumerate(move.parts)]
            branch = Branch(move, quests)
            quest.branches.append(branch)
            yield branch


def _seed(seed: int, path: tuple[int, ...]) -> int:
    return int(np.random.default_rng([seed, *path, 1]).integers(2**31))
