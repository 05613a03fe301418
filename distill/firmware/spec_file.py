"""Writing what a bundle was made from, and reading it back: JSON beside arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from distill.domain import Domain
from distill.errors import StorageError
from distill.files import write_whole
from distill.firmware.policy import Policy
from distill.firmware.proven import CERTIFICATE, Proof
from distill.firmware.spec import BundleSpec
from distill.firmware.table_file import (
    guard_from_data,
    guard_to_data,
    table_from_data,
    table_to_data,
)
from distill.formula import Formula

VERSION = 3
SPEC = "spec.json"
ARRAYS = "spec.npz"


def save_spec(spec: BundleSpec, folder: Path) -> None:
    """Write ``spec`` into a folder that exists."""
    arrays: dict[str, Any] = {}
    data: dict[str, Any] = {
        "version": VERSION,
        "name": spec.name,
        "domain": json.loads(spec.domain.to_json()),
        "formula": spec.formula.to_data() if spec.formula else None,
        "table": None,
        "guard": None,
        "output_name": spec.output_name,
        "output_unit": spec.output_unit,
        "tolerance": spec.tolerance,
        "max_error": spec.max_error,
        "error_kind": spec.error_kind,
        "arithmetic": spec.arithmetic,
        "interface": spec.interface,
        "accuracy": spec.accuracy,
        "costs": None if spec.costs is None else dict(spec.costs),
        "label_above": spec.label_above,
        "figures": list(spec.figures),
        "verified": spec.verified,
        "out_of_domain": spec.policy.out_of_domain,
        "nan_input": spec.policy.nan_input,
        "provenance": dict(spec.provenance),
        "target": spec.target,
        "proof": None if spec.proof is None else spec.proof.to_data(),
        "remarks": list(spec.remarks),
    }
    if spec.table is not None:
        data["table"], stored = table_to_data(spec.table)
        arrays |= {f"table_{key}": value for key, value in stored.items()}
    if spec.guard is not None:
        data["guard"], stored = guard_to_data(spec.guard)
        arrays |= {f"guard_{key}": value for key, value in stored.items()}
    if spec.vectors is not None:
        arrays["vectors"] = spec.vectors
    if spec.proof is not None:
        write_whole(folder / CERTIFICATE, spec.proof.certificate)
    np.savez_compressed(folder / ARRAYS, **arrays)
    write_whole(folder / SPEC, json.dumps(data, indent=1))


def load_spec(folder: Path) -> BundleSpec:
    """Read what :func:`save_spec` wrote.

    Raises
    ------
    StorageError : when it is of another version.
    """
    data = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    if data.get("version") != VERSION:
        raise StorageError(
            f"not what a bundle of version {VERSION} is made from.", where=str(folder)
        )
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    domain = Domain.from_data(data["domain"])
    table, guard = data["table"], data["guard"]

    def parts(of: str) -> dict[str, Any]:
        return {
            key.removeprefix(f"{of}_"): array
            for key, array in arrays.items()
            if key.startswith(f"{of}_")
        }

    return BundleSpec(
        name=data["name"],
        domain=domain,
        formula=Formula.from_data(data["formula"]) if data["formula"] else None,
        table=table_from_data(table, parts("table"), domain) if table else None,
        guard=guard_from_data(guard, parts("guard"), domain) if guard else None,
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
        vectors=arrays.get("vectors"),
        proof=_load_proof(data["proof"], folder),
        remarks=tuple(data["remarks"]),
    )


def _load_proof(data: dict[str, Any] | None, folder: Path) -> Proof | None:
    if data is None:
        return None
    return Proof.from_data(data, (folder / CERTIFICATE).read_text(encoding="utf-8"))
