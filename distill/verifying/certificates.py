"""The certificates of a bundle: that they hold, and that they speak of this bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from distill.checking.certificate import Certificate
from distill.checking.check import check
from distill.checking.command import compare_source
from distill.checking.workers import cores
from distill.errors import DistillError
from distill.firmware.evidence import Check
from distill.firmware.proven import CERTIFICATE, Proof
from distill.firmware.spec import BundleSpec, evaluate_bundle
from distill.firmware.vector.proven import certificate_name
from distill.firmware.vector.spec import VectorSpec, evaluate_vector
from distill.progress import Progress
from distill.proving.table_layout import interpolant
from distill.verifying.again import Again, Spec

POINTS = 4096
"""Points at which a certificate's formula is held against what the C answers."""


def proofs_of(spec: Spec) -> Iterator[tuple[str, int, Proof]]:
    """Every proof that has a certificate, with the certificate's file and the output's number."""
    if isinstance(spec, BundleSpec):
        if spec.proof is not None:
            yield CERTIFICATE, 0, spec.proof
        return
    for i, (output, proof) in enumerate(zip(spec.outputs, spec.proofs, strict=False)):
        if proof is not None and proof.certificate:
            yield certificate_name(output), i, proof


def certificate_checks(again: Again, folder: Path, progress: Progress) -> list[Check]:
    """Whether each certificate holds, box by box, and says what the bundle says.

    ``folder`` is where the bundle that was written again lies.
    """
    checks = []
    for name, output, proof in proofs_of(again.spec):
        progress.advance(None, f"checking {name}, box by box")
        try:
            raw = again.texts[name].encode()
            read, verdict = check(raw, jobs=cores(), tell=progress.advance)
            source = compare_source(read, folder)
            apart = list(_apart(again.spec, output, proof, read))
        except DistillError as error:
            checks.append(Check(name, False, f"{error.what} ({error.where})"))
            continue
        if apart:
            checks.append(Check(name, False, "\n".join(apart)))
            continue
        unit = f" {read.unit}" if read.unit else ""
        believed = ", ".join(claim for claim, _ in verdict.believed)
        told = f"at most {verdict.bound:.6g}{unit} off the teacher, {verdict.leaves:,} boxes"
        told += f"; {source}" if source else ""
        told += f"; not verified by boxes: {believed}" if believed else ""
        checks.append(Check(name, True, told, {"bound": verdict.bound}))
    return checks


def _apart(spec: Spec, output: int, proof: Proof, read: Certificate) -> Iterator[str]:
    """What a certificate that holds says of something else than this bundle."""
    if isinstance(spec, BundleSpec):
        called, unit = spec.output_name, spec.output_unit
    else:
        called, unit = spec.outputs[output].name, spec.outputs[output].unit
    if read.domain != spec.domain:
        yield "it is about another domain"
        return
    pairs = (
        ("output", (read.output, read.unit), (called, unit)),
        ("bound", read.bound, proof.bound),
        ("parts", [(c.name, c.bound) for c in read.claims.values()],
         [(part.name, part.bound) for part in proof.parts]),
        ("ground", tuple(read.rests_on), tuple(proof.rests_on)),
        ("teacher", read.fingerprint, spec.provenance.get("teacher fingerprint", read.fingerprint)),
    )  # fmt: skip
    for what, one, other in pairs:
        if one != other:
            yield f"its {what} is {one}, the header's {other}"
    if isinstance(spec, BundleSpec) and read.table is not None:
        meant = None if spec.table is None else interpolant(spec.table)
        if meant is None or not (
            np.array_equal(meant.levels, read.table.levels)
            and (meant.offset, meant.scale) == (read.table.offset, read.table.scale)
        ):
            yield "its table is not the bundle's"
    if read.formula is not None:
        yield from _of_another_formula(spec, output, read)


def _of_another_formula(spec: Spec, output: int, read: Certificate) -> Iterator[str]:
    """Where the C's answers are further from the certificate's formula than rounding explains."""
    x = spec.numbers.inside(np.vstack([spec.domain.corners(), spec.domain.sample(POINTS, seed=3)]))
    real = spec.numbers.reals(x)
    if isinstance(spec, VectorSpec):
        answers = evaluate_vector(spec, x)[:, output]
        step = spec.output_formats[output].step if spec.interface == "integer" else 1.0
    else:
        answers = evaluate_bundle(spec, x)
        form = spec.output_format
        step = form.step if spec.interface == "integer" and form is not None else 1.0
        if spec.guarded and spec.guard is not None:
            answered = ~spec.guard(real)
            real, answers = real[answered], answers[answered]
    assert read.formula is not None  # who calls looked
    off = np.abs(answers * step - read.formula(real))
    rounding = read.claims["rounding"].bound if "rounding" in read.claims else 0.0
    # Python's own evaluation of the certificate's formula rounds, too.
    size = np.abs(answers * step).max(initial=0.0)
    if (off > rounding * 1.001 + 1e-9 * size).any():
        yield (
            f"its formula is not the bundle's: they are {np.nanmax(off):.3g} apart, "
            f"where rounding explains {rounding:.3g}"
        )
