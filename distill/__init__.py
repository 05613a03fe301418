"""Distill a trained model into the cheapest formula within a tolerance, and emit it as C.

>>> import distill
>>> domain = distill.Domain.box(temperature=(10, 50, "degC"), humidity=(5, 99, "percent"))
>>> teacher = distill.load_teacher("wet_bulb")  # doctest: +SKIP
>>> study = distill.distill(teacher, domain, tolerance=0.1)  # doctest: +SKIP
>>> distill.export(study.chosen, target="pic32", directory="build/wet_bulb")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distill.api import distill, distill_all, export
    from distill.domain import Domain, Variable
    from distill.errors import DistillError
    from distill.formula import Formula
    from distill.study.choice import Choice
    from distill.study.study import Study
    from distill.study.study_set import StudySet
    from distill.teachers.load import load_teacher

__version__ = "0.1.0"

# Each name is imported when it is first used, so that `distill --help` stays quick.
_HOMES = {
    "Choice": "distill.study.choice",
    "DistillError": "distill.errors",
    "Domain": "distill.domain",
    "Formula": "distill.formula",
    "Study": "distill.study.study",
    "Variable": "distill.domain",
    "StudySet": "distill.study.study_set",
    "distill": "distill.api",
    "distill_all": "distill.api",
    "export": "distill.api",
    "load_teacher": "distill.teachers.load",
}

__all__ = [
    "Choice",
    "DistillError",
    "Domain",
    "Formula",
    "Study",
    "StudySet",
    "Variable",
    "__version__",
    "distill",
    "distill_all",
    "export",
    "load_teacher",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module `distill` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted(__all__)
