"""All rows of one problem: what is emitted, the errors found, the costs on every target."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from textwrap import shorten

from distill.errors import ExportError, ToolchainError
from distill.firmware.alternatives import Alternative, cheapest, too_large
from distill.firmware.cost import Cost
from distill.firmware.target import Target
from distill.firmware.toolchains import ToolMissing

from .measuring import Accuracy, Emitted, Judge, OnChip, on_chip
from .ours import AUTO, AUTO_ROW, FIXED, WAYS, Way, emit, specify
from .peers import PEERS, CannotDo
from .problems import Problem
from .report import Row, Section

WORKERS = 2


@dataclass(eq=False)
class Bench:
    """One problem: what was emitted for it, and the errors found."""

    problem: Problem
    judge: Judge = field(init=False)
    _known: dict[str, Accuracy] = field(default_factory=dict)
    _costs: dict[tuple[str, str], OnChip | ToolchainError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.judge = Judge(self.problem)

    def section(self, targets: Sequence[Target]) -> Section:
        """All rows on some targets."""
        rows = [self.peer(name, targets) for name in PEERS]
        rows += [self._way(way, targets) for way in WAYS]
        if self.problem.label_above is not None:
            rows.append(self._way(FIXED, targets, label=True))
        return Section(self.problem, targets, [*rows, self._auto(targets)])

    def peer(self, name: str, targets: Sequence[Target]) -> Row:
        """The row of another generator."""
        row = Row(name)
        try:
            emitted = PEERS[name](self.problem)
        except CannotDo as reason:
            row.notes.append(str(reason))
            return row
        self._fill(row, targets, lambda _: emitted)
        return row

    def _way(self, way: Way, targets: Sequence[Target], *, label: bool = False) -> Row:
        row = Row(f"{way.name}, label" if label else way.name)
        self._fill(row, targets, lambda target: emit(specify(self.problem, way, target), label))
        return row

    def _fill(self, row: Row, targets: Sequence[Target], make: Callable[[Target], Emitted]) -> None:
        """The error of the C, the largest of all targets' where they differ, and its costs."""
        emitted: dict[str, Emitted] = {}
        for target in targets:
            try:
                emitted[target.name] = make(target)
                accuracy = self._accuracy(emitted[target.name])
            except (ExportError, ToolchainError) as error:
                _note(row, _first(error.what))
                continue
            if row.accuracy is None or accuracy.worst > row.accuracy.worst:
                row.accuracy = accuracy
        chosen = [target for target in targets if target.name in emitted]
        with ThreadPoolExecutor(WORKERS) as pool:
            measured = pool.map(lambda t: self._measure(emitted[t.name], t), chosen)
        for target, found in zip(chosen, measured, strict=True):
            row.cells[target.name] = self._cell(row, target, emitted[target.name], found)

    def _cell(
        self, row: Row, target: Target, emitted: Emitted, found: OnChip | ToolchainError
    ) -> Cost | str:
        if isinstance(found, ToolchainError):
            _note(row, f"{target.name}: {_first(found.what)}")
            return "not installed" if isinstance(found, ToolMissing) else "does not run"
        allowed = 0.5 if emitted.label else 0.01 * self.problem.tolerance
        if found.differs > allowed:
            how = "other labels" if emitted.label else f"answers that differ by {found.differs:.3g}"
            _note(row, f"{target.name}: gives {how} from those on this machine")
        if why := too_large(found.cost, target):
            _note(row, f"{target.name}: {why}")
        return found.cost

    def _auto(self, targets: Sequence[Target]) -> Row:
        """The cheapest within the tolerance of all ways between floats, target by target."""
        row = Row(AUTO_ROW)
        rows = [self._way(way, targets) for way in AUTO]
        taken: dict[str, list[str]] = {}
        for target in targets:
            ways = {
                Alternative(way.content, way.arithmetic, cost=each.cost(target.name)): each
                for way, each in zip(AUTO, rows, strict=True)
                if each.accuracy is not None
                and each.accuracy.worst <= self.problem.tolerance
                and each.cost(target.name) is not None
            }
            best = cheapest(list(ways))
            if best is None or best.cost is None:
                continue
            chosen = ways[best]
            row.cells[target.name] = best.cost
            taken.setdefault(chosen.name, []).append(target.name)
            assert chosen.accuracy is not None  # those without are left out
            if row.accuracy is None or chosen.accuracy.worst > row.accuracy.worst:
                row.accuracy = chosen.accuracy
        row.notes += [f"the {name} on {', '.join(where)}" for name, where in taken.items()]
        return row

    def _accuracy(self, emitted: Emitted) -> Accuracy:
        key = emitted.key
        if key not in self._known:
            self._known[key] = self.judge.accuracy(emitted)
        return self._known[key]

    def _measure(self, emitted: Emitted, target: Target) -> OnChip | ToolchainError:
        key = emitted.key, f"{target.name} {target.toolchain}"
        if key not in self._costs:
            try:
                self._costs[key] = on_chip(emitted, self.problem.domain, target)
            except ToolchainError as error:
                self._costs[key] = error
        return self._costs[key]


def _note(row: Row, note: str) -> None:
    if note not in row.notes:
        row.notes.append(note)


def _first(text: str) -> str:
    """The beginning of a complaint, without the names of temporary folders."""
    return shorten(re.sub(r"\S*/distill-\w+/", "", text), 300, placeholder=" …")
