"""Why a certificate is not accepted."""

from __future__ import annotations

from distill.errors import DistillError


class CertificateError(DistillError):
    """The file is no certificate: damaged, of another version, or its parts do not fit."""


class CannotCheck(CertificateError):
    """The certificate speaks of something that the checker has no arithmetic for.

    ``part`` names it, such as "the step `Nearest`".
    """

    def __init__(self, part: str) -> None:
        super().__init__(
            f"cannot check: this version has no enclosure of {part}.",
            where="certificate",
            hint="nothing is said about the bound; check it with a version that knows it.",
        )
        self.part = part

    def __reduce__(self) -> tuple[object, ...]:
        return (CannotCheck, (self.part,))


class Rejected(DistillError):
    """A claim of the certificate does not hold, or could not be shown to hold."""
