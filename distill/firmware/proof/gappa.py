"""A second opinion by Gappa, where it is installed: straight-line float32 without functions.

Gappa proves bounds of rounding errors from interval arithmetic and rewriting rules (M. Daumas and
G. Melquiond, ACM TOMS 37(1), 2010; the Debian package `gappa`). Every way in which a compiler may
fuse a product into a sum is a script of its own; the largest of their bounds counts.
"""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping

import numpy as np

from distill.domain import Domain
from distill.firmware.graph import CONSTANT, INPUT, Graph, Operation
from distill.firmware.proof.floats import fusable

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_KNOWN = frozenset([*_INFIX, "neg", "abs", "sqrt", INPUT, CONSTANT])
_WAYS = 12
"""More ways to fuse are not tried."""
_OPERATIONS = 40
_SECONDS = 3.0
_PARTS = 64
"""Into how many boxes Gappa may cut the domain."""

Fused = Mapping[int, int]
"""By the number of a sum, which of its arguments is a product that it takes unrounded."""


def gappa_bound(graph: Graph, domain: Domain) -> float | None:
    """Gappa's bound of |C - graph| over the domain in float32; None where it has none.

    That is where Gappa is not installed, where the graph has functions, branches or kernels, and
    where Gappa finds no bound in a few seconds.
    """
    program = shutil.which("gappa")
    if program is None or not suits(graph):
        return None
    ways = list(itertools.islice(fusings(graph), _WAYS + 1))
    if len(ways) > _WAYS:
        return None
    worst, end = 0.0, time.monotonic() + _SECONDS
    for fused in ways:
        bound = _ask(program, script(graph, domain, fused), end - time.monotonic())
        if bound is None:
            return None
        worst = max(worst, bound)
    return worst


def suits(graph: Graph) -> bool:
    """Whether Gappa knows all operations of a graph, and they are few."""
    names = {operation.name for operation in graph.operations}
    return names <= _KNOWN and len(graph.operations) <= _OPERATIONS


def fusings(graph: Graph) -> Iterator[Fused]:
    """All ways in which sums may take products unrounded."""
    choices: list[list[tuple[int, int]]] = []
    for at, operation in enumerate(graph.operations):
        if operation.name in ("add", "sub"):
            products = [i for i, arg in enumerate(operation.args) if fusable(graph, arg)]
            if products:
                choices.append([(at, -1), *((at, i) for i in products)])
    for way in itertools.product(*choices):
        yield {at: i for at, i in way if i >= 0}


def script(graph: Graph, domain: Domain, fused: Fused) -> str:
    """What Gappa is asked: the C's operations ``c``, the exact ones ``e``, and their distance."""
    lines = ["@single = float<ieee_32,ne>;"]
    used: dict[int, int] = {}
    for at, operation in enumerate(graph.operations):
        if operation.name == INPUT:
            used[operation.column] = at
            lines += [f"c{at} = single(x{at});", f"e{at} = c{at};"]
        elif operation.name == CONSTANT:
            lines.append(f"c{at} = {_number(float(np.float32(operation.value)))};")
            lines.append(f"e{at} = {_number(operation.value)};")
        else:
            raw = [f"c{a}" for a in operation.args]
            if at in fused:
                raw[fused[at]] = f"u{operation.args[fused[at]]}"
            exact = operation.name in ("neg", "abs")
            text = _written(operation, raw)
            lines.append(f"c{at} = {text if exact else f'single({text})'};")
            # The same without the last rounding, for sums that take it so.
            inner = [
                f"u{a}" if operation.name == "neg" and fusable(graph, a) else f"c{a}"
                for a in operation.args
            ]
            if fusable(graph, at):
                lines.append(f"u{at} = {_written(operation, inner)};")
            lines.append(f"e{at} = {_written(operation, [f'e{a}' for a in operation.args])};")
    last = len(graph.operations) - 1
    given = [
        f"c{at} in [{_number(domain.variables[column].low)},"
        f"{_number(domain.variables[column].high)}]"
        for column, at in sorted(used.items())
    ]
    parts = max(2, int(_PARTS ** (1 / max(1, len(used)))))
    cuts = ", ".join(f"c{at} in {parts}" for at in used.values())
    known = " /\\ ".join(given)
    lines.append(f"{{ {known} -> |c{last} - e{last}| in ? }}")
    lines.append(f"$ {cuts};")
    return "\n".join(lines) + "\n"


def _written(operation: Operation, args: list[str]) -> str:
    if operation.name in _INFIX:
        return f"{args[0]} {_INFIX[operation.name]} {args[1]}"
    match operation.name:
        case "neg":
            return f"-{args[0]}"
        case "abs":
            return f"|{args[0]}|"
        case _:
            return f"sqrt({args[0]})"


def _number(value: float) -> str:
    """A float as a whole number times a power of two."""
    mantissa, exponent = math.frexp(value)
    return f"{int(math.ldexp(mantissa, 53))}b{exponent - 53}"


_RESULT = re.compile(r"in \[[^,]*, *(-?\d+)(?:b(-?\d+))?")


def _ask(program: str, text: str, seconds: float) -> float | None:
    """The upper end of the interval that Gappa answers with, rounded up."""
    if seconds <= 0:
        return None
    try:
        done = subprocess.run(
            [program], input=text, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    found = _RESULT.search(done.stdout + done.stderr)
    if done.returncode != 0 or found is None:
        return None
    # The number is a whole one times a power of two: rounded once.
    bound = math.ldexp(float(int(found[1])), int(found[2] or 0))
    return math.nextafter(bound, math.inf)
