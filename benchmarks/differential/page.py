"""The page of figures."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path

from differential.generating import LARGEST
from differential.trying import Tally
from distill.firmware.toolchains import host_compilers

HEAD = """# Differential testing: figures

Written by `python benchmarks/differential.py --formulas N --write docs/differential.md`; do not
edit.

Random formulas over all operators, of 2 to {largest} nodes, over domains of one to four inputs:
ordinary, tiny, huge, one-sided, logarithmic, whole and boolean. Two of three are finite where they
were looked at, the others may be anything. Each goes through every printer, and what the printers
say is compared:

- *text*, *JSON*: read back to the same tree; *FPCore*: read by a reader of its own, the same bits
  as NumPy; *LaTeX*, *MathML*: well formed.
- *NumPy*, *torch*, *sympy* against the formula in real numbers (mpmath, {bits} bits, from the
  tree), within twice the running error bound. Points where that bound is not small are left out.
- *C* (`float32` and `double` with the C library, `own` functions in float32, `fixed` point with
  floats and with integers at its door, `table` alone in every arithmetic): *bit for bit* against
  its model in Python where that is promised; else *within its rounding*, the self-test's allowance;
  and *of the formula*: within the stated error of the formula in real numbers. In floats the last
  two leave out points at which rounding alone decides: next to a pole, at angles whose last place
  turns them, behind values of which rounding has left another number. Inputs are the edges
  of [the verification](guarantees.md) (bounds and their neighbours, both zeros, subnormals, NaN,
  infinities, far outside), the formula's own constants and the table's last breakpoints with their
  neighbours, and random points. Every policy for inputs out of range takes its turn.

*Use* is the largest part of what is allowed that was used up; above 1 (of first-order bounds 2) it
is a mistake.

{when}, {machine}, Python {python}, {compilers}.
"""


def write_page(path: Path, tally: Tally, count: int, seed: int, bits: int) -> None:
    """Write what came of ``count`` formulas."""
    compilers = ", ".join(compiler.name for compiler in host_compilers())
    head = HEAD.format(
        largest=LARGEST, bits=bits, when=time.strftime("%Y-%m-%d", time.gmtime()),
        machine=platform.machine(), python=platform.python_version(), compilers=compilers,
    )  # fmt: skip
    rows = [
        f"| {name} | {tally.formulas[name]:,} | {tally.points[name]:,} | {_use(tally, name)} |"
        for name in sorted(tally.formulas)
    ]
    refused = [
        f"| {printer} | {reason} | {number:,} |" for (printer, reason), number in _sorted(tally)
    ]
    lines = [
        head,
        f"{count:,} formulas of seed {seed}: {len(tally.mistakes)} mistakes.\n",
        "| printer | formulas | points | use |",
        "|---|---|---|---|",
        *rows,
        "",
        "What was refused, with the reason that the user gets:",
        "",
        "| printer | reason | formulas |",
        "|---|---|---|",
        *refused,
        "",
    ]
    if tally.mistakes:
        lines += ["Mistakes:", "", *_told(tally.mistakes), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _use(tally: Tally, name: str) -> str:
    return f"{tally.used[name]:.3f}" if tally.used[name] else ""


def _sorted(tally: Tally) -> list[tuple[tuple[str, str], int]]:
    return sorted(tally.refused.items(), key=lambda row: (row[0][0], -row[1]))


def _told(mistakes: Sequence[tuple[int, str, str]]) -> list[str]:
    return [f"- formula {number}, {printer}: {what}" for number, printer, what in mistakes]
