"""What the header and the README of a function of arrays say of its proofs."""

from __future__ import annotations

from distill.firmware.vector.spec import VectorSpec
from distill.teachers.base import Output


def certificate_name(output: Output) -> str:
    """The file in the bundle that anybody can check the proof of one output by."""
    return f"certificate_{output.name}.json"


def proof_lines(spec: VectorSpec) -> list[str]:
    """A line for each proven output, with what its bound is made of."""
    lines = []
    for i, (output, proof) in enumerate(zip(spec.outputs, spec.proofs, strict=False)):
        if proof is not None:
            unit = f" {output.unit}" if output.unit else ""
            parts = ", ".join(f"{part.name} {part.bound:.4g}{unit}" for part in proof.parts)
            lines.append(f"y[{i}]: at most {proof.bound:.4g}{unit} off the teacher ({parts}).")
    return lines


def proof_ground(spec: VectorSpec) -> list[str]:
    """What the proofs rest on and how to check them; the remarks."""
    proofs = [proof for proof in spec.proofs if proof is not None]
    if not proofs:
        return list(spec.remarks)
    rests_on = dict.fromkeys(sentence for proof in proofs for sentence in proof.rests_on)
    lines = ["What that rests on:", *(f"- {sentence}" for sentence in rests_on)]
    checked = [
        certificate_name(output)
        for output, proof in zip(spec.outputs, spec.proofs, strict=True)
        if proof is not None and proof.certificate
    ]
    if checked:
        more = ", and so each of its kind" if len(checked) > 1 else ""
        lines.append(f"How to check it: distill check {checked[0]}{more}")
    return [*lines, *spec.remarks]


PROVEN = (
    "Proven, for every input in range (formula: what the C means in real numbers is off the "
    "teacher; rounding: what its arithmetic adds):"
)
"""What stands before :func:`proof_lines`."""
