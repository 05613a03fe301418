"""What a bundle of a function of arrays was made from as text, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distill.chain.data import chain_data, read_chain
from distill.domain import Domain
from distill.errors import StorageError
from distill.files import write_whole
from distill.firmware.policy import Policy
from distill.firmware.proven import Proof
from distill.firmware.stored_arrays import array_from_data, array_to_data, text_of
from distill.firmware.vector.proven import certificate_name
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.reading import json_of
from distill.teachers.base import Output

VERSION = 3
KIND = "vector"
SPEC = "vector.json"

_SAME = (
    "name", "error_kind", "arithmetic", "interface", "costs", "provenance", "target", "verified",
)  # fmt: skip


def vector_spec_text(spec: VectorSpec) -> str:
    """All of ``spec`` but its certificates, which are files of their own."""
    data: dict[str, Any] = {
        "version": VERSION,
        "kind": KIND,
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
        "costs": None if spec.costs is None else dict(sorted(spec.costs.items())),
        "out_of_domain": spec.policy.out_of_domain,
        "nan_input": spec.policy.nan_input,
        "provenance": dict(sorted(spec.provenance.items())),
        "target": spec.target,
        "figures": list(spec.figures),
        "verified": spec.verified,
        "proofs": [None if proof is None else proof.to_data() for proof in spec.proofs],
        "remarks": list(spec.remarks),
        "vectors": None if spec.vectors is None else array_to_data(spec.vectors),
    }
    return text_of(data)


def vector_spec_of(data: Mapping[str, Any], certificates: Mapping[str, str]) -> VectorSpec:
    """Read the JSON of :func:`vector_spec_text`, with the certificates by their files' names.

    Raises
    ------
    StorageError : when it is of another version or kind.
    DistillError, LookupError, TypeError, ValueError : when it is broken.
    """
    if data.get("version") != VERSION or data.get("kind") != KIND:
        raise StorageError(f"not what a bundle of arrays of version {VERSION} is made from.")
    outputs = tuple(Output(name, unit) for name, unit in data["outputs"])
    texts = [certificates.get(certificate_name(output), "") for output in outputs]
    return VectorSpec(
        domain=Domain.from_data(data["domain"]),
        outputs=outputs,
        tolerance=tuple(data["tolerance"]),
        max_errors=tuple(data["max_errors"]),
        chain=None if data["chain"] is None else read_chain(data["chain"]),
        formulas=tuple(Formula.from_data(formula) for formula in data["formulas"]),
        classes=tuple(data["classes"]),
        accuracy=None if data["accuracy"] is None else tuple(data["accuracy"]),
        policy=Policy(data["out_of_domain"], data["nan_input"]),
        figures=tuple(data["figures"]),
        vectors=None if data["vectors"] is None else array_from_data(data["vectors"]),
        proofs=tuple(
            None if proof is None else Proof.from_data(proof, text)
            for proof, text in zip(data["proofs"], texts, strict=False)  # there may be none
        ),
        remarks=tuple(data["remarks"]),
        **{key: data[key] for key in _SAME},
    )


def certificates_of(spec: VectorSpec) -> dict[str, str]:
    """The certificates of the outputs that have one, by their files' names."""
    return {
        certificate_name(output): proof.certificate
        for output, proof in zip(spec.outputs, spec.proofs, strict=False)  # there may be none
        if proof is not None and proof.certificate
    }


def save_vector_spec(spec: VectorSpec, folder: Path) -> None:
    """Write ``spec`` into a folder that exists."""
    for name, text in certificates_of(spec).items():
        write_whole(folder / name, text)
    write_whole(folder / SPEC, vector_spec_text(spec))


def load_vector_spec(folder: Path) -> VectorSpec:
    """Read what :func:`save_vector_spec` wrote.

    Raises
    ------
    StorageError : when it is of another version.
    """
    files = folder.glob(certificate_name(Output("*")))
    return vector_spec_of(
        json_of((folder / SPEC).read_text(encoding="utf-8")),
        {file.name: file.read_text(encoding="utf-8") for file in files},
    )
