"""Measure what each float32 operation costs on a target, in instructions.

    python benchmarks/measure_operations.py pic32 host           # print
    python benchmarks/measure_operations.py --write pic32 host   # and put it into conf/target/

Each operation is compiled as a function of its own and run in the target's emulator at 64 points
of the range below; the instructions of a function that returns its argument are subtracted, so
that what is left is the operation with the moves around it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from distill.arrays import Array
from distill.firmware.cost import measure_many
from distill.firmware.target import Target, load_target
from distill.formula.operators import OPERATORS

TARGETS = Path(__file__).resolve().parents[1] / "conf" / "target"
POINTS = 64
HEADING = "operations:\n"


@dataclass(frozen=True, slots=True)
class Operation:
    """The C of an operation on `a` and `b`, and the range its first argument is drawn from."""

    expression: str
    low: float = 0.1
    high: float = 10.0


OPERATIONS = {
    "add": Operation("a + b"),
    "sub": Operation("a - b"),
    "mul": Operation("a * b"),
    "div": Operation("a / b"),
    "neg": Operation("-a"),
    "pow": Operation("powf(a, b)"),
    "square": Operation("a * a"),
    "cube": Operation("a * a * a"),
    "inv": Operation("1.0f / a"),
    "sqrt": Operation("sqrtf(a)"),
    "cbrt": Operation("cbrtf(a)"),
    "exp": Operation("expf(a)", -5, 5),
    "log": Operation("logf(a)", 0.01, 100),
    "sin": Operation("sinf(a)", -6, 6),
    "cos": Operation("cosf(a)", -6, 6),
    "tan": Operation("tanf(a)", -6, 6),
    "asin": Operation("asinf(a)", -1, 1),
    "acos": Operation("acosf(a)", -1, 1),
    "atan": Operation("atanf(a)", -5, 5),
    "sinh": Operation("sinhf(a)", -3, 3),
    "cosh": Operation("coshf(a)", -3, 3),
    "tanh": Operation("tanhf(a)", -3, 3),
    "abs": Operation("fabsf(a)", -5, 5),
    "atan2": Operation("atan2f(a, b)", -5, 5),
    "min": Operation("(a < b ? a : b)"),
    "max": Operation("(a > b ? a : b)"),
}


def points(operation: Operation) -> Array:
    """Pairs of arguments, shape (POINTS, 2): the first over its range, the second positive."""
    first = np.linspace(operation.low, operation.high, POINTS)
    second = np.random.default_rng(0).uniform(0.1, 4, POINTS)
    return np.column_stack([first, second])


def instructions(expression: str, at: Array, target: Target) -> float:
    """The mean count of a function that returns ``expression``."""
    source = (
        "float operation(float a, float b);\n"
        f"float operation(float a, float b) {{ (void)b; return {expression}; }}\n"
    )
    return measure_many({"operation": source}, {}, "float32", at, target)["operation"].instructions


def measure_operations(target: Target) -> dict[str, float]:
    """Instructions by operator name, one decimal, never under 1."""
    assert set(OPERATIONS) == set(OPERATORS)
    nothing = instructions("a", points(Operation("a")), target)
    counts = {}
    for name, operation in OPERATIONS.items():
        counted = instructions(operation.expression, points(operation), target)
        counts[name] = max(round(counted - nothing, 1), 1.0)
    return counts


def unmeasured(file: Path) -> Target:
    """The target of a file whose operations are not known yet."""
    data = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(data, dict)
    return load_target({**data, "operations": dict.fromkeys(OPERATORS, 1.0)})


def main() -> None:
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="+", help="names of files in conf/target/")
    parser.add_argument("--write", action="store_true", help="put the figures into the files")
    options = parser.parse_args()
    for name in options.targets:
        file = TARGETS / f"{name}.yaml"
        counts = measure_operations(unmeasured(file))
        block = "".join(f"  {operator}: {count:g}\n" for operator, count in counts.items())
        print(f"{name}\n{block}")
        if options.write:
            head, _, _ = file.read_text().partition(HEADING)
            file.write_text(head + HEADING + block)


if __name__ == "__main__":
    main()
