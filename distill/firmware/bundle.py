"""The bundle: a folder of C for one function, with its self-test, packaging and record."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2
import numpy as np

from distill.arrays import Array
from distill.errors import ExportError
from distill.files import whole_folder
from distill.firmware.comments import comment, markdown, plain, wrapped
from distill.firmware.emit import function_text, literal, real_type, signature
from distill.firmware.guard import Guard
from distill.firmware.lookup import bounds
from distill.firmware.lookup_code import (
    array_rows,
    guard_function,
    hold_input,
    mix_function,
    nan,
    table_function,
)
from distill.firmware.names import Names
from distill.firmware.passes import lower
from distill.firmware.policy import Policy
from distill.firmware.spec import BundleSpec, Mode, evaluate_bundle
from distill.firmware.tables import Table
from distill.firmware.vectors import make_vectors

__all__ = ["Bundle", "BundleSpec", "Mode", "Policy", "evaluate_bundle", "write_bundle"]

VERSION = 1
FORMAT = "distill-bundle"
RECORD = "bundle.json"

_TEMPLATES = Path(__file__).parent / "templates"

# The bundle's files by the template each comes from.
_FILES = {
    "{name}.h": "header.h.j2",
    "{name}.c": "source.c.j2",
    "{name}_selftest.h": "selftest.h.j2",
    "{name}_selftest.c": "selftest.c.j2",
    "main.c": "main.c.j2",
    "CMakeLists.txt": "CMakeLists.txt.j2",
    "library.properties": "library.properties.j2",
    "zephyr/module.yml": "zephyr_module.yml.j2",
    "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt.j2",
    "zephyr/Kconfig": "zephyr_Kconfig.j2",
    "README.md": "README.md.j2",
}


@dataclass(frozen=True, eq=False)
class Bundle:
    """A written bundle: its folder, what it was made from, and the SHA-256 of every file."""

    directory: Path
    spec: BundleSpec
    files: Mapping[str, str]

    @property
    def source(self) -> Path:
        """The C file."""
        return self.directory / f"{self.spec.name}.c"

    @property
    def header(self) -> Path:
        """The header."""
        return self.directory / f"{self.spec.name}.h"

    def model(self, x: Array, mode: Mode = "default") -> Array:
        """What the C answers at x (n, d), shape (n,); see :func:`evaluate_bundle`."""
        return evaluate_bundle(self.spec, x, mode)


def write_bundle(spec: BundleSpec, directory: Path) -> Bundle:
    """Write the bundle of ``spec`` into ``directory``, whole or not at all.

    A bundle that is there already is replaced.

    Raises
    ------
    ExportError : when ``directory`` holds anything but an untouched bundle; when a constant
        cannot be held in the arithmetic.
    StorageError : when the disk is full or the folder cannot be written.
    """
    directory = Path(directory)
    _check_replaceable(directory)
    files = render_bundle(spec)
    with whole_folder(directory) as folder:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
    return Bundle(directory, spec, {name: _sha256(text.encode()) for name, text in files.items()})


def render_bundle(spec: BundleSpec) -> dict[str, str]:
    """The text of every file of the bundle, by its path in the folder."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # C, CMake and Markdown: what comes from outside is escaped by filters
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"comment": comment, "markdown": markdown, "plain": plain}
    environment.globals |= {"wrapped": wrapped}
    context = _context(spec)
    files = {
        file.format(name=spec.name): environment.get_template(template).render(context)
        for file, template in _FILES.items()
    }
    files["library.json"] = _platformio(spec)
    files = dict(sorted(files.items()))
    files[RECORD] = _json(_record(spec, files))
    return files


def _check_replaceable(directory: Path) -> None:
    """Refuse a folder in which anything but a bundle as we wrote it would be lost."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    hint = "choose another directory, or move what is there."
    try:
        record = json.loads((directory / RECORD).read_text(encoding="utf-8"))
        ours = record["format"] == FORMAT
        known: dict[str, str] = dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        ours, known = False, {}
    if not ours:
        raise ExportError("the folder is not a bundle.", where=str(directory), hint=hint)
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_dir() or name == RECORD:
            continue
        if known.get(name) != _sha256(path.read_bytes()):
            raise ExportError(
                f"`{name}` in the bundle was added or changed by hand and would be lost.",
                where=str(directory),
                hint=hint,
            )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(data: object) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _context(spec: BundleSpec) -> dict[str, object]:
    """Everything the templates read."""
    parameters = Names(spec.name).parameters(spec.domain.names)
    real = real_type(spec.arithmetic)
    upper = spec.name.upper()
    body: dict[str, str | list[str]] = {"formula_function": "", "guard_function": ""}
    body |= {"mix_function": "", "table_function": "", "table_rows": [], "guard_rows": []}
    if spec.formula is not None:
        names = Names(spec.name)
        body["formula_function"] = function_text(
            lower(spec.formula, spec.arithmetic),
            f"{spec.name}_formula",
            spec.arithmetic,
            names.parameters(spec.domain.names),
            names,
            static=True,
        )
    if spec.guard is not None and spec.guarded:
        body["guard_function"] = guard_function(spec.guard, spec.name)
        body["guard_rows"] = array_rows([f"0x{byte:02x}u" for byte in spec.guard.bits])
    if spec.table is not None:
        body["mix_function"] = mix_function(spec.table, spec.name)
        body["table_function"] = table_function(spec.table, spec.name)
        body["table_rows"] = array_rows(_elements(spec.table))
    return {
        "spec": spec,
        "name": spec.name,
        "upper": upper,
        "real": real,
        "signature": signature(real, spec.name, parameters),
        "arguments": ", ".join(parameters),
        "variables": list(zip(parameters, spec.domain.variables, strict=True)),
        "hold": [
            line
            for parameter, variable in zip(parameters, spec.domain.variables, strict=True)
            for line in hold_input(variable, parameter, spec.arithmetic, spec.policy)
        ],
        "readable": "" if spec.formula is None else spec.formula.readable(6),
        "output": spec.output_name + (f" in {spec.output_unit}" if spec.output_unit else ""),
        "policy": spec.policy.sentences(),
        "notes": _notes(spec, parameters),
        "table_bytes": 0 if spec.table is None else spec.table.bytes,
        "guard_bytes": spec.guard.bytes if spec.guard is not None and spec.guarded else 0,
        "guard_percent": 100 * spec.guard.fraction if spec.guard is not None else 0.0,
        "nan": nan(spec.arithmetic),
        "needs_nan": spec.policy.out_of_domain == "nan",
        **body,
        **_vector_context(spec),
    }


def _notes(spec: BundleSpec, parameters: tuple[str, ...]) -> list[str]:
    """What the header says about inputs, error, policies and memory, as lines of a comment."""
    upper, unit = spec.name.upper(), f" {spec.output_unit}" if spec.output_unit else ""
    inputs = []
    for parameter, variable in zip(parameters, spec.domain.variables, strict=True):
        text = f"{parameter}: {variable.low:.9g} to {variable.high:.9g} {variable.unit}".rstrip()
        if variable.discrete:
            text += f" ({variable.kind}: rounded to the nearest whole number)"
        inputs.append(text + (f" = {variable.name}" if parameter != variable.name else ""))
    words = spec.policy.sentences()
    notes = [
        f"Largest error against the teacher: {spec.max_error:.4g}{unit}, {spec.error_kind}"
        f" (tolerance {spec.tolerance:.4g}).",
        *([] if spec.within_tolerance else ["WARNING: THIS MISSES THE TOLERANCE."]),
        f"Out of range: {words[0]}.",
        *(f"Not a number: {word}." for word in words[1:]),
    ]
    if spec.guard is not None and spec.guarded:
        notes.append(
            f"In {100 * spec.guard.fraction:.2g} % of the domain the formula is not good enough:"
            " the table answers there."
        )
    memory = ["Pure and re-entrant: no heap, no state, no recursion."]
    table = spec.table.bytes if spec.table is not None else 0
    if spec.formula is None:
        memory.append(f"Read-only data: {table} bytes, and the code.")
    elif spec.guard is not None and spec.guarded:
        memory.append(
            f"Read-only data: {table + spec.guard.bytes} bytes; {table} with {upper}_TABLE_ONLY."
        )
    elif spec.table is not None:
        memory.append(f"Read-only data: none; {table} bytes with {upper}_TABLE_ONLY.")
    else:
        memory.append("Read-only data: none but the constants in the code.")
    blocks = [inputs, notes, memory]
    return [
        line
        for i, block in enumerate(blocks)
        for text in (block if i == 0 else ["", *block])
        for line in wrapped(text, 92, "  ")
    ]


def _elements(table: Table) -> list[str]:
    if table.quantised:
        return [f"{value}u" for value in table.values]
    # Stored as float in either arithmetic.
    return [literal(float(value), "float32") for value in table.values]


def _vector_context(spec: BundleSpec) -> dict[str, object]:
    vectors = make_vectors(spec)
    code, width = ("f", 8) if spec.arithmetic == "float32" else ("d", 16)
    suffix = "u" if width == 8 else "ull"
    whole = "I" if width == 8 else "Q"

    def bits(value: float) -> str:
        (pattern,) = struct.unpack(f"<{whole}", struct.pack(f"<{code}", value))
        return f"0x{pattern:0{width}x}{suffix}"

    def bound(value: float) -> str:
        if value == 0:
            return literal(0.0, spec.arithmetic)
        # Three digits read better than nine; rounding them up keeps the promise.
        return literal(float(f"{value * 1.005:.2e}"), spec.arithmetic)

    return {
        "vector_count": len(vectors.inputs),
        "bits_type": "uint32_t" if width == 8 else "uint64_t",
        "input_rows": [
            "{" + ", ".join(bits(float(v)) for v in row) + "}," for row in vectors.inputs
        ],
        "answers": [
            {
                "mode": answers.mode,
                "expected": array_rows([bits(float(v)) for v in answers.expected]),
                "allowed": array_rows([bound(float(v)) for v in answers.allowed]),
            }
            for answers in sorted(vectors.answers, key=lambda a: a.mode == "default")
        ],
    }


def _platformio(spec: BundleSpec) -> str:
    return _json(
        {
            "name": spec.name,
            "version": "1.0.0",
            "description": plain(f"{spec.output_name} from {', '.join(spec.domain.names)}"),
            "frameworks": "*",
            "platforms": "*",
            "headers": f"{spec.name}.h",
            "build": {
                "srcDir": ".",
                "includeDir": ".",
                "srcFilter": [f"+<{spec.name}.c>", f"+<{spec.name}_selftest.c>"],
                "flags": ["-ffp-contract=off"],
            },
        }
    )


def _record(spec: BundleSpec, files: Mapping[str, str]) -> dict[str, object]:
    """The machine-readable record: all that is known, and the hash of every other file."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": spec.name,
        "target": spec.target,
        "arithmetic": spec.arithmetic,
        "output": {"name": spec.output_name, "unit": spec.output_unit},
        "domain": json.loads(spec.domain.to_json()),
        "bounds": {v.name: list(bounds(v, spec.arithmetic)) for v in spec.domain.variables},
        "formula": None if spec.formula is None else spec.formula.text,
        "table": None if spec.table is None else _table_record(spec.table),
        "guard": None if spec.guard is None else _guard_record(spec.guard),
        "tolerance": spec.tolerance,
        "max_error": spec.max_error if np.isfinite(spec.max_error) else None,
        "error_kind": spec.error_kind,
        "within_tolerance": spec.within_tolerance,
        "policy": asdict(spec.policy),
        "provenance": dict(sorted(spec.provenance.items())),
        "files": {name: _sha256(text.encode()) for name, text in files.items()},
    }


def _table_record(table: Table) -> dict[str, object]:
    return {
        "counts": list(table.counts),
        "values": "uint16" if table.quantised else "float32",
        "scale": table.scale,
        "offset": table.offset,
        "bytes": table.bytes,
        "sha256": _sha256(table.values.astype(table.values.dtype.newbyteorder("<")).tobytes()),
    }


def _guard_record(guard: Guard) -> dict[str, object]:
    return {
        "counts": list(guard.counts),
        "bytes": 0 if guard.empty else guard.bytes,
        "fraction": guard.fraction,
        "sha256": _sha256(guard.bits.tobytes()),
    }
