"""The bundle of a function of arrays: a folder of C with its self-test, packaging and record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.chain.describe import described
from distill.firmware.axes import bounds
from distill.firmware.bundle import (
    FORMAT,
    MADE_FROM,
    VERSION,
    check_replaceable,
    packed,
    write_files,
)
from distill.firmware.fixed.formats import input_bounds, input_format
from distill.firmware.vector.render import description, render_vector_files
from distill.firmware.vector.spec import VectorSpec, evaluate_vector, labels_vector
from distill.firmware.vector.spec_file import certificates_of, vector_spec_text
from distill.teachers.labels import LabelArray


@dataclass(frozen=True, eq=False)
class VectorBundle:
    """A written bundle: its folder, what it was made from, and the SHA-256 of every file."""

    directory: Path
    spec: VectorSpec
    files: Mapping[str, str]

    @property
    def source(self) -> Path:
        """The C file."""
        return self.directory / f"{self.spec.name}.c"

    @property
    def header(self) -> Path:
        """The header."""
        return self.directory / f"{self.spec.name}.h"

    def model(self, x: Array) -> Array:
        """What the C answers at x (n, d), shape (n, k); see :func:`evaluate_vector`."""
        return evaluate_vector(self.spec, x)

    def labels(self, x: Array) -> LabelArray:
        """What its label is at x (n, d), shape (n,); see :func:`labels_vector`."""
        return labels_vector(self.spec, x)


def write_vector_bundle(spec: VectorSpec, directory: Path) -> VectorBundle:
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
    return VectorBundle(directory, spec, write_files(render_vector(spec), directory))


def render_vector(spec: VectorSpec) -> dict[str, str]:
    """The text of every file of the bundle, by its path in the folder."""
    own = {MADE_FROM: vector_spec_text(spec), **certificates_of(spec)}
    files = {**render_vector_files(spec), **own}
    return packed(files, spec.name, description(spec), _record(spec))


def _record(spec: VectorSpec) -> dict[str, object]:
    """The machine-readable record: all that is known but the files."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "kind": "vector",
        "name": spec.name,
        "target": spec.target,
        "arithmetic": spec.arithmetic,
        "interface": spec.interface,
        "accuracy": None if spec.accuracy is None else list(spec.accuracy),
        "figures": list(spec.figures),
        "verified": spec.verified,
        "outputs": [_output(spec, i) for i in range(len(spec.outputs))],
        "classes": list(spec.classes),
        "domain": json.loads(spec.domain.to_json()),
        "bounds": {v.name: list(bounds(v, spec.arithmetic)) for v in spec.domain.variables},
        "fixed": _fixed(spec) if spec.arithmetic == "fixed" else None,
        "formulas": [formula.text for formula in spec.formulas],
        "chain": None if spec.chain is None else described(spec.chain),
        "error_kind": spec.error_kind,
        "remarks": list(spec.remarks),
        "within_tolerance": spec.within_tolerance,
        "policy": asdict(spec.policy),
        "provenance": dict(sorted(spec.provenance.items())),
    }


def _output(spec: VectorSpec, i: int) -> dict[str, object]:
    error = spec.max_errors[i]
    proof = spec.proofs[i] if spec.proofs else None
    return {
        "name": spec.outputs[i].name,
        "unit": spec.outputs[i].unit,
        "tolerance": spec.tolerance[i],
        "max_error": error if np.isfinite(error) else None,
        "error_kind": spec.error_kinds[i],
        "exact": spec.content.exact[i],
        "proof": None if proof is None else proof.to_data(),
    }


def _fixed(spec: VectorSpec) -> dict[str, object]:
    """What the integers stand for: fraction bits and bounds."""
    return {
        "inputs": {
            v.name: {"fraction": input_format(v).fraction, "bounds": list(input_bounds(v))}
            for v in spec.domain.variables
        },
        "outputs": [form.fraction for form in spec.output_formats],
    }
