"""The text of the files of a function of arrays: what the templates read, and their rendering."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from distill.arrays import Array
from distill.chain.describe import described
from distill.errors import ExportError
from distill.firmware.comments import wrapped
from distill.firmware.door import to_float_function, to_integer_function
from distill.firmware.emit import literal
from distill.firmware.fixed.formats import input_format
from distill.firmware.input_code import INFINITE, ORDER
from distill.firmware.render import ARITHMETIC_WORDS, AVR_READS, PACKAGING, fill, number_bits
from distill.firmware.table_code import CArray, array_rows, c_array
from distill.firmware.vector.hold import hold_inputs
from distill.firmware.vector.notes import (
    answers,
    cut,
    header_notes,
    label_words,
    ranges,
)
from distill.firmware.vector.proven import PROVEN, proof_ground, proof_lines
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.vectors import array_vectors

_CODE = {"{name}.h": "vector_header.h.j2", "{name}.c": "vector_source.c.j2"}

_FILES = PACKAGING | _CODE | {
    "{name}_selftest.c": "vector_selftest.c.j2",
    "README.md": "vector_README.md.j2",
}  # fmt: skip

MOST_SHIFT = 31
"""Scores whose formats differ by more bits cannot be compared in 64."""


def render_vector_files(spec: VectorSpec) -> dict[str, str]:
    """The text of every file that comes from a template, by its path in the folder.

    Raises
    ------
    ExportError : when the arithmetic cannot hold a constant, or the scores of the classes.
    """
    return fill(_FILES, spec.name, {**_context(spec), **_vectors(spec)})


def render_vector_code(spec: VectorSpec) -> dict[str, str]:
    """The header and the source alone: what is compiled to measure the function."""
    return fill(_CODE, spec.name, _context(spec))


def description(spec: VectorSpec) -> str:
    """What the function gives from what, for packages."""
    names = [output.name for output in spec.outputs]
    shown = ", ".join(names) if len(names) <= 4 else f"{len(names)} outputs"
    return f"{shown} from {len(spec.domain)} input{'s' if len(spec.domain) > 1 else ''}"


def _context(spec: VectorSpec) -> dict[str, object]:
    """Everything the templates of the C and its packaging read."""
    code = spec.content.code(spec.name)
    hold = hold_inputs(spec)
    helpers, door = _door(spec)
    label, compared = _label(spec)
    ordered = any("_in_order" in line for line in (*hold.lines, *label))
    order = [ORDER.format(name=f"{spec.name}_in")] if ordered else []
    real = spec.numbers.signature.real
    inputs, outputs = len(spec.domain), len(spec.outputs)
    size = spec.numbers.signature.dtype.itemsize
    stack = code.stack + (size * inputs if hold.lines else 0) + (4 * outputs if door else 0)
    arrays = (*hold.arrays, *compared, *code.arrays)
    readable = [line for text in _readable(spec) for line in wrapped(text, 92, "    ")]
    return {
        "spec": spec,
        "name": spec.name,
        "upper": spec.name.upper(),
        "real": real,
        "signature": f"void {spec.name}(const {real} x[{inputs}], {real} y[{outputs}])",
        "label_signature": f"int {spec.name}_label(const {real} x[{inputs}])",
        "sentence": description(spec),
        "readable": readable,
        "notes": header_notes(spec, sum(a.bytes for a in arrays), stack),
        "input_lines": ranges(spec),
        "output_lines": answers(spec),
        "proven": PROVEN,
        "proof_lines": proof_lines(spec),
        "proof_ground": proof_ground(spec),
        "label_words": label_words(spec),
        "policy": spec.policy.sentences(integers=spec.interface == "integer"),
        "words": ARITHMETIC_WORDS[spec.arithmetic],
        "fractions": [(v, input_format(v).fraction) for v in spec.domain.variables],
        "needs_math": code.needs_math or hold.needs_nan,
        "arrays": arrays,
        "reads": sorted({array.read for array in arrays}),
        "avr_read": AVR_READS,
        "functions": [text for text in (code.text, *order, *hold.functions, *helpers) if text],
        "function": code.function,
        "hold": hold.lines,
        "door": door,
        "label": label,
    }


def _readable(spec: VectorSpec) -> Iterator[str]:
    """The formulas for people, cut where there are many; or what the chain does."""
    if spec.chain is not None:
        yield "The model's own arithmetic:"
        yield ""
        yield described(spec.chain)
        return
    yield "The formulas, their constants rounded for reading:"
    yield ""
    texts = [
        f"{output.name} = {formula.readable(6)}"
        for output, formula in zip(spec.outputs, spec.formulas, strict=True)
    ]
    yield from cut(texts, "formulas")


def _door(spec: VectorSpec) -> tuple[list[str], list[str]]:
    """Functions between floats and fixed point, and statements that give ``numbers`` as floats."""
    if spec.arithmetic != "fixed" or spec.interface == "integer":
        return [], []
    functions, named = [to_integer_function(spec.name)], dict[int, str]()
    lines = []
    for i, form in enumerate(spec.output_formats):
        if form.fraction not in named:
            named[form.fraction] = f"{spec.name}_y{i}"
            functions.append(to_float_function(named[form.fraction], form))
        lines.append(f"y[{i}] = {named[form.fraction]}_to_float(numbers[{i}]);")
    return functions, lines


def _label(spec: VectorSpec) -> tuple[list[str], tuple[CArray, ...]]:
    """The statements of the label's function, after y was declared, and what they read."""
    if not spec.classes:
        return [], ()
    call = f"{spec.name}(x, y);"
    zero = literal(0.0, "double" if spec.number == "double" else "float32")
    checked = spec.interface == "float"
    if len(spec.outputs) == 1:
        missing = ["if (y[0] != y[0]) {", "    return -1; /* NaN */", "}"] if checked else []
        return [call, *missing, f"return y[0] > {zero if checked else 0} ? 1 : 0;"], ()
    kind, score, first = spec.numbers.signature.real, "y[i]", zero if checked else "0"
    is_nan, arrays = "score != score", tuple[CArray, ...]()
    if spec.by_order:
        kind, score, first = "int32_t", f"{spec.name}_in_order(y[i])", "0"
        is_nan = f"score > {INFINITE} || score < -{INFINITE}"
    shifts = _shifts(spec)
    if any(shifts):
        array = c_array(f"{spec.name}_out_shift", np.array(shifts, dtype=np.uint8), _SHIFTED)
        kind, arrays = "int64_t", (array,)
        score = f"(int64_t)y[i] * ((int64_t)1 << {spec.name.upper()}_READ8({array.name} + i))"
    missing = [f"    if ({is_nan}) {{", "        return -1; /* NaN */", "    }"] if checked else []
    loop = [
        "int best = 0;",
        f"{kind} most = {first};",
        f"for (int i = 0; i < {len(spec.outputs)}; i++) {{",
        f"    const {kind} score = {score};",
        *missing,
        "    if (i == 0 || score > most) {",
        "        most = score;",
        "        best = i;",
        "    }",
        "}",
        "return best;",
    ]
    return [call, *loop], arrays


_SHIFTED = "Bits that make the scores comparable, by output."


def _shifts(spec: VectorSpec) -> list[int]:
    """By how many bits integer scores are moved so that they can be compared."""
    if spec.interface != "integer":
        return []
    fractions = [form.fraction for form in spec.output_formats]
    shifts = [max(fractions) - fraction for fraction in fractions]
    if max(shifts) > MOST_SHIFT:
        raise ExportError(
            "the scores of the classes have formats too far apart to be compared.",
            where="export.interface",
            hint="use export.interface=float.",
        )
    return shifts


def _vectors(spec: VectorSpec) -> dict[str, object]:
    """The self-test's inputs and answers, as bits: no reader of decimals can round them."""
    vectors = array_vectors(spec)
    kind = spec.numbers.signature

    def rows(values: Array) -> list[str]:
        lines = []
        for row in values:
            inner = array_rows([number_bits(float(value), kind) for value in row])
            lines += ["{" + inner[0], *inner[1:]]
            lines[-1] = lines[-1].rstrip(",") + "},"
        return lines

    return {
        "vector_count": len(vectors.inputs),
        "bits_type": "uint64_t" if spec.number == "double" else "uint32_t",
        "input_rows": rows(vectors.inputs),
        "expected_rows": rows(vectors.expected),
        "allowed_rows": rows(vectors.allowed),
        "label_rows": array_rows([f"{label + 2}u" for label in vectors.labels.tolist()]),
    }
