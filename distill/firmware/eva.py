"""All values that fixed-point C can meet, by Frama-C's Eva: no alarm proves no undefined behaviour.

Abstract interpretation (Cuoq et al., Frama-C: A Software Analysis Perspective, 2012) forgets how
values depend on each other, so the inputs are cut into boxes that are followed one by one.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.evidence import Check
from distill.firmware.interface import INT32
from distill.firmware.subject import Code
from distill.firmware.toolchains import ToolTimeout, run_tool

SECONDS = 300.0

MACHINES = {"gcc_x86_32": "32-bit int", "gcc_x86_16": "16-bit int"}
"""Frama-C's machines, by the width of int that matters: an AVR's is 16 bits."""

BOXES = 64
"""Boxes of the domain, about, besides those outside of it."""

MOST_CUT = 6
"""With more inputs than this, every one of them is a single box."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """What Eva said of one way to compile the C, the alarms among it, and whether one is sure."""

    alarms: tuple[str, ...]
    sure: bool
    text: str


def check_values(code: Code, folder: Path) -> tuple[Check, dict[str, str]]:
    """No alarm over every input there is (or of the domain, where the caller must keep to it).

    A sure alarm fails. One that is not says that Eva lost track of the values: nothing is proven,
    and nothing found. Neither is it where Frama-C does not end in time, as in large tables.

    Raises
    ------
    ToolchainError : when Frama-C does not get through the C.
    """
    name = "all values, Frama-C"
    if code.signature.number != "int32":
        # Eva does not follow a float through its bits, and so loses the box it came from.
        return Check(name, None, "done where the C takes integers (export.interface=integer)"), {}
    program = shutil.which("frama-c")
    if program is None:
        return Check(name, None, "frama-c is not installed: apt install frama-c-base"), {}
    version = run_tool([program, "-version"], seconds=60, folder=folder).output.split()[0]
    name = f"{name} {version}"
    driver = folder / "all_values.c"
    driver.write_text(driver_text(code))
    ways = ["", *(f"-D{variant}" for variant in code.variants)]
    texts, alarms, sure = [], [], False
    for define in ways:
        for machine, meaning in MACHINES.items():
            try:
                ran = analyse(program, code, driver, machine, define)
            except ToolTimeout as slow:
                return Check(name, None, f"not proven, but not refuted: {slow.what}"), {}
            texts.append(f"== {meaning} {define}\n{ran.text}")
            alarms += [f"{meaning}: {alarm}" for alarm in ran.alarms]
            sure |= ran.sure
    reports = {"frama-c.txt": "\n".join(texts)}
    figures = {"alarms": float(len(alarms))}
    if alarms:
        more = f" and {len(alarms) - 3} more" if len(alarms) > 3 else ""
        shown = f"{len(alarms)} alarms: {'; '.join(alarms[:3])}{more}"
        if sure:
            return Check(name, False, shown, figures), reports
        return Check(name, None, f"not proven, but not refuted: {shown}", figures), reports
    inputs = "every input of its type" if code.answers_everywhere else "every input in range"
    detail = f"no alarm at {inputs}, with {' and '.join(MACHINES.values())}, {len(ways)} way(s)"
    return Check(name, True, detail, figures), reports


def driver_text(code: Code) -> str:
    """C whose entry calls the function with every value that each argument may have."""
    columns = [_pieces(code, i) for i in range(code.signature.inputs)]
    tables, loops, steps = [], [], []
    for i, pieces in enumerate(columns):
        n = len(pieces)
        for name, end in (("low", 0), ("high", 1)):
            values = ", ".join(_literal(piece[end]) for piece in pieces)
            tables.append(f"static const int32_t {name}{i}[{n}] = {{{values}}};")
        loops.append(f"/*@ loop unroll {n}; */ for (int i{i} = 0; i{i} < {n}; i{i}++)")
        steps.append(f"x[{i}] = Frama_C_long_interval(low{i}[i{i}], high{i}[i{i}]);")
    lines = [
        *('#include "__fc_builtin.h"', f'#include "{code.header.name}"', *tables),
        *("void all_values(void);", "void all_values(void)", "{"),
        f"    int32_t x[{len(columns)}], y[{code.signature.columns}];",
        *(*(f"    {loop}" for loop in loops), "    {"),
        *(f"        {step}" for step in steps),
        *(f"        {code.signature.call(code.name)}", "    }", "}"),
    ]
    return "\n".join(lines) + "\n"


def _pieces(code: Code, column: int) -> list[tuple[int, int]]:
    """Consecutive ranges of integers that an input may have: its domain's, and what is outside."""
    inputs = code.signature.inputs
    low, high = (int(end[column]) for end in (code.interface.low, code.interface.high))
    count = min(max(int(BOXES ** (1 / inputs)), 1), high - low + 1)
    cuts = [low + (high - low + 1) * i // count for i in range(count + 1)]
    pieces = [(first, behind - 1) for first, behind in pairwise(cuts)]
    if not code.answers_everywhere:
        return pieces
    if inputs > MOST_CUT:  # the boxes outside alone would be three to the power of the inputs
        return [(int(INT32.min), int(INT32.max))]
    return [(int(INT32.min), low - 1), *pieces, (high + 1, int(INT32.max))]


def _literal(value: int) -> str:
    # -2147483648 is no literal in C: it negates one that int does not hold.
    return f"(-{-value - 1}L - 1)" if value < 0 else f"{value}L"


def analyse(program: str, code: Code, driver: Path, machine: str, define: str = "") -> Analysed:
    """Eva's words and alarms for one machine and one macro (``-DNAME``, or none).

    Raises
    ------
    ToolchainError : when Frama-C does not get to the end of the function.
    """
    arguments = [
        *(program, "-machdep", machine, f"-cpp-extra-args=-I{code.directory} {define}"),
        *("-eva", "-eva-precision", "3", "-eva-no-print", "-warn-special-float", "none"),
        *("-main", "all_values", str(driver), str(code.source)),
    ]
    ended = run_tool(arguments, seconds=SECONDS, folder=driver.parent)
    text = ended.output
    for folder in (code.directory, driver.parent):
        text = text.replace(f"{folder}/", "")
    summary = re.search(r"(\d+) alarms? generated by the analysis", text)
    if ended.status != 0 or summary is None or "NON TERMINATING" in text:
        last = [line for line in text.splitlines() if line.strip()][-6:]
        raise ToolchainError(f"Frama-C does not get through the C: {' | '.join(last)}")
    # An alarm's words stand on its own line or, when it is long, on the next.
    found = re.findall(r"\[eva:alarm\] (\S+): Warning:\s+([^\n]+)(?:\n {2,}(assert[^\n]*))?", text)
    alarms = tuple(" ".join(filter(None, words)).strip() for words in found)
    if not alarms and int(summary.group(1)):
        alarms = (summary.group(0),)
    told = [f"[eva:alarm] {alarm}" for alarm in alarms]
    return Analysed(
        alarms, "sure alarm" in text, "\n".join([*told, text[text.index("[eva:summary]") :]])
    )
