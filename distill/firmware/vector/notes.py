"""What the header of a function of arrays says about inputs, outputs, errors and memory."""

from __future__ import annotations

from itertools import groupby

from distill.domain import Variable
from distill.firmware.comments import wrapped
from distill.firmware.fixed.formats import input_format
from distill.firmware.vector.proven import PROVEN, proof_ground, proof_lines
from distill.firmware.vector.spec import VectorSpec

LISTED = 16
"""Runs of inputs, or outputs or classes, that the header lists; more of them are counted."""


def ranges(spec: VectorSpec) -> list[str]:
    """One line for each run of neighbouring inputs that have the same range, unit and kind."""
    lines = []
    for _, run in groupby(enumerate(spec.domain.variables), key=lambda row: _alike(row[1])):
        rows = list(run)
        (first, variable), (last, end) = rows[0], rows[-1]
        where = f"x[{first}]" if first == last else f"x[{first}] to x[{last}]"
        names = variable.name if first == last else f"{variable.name} to {end.name}"
        text = f"{where}: {variable.low:.9g} to {variable.high:.9g} {variable.unit}".rstrip()
        if variable.discrete:
            text += f" ({variable.kind}: rounded to the nearest whole number)"
        if spec.interface == "integer":
            form = input_format(variable)
            text += f", integers of {form.fraction} fraction bits (times {form.step:.9g})"
        lines.append(f"{text} = {names}")
    return lines


def _alike(variable: Variable) -> tuple[object, ...]:
    return (variable.low, variable.high, variable.unit, variable.kind)


def answers(spec: VectorSpec) -> list[str]:
    """One line for each output: name, unit, largest error; what integers stand for."""
    lines = []
    rows = zip(spec.outputs, spec.max_errors, spec.tolerance, strict=True)
    for i, (output, error, tolerance) in enumerate(rows):
        unit = f" {output.unit}" if output.unit else ""
        text = (
            f"y[{i}]: {output.name}{f' in {output.unit}' if unit else ''}, largest error "
            f"{error:.4g}{unit}, {spec.error_kinds[i]} (tolerance {tolerance:.4g})"
        )
        if spec.interface == "integer":
            form = spec.output_formats[i]
            text += f", an integer of {form.fraction} fraction bits (times {form.step:.9g})"
        lines.append(text + ".")
        if output in spec.missed:
            lines.append(f"WARNING: y[{i}] MISSES THE TOLERANCE.")
    return lines


def label_words(spec: VectorSpec) -> str:
    """What the label says; empty without classes."""
    if not spec.classes:
        return ""
    rule = "1 where y[0] is above 0, else 0"
    if len(spec.outputs) > 1:
        rule = "the number of the largest of y, of equals the first"
    missing = "; -1 where one is NaN" if spec.interface == "float" else ""
    return f"{spec.name}_label: {rule}{missing}."


def cut(lines: list[str], what: str, most: int = LISTED) -> list[str]:
    """The first lines, with a word on the rest; one that warns is never left out."""
    if len(lines) <= most:
        return lines
    rest = [line for line in lines[most:] if line.startswith("WARNING")]
    hidden = len(lines) - most - len(rest)
    more = [f"and {hidden} more {what}; README.md lists all."] if hidden else []
    return [*lines[:most], *more, *rest]


def header_notes(spec: VectorSpec, stored: int, stack: int) -> list[str]:
    """What the header says, as lines of a comment; bytes of arrays in flash and on the stack."""
    words = spec.policy.sentences(integers=spec.interface == "integer")
    promises = [f"Out of range: {words[0]}.", *(f"Not a number: {word}." for word in words[1:])]
    if spec.classes:
        promises.append(label_words(spec))
        named = [f"{i} {name}" for i, name in enumerate(spec.classes)]
        shown = named[: 4 * LISTED]
        more = f", and {len(named) - len(shown)} more" if len(named) > len(shown) else ""
        promises.append(f"Classes: {', '.join(shown)}{more}.")
    memory = [
        "Pure and re-entrant: no heap, no state, no recursion. x and y must not overlap.",
        f"Read-only data: {stored} bytes, and the code."
        + (f" Arrays on the stack: {stack} bytes." if stack else ""),
    ]
    blocks = [
        cut(ranges(spec), "ranges of inputs"),
        ["", *cut(answers(spec), "outputs")],
        *_proofs(spec),
        ["", *promises],
        ["", *memory],
    ]
    if spec.figures:
        blocks.append(["", *spec.figures])
    return [line for block in blocks for text in block for line in wrapped(text, 92, "  ")]


def _proofs(spec: VectorSpec) -> list[list[str]]:
    """The block of what is proven and what is not, if there is anything to say."""
    lines, ground = proof_lines(spec), proof_ground(spec)
    shown = [PROVEN, *cut(lines, "proofs")] if lines else []
    return [["", *shown, *ground]] if shown or ground else []
