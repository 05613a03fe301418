"""``distill verify`` in words: a line a check, and the exit code that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from distill.errors import DistillError, TeacherError, ToolchainError
from distill.firmware.evidence import Check
from distill.teachers.base import Teacher
from distill.verifying.again import Spec
from distill.verifying.verify import POINTS, Verified, verify_bundle
from distill.voices.voice import Result, Voice

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "dim")}


class Differs(DistillError):
    """A bundle is not what it states."""


def verify_command(
    directory: Path, teacher: str, target: Sequence[str], points: int | None, voice: Voice
) -> None:
    """Verify a bundle and tell every check.

    Raises
    ------
    ExportError : when it is no bundle, or what it was made from cannot be read.
    TeacherError : when the teacher given cannot be loaded, or is another one.
    Differs : when something is not as the bundle states.
    ToolchainError : when this machine has nothing to compile or run it with.
    """

    def load(spec: Spec) -> Teacher:
        return _teacher(teacher, spec)

    verified = verify_bundle(
        directory,
        voice,
        target=target,
        load=load if teacher else None,
        points=points or POINTS,
    )
    wrong = verified.differing
    voice.result(
        Result(
            show=lambda console: _show(console, verified),
            line=f"{directory}: {_line(verified)}",
            data={
                "directory": str(directory),
                "verified": not wrong and verified.compiled,
                "compiled": verified.compiled,
                "checks": [asdict(check) for check in verified.checks],
            },
        )
    )
    if wrong:
        raise Differs(
            f"the bundle is not what it states: {len(wrong)} "
            f"{'thing differs' if len(wrong) == 1 else 'things differ'}, the first in "
            f"`{wrong[0].name}`.",
            where=str(directory),
            hint="do not use it; export it again, or get it again from where it was made."
            if verified.ran
            else "nothing of it was compiled or run. Export it again, or get it again from where "
            "it was made.",
        )
    if not verified.compiled:
        raise ToolchainError(
            "the bundle is whole and was written from its record, but its C was not compiled: "
            "this machine has no compiler for it.",
            where=str(directory),
            hint="`distill doctor` says how to get one.",
        )


def _teacher(source: str, spec: Spec) -> Teacher:
    """The teacher, which must be the one that the bundle was made from."""
    from distill.teachers.load import load_teacher

    teacher = load_teacher(source, domain=spec.domain)
    recorded = spec.provenance.get("teacher fingerprint", "")
    if recorded and teacher.fingerprint != recorded:
        raise TeacherError(
            f"the bundle was made from another teacher than `{source}`.",
            where=f"fingerprint {recorded[:16]}..., not {teacher.fingerprint[:16]}...",
            hint="the model changed since the export, or this is another one.",
        )
    return teacher


def _line(verified: Verified) -> str:
    checks = verified.checks
    passed = sum(check.passed is True for check in checks)
    ran = sum(check.passed is not None for check in checks)
    return f"{passed} of {ran} checks passed, {len(checks) - ran} not done here"


def _show(console: Console, verified: Verified) -> None:
    for check in verified.checks:
        console.print(_row(check), soft_wrap=True)
    console.print(Text(f"\n  {_line(verified)}"), soft_wrap=True)


def _row(check: Check) -> Text:
    mark, style = _MARKS[check.passed]
    detail = check.detail.replace("\n", "\n      ")
    return Text.assemble("  ", (mark, style), f" {check.name}: {detail}")
