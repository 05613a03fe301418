"""The bundle: a folder of C for one function, with its self-test, packaging and record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ExportError
from distill.files import whole_folder
from distill.firmware.axes import bounds
from distill.firmware.comments import plain
from distill.firmware.fixed.formats import QFormat, input_bounds, input_formats
from distill.firmware.guard import Guard
from distill.firmware.lookup import Table
from distill.firmware.policy import Policy
from distill.firmware.proven import CERTIFICATE, with_source
from distill.firmware.render import render_files, sentence
from distill.firmware.spec import BundleSpec, Mode, evaluate_bundle
from distill.firmware.spec_file import spec_text
from distill.reading import json_of

__all__ = ["Bundle", "BundleSpec", "Mode", "Policy", "evaluate_bundle", "write_bundle"]

VERSION = 4
FORMAT = "distill-bundle"
RECORD = "bundle.json"
MADE_FROM = "made_from.json"
"""The file in a bundle from which every other can be written again: `distill verify` does."""


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
    check_replaceable(directory)
    return Bundle(directory, spec, write_files(render_bundle(spec), directory))


def write_files(files: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Write texts by their paths into a folder, whole or not at all; the SHA-256 of each.

    A link is followed: the folder it leads to gets them.
    """
    with whole_folder(directory.resolve()) as folder:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
    return hashes(files)


def hashes(files: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of every text."""
    return {name: _sha256(text.encode()) for name, text in files.items()}


def render_bundle(spec: BundleSpec) -> dict[str, str]:
    """The text of every file of the bundle, by its path in the folder."""
    files = {**render_files(spec), MADE_FROM: spec_text(spec)}
    if spec.proof is not None:
        source = f"{spec.name}.c"
        files[CERTIFICATE] = with_source(spec.proof.certificate, source, files[source])
    return packed(files, spec.name, sentence(spec), _record(spec))


def packed(
    files: Mapping[str, str], name: str, description: str, record: Mapping[str, object]
) -> dict[str, str]:
    """Files with PlatformIO's description and the record, which gets the hash of every other."""
    whole = dict(sorted({**files, "library.json": _platformio(name, description)}.items()))
    return {**whole, RECORD: record_text({**record, "files": hashes(whole)})}


def check_replaceable(directory: Path) -> None:
    """Refuse a folder in which anything but a bundle as we wrote it would be lost."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    hint = "choose another directory, or move what is there."
    try:
        record = json_of((directory / RECORD).read_text(encoding="utf-8"))
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


def record_text(data: object) -> str:
    """JSON as it stands in a bundle."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _platformio(name: str, description: str) -> str:
    return record_text(
        {
            "name": name,
            "version": "1.0.0",
            "description": plain(description),
            "frameworks": "*",
            "platforms": "*",
            "headers": f"{name}.h",
            "build": {
                "srcDir": ".",
                "includeDir": ".",
                "srcFilter": [f"+<{name}.c>", f"+<{name}_selftest.c>"],
                "flags": ["-ffp-contract=off"],
            },
        }
    )


def _record(spec: BundleSpec) -> dict[str, object]:
    """The machine-readable record: all that is known but the files."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": spec.name,
        "target": spec.target,
        "arithmetic": spec.arithmetic,
        "interface": spec.interface,
        "accuracy": spec.accuracy,
        "label_above": spec.label_above,
        "figures": list(spec.figures),
        "verified": spec.verified,
        "output": {"name": spec.output_name, "unit": spec.output_unit},
        "domain": json.loads(spec.domain.to_json()),
        "bounds": {v.name: list(bounds(v, spec.arithmetic)) for v in spec.domain.variables},
        "fixed": _fixed_record(spec, form) if (form := spec.output_format) else None,
        "formula": None if spec.formula is None else spec.formula.text,
        "table": None if spec.table is None else _table_record(spec.table),
        "guard": None if spec.guard is None else _guard_record(spec.guard),
        "tolerance": spec.tolerance,
        "max_error": spec.max_error if np.isfinite(spec.max_error) else None,
        "error_kind": spec.error_kind,
        "within_tolerance": spec.within_tolerance,
        "proof": None if spec.proof is None else spec.proof.to_data(),
        "remarks": list(spec.remarks),
        "policy": asdict(spec.policy),
        "provenance": dict(sorted(spec.provenance.items())),
    }


def _fixed_record(spec: BundleSpec, output: QFormat) -> dict[str, object]:
    """What the integers stand for: fraction bits and bounds."""
    return {
        "inputs": {
            v.name: {"fraction": form.fraction, "bounds": list(input_bounds(v))}
            for v, form in zip(spec.domain.variables, input_formats(spec.domain), strict=True)
        },
        "output": {"fraction": output.fraction},
    }


def _table_record(table: Table) -> dict[str, object]:
    return {
        "shape": table.shape,
        "counts": list(table.counts),
        "values": table.values.dtype.name,
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
        "sha256": _sha256(guard.packed.astype(guard.packed.dtype.newbyteorder("<")).tobytes()),
    }
