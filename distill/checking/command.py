"""``distill check``: progress, then one verdict."""

from __future__ import annotations

from pathlib import Path

from distill.checking.certificate import Certificate, parse_certificate, read_bytes
from distill.checking.check import Verdict, check
from distill.checking.refusals import Rejected
from distill.terminal import Terminal


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
        certificate, verdict = check(raw, jobs=jobs, budget=budget, tell=progress.advance)
        progress.end("check", f"{verdict.leaves:,} boxes", reused=False)
    return words(certificate, verdict, compared=teacher)


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


def words(certificate: Certificate, verdict: Verdict, *, compared: str = "") -> str:
    """The verdict and what it is made of, for people."""
    unit = f" {certificate.unit}" if certificate.unit else ""
    of_code = any(name.endswith("rounding") for name, _ in verdict.believed)
    subject = "C" if of_code else "table" if certificate.formula is None else "formula"
    teacher = certificate.teacher_name or "teacher"
    lines = [
        f"accepted: |{subject} - teacher| <= {verdict.bound:.6g}{unit} on the whole domain "
        f"({verdict.leaves:,} boxes, {verdict.seconds:.1f} s)"
    ]
    for name, bound in verdict.checked:
        same = name == "formula" and certificate.same
        how = "it is the teacher itself" if same else "verified on every box"
        lines.append(f"  {name:<15} {bound:.6g}{unit}, {how}")
    lines += [
        f"  {name:<15} {bound:.6g}{unit}, taken from the certificate, not checked here"
        for name, bound in verdict.believed
    ]
    told = (
        f"the fingerprint of `{compared}` is the certificate's"
        if compared
        else "as the certificate describes it; `teacher=FILE` compares its fingerprint"
    )
    lines.append(f"  teacher         {teacher}, {told}")
    lines += [f"  rests on        {sentence}" for sentence in certificate.rests_on]
    return "\n".join(lines) + "\n"
