"""From what a user gave to a checked teacher: a file, or an estimator in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distill.domain import Domain
from distill.errors import ConfigError
from distill.teachers import fingerprint
from distill.teachers.checked import Checked
from distill.teachers.options import (
    Options,
    identifier,
    names_option,
    outputs_option,
    truth_option,
)
from distill.teachers.sklearn.estimator import EstimatorTeacher, from_estimator
from distill.teachers.sklearn.files import read_estimator

COMMON = ("name", "outputs")


def load_file(path: Path, domain: Domain | None, name: str | None, options: Options) -> Checked:
    """The estimator in a .skops, .pkl, .pickle, .joblib or .sav file.

    Raises
    ------
    TeacherError : for a file that is not read, or an estimator that cannot be asked.
    ConfigError : for an option of the wrong kind.
    """
    import sklearn

    trusted = names_option(options, "trusted") or ()
    if bad := [one for one in trusted if "." not in one.strip(".")]:
        raise ConfigError(
            f"`{bad[0]}` is not the full name of a type.",
            where="config key `teacher.options.trusted`",
            hint="write it as package.module.Type; the message about the file lists them.",
        )
    model, notes = read_estimator(
        path, trusted, trust_pickle=truth_option(options, "trust_pickle", False)
    )
    teacher = from_estimator(
        model,
        name or identifier(path.stem),
        outputs_option(options),
        domain,
        where=str(path),
        mark=fingerprint.of("estimator file", fingerprint.of_file(path), sklearn.__version__),
        notes=notes,
    )
    return _checked(teacher, domain)


def load_object(model: Any, domain: Domain | None, name: str | None, options: Options) -> Checked:
    """A fitted estimator given in Python."""
    return _checked(from_estimator(model, name, outputs_option(options), domain), domain)


def _checked(teacher: EstimatorTeacher, domain: Domain | None) -> Checked:
    return Checked(teacher, domain or teacher.domain, inputs=teacher.inputs)
