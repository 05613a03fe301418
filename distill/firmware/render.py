"""The text of a bundle's files: what the templates read, and their rendering."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
import numpy as np

from distill.figures import upward
from distill.firmware.comments import comment, markdown, plain, wrapped
from distill.firmware.door import (
    door_functions,
    take_float,
    take_integer,
)
from distill.firmware.emit import literal, signature
from distill.firmware.fixed.formats import input_formats
from distill.firmware.graph import Arithmetic
from distill.firmware.guard_code import guard_arrays, guard_function
from distill.firmware.harness import Signature
from distill.firmware.input_code import ORDER, hold_input, nan
from distill.firmware.lookup import Table
from distill.firmware.names import Names
from distill.firmware.notes import header_notes
from distill.firmware.spec import BundleSpec
from distill.firmware.table_code import (
    CArray,
    array_rows,
    mix_function,
    table_arrays,
    table_function,
)
from distill.firmware.vectors import make_vectors

_TEMPLATES = Path(__file__).parent / "templates"

PACKAGING = {
    "{name}_selftest.h": "selftest.h.j2",
    "main.c": "main.c.j2",
    "CMakeLists.txt": "CMakeLists.txt.j2",
    "library.properties": "library.properties.j2",
    "zephyr/module.yml": "zephyr_module.yml.j2",
    "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt.j2",
    "zephyr/Kconfig": "zephyr_Kconfig.j2",
}
"""Files that every bundle has, by the template each comes from."""

_FILES = PACKAGING | {
    "{name}.h": "header.h.j2",
    "{name}.c": "source.c.j2",
    "{name}_selftest.c": "selftest.c.j2",
    "README.md": "README.md.j2",
}

ARITHMETIC_WORDS = {
    "float32": "float arithmetic",
    "double": "double arithmetic",
    "fixed": "fixed-point arithmetic in 32-bit integers",
}

SOFT = 10.0
"""From so many instructions on an addition of floats is taken for a call of a library."""

AVR_READS = {
    "READ8": "pgm_read_byte",
    "READ16": "pgm_read_word",
    "READ32": "pgm_read_dword",
    "READF": "pgm_read_float",
    "READD": "pgm_read_float",  # an AVR's double is a float
}


def render_files(spec: BundleSpec) -> dict[str, str]:
    """The text of every file that comes from a template, by its path in the folder.

    Raises
    ------
    ExportError : when a constant cannot be held in the arithmetic.
    """
    context = {**_context(spec), **_vector_context(spec)}
    return fill(_FILES, spec.name, context)


def render_code(spec: BundleSpec) -> dict[str, str]:
    """The header and the source alone: what is compiled to measure the function."""
    context = _context(spec)
    return fill({"{name}.h": "header.h.j2", "{name}.c": "source.c.j2"}, spec.name, context)


def fill(files: Mapping[str, str], name: str, context: Mapping[str, object]) -> dict[str, str]:
    """The text of files by their paths, in which ``{name}`` is filled in, from their templates."""
    return {
        file.format(name=name): environment().get_template(template).render(context)
        for file, template in files.items()
    }


@cache
def environment() -> jinja2.Environment:
    """The templates, with the filters that make text from outside harmless."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # C, CMake and Markdown: what comes from outside is escaped by filters
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"comment": comment, "markdown": markdown, "plain": plain, "upward": upward}
    made.globals |= {"wrapped": wrapped}
    return made


def _context(spec: BundleSpec) -> dict[str, object]:
    """Everything the templates of the C and its packaging read."""
    parameters = Names(spec.name).parameters(spec.domain.names)
    real = Signature(len(parameters), spec.number).real
    guard = spec.guard if spec.guarded else None
    return {
        "spec": spec,
        "name": spec.name,
        "upper": spec.name.upper(),
        "real": real,
        "signature": signature(real, spec.name, parameters),
        "label_signature": _label_signature(spec, real, parameters),
        "threshold": "" if spec.label_above is None else _threshold(spec, spec.label_above),
        "arguments": ", ".join(parameters),
        "variables": list(zip(parameters, spec.domain.variables, strict=True)),
        "fractions": [form.fraction for form in input_formats(spec.domain)],
        "readable": "" if spec.formula is None else spec.formula.readable(6),
        "sentence": sentence(spec),
        "output": spec.output_name + (f" in {spec.output_unit}" if spec.output_unit else ""),
        "policy": spec.policy.sentences(integers=spec.interface == "integer"),
        "notes": header_notes(spec, parameters),
        "proof_lines": [] if spec.proof is None else spec.proof.lines(spec.output_unit),
        "table_bytes": 0 if spec.table is None else spec.table.bytes,
        "guard_bytes": 0 if guard is None else guard.bytes,
        "guard_percent": 0.0 if guard is None else 100 * guard.fraction,
        "nan": nan(_real(spec)),
        "words": {
            "arithmetic": ARITHMETIC_WORDS[spec.arithmetic],
            "table": "" if spec.table is None else _table_words(spec.table),
        },
        "avr_read": AVR_READS,
        **_functions(spec),
        **_body(spec, parameters),
    }


def sentence(spec: BundleSpec) -> str:
    """What the function gives from what, for packages."""
    return f"{spec.output_name} from {', '.join(spec.domain.names)}"


def _functions(spec: BundleSpec) -> dict[str, object]:
    """The static functions and arrays of formula, guard, table and door."""
    formula = guard = table = door = ""
    stored: dict[str, tuple[CArray, ...]] = {"guard_arrays": (), "table_arrays": ()}
    if spec.implementation is not None:
        formula = spec.implementation.text(spec.name, Names(spec.name))
    if spec.guard is not None and spec.guarded:
        guard = guard_function(spec.guard, spec.name)
        stored["guard_arrays"] = guard_arrays(spec.guard, spec.name)
    if spec.table is not None:
        mixing = mix_function(spec.table, spec.name)
        table = "\n".join(filter(None, [mixing, table_function(spec.table, spec.name)]))
        stored["table_arrays"] = table_arrays(spec.table, spec.name)
    if spec.output_format is not None and spec.interface == "float":
        door = door_functions(spec.name, spec.output_format)
    elif _by_order(spec):
        door = ORDER.format(name=spec.name)
    needs_nan = spec.policy.out_of_domain == "nan" or (
        spec.guarded and "formula" in spec.modes and spec.arithmetic == "fixed"
    )
    return {
        "formula_function": formula,
        "guard_function": guard,
        "table_function": table,
        "door_functions": door,
        **stored,
        "reads": sorted({array.read for arrays in stored.values() for array in arrays}),
        "needs_nan": needs_nan,
        "needs_math": spec.formula is not None and spec.arithmetic != "fixed",
    }


def _by_order(spec: BundleSpec) -> bool:
    """Whether inputs are compared as integers: where an addition of floats is a function call."""
    if spec.arithmetic != "float32" or spec.costs is None or not spec.policy.checked:
        return False
    compared = any(v.kind != "boolean" for v in spec.domain.variables)
    return compared and spec.costs["add"] > SOFT


def _body(spec: BundleSpec, parameters: tuple[str, ...]) -> dict[str, object]:
    """The public function: how inputs are held, and the expressions of the two answers."""
    variables = list(zip(parameters, spec.domain.variables, strict=True))
    names = Names(spec.name)
    names.parameters(spec.domain.names)
    held, lines = parameters, []
    formula, table = f"{spec.name}_formula({{}})", f"{spec.name}_table({{}})"
    if spec.interface == "integer":
        for parameter, variable in variables:
            lines += take_integer(variable, parameter, spec.policy)
    elif spec.arithmetic == "fixed":
        held = tuple(names.local("q") for _ in variables)
        for (parameter, variable), q in zip(variables, held, strict=True):
            bits = names.local("bits")
            lines += take_float(variable, parameter, q, bits, spec.name, spec.policy)
        formula, table = (f"{spec.name}_to_float({answer})" for answer in (formula, table))
    else:
        order = f"{spec.name}_order" if _by_order(spec) else ""
        for parameter, variable in variables:
            lines += hold_input(variable, parameter, spec.arithmetic, spec.policy, names, order)
    arguments = ", ".join(held)
    return {
        "hold": lines,
        "held": arguments,
        "formula_answer": formula.format(arguments),
        "table_answer": table.format(arguments),
    }


def _table_words(table: Table) -> str:
    """What stands behind the formula, in words."""
    one = len(table.axes) == 1
    return (
        f"A table of {table.bytes} bytes ({table.shape}), interpolated "
        f"{'along its input' if one else 'between its breakpoints'},"
    )


def _label_signature(spec: BundleSpec, real: str, parameters: tuple[str, ...]) -> str:
    text = signature(real, f"{spec.name}_label", parameters)
    return "int" + text.removeprefix(real)


def _threshold(spec: BundleSpec, above: float) -> str:
    if spec.interface == "integer" and spec.output_format is not None:
        return str(math.floor(math.ldexp(above, spec.output_format.fraction)))
    return literal(above, _real(spec))


def _vector_context(spec: BundleSpec) -> dict[str, object]:
    """The self-test's inputs and answers, as bits: no reader of decimals can round them."""
    vectors = make_vectors(spec)
    kind = Signature(len(spec.domain), spec.number)

    def bits(value: float) -> str:
        return number_bits(value, kind)

    return {
        "vector_count": len(vectors.inputs),
        "vector_arguments": ", ".join(
            f"number_(READ(&inputs_[i_][{column}]))" for column in range(len(spec.domain))
        ),
        "bits_type": "uint64_t" if spec.number == "double" else "uint32_t",
        "input_rows": [
            "{" + ", ".join(bits(float(v)) for v in row) + "}," for row in vectors.inputs
        ],
        "answers": [
            {
                "mode": answers.mode,
                "expected": array_rows([bits(float(v)) for v in answers.expected]),
                "allowed": array_rows([bits(float(v)) for v in answers.allowed]),
            }
            for answers in sorted(vectors.answers, key=lambda a: a.mode == "default")
        ],
    }


def number_bits(value: float, kind: Signature) -> str:
    """A number of the C's own type as an unsigned literal of its bits."""
    width, suffix = (16, "ull") if kind.number == "double" else (8, "u")
    pattern = int.from_bytes(kind.pack(np.array([value])), "little")
    return f"0x{pattern:0{width}x}{suffix}"


def _real(spec: BundleSpec) -> Arithmetic:
    """The arithmetic of the C's real numbers; fixed point meets floats at its door."""
    return "double" if spec.arithmetic == "double" else "float32"
