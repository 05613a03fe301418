"""What generated C costs on chips: distill beside emlearn, m2cgen and sympy's ccode.

    python benchmarks/firmware.py                                # everything, some minutes
    python benchmarks/firmware.py --problems dew_point --targets pic32 cortex_m0plus
    python benchmarks/firmware.py --toolchain native             # Debian's GCCs where they are
    python benchmarks/firmware.py --toolchain wheels native --write docs/firmware-figures.md

The other generators come with `pip install 'distill[bench]'`; one that is missing is a row that
says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from side_by_side.measuring import Accuracy, Emitted, Judge, OnChip, on_chip
from side_by_side.ours import AUTO, WAYS, Way, emit, specify, table_bytes
from side_by_side.peers import PEERS, CannotDo
from side_by_side.problems import PROBLEMS, Problem
from side_by_side.report import (
    TABLE_TOLERANCE,
    Row,
    Section,
    Verdict,
    markdown,
    table_verdict,
    verdicts,
)

from distill.config import options_of, read_option
from distill.errors import DistillError, ExportError, ToolchainError
from distill.firmware.alternatives import Alternative, cheapest, too_large
from distill.firmware.cost import Cost
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import ToolMissing

WORKERS = 2
ORDER = ("pic32", "cortex_m0plus", "cortex_m4", "cortex_m4f", "riscv32", "avr", "host")
"""Columns; targets of other names come behind."""

READ_ME = """\
# Figures of the generated C

Written by `{command}`; not edited by hand.

Each problem is emitted by distill in several ways and by other generators. A cell holds, for one
call, **instructions (on AVR: cycles) / bytes of flash / bytes of static RAM / bytes of stack**; the
flash holds everything that the function pulls in of the C library and the floating-point runtime.
Instructions are the mean over 32 points of the domain, counted in an emulator; all sources are
compiled at -Os.

The largest error is that of the compiled C against the teacher: over 131,072 points of the domain
with its corners, edges and faces, then the worst point that a search from the worst of them finds
(of trees: points on both sides of every split instead). Errors are taken at the numbers the C was
given, after their rounding to float32 or to fixed point.

distill's C checks its inputs and moves those outside the domain to the nearest bound; the
others' does not. The other generators' functions take and return `float`; rows with *integers* take
and return integers of fixed point, and *auto* is what `export.arithmetic=auto` takes with `float` at
the door.
"""


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
            rows.append(self._way(WAYS[2], targets, label=True))
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
                _note(row, f"{error.what} {_first(error.hint)}".strip())
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
        row = Row("auto, between floats")
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
    """The first lines of a complaint, as one."""
    return " ".join(text.split())[:200]


def chosen_targets(names: Sequence[str], toolchain: str) -> list[Target]:
    """The targets of these names, with the toolchain where they have it."""
    targets = []
    for name in sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n)):
        target = load_target(read_option("target", name))
        if toolchain != "own" and getattr(target, toolchain) is None:
            continue
        targets.append(target if toolchain == "own" else replace(target, toolchain=toolchain))
    return targets


def compilers(sections: Sequence[Section]) -> str:
    """Which compiler each target's figures come from."""
    named = {
        target.name: cost.compiler
        for section in sections
        for row in section.rows
        for target in section.targets
        if (cost := row.cost(target.name)) is not None
    }
    return "\n".join(f"- {name}: {compiler}" for name, compiler in named.items())


def main() -> int:
    """Read the arguments, measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--targets", nargs="+", choices=options_of("target"), default=None)
    parser.add_argument(
        "--toolchain", nargs="+", choices=["own", "wheels", "native"], default=["own"],
        help="own: the one that each target names",
    )  # fmt: skip
    parser.add_argument("--write", type=Path, help="a Markdown file for the figures")
    arguments = parser.parse_args()
    columns = {
        toolchain: chosen_targets(arguments.targets or options_of("target"), toolchain)
        for toolchain in arguments.toolchain
    }
    written: list[str] = []
    judged: list[Verdict] = []
    measured: dict[str, list[Section]] = {toolchain: [] for toolchain in columns}
    for name in arguments.problems:
        problem = PROBLEMS[name]()
        bench = Bench(problem)
        tell(written, about(problem))
        for toolchain, targets in columns.items():
            section = bench.section(targets)
            measured[toolchain].append(section)
            tell(written, section.text())
            if name == "dew_point":
                judged += verdicts(section)
        if name == "dew_point":
            judged.append(table_verdict(table_bytes(problem, TABLE_TOLERANCE)))
    used = [compilers(sections) for sections in measured.values()]
    tell(written, "## Compilers\n\n" + "\n\n".join(used))
    if judged:
        summary = markdown(["promise", "measured", ""], [verdict.row for verdict in judged])
        tell(written, f"## What was promised of the dew point to 0.1 degC\n\n{summary}")
    if arguments.write:
        command = " ".join(["python", "benchmarks/firmware.py", *sys.argv[1:]])
        text = "\n".join([READ_ME.format(command=command), *written])
        arguments.write.write_text(text, encoding="utf-8")
    return 0 if all(verdict.holds for verdict in judged) else 1


def about(problem: Problem) -> str:
    """A problem's heading."""
    return (
        f"## {problem.title}\n\nTeacher: {problem.teacher}. Tolerance {problem.tolerance:g}"
        f"{' ' + problem.unit if problem.unit else ''}. Formula: {problem.origin}; it is off by at "
        f"most {problem.formula_error:.3g} in exact arithmetic."
    )


def tell(written: list[str], text: str) -> None:
    """Print a part of the report, and keep it for the file."""
    print(text + "\n", flush=True)
    written.append(text + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DistillError as error:
        sys.exit(str(error))
