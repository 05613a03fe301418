"""The precisions that cost least: which of the nodes get which share of the error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from distill.firmware.fixed.build import Built, Failure, Frame, build
from distill.firmware.fixed.estimates import Estimates
from distill.firmware.fixed.nodes import Node
from distill.firmware.ranges import split, used_columns

_COARSEST, _FINEST, _HOPELESS = -8, 24, -64
_ROUNDS, _REPAIRS = 3, 8
_REFINEMENTS, _SPLIT = 12, 0.7

_MOVES, _FEWEST = 4096, 8
"""Long formulas move the precisions of neighbours together: nodes times groups of them are at most
so many, because every move builds all nodes; a few groups there always are."""


def refine(frame: Frame, nodes: list[Node], precisions: dict[int, int], most: int) -> Frame:
    """Smaller boxes where the bound of the error is large, up to ``most`` of them.

    Beside a root's zero the errors of one large box, its slopes and its widths taken together,
    would be far from those of any point.
    """
    best = math.inf
    for _ in range(_REFINEMENTS):
        built = build(frame, nodes, precisions)
        if isinstance(built, Failure) or built.error > best * 0.98:
            break
        best = built.error
        worst = built.result.error >= _SPLIT * best
        boxes = split(frame.boxes, frame.domain, worst, used_columns(frame.graph))
        if len(boxes) > most:
            break
        frame = Frame.of(frame.graph, frame.domain, boxes, frame.whole_bytes)
    return frame


@dataclass(frozen=True)
class Search:
    """Moves precisions towards lower cost."""

    frame: Frame
    nodes: list[Node]
    accuracy: float
    estimates: Estimates

    @cached_property
    def groups(self) -> list[list[Node]]:
        """The nodes whose precisions move together: each alone, where they are few."""
        count = len(self.nodes)
        size = math.ceil(count / max(_FEWEST, _MOVES // count))
        return [self.nodes[i : i + size] for i in range(0, count, size)]

    def start(self, precisions: dict[int, int]) -> dict[int, int]:
        """All precisions moved by as few bits as hold the accuracy.

        Raises
        ------
        ExportError : when no number of bits does.
        """
        least, best = math.inf, precisions
        failures: dict[int, Failure] = {}
        for more in (*range(_COARSEST, _FINEST), *range(_COARSEST - 1, _HOPELESS, -1)):
            if more < _COARSEST and math.isfinite(least):
                break  # only where nothing fits, less is tried, to tell what would
            moved = {at: precision + more for at, precision in precisions.items()}
            built = build(self.frame, self.nodes, moved)
            if isinstance(built, Failure):
                failures.setdefault(abs(more), built)
            elif built.error < least:
                least, best = built.error, moved
            if least <= self.accuracy:
                return best
        if math.isfinite(least):
            least, best = self._repair(least, best)
        if least > self.accuracy:
            unreached = Failure(self.nodes[-1].at, "no precision reaches it")
            # What stands in the way nearest to the precisions that were asked for.
            failure = failures[min(failures)] if failures else unreached
            raise failure.error(self.frame.graph, self.accuracy, least)
        return best

    def _repair(self, least: float, best: dict[int, int]) -> tuple[float, dict[int, int]]:
        """Raise single precisions for as long as that helps: steep places ask for more of some."""
        for _ in range(_REPAIRS):
            before = least
            for group in self.groups:
                for move in (3, 8):
                    trial = _moved(best, group, move)
                    built = build(self.frame, self.nodes, trial)
                    if isinstance(built, Built) and built.error < 0.98 * least:
                        least, best = built.error, trial
                if least <= self.accuracy:
                    return least, best
            if least >= before:
                break
        return least, best

    def improve(self, precisions: dict[int, int]) -> dict[int, int]:
        """Precisions that cost less: bits that cost nothing first, to pay for those that do."""
        best, cost = precisions, self._cost(precisions)
        for _ in range(_ROUNDS):
            before = cost
            for moves, strict in ((range(1, 3), False), (range(-1, -7, -1), True)):
                for group in self.groups:
                    for move in moves:
                        trial = _moved(best, group, move)
                        trial_cost = self._cost(trial)
                        if trial_cost < cost or (not strict and trial_cost == cost):
                            best, cost = trial, trial_cost
                        elif math.isinf(trial_cost):
                            break  # further the same way is worse
            if cost >= before:
                break
        return best

    def _cost(self, precisions: dict[int, int]) -> float:
        built = build(self.frame, self.nodes, precisions)
        if isinstance(built, Failure) or built.error > self.accuracy:
            return math.inf
        return built.cost(self.estimates)


def _moved(precisions: dict[int, int], group: list[Node], move: int) -> dict[int, int]:
    return {**precisions, **{node.at: precisions[node.at] + move for node in group}}
