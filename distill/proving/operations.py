"""The C's own operations as plain data, for a checker that trusts neither formula nor rounding."""

from __future__ import annotations

from distill.firmware.fixed.program import FixedProgram
from distill.firmware.fixed.steps import Step
from distill.firmware.graph import CONSTANT, INPUT, Arithmetic, Graph, Operation, dtype
from distill.firmware.implementation import FixedImplementation, FloatImplementation
from distill.firmware.spec import BundleSpec

_SHORT = 2**15


def program_data(spec: BundleSpec) -> dict[str, object] | None:
    """What the C of a formula does, operation by operation; None without a formula."""
    implementation = spec.implementation
    if isinstance(implementation, FixedImplementation | FloatImplementation):
        return implementation_data(implementation, floats=spec.number != "int32")
    return None


def implementation_data(
    implementation: FixedImplementation | FloatImplementation, *, floats: bool
) -> dict[str, object]:
    """The operations; ``floats`` says whether those on integers stand behind a door of floats."""
    if isinstance(implementation, FixedImplementation):
        return _integers(implementation.program, floats)
    return _floats(implementation.graph, implementation.arithmetic)


def _integers(program: FixedProgram, floats: bool) -> dict[str, object]:
    """Steps as name, arguments, constant, shift and how the C writes them."""
    return {
        "arithmetic": "fixed",
        "door": "float32" if floats else "integer",
        "inputs": [form.fraction for form in program.inputs],
        "output": program.output.fraction,
        "steps": [
            [step.name, list(step.args), step.constant, step.shift, _flags(step, program)]
            for step in program.steps
        ],
    }


def _flags(step: Step, program: FixedProgram) -> list[str]:
    """As the printer decides them by the bounds that the steps were planned with."""
    flags = []
    bounds = [(program.steps[a].low, program.steps[a].high) for a in step.args]
    if step.name == "mac":
        if step.wide:
            flags.append("wide")
        elif program.short_products and all(a >= -_SHORT and b < _SHORT for a, b in bounds):
            flags.append("short")
        least = min(x * y for x in bounds[0] for y in bounds[1]) + step.constant
        if least >= 0 and not step.wide:
            flags.append("bare")
    if step.name == "shift" and bounds[0][0] + step.constant >= 0:
        flags.append("bare")
    return flags


def _floats(graph: Graph, arithmetic: Arithmetic) -> dict[str, object]:
    """Steps as name and arguments, or the column, or the constant that the C holds."""

    def row(operation: Operation) -> list[object]:
        if operation.name == INPUT:
            return ["input", operation.column]
        if operation.name == CONSTANT:
            return ["constant", float(dtype(arithmetic)(operation.value))]
        return [operation.name, list(operation.args)]

    return {"arithmetic": arithmetic, "steps": [row(o) for o in graph.operations]}
