"""Writing what a bundle of a function of arrays was made from, and reading it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from distill.chain.data import chain_data, read_chain
from distill.domain import Domain
from distill.errors import StorageError
from distill.files import write_whole
from distill.firmware.policy import Policy
from distill.firmware.proven import Proof
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.teachers.base import Output

VERSION = 2
SPEC = "vector.json"
ARRAYS = "vector.npz"


def save_vector_spec(spec: VectorSpec, folder: Path) -> None:
    """Write ``spec`` into a folder that exists."""
    data: dict[str, Any] = {
        "version": VERSION,
        "name": spec.name,
        "domain": json.loads(spec.domain.to_json()),
        "outputs": [[output.name, output.unit] for output in spec.outputs],
        "tolerance": list(spec.tolerance),
        "max_errors": list(spec.max_errors),
        "chain": None if spec.chain is None else chain_data(spec.chain),
        "formulas": [formula.to_data() for formula in spec.formulas],
        "classes": list(spec.classes),
        "error_kind": spec.error_kind,
        "arithmetic": spec.arithmetic,
        "interface": spec.interface,
        "accuracy": None if spec.accuracy is None else list(spec.accuracy),
        "costs": None if spec.costs is None else dict(spec.costs),
        "out_of_domain": spec.policy.out_of_domain,
        "nan_input": spec.policy.nan_input,
        "provenance": dict(spec.provenance),
        "target": spec.target,
        "figures": list(spec.figures),
        "verified": spec.verified,
        "proofs": [None if proof is None else proof.to_data() for proof in spec.proofs],
        "certificates": [None if proof is None else proof.certificate for proof in spec.proofs],
        "remarks": list(spec.remarks),
    }
    arrays: dict[str, Any] = {} if spec.vectors is None else {"vectors": spec.vectors}
    np.savez_compressed(folder / ARRAYS, **arrays)
    write_whole(folder / SPEC, json.dumps(data, indent=1))


def load_vector_spec(folder: Path) -> VectorSpec:
    """Read what :func:`save_vector_spec` wrote.

    Raises
    ------
    StorageError : when it is of another version.
    """
    data = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    if data.get("version") != VERSION:
        raise StorageError(
            f"not what a bundle of arrays of version {VERSION} is made from.", where=str(folder)
        )
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        vectors = stored["vectors"] if "vectors" in stored.files else None
    same = (
        "name", "error_kind", "arithmetic", "interface", "costs", "provenance", "target",
        "verified",
    )  # fmt: skip
    return VectorSpec(
        domain=Domain.from_data(data["domain"]),
        outputs=tuple(Output(name, unit) for name, unit in data["outputs"]),
        tolerance=tuple(data["tolerance"]),
        max_errors=tuple(data["max_errors"]),
        chain=None if data["chain"] is None else read_chain(data["chain"]),
        formulas=tuple(Formula.from_data(formula) for formula in data["formulas"]),
        classes=tuple(data["classes"]),
        accuracy=None if data["accuracy"] is None else tuple(data["accuracy"]),
        policy=Policy(data["out_of_domain"], data["nan_input"]),
        figures=tuple(data["figures"]),
        vectors=vectors,
        proofs=tuple(
            None if proof is None else Proof.from_data(proof, text)
            for proof, text in zip(data["proofs"], data["certificates"], strict=True)
        ),
        remarks=tuple(data["remarks"]),
        **{key: data[key] for key in same},
    )
