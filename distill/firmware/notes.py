"""What the header says about inputs, error, policies and memory."""

from __future__ import annotations

from distill.figures import upward
from distill.firmware.comments import wrapped
from distill.firmware.fixed.formats import input_formats
from distill.firmware.implementation import FloatImplementation
from distill.firmware.passes.functions import too_long
from distill.firmware.spec import BundleSpec


def header_notes(spec: BundleSpec, parameters: tuple[str, ...]) -> list[str]:
    """What the header says, as lines of a comment."""
    blocks = [_inputs(spec, parameters), ["", *_promises(spec)], ["", *_memory(spec)]]
    if spec.figures:
        blocks.append(["", *spec.figures])
    return [line for block in blocks for text in block for line in wrapped(text, 92, "  ")]


def _inputs(spec: BundleSpec, parameters: tuple[str, ...]) -> list[str]:
    """Names, ranges and units; in integers also what one of them stands for."""
    lines = []
    formats = input_formats(spec.domain)
    for parameter, variable, form in zip(parameters, spec.domain.variables, formats, strict=True):
        text = f"{parameter}: {variable.low:.9g} to {variable.high:.9g} {variable.unit}".rstrip()
        if variable.discrete:
            text += f" ({variable.kind}: rounded to the nearest whole number)"
        if spec.interface == "integer":
            text += f", an integer of {form.fraction} fraction bits (times {form.step:.9g})"
        lines.append(text + (f" = {variable.name}" if parameter != variable.name else ""))
    output = spec.output_format
    if spec.interface == "integer" and output is not None:
        lines.append(
            f"Returns an integer of {output.fraction} fraction bits (times {output.step:.9g})."
        )
    return lines


def _promises(spec: BundleSpec) -> list[str]:
    """Error, policies, label and guard."""
    unit = f" {spec.output_unit}" if spec.output_unit else ""
    words = spec.policy.sentences(integers=spec.interface == "integer")
    lines = [
        f"Largest error against the teacher: {upward(spec.max_error)}{unit}, {spec.error_kind}"
        f" (tolerance {spec.tolerance:.4g}).",
        *([] if spec.within_tolerance else ["WARNING: THIS MISSES THE TOLERANCE."]),
        *([] if spec.proof is None else spec.proof.lines(spec.output_unit)),
        *spec.remarks,
        f"Out of range: {words[0]}.",
        *(f"Not a number: {word}." for word in words[1:]),
    ]
    if spec.label_above is not None:
        lines.append(
            f"{spec.name}_label: 1 above {spec.label_above:.9g}{unit}, else 0"
            + (", -1 for NaN" if spec.interface == "float" else "")
            + "; the teacher's own label wherever the teacher is more than "
            f"{upward(spec.max_error)}{unit} away from that."
        )
    done = spec.implementation
    if isinstance(done, FloatImplementation) and spec.accuracy and too_long(done.graph):
        lines.append(
            f"The formula has {len(done.graph.operations)} operations, too many to look for"
            " functions cheaper than the C library's."
        )
    if spec.guard is not None and spec.guarded:
        lines.append(
            f"In {100 * spec.guard.fraction:.2g} % of the domain the formula is not good enough:"
            " the table answers there."
        )
    return lines


def _memory(spec: BundleSpec) -> list[str]:
    """State and read-only data."""
    upper = spec.name.upper()
    lines = ["Pure and re-entrant: no heap, no state, no recursion."]
    table = spec.table.bytes if spec.table is not None else 0
    if spec.formula is None:
        lines.append(f"Read-only data: {table} bytes, and the code.")
    elif spec.guard is not None and spec.guarded:
        lines.append(
            f"Read-only data: {table + spec.guard.bytes} bytes; {table} with {upper}_TABLE_ONLY."
        )
    elif spec.table is not None:
        lines.append(f"Read-only data: none; {table} bytes with {upper}_TABLE_ONLY.")
    else:
        lines.append("Read-only data: none but the constants in the code.")
    return lines
