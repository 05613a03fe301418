"""Verifying a bundle of a function of arrays: outputs within rounding, labels to the last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array, affordable
from distill.firmware.evidence import Evidence
from distill.firmware.subject import Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import HostCompiler
from distill.firmware.vector.spec import VectorSpec, evaluate_vector
from distill.firmware.verify import verify_subject
from distill.teachers.labels import labels_of, margins_of

ROUNDING_POINTS = 16_384
"""Points at which it is looked how far rounding may move the C."""

NUMBERS = 20_000_000
"""Inputs and outputs of all points together: with many of them there are fewer points."""


@dataclass(frozen=True, eq=False)
class VectorSubject(Subject):
    """A bundle of arrays with its promises; a label is a result like others, but right or wrong.

    ``model`` and ``truth`` give outputs (n, k) and, with classes, the label behind them;
    ``label_errors`` (k,) is how far the C's scores may be from the truth's.
    """

    label_errors: tuple[float, ...] = ()

    def apart(self, found: Array, wanted: Array) -> Array:
        """How far each output is from the model's; 1 for a label that is wrong.

        A label must follow from the C's own scores. It must be the model's own too, but where
        rounding may turn it.
        """
        limits = np.asarray(self.allowed_rounding, dtype=float)[: self.signature.outputs]
        return self._labelled(super().apart(found, wanted), found, wanted, limits)

    def off(self, found: Array, wanted: Array) -> Array:
        """How far each output is off the truth's; 1 for a label that no known error explains."""
        limits = np.asarray(self.allowed_rounding, dtype=float)[: self.signature.outputs]
        limits = limits + np.array(self.label_errors)
        return self._labelled(super().off(found, wanted), found, wanted, limits)

    def _labelled(self, apart: Array, found: Array, wanted: Array, limits: Array) -> Array:
        """The differences with that of the labels in the last column, where there are any."""
        if not self.signature.label:
            return apart
        labels, scores = found[:, -1].astype(np.int64), wanted[:, :-1]
        # Of several scores two may each move towards the other.
        limit = float(limits.max()) * (1 if scores.shape[1] == 1 else 2)
        open_to = margins_of(scores) <= limit if limit > 0 else np.zeros(len(scores), dtype=bool)
        wrong = labels != labels_of(found[:, :-1])
        wrong |= ~open_to & (labels != labels_of(scores))
        return np.column_stack([apart[:, :-1], wrong.astype(float)])


def verify_vector(
    spec: VectorSpec,
    directory: Path,
    truth: Callable[[Array], Array] | None,
    target: Target | None,
    points: int = 1_000_000,
    *,
    chip_points: int = 512,
    seed: int = 0,
    seconds: float = 120.0,
    compilers: Sequence[HostCompiler] | None = None,
    announce: Callable[[str], None] | None = None,
) -> Evidence:
    """Check the written bundle of ``spec`` on this machine and on the emulated target.

    The checks are those of :func:`distill.firmware.verify.verify_bundle`: strict compilers,
    sanitizers, static analysis, the self-test, the host and the chip against Python's model, the
    truth and each other, the target's limits. Every output is held to its own rounding and
    tolerance. A label must follow from the C's own scores, be the model's wherever rounding cannot
    turn it (everywhere where the spec is exact), and the truth's wherever its margin is larger
    than the largest errors known (everywhere where they are 0).

    Parameters
    ----------
    directory : the folder that the bundle was written to.
    truth : the teacher, (n, d) -> (n, k), in real units; without it no tolerance is checked.
    points, chip_points : how many points are run here, and on the chip; with thousands of inputs
        and outputs there are fewer.
    seed, seconds, compilers, announce : as for ``verify_bundle``.
    """
    width = len(spec.domain) + len(spec.outputs)
    return verify_subject(
        vector_subject(spec, directory, truth, seconds),
        spec.domain.sample(max(chip_points * 16 // max(width, 16), 16), seed=7),
        target,
        min(points, NUMBERS // width),
        seed=seed,
        compilers=compilers,
        say=announce or (lambda what: None),
    )


def vector_subject(
    spec: VectorSpec,
    directory: Path,
    truth: Callable[[Array], Array] | None,
    seconds: float = 120.0,
) -> VectorSubject:
    """What the bundle of ``spec`` in a folder promises; see :func:`verify_vector`."""
    return VectorSubject(
        directory=Path(directory).resolve(),
        name=spec.name,
        interface=spec.numbers,
        variants=(),
        answers_everywhere=spec.policy.checked,
        seconds=seconds,
        model=lambda x: _with_label(spec, evaluate_vector(spec, x), formats=True),
        truth=None if truth is None else lambda x: _with_label(spec, truth(x), formats=False),
        tolerance=_limits(spec, np.array(spec.tolerance)),
        allowed_rounding=_limits(spec, allowed_rounding(spec)),
        fixed=spec.arithmetic == "fixed",
        outputs=(*(output.name for output in spec.outputs), *(["label"] if spec.classes else [])),
        label_errors=spec.max_errors,
    )


def allowed_rounding(spec: VectorSpec) -> Array:
    """How far (k,) the C may be from Python: the rounding of the C library's functions, if any."""
    exact = np.array(spec.content.exact)
    if exact.all():
        return np.zeros(len(exact))
    points = affordable(ROUNDING_POINTS, len(spec.domain))
    x = np.vstack([spec.domain.sample(points), spec.domain.corners()])
    bound = spec.content.rounding(x)
    return np.where(exact, 0.0, np.where(np.isfinite(bound), bound, 0.0).max(axis=0))


def _limits(spec: VectorSpec, limits: Array) -> Array:
    """With a label's own limit, 0, behind those of the outputs."""
    return np.append(limits, 0.0) if spec.classes else limits


def _with_label(spec: VectorSpec, answers: Array, *, formats: bool) -> Array:
    """Outputs (n, k) with the label behind them; ``formats`` tells integers from real numbers."""
    if not spec.classes:
        return answers
    reals = answers
    if formats and spec.interface == "integer":
        reals = answers * np.array([form.step for form in spec.output_formats])
    return np.column_stack([answers, labels_of(reals)])
