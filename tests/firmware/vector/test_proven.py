"""What is proven of functions of arrays holds of their C, however it is compiled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distill.chain.closed_form import ClosedForm
from distill.firmware.vector.notes import header_notes
from distill.firmware.vector.proven import certificate_name, proof_ground, proof_lines
from distill.firmware.vector.spec import VectorSpec
from distill.progress import Silent
from distill.proving.certificate import Known
from distill.proving.vector import VectorProofs, vector_proofs
from distill.proving.within import Budget


def proofs(spec: VectorSpec) -> VectorProofs:
    """Against the spec's own chain."""
    assert spec.chain is not None
    teachers = [
        Known(ClosedForm(spec.chain, spec.domain, i), "own", "") for i in range(len(spec.outputs))
    ]
    return vector_proofs(spec, spec.chain, teachers, Budget(100), Silent())


@pytest.mark.parametrize("flags", [(), ("-O2", "-ffp-contract=fast")])
@pytest.mark.parametrize("name", ["iris", "digits", "trees", "mixed"])
def test_no_answer_of_the_compiled_c_is_further_off(specs, c_results, name: str, flags) -> None:
    spec = specs[name]
    assert spec.chain is not None
    bounds = [proof.bound for proof in proofs(spec).proofs if proof is not None]
    x = spec.numbers.inside(np.vstack([spec.domain.sample(3000, seed=6), spec.domain.corners()]))
    answers = c_results(spec, x, *flags)[:, : len(spec.outputs)]
    if spec.interface == "integer":
        answers = answers * [form.step for form in spec.output_formats]
    off = np.abs(answers - spec.chain.evaluate(spec.numbers.reals(x))).max(axis=0)
    assert len(bounds) == len(spec.outputs)
    assert (off <= bounds).all()


def test_without_proofs_nothing_is_said(specs) -> None:
    spec = specs["iris"]
    assert (proof_lines(spec), proof_ground(spec)) == ([], [])
    assert not any("Proven" in line for line in header_notes(spec, 0, 0))
    told = replace(spec, remarks=("Not proven: no reason.",))
    assert "Not proven: no reason." in header_notes(told, 0, 0)


def test_every_output_has_a_line_and_a_certificate(specs) -> None:
    spec = specs["digits"]
    found = proofs(spec)
    told = replace(spec, proofs=found.proofs, remarks=found.remarks)
    assert len(proof_lines(told)) == 10
    assert proof_lines(told)[3].startswith("y[3]: at most ")
    assert "certificate_s0.json" in " ".join(proof_ground(told))
    assert certificate_name(spec.outputs[9]) == "certificate_s9.json"
