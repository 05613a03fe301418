"""``distill check``: progress, then one verdict."""

from __future__ import annotations

import hashlib
from pathlib import Path

from distill.checking.certificate import Certificate, parse_certificate, read_bytes
from distill.checking.check import Verdict, check
from distill.checking.operations import IntegerProgram
from distill.checking.refusals import Rejected
from distill.checking.written import difference_in
from distill.voices.terminal import Terminal

ROUNDING_VERIFIED = (
    "verified with the formula on every box: the C's own operations, each with its rounding"
)


def check_file(path: Path, *, teacher: str, jobs: int, budget: int) -> str:
    """Check a file, showing progress; the verdict in words.

    Parameters
    ----------
    teacher : a teacher's name or file whose fingerprint must be the certificate's; "" for none.
    jobs : how many processes work at once.
    budget : into how many boxes one box of the certificate is divided at most.

    Raises
    ------
    CertificateError : when it is no certificate, or speaks of what cannot be checked.
    Rejected : when it does not hold.
    TeacherError : when the teacher cannot be loaded.
    """
    raw = read_bytes(path)
    with Terminal() as progress:
        progress.begin("check", str(path))
        if teacher:
            compare(parse_certificate(raw), teacher)
        beside = compare_source(parse_certificate(raw), path.parent)
        certificate, verdict = check(raw, jobs=jobs, budget=budget, tell=progress.advance)
        progress.end("check", f"{verdict.leaves:,} boxes", reused=False)
    return words(certificate, verdict, compared=teacher, source=beside)


def compare_source(certificate: Certificate, folder: Path) -> str:
    """What is known of the C file that the certificate is about, in words; "" if it names none.

    Raises
    ------
    Rejected : when a file of its name lies in the folder and is another one, or computes its
        formula by other integer operations than the certificate lists.
    """
    source = certificate.source
    if source is None:
        return ""
    path = folder / source.name
    if not path.exists():
        return f"{source.name}, not beside the certificate: not compared"
    raw = read_bytes(path)
    if hashlib.sha256(raw).hexdigest() != source.sha256:
        raise Rejected(
            f"rejected: {source.name} is not the file that the certificate is about.",
            where=str(path),
            hint="it was edited, or belongs to another export; nothing is said about it.",
        )
    known = f"{source.name}, the very file by its SHA-256"
    if not isinstance(certificate.program, IntegerProgram):
        return known
    text = raw.decode("utf-8", errors="replace")
    other = difference_in(certificate.program, source.name.removesuffix(".c"), text)
    if other:
        raise Rejected(
            f"rejected: the operations in the certificate are not those of {source.name}.",
            where=other,
            hint="the file was edited, or written wrongly; export it again.",
        )
    return f"{known}; its formula's statements are the certificate's operations"


def compare(certificate: Certificate, source: str) -> None:
    """Refuse a certificate of another teacher.

    Raises
    ------
    Rejected : when the fingerprints differ.
    TeacherError : when the teacher cannot be loaded.
    """
    from distill.teachers.load import load_teacher

    found = load_teacher(source, domain=certificate.domain).fingerprint
    if found != certificate.fingerprint:
        raise Rejected(
            f"rejected: the certificate is about another teacher than `{source}`.",
            where=f"fingerprint {certificate.fingerprint[:16]}..., not {found[:16]}...",
            hint="the model changed since the export, or this is another one; export it again.",
        )


def words(
    certificate: Certificate, verdict: Verdict, *, compared: str = "", source: str = ""
) -> str:
    """The verdict and what it is made of, for people."""
    unit = f" {certificate.unit}" if certificate.unit else ""
    of_code = any(name.endswith("rounding") for name in certificate.claims)
    subject = "C" if of_code else "table" if certificate.formula is None else "formula"
    teacher = certificate.teacher_name or "teacher"
    lines = [
        f"accepted: |{subject} - teacher| <= {verdict.bound:.6g}{unit} on the whole domain "
        f"({verdict.leaves:,} boxes, {verdict.seconds:.1f} s)"
    ]
    for name, bound in verdict.checked:
        same = name == "formula" and certificate.same
        how = "it is the teacher itself" if same else "verified on every box"
        how = ROUNDING_VERIFIED if name == "rounding" else how
        lines.append(f"  {name:<15} {bound:.6g}{unit}, {how}")
    lines += [
        f"  {name:<15} {bound:.6g}{unit}, taken from the certificate, not checked here"
        + (f": {verdict.reasons[name]}" if name in verdict.reasons else "")
        for name, bound in verdict.believed
    ]
    told = (
        f"the fingerprint of `{compared}` is the certificate's"
        if compared
        else "as the certificate describes it; `teacher=FILE` compares its fingerprint"
    )
    lines.append(f"  teacher         {teacher}, {told}")
    if source:
        lines.append(f"  C               {source}")
    lines += [f"  rests on        {sentence}" for sentence in certificate.rests_on]
    return "\n".join(lines) + "\n"
