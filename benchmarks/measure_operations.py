"""Measure what each operation costs on a target, in float32 and in fixed point.

    python benchmarks/measure_operations.py pic32 host           # print
    python benchmarks/measure_operations.py --write pic32 host   # and put it into conf/target/

Each operation is compiled as a function of its own with the target's own toolchain and run in its
emulator at 64 points of the range below; what a function that returns its argument takes is
subtracted, so that what is left is the operation with the moves around it. In float32 an
operation is the line of C below; in fixed point it is what `distill.firmware.fixed` writes for
the formula, to 1e-4 of its largest value: with its shifts, and its polynomials for functions.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from distill.domain import Domain
from distill.firmware.cost import measure_many
from distill.firmware.fixed.emit import emit_fixed
from distill.firmware.fixed.formats import hold
from distill.firmware.fixed.plan import plan_fixed
from distill.firmware.graph import Arithmetic
from distill.firmware.names import Names
from distill.firmware.target import Target, load_target
from distill.formula import Formula
from distill.formula.operators import OPERATORS

TARGETS = Path(__file__).resolve().parents[1] / "conf" / "target"
POINTS = 64
ACCURACY = 1e-4
HEADING = "# What one operation takes"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on `a` and `b`: in C, as a formula, and the range that `a` is drawn from.

    The second range is fixed point's where it must be narrower: a pole has no fixed-point value.
    """

    c: str
    formula: str
    low: float = 0.1
    high: float = 10.0
    fixed: tuple[float, float] | None = None

    def domain(self, arithmetic: Arithmetic) -> Domain:
        """Where it is measured; `b` is positive."""
        narrow = self.fixed if arithmetic == "fixed" else None
        low, high = narrow or (self.low, self.high)
        return Domain.box(a=(low, high, ""), b=(0.1, 4, ""))


OPERATIONS = {
    "add": Operation("a + b", "a + b"),
    "sub": Operation("a - b", "a - b"),
    "mul": Operation("a * b", "a*b"),
    "div": Operation("a / b", "a/b"),
    "neg": Operation("-a", "-a"),
    "pow": Operation("powf(a, b)", "a^b"),
    "square": Operation("a * a", "square(a)"),
    "cube": Operation("a * a * a", "cube(a)"),
    "inv": Operation("1.0f / a", "inv(a)"),
    "sqrt": Operation("sqrtf(a)", "sqrt(a)"),
    "cbrt": Operation("cbrtf(a)", "cbrt(a)"),
    "exp": Operation("expf(a)", "exp(a)", -5, 5),
    "log": Operation("logf(a)", "log(a)", 0.01, 100),
    "sin": Operation("sinf(a)", "sin(a)", -6, 6),
    "cos": Operation("cosf(a)", "cos(a)", -6, 6),
    "tan": Operation("tanf(a)", "tan(a)", -6, 6, (-1.4, 1.4)),
    "asin": Operation("asinf(a)", "asin(a)", -1, 1, (-0.7, 0.7)),
    "acos": Operation("acosf(a)", "acos(a)", -1, 1, (-0.7, 0.7)),
    "atan": Operation("atanf(a)", "atan(a)", -5, 5),
    "sinh": Operation("sinhf(a)", "sinh(a)", -3, 3),
    "cosh": Operation("coshf(a)", "cosh(a)", -3, 3),
    "tanh": Operation("tanhf(a)", "tanh(a)", -3, 3),
    "abs": Operation("fabsf(a)", "abs(a)", -5, 5),
    "atan2": Operation("atan2f(a, b)", "atan2(a, b)", -5, 5, (1, 5)),
    "min": Operation("(a < b ? a : b)", "min(a, b)"),
    "max": Operation("(a > b ? a : b)", "max(a, b)"),
    # As trees use it: a threshold between two numbers that are there anyway.
    "ifless": Operation("(a < 2.5f ? b : a)", "ifless(a, 2.5, b, a)"),
}

NOTHING = Operation("a", "a")
"""What every function does beside its operation."""


def float32_source(operation: Operation) -> str:
    """C of a function `operation` that takes and returns floats."""
    return (
        "float operation(float a, float b);\n"
        f"float operation(float a, float b) {{ (void)b; return {operation.c}; }}\n"
    )


def fixed_source(operation: Operation) -> str:
    """C of a function `operation` that takes and returns integers."""
    domain = operation.domain("fixed")
    formula = Formula.parse(operation.formula, domain)
    largest = float(np.max(np.abs(formula(domain.sample(1024)))))
    program = plan_fixed(formula, domain, ACCURACY * largest)
    names = Names("operation")
    text = emit_fixed(program, "operation", names.parameters(domain.names), names)
    call = (
        "int32_t operation(int32_t a, int32_t b);\n"
        "int32_t operation(int32_t a, int32_t b) { return operation_formula(a, b); }\n"
    )
    return text + call


def measured(operation: Operation, arithmetic: Arithmetic, target: Target) -> float:
    """The mean count of an operation's function."""
    domain = operation.domain(arithmetic)
    a, b = domain.variables
    rng = np.random.default_rng(0)
    x = np.column_stack([np.linspace(a.low, a.high, POINTS), rng.uniform(b.low, b.high, POINTS)])
    fixed = arithmetic == "fixed"
    source = fixed_source(operation) if fixed else float32_source(operation)
    points = hold(x, domain).astype(float) if fixed else x
    found = measure_many({"operation": source}, {}, arithmetic, points, target)
    for error in found.failures.values():
        raise error
    return found.costs["operation"].instructions


def measure_operations(arithmetic: Arithmetic, target: Target) -> dict[str, float]:
    """Counts by operator name, one decimal, never under 1."""
    nothing = measured(NOTHING, arithmetic, target)
    return {
        name: max(round(measured(OPERATIONS[name], arithmetic, target) - nothing, 1), 1.0)
        for name in OPERATORS
    }


def unmeasured(file: Path) -> Target:
    """The target of a file whose operations are not known yet."""
    data = OmegaConf.to_container(OmegaConf.load(file))
    assert isinstance(data, dict)
    nothing = dict.fromkeys(OPERATORS, 1.0)
    known = {str(key): value for key, value in data.items()}
    return load_target({**known, "operations": {"float32": nothing, "fixed": nothing}})


def main() -> None:
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("targets", nargs="+", help="names of files in conf/target/")
    parser.add_argument("--write", action="store_true", help="put the figures into the files")
    options = parser.parse_args()
    for name in options.targets:
        file = TARGETS / f"{name}.yaml"
        target = unmeasured(file)
        lines = [
            f"{HEADING}, in {target.unit}; measured by benchmarks/measure_operations.py.",
            "operations:",
        ]
        for arithmetic in ("float32", "fixed"):
            counts = measure_operations(arithmetic, target)
            lines.append(f"  {arithmetic}:")
            lines += [f"    {operator}: {count:g}" for operator, count in counts.items()]
        block = "\n".join(lines) + "\n"
        print(f"{name}\n{block}", flush=True)
        if options.write:
            head, _, _ = file.read_text(encoding="utf-8").partition(HEADING)
            file.write_text(head + block, encoding="utf-8")


if __name__ == "__main__":
    main()
