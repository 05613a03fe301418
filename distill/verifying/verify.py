"""``distill verify``: every check of a bundle, those that run nothing first."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import distill
from distill.arrays import Array, affordable
from distill.delivery.scalar import CHIP_POINTS, rounding_of, verify_spec
from distill.errors import TeacherError
from distill.firmware.bundle import write_files
from distill.firmware.evidence import Check, Evidence
from distill.firmware.spec import evaluate_bundle
from distill.firmware.target import Target
from distill.firmware.vector.spec import VectorSpec, evaluate_vector
from distill.firmware.vector.verify import allowed_rounding, verify_vector
from distill.progress import Progress
from distill.teachers.base import Output, Teacher
from distill.verifying.again import Again, Spec, differences, write_again
from distill.verifying.certificates import certificate_checks
from distill.verifying.costs import cost_check, target_of
from distill.verifying.folder import read_folder

POINTS = 100_000
"""Points on this machine."""

SLACK = 0.01
"""New points may be off by so much more than all that were tried at the export, relatively."""

MOST = 12
"""Outputs whose errors are told one by one."""

ERROR = "error"


@dataclass(frozen=True)
class Verified:
    """What was found of a bundle; ``ran`` is whether its C was compiled.

    ``checks`` are in the order in which they were done.
    """

    directory: Path
    spec: Spec
    checks: tuple[Check, ...]
    ran: bool

    @property
    def differing(self) -> tuple[Check, ...]:
        """What is not as the bundle states."""
        return tuple(check for check in self.checks if check.passed is False)

    @property
    def compiled(self) -> bool:
        """Whether any C ran."""
        return self.ran and any(check.passed is not None for check in self.checks if _runs(check))


def _runs(check: Check) -> bool:
    return check.name.startswith(("self-test", "host"))


def verify_bundle(
    directory: Path,
    progress: Progress,
    *,
    target: Sequence[str] = (),
    load: Callable[[Spec], Teacher] | None = None,
    points: int = POINTS,
) -> Verified:
    """Hold a bundle against what it states.

    Files, hashes and every byte written again come first; where they differ nothing is compiled.
    What is compiled then is the text that was written again, in a folder of its own.

    Parameters
    ----------
    target : overrides of the target that the bundle names, such as ``target.toolchain=native``.
    load : gives the teacher of a spec, against which the error is sampled again.
    points : how many points are run on this machine.

    Raises
    ------
    ExportError : when it is no bundle, or what it was made from cannot be read.
    TeacherError : when the teacher is another one.
    """
    progress.begin("verify", str(directory))
    folder = read_folder(directory)
    again = write_again(folder)
    spec = again.spec
    lines = differences(folder, again)
    told = {check.name for check in lines}
    checks = [check for check in folder.checks if check.name not in told] + lines
    if checks:
        other = _written_by_another(spec)
        return _ended(Verified(directory, spec, (*checks, *other), ran=False), progress)
    count = len(again.texts)
    checks.append(Check("files", True, f"{count} files, each the one that the record lists"))
    checks.append(Check("written again", True, f"from made_from.json, {count} times byte for byte"))
    chip = target_of(spec, target)
    teacher = None if load is None else load(spec)
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        own = Path(name) / "bundle"
        write_files(again.texts, own)
        checks += certificate_checks(again, own, progress)
        if not all(check.passed for check in checks):
            return _ended(Verified(directory, spec, tuple(checks), ran=False), progress)
        if chip is None:
            why = (
                f"this distill knows no target `{spec.target}`" if spec.target else "none is named"
            )
            checks.append(Check("target", None, f"{why}: nothing ran on an emulated chip"))
        evidence = _evidence(again, own, teacher, chip, points, progress)
    checks += evidence.checks
    checks += [cost_check(spec, chip, progress)] if chip is not None else []
    checks.append(_error_check(spec, teacher, points))
    return _ended(Verified(directory, spec, tuple(checks), ran=True), progress)


def _ended(verified: Verified, progress: Progress) -> Verified:
    progress.end("verify", f"{len(verified.checks)} checks", reused=False)
    return verified


def _evidence(
    again: Again,
    folder: Path,
    teacher: Teacher | None,
    target: Target | None,
    points: int,
    progress: Progress,
) -> Evidence:
    """Compilers, sanitizers, self-test, the host and the chip."""
    spec = again.spec

    def say(what: str) -> None:
        progress.advance(None, what)

    if isinstance(spec, VectorSpec):
        numbers = [] if teacher is None else [_number(teacher, o.name) for o in spec.outputs]

        def truths(x: Array) -> Array:
            assert teacher is not None  # or it is not asked
            return np.ascontiguousarray(teacher.predict(x)[:, numbers])

        return verify_vector(
            spec, folder, truths if teacher else None, target, points,
            chip_points=CHIP_POINTS, announce=say,
        )  # fmt: skip
    number = 0 if teacher is None else _number(teacher, spec.output_name)

    def truth(x: Array) -> Array:
        assert teacher is not None  # or it is not asked
        return teacher.predict(x)[:, number]

    return verify_spec(spec, folder, truth if teacher else None, target, points, say)


def _number(teacher: Teacher, output: str) -> int:
    """Which of the teacher's outputs is called so."""
    names = [each.name for each in teacher.outputs]
    if output not in names:
        raise TeacherError(
            f"the teacher has no output `{output}`, which the bundle gives.",
            where="command line, `teacher`",
            hint=f"its outputs: {', '.join(names)}.",
        )
    return names.index(output)


def _error_check(spec: Spec, teacher: Teacher | None, points: int) -> Check:
    """The header's largest error: found again with the teacher, or proven, or the record's word."""
    if teacher is not None:
        return _compared(spec, teacher, points)
    proofs = spec.proofs if isinstance(spec, VectorSpec) else (spec.proof,)
    if proofs and all(proof is not None and proof.certificate for proof in proofs):
        return Check(ERROR, True, "the header's bound is the certificate's, which holds")
    return Check(
        ERROR,
        None,
        "the header's largest error is the record's word: teacher=NAME|FILE compares it again",
    )


def _compared(spec: Spec, teacher: Teacher, points: int) -> Check:
    """No point is further off the teacher than the header says, but for what rounding adds."""
    sample = spec.domain.sample(affordable(points, len(spec.domain)), seed=11)
    x = spec.numbers.inside(np.vstack([spec.domain.corners(), sample]))
    outputs = _outputs(spec)
    answers, stated, rounding = _answers(spec, x)
    truth = teacher.predict(spec.numbers.reals(x))
    told, wrong = [], False
    for i, output in enumerate(outputs):
        off = np.abs(answers[:, i] - truth[:, _number(teacher, output.name)])
        largest = float(np.nanmax(off))
        wrong |= not largest <= stated[i] * (1 + SLACK) + rounding[i]
        unit = f" {output.unit}" if output.unit else ""
        name = f"`{output.name}` " if len(outputs) > 1 else ""
        told.append(f"{name}at most {largest:.6g}{unit} found, {stated[i]:.6g} stated")
    return Check(ERROR, not wrong, "\n".join([*told[:MOST], f"at {len(x):,} points"]))


def _answers(spec: Spec, x: Array) -> tuple[Array, tuple[float, ...], Array]:
    """Real answers (n, k) at the C's inputs (n, d), the errors stated, and what rounding adds."""
    if isinstance(spec, VectorSpec):
        steps = [form.step for form in spec.output_formats]
        scale = np.array(steps if spec.interface == "integer" else [1.0] * len(spec.outputs))
        return evaluate_vector(spec, x) * scale, spec.max_errors, allowed_rounding(spec)
    form = spec.output_format
    step = form.step if spec.interface == "integer" and form is not None else 1.0
    answers = (evaluate_bundle(spec, x) * step)[:, None]
    return answers, (spec.max_error,), np.array([rounding_of(spec)])


def _outputs(spec: Spec) -> tuple[Output, ...]:
    if isinstance(spec, VectorSpec):
        return spec.outputs
    return (Output(spec.output_name, spec.output_unit),)


def _written_by_another(spec: Spec) -> list[Check]:
    """Why lines may differ although nobody changed them."""
    known, own = spec.provenance.get("generator", ""), f"distill {distill.__version__}"
    if known in ("", own):
        return []
    return [Check("generator", None, f"the bundle was written by {known}, this is {own}")]
