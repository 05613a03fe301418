"""What a bundle was made from as text, and back: a bundle carries it, and so does a study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distill.domain import Domain
from distill.errors import StorageError
from distill.files import write_whole
from distill.firmware.policy import Policy
from distill.firmware.proven import CERTIFICATE, Proof
from distill.firmware.spec import BundleSpec
from distill.firmware.stored_arrays import array_from_data, array_to_data, text_of
from distill.firmware.table_file import (
    guard_from_data,
    guard_to_data,
    table_from_data,
    table_to_data,
)
from distill.formula import Formula
from distill.reading import json_of

VERSION = 4
KIND = "scalar"
SPEC = "spec.json"


def spec_text(spec: BundleSpec) -> str:
    """All of ``spec`` but its certificate, which is a file of its own; equal specs, equal text."""
    table = None if spec.table is None else table_to_data(spec.table)
    guard = None if spec.guard is None else guard_to_data(spec.guard)
    data: dict[str, Any] = {
        "version": VERSION,
        "kind": KIND,
        "name": spec.name,
        "domain": json.loads(spec.domain.to_json()),
        "formula": None if spec.formula is None else spec.formula.to_data(),
        "table": None if table is None else _with_arrays(*table),
        "guard": None if guard is None else _with_arrays(*guard),
        "output_name": spec.output_name,
        "output_unit": spec.output_unit,
        "tolerance": spec.tolerance,
        "max_error": spec.max_error,
        "error_kind": spec.error_kind,
        "arithmetic": spec.arithmetic,
        "interface": spec.interface,
        "accuracy": spec.accuracy,
        "costs": None if spec.costs is None else dict(sorted(spec.costs.items())),
        "label_above": spec.label_above,
        "figures": list(spec.figures),
        "verified": spec.verified,
        "out_of_domain": spec.policy.out_of_domain,
        "nan_input": spec.policy.nan_input,
        "provenance": dict(sorted(spec.provenance.items())),
        "target": spec.target,
        "proof": None if spec.proof is None else spec.proof.to_data(),
        "remarks": list(spec.remarks),
        "vectors": None if spec.vectors is None else array_to_data(spec.vectors),
    }
    return text_of(data)


def spec_of(data: Mapping[str, Any], certificate: str) -> BundleSpec:
    """Read the JSON of :func:`spec_text`, with the certificate beside it.

    Raises
    ------
    StorageError : when it is of another version or kind.
    DistillError, LookupError, TypeError, ValueError : when it is broken.
    """
    if data.get("version") != VERSION or data.get("kind") != KIND:
        raise StorageError(f"not what a bundle of version {VERSION} is made from.")
    domain = Domain.from_data(data["domain"])
    table, guard, vectors, proof = (data[key] for key in ("table", "guard", "vectors", "proof"))
    return BundleSpec(
        name=data["name"],
        domain=domain,
        formula=Formula.from_data(data["formula"]) if data["formula"] else None,
        table=table_from_data(table, _arrays_of(table), domain) if table else None,
        guard=guard_from_data(guard, _arrays_of(guard), domain) if guard else None,
        output_name=data["output_name"],
        output_unit=data["output_unit"],
        tolerance=data["tolerance"],
        max_error=data["max_error"],
        error_kind=data["error_kind"],
        arithmetic=data["arithmetic"],
        interface=data["interface"],
        accuracy=data["accuracy"],
        costs=data["costs"],
        label_above=data["label_above"],
        figures=tuple(data["figures"]),
        verified=data["verified"],
        policy=Policy(data["out_of_domain"], data["nan_input"]),
        provenance=data["provenance"],
        target=data["target"],
        vectors=None if vectors is None else array_from_data(vectors),
        proof=None if proof is None else Proof.from_data(proof, certificate),
        remarks=tuple(data["remarks"]),
    )


def save_spec(spec: BundleSpec, folder: Path) -> None:
    """Write ``spec`` into a folder that exists."""
    if spec.proof is not None:
        write_whole(folder / CERTIFICATE, spec.proof.certificate)
    write_whole(folder / SPEC, spec_text(spec))


def load_spec(folder: Path) -> BundleSpec:
    """Read what :func:`save_spec` wrote.

    Raises
    ------
    StorageError : when it is of another version.
    """
    certificate = folder / CERTIFICATE
    return spec_of(
        json_of((folder / SPEC).read_text(encoding="utf-8")),
        certificate.read_text(encoding="utf-8") if certificate.exists() else "",
    )


def _with_arrays(data: dict[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "arrays": {key: array_to_data(value) for key, value in arrays.items()}}


def _arrays_of(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: array_from_data(value) for key, value in data["arrays"].items()}
