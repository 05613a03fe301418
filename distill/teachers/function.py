"""Python functions as teachers: in this process when given as an object, else in one of their own.

A function given by import path is code of the user's choosing that may hang, print, exit or crash:
it runs in a worker process that is killed when it does not answer in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import NotDifferentiable
from distill.teachers import fingerprint
from distill.teachers.base import Output
from distill.teachers.process import Worker


@dataclass(frozen=True)
class CallableTeacher:
    """A Python callable asked in this process, where no time limit can hold."""

    function: Callable[..., Any]
    name: str
    outputs: tuple[Output, ...]
    fingerprint: str
    vectorized: bool = True
    domain: Domain | None = None
    can_be_asked: bool = True
    validation_error: float | None = None

    def predict(self, x: Array) -> Array:
        """Whatever the function answers at x (n, d); for :class:`Checked` to judge."""
        if self.vectorized:
            answer: Array = self.function(x)
            return answer
        return np.asarray([self.function(*point) for point in x.tolist()])

    def gradient(self, x: Array) -> Array:
        """Raise: a function only has values."""
        raise _no_gradient(self.name)


@dataclass(frozen=True)
class FunctionTeacher:
    """A function by import path, asked in a process of its own with ``timeout`` s a batch."""

    module: str
    function: str
    name: str
    outputs: tuple[Output, ...]
    timeout: float
    batch: int
    vectorized: bool
    fingerprint: str
    worker: Worker = field(repr=False)
    domain: Domain | None = None
    can_be_asked: bool = True
    validation_error: float | None = None

    def predict(self, x: Array) -> Array:
        """Whatever the function answers at x (n, d); for :class:`Checked` to judge.

        Raises
        ------
        TeacherError : when a batch is not answered in time or the worker ended.
        Raised : when the function raised.
        """
        parts = [
            self.worker.ask(x[at : at + self.batch], self.vectorized, self.timeout)
            for at in range(0, len(x), self.batch)
        ]
        sizes = [min(self.batch, len(x) - at) for at in range(0, len(x), self.batch)]
        for part, size in zip(parts, sizes, strict=True):
            if part.shape[:1] != (size,):
                return part  # what cannot be put together is for the check to name
        return np.concatenate(parts)

    def gradient(self, x: Array) -> Array:
        """Raise: a function only has values."""
        raise _no_gradient(self.name)


def load_function(
    path: str,
    name: str,
    outputs: tuple[Output, ...],
    *,
    vectorized: bool = True,
    timeout: float = 60.0,
    batch: int = 1024,
) -> FunctionTeacher:
    """Start a worker for ``package.module:function``.

    Raises
    ------
    TeacherError : when the module cannot be imported or has no such function.
    """
    module, _, function = path.partition(":")
    worker = Worker(module, function)
    files = worker.start()
    return FunctionTeacher(
        module=module,
        function=function,
        name=name,
        outputs=outputs,
        timeout=timeout,
        batch=batch,
        vectorized=vectorized,
        fingerprint=fingerprint.of(
            path, vectorized, *(fingerprint.of_file(Path(file)) for file in files)
        ),
        worker=worker,
    )


def _no_gradient(name: str) -> NotDifferentiable:
    return NotDifferentiable(
        f"the teacher `{name}` is a function without derivatives.",
        hint="differences of its values stand in for them where derivatives only save time.",
    )
