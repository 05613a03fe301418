"""Every error a person can cause or meet: what was wrong, where, and what to do next."""

from __future__ import annotations

BUG = 70
"""Exit code for a mistake of ours (EX_SOFTWARE of sysexits.h)."""

INTERRUPTED = 130
"""Exit code after Ctrl-C (128 + SIGINT)."""


class DistillError(Exception):
    """A mistake or a condition that the user can do something about.

    Attributes
    ----------
    what : what was wrong, in one sentence.
    where : the file, config key or variable it was found in (may be empty).
    hint : what to do next (may be empty).
    exit_code : what the command line returns for it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.hint:
            lines.append(f"  next:  {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def exit_code_of(error: BaseException) -> int:
    """What the command line returns for an error."""
    if isinstance(error, DistillError):
        return error.exit_code
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else BUG


def _rebuild(kind: type[DistillError], what: str, where: str, hint: str) -> DistillError:
    return kind(what, where=where, hint=hint)


class ConfigError(DistillError):
    """A config key, an override or an argument has a value that cannot be used."""


class DomainError(DistillError):
    """The input domain is not a usable box of named variables."""


class FormulaError(DistillError):
    """A formula's text or tree cannot be read, or uses what the grammar does not know."""


class TeacherError(DistillError):
    """The teacher cannot be loaded, or does not answer as a teacher must."""


class NotDifferentiable(TeacherError):
    """The teacher cannot tell its gradient."""


class SampleError(DistillError):
    """The sample cannot be drawn, read or used."""


class ExportError(DistillError):
    """C for the wanted target cannot be written within the stated limits."""


class ToolchainError(DistillError):
    """A compiler or emulator is missing, failed or did not end in time."""

    exit_code = 3


class StorageError(DistillError):
    """The disk is full, a folder cannot be written, or a stored file is broken."""

    exit_code = 3


class LimitError(DistillError):
    """A study needs more of this machine than ``limits`` lets it have."""

    exit_code = 3


class TrackingError(DistillError):
    """The MLflow store cannot be reached or does not hold what was asked for."""

    exit_code = 3


class ClusterError(DistillError):
    """The cluster's scheduler cannot be asked, or refuses what it is given."""

    exit_code = 3
