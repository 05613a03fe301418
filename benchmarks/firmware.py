"""What generated C costs on chips: distill beside emlearn, m2cgen and sympy's ccode.

    python benchmarks/firmware.py                                # everything: 15 minutes
    python benchmarks/firmware.py --problems dew_point --targets pic32 cortex_m0plus
    python benchmarks/firmware.py --toolchain native             # Debian's GCCs where they are
    python benchmarks/firmware.py --toolchain wheels native --write docs/firmware-figures.md

The other generators come with `pip install 'distill[bench]'`; one that is missing is a row that
says so.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from publishing import conditions, record
from side_by_side.bench import Bench
from side_by_side.ours import table_bytes
from side_by_side.problems import PROBLEMS, Problem
from side_by_side.report import (
    TABLE_TOLERANCE,
    Section,
    Verdict,
    markdown,
    table_verdict,
    verdicts,
)

from distill.config.folder import options_of, read_option
from distill.errors import DistillError
from distill.firmware.target import Target, load_target

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

distill's C checks its inputs and moves those outside the domain to the nearest bound, but for the
row that says *unchecked*; the others' does not. The other generators' functions take and return
`float`; rows with *integers* take and return integers of fixed point, and *auto* is what
`export.arithmetic=auto` takes with `float` at the door.
"""


def chosen_targets(
    names: Sequence[str], toolchain: Literal["own", "wheels", "native"]
) -> list[Target]:
    """The targets of these names, with the toolchain where they have it."""
    targets = []
    for name in sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n)):
        target = load_target(read_option("target", name))
        if toolchain != "own" and getattr(target, toolchain) is None:
            continue
        targets.append(target if toolchain == "own" else replace(target, toolchain=toolchain))
    return targets


def compilers(measured: Mapping[str, Sequence[Section]]) -> str:
    """Which compiler each target's figures come from, by the choice of toolchain."""
    named = {
        (target.name, cost.compiler): None  # a dictionary keeps the order
        for sections in measured.values()
        for section in sections
        for row in section.rows
        for target in section.targets
        if (cost := row.cost(target.name)) is not None
    }
    return "\n".join(f"- {name}: {compiler}" for name, compiler in named)


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
    record.add_option(parser)
    arguments = parser.parse_args()
    measured_on = conditions.now()
    columns = {
        toolchain: chosen_targets(arguments.targets or options_of("target"), toolchain)
        for toolchain in arguments.toolchain
    }
    parts: list[str] = []
    judged: list[Verdict] = []
    measured: dict[str, list[Section]] = {toolchain: [] for toolchain in columns}
    for name in arguments.problems:
        problem = PROBLEMS[name]()
        bench = Bench(problem)
        parts.append(shown(about(problem)))
        for toolchain, targets in columns.items():
            section = bench.section(targets)
            measured[toolchain].append(section)
            if len(columns) > 1:
                parts.append(shown(f"Toolchain `{toolchain}`:"))
            parts.append(shown(section.text()))
            if name == "dew_point":
                judged += verdicts(section)
        if name == "dew_point":
            judged.append(table_verdict(table_bytes(problem, TABLE_TOLERANCE)))
    summary = [shown(f"## Compilers\n\n{compilers(measured)}")]
    if judged:
        verdict_rows = markdown(["promise", "measured", ""], [verdict.row for verdict in judged])
        summary.insert(0, shown(f"## What was promised of the dew point\n\n{verdict_rows}"))
    if arguments.write:
        command = " ".join(["python", "benchmarks/firmware.py", *sys.argv[1:]])
        head = READ_ME.format(command=command).rstrip()
        text = "\n\n".join([head, measured_on.text(), *summary, *parts])
        arguments.write.write_text(text + "\n", encoding="utf-8")
    figures = ((v.promise, f"{v.measured}: {v.row[-1]}") for v in judged)
    record.save(arguments.figures, measured_on, figures)
    return 0 if all(verdict.holds for verdict in judged) else 1


def about(problem: Problem) -> str:
    """A problem's heading."""
    return (
        f"## {problem.title}\n\nTeacher: {problem.teacher}. Tolerance {problem.tolerance:g}"
        f"{' ' + problem.unit if problem.unit else ''}. Formula: {problem.origin}; it is off by at "
        f"most {problem.formula_error:.3g} in exact arithmetic."
    )


def shown(text: str) -> str:
    """The text, printed."""
    print(text + "\n", flush=True)
    return text


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DistillError as error:
        sys.exit(str(error))
