"""Asking the teacher at the points of a design, or taking the rows of a table."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import SampleError
from distill.progress import Progress, Silent
from distill.sampling.designs import DATA, DESIGNS
from distill.sampling.sample_set import SampleSet
from distill.teachers.base import Teacher
from distill.teachers.checked import Checked
from distill.teachers.table import rows_of

BATCH = 8192
"""Points asked at once where the teacher does not say otherwise."""

MOST = 0.5
"""A teacher without an answer at more than this part of the points is not distilled."""


def draw(
    teacher: Teacher,
    domain: Domain,
    design: str,
    points: int,
    seed: int,
    *,
    output: int = 0,
    held_out: float = 0.0,
    progress: Progress | None = None,
) -> SampleSet:
    """A sample of one output over ``domain``.

    Parameters
    ----------
    design : a name in :data:`distill.sampling.designs.DESIGNS`, or ``data`` for a table's rows. A
        table is never asked, whatever the design.
    points : how many points, corners and faces included; of a table at most so many rows.
    held_out : the part of a table's rows that no engine sees.

    Raises
    ------
    SampleError : for an unknown design, a teacher without finite answers at most points, a
        constant one, or a table without rows in the domain.
    TeacherError : when the teacher does not answer as it must.
    """
    news = progress or Silent()
    if points < 1:
        raise SampleError(f"cannot draw {points} points.", where="config key `sampling.points`")
    if not 0 <= output < len(teacher.outputs):
        raise SampleError(
            f"the teacher has {len(teacher.outputs)} outputs, so there is no output {output}.",
            where="config key `teacher.output`",
            hint="outputs are counted from 0.",
        )
    if not teacher.can_be_asked:
        if design != DATA:
            news.warn(f"a table cannot be asked: its rows are used instead of the design {design}.")
            points = np.iinfo(np.int64).max
        sample = _from_rows(teacher, domain, points, seed, output, held_out, news)
    else:
        sample = _ask(teacher, domain, lay_out(domain, design, points, seed), output, news)
    _refuse_constant(sample, teacher, output)
    return sample


def lay_out(domain: Domain, design: str, points: int, seed: int) -> Array:
    """The points (about n, d) of a design at which a teacher is asked.

    Raises
    ------
    SampleError : for an unknown design, and for ``data``, which asks nobody.
    """
    if design not in DESIGNS:
        raise SampleError(
            "the design data takes the rows of a table, but this teacher is none."
            if design == DATA
            else f"`{design}` is not a design.",
            where="config key `sampling.design`",
            hint=f"use one of: {', '.join(DESIGNS)}.",
        )
    return DESIGNS[design].points(domain, points, seed)


def _ask(teacher: Teacher, domain: Domain, x: Array, output: int, news: Progress) -> SampleSet:
    batch = teacher.batch if isinstance(teacher, Checked) else BATCH
    y = np.empty(len(x))
    for at in range(0, len(x), batch):
        y[at : at + batch] = teacher.predict(x[at : at + batch])[:, output]
        done = min(at + batch, len(x))
        news.advance(done / len(x), f"{done} of {len(x)} points asked")
    finite = np.isfinite(y)
    bad = int((~finite).sum())
    if bad:
        at = int(np.argmin(finite))
        point = ", ".join(f"{n} = {v:.6g}" for n, v in zip(domain.names, x[at], strict=True))
        text = f"{bad} of {len(x)} answers are not finite, the first {y[at]} at {point}"
        if bad > MOST * len(x):
            raise SampleError(
                f"the teacher has hardly any answers on this domain: {text}.",
                where=f"teacher `{teacher.name}`",
                hint="narrow the domain to where the teacher has answers.",
            )
        news.warn(f"{text}; these points are left out.")
    return SampleSet(domain, x[finite], y[finite], x[~finite])


def _from_rows(
    teacher: Teacher,
    domain: Domain,
    points: int,
    seed: int,
    output: int,
    held_out: float,
    news: Progress,
) -> SampleSet:
    """Rows in the domain, in the table's order; those with extreme values are never held out."""
    x, y = rows_of(teacher)
    y = y[:, output]
    whole = np.array([v.discrete for v in domain.variables])
    inside = domain.contains(x) & (x[:, whole] == np.round(x[:, whole])).all(axis=1)
    if outside := int((~inside).sum()):
        news.warn(f"{outside} of {len(x)} rows of the table lie outside the domain; left out.")
    if inside.sum() < 2:
        spans = zip(domain.names, x.min(axis=0), x.max(axis=0), strict=True)
        raise SampleError(
            f"{int(inside.sum())} of the table's {len(x)} rows lie in the domain.",
            where=f"teacher `{teacher.name}`",
            hint="the table spans "
            + ", ".join(f"{name} {low:g} to {high:g}" for name, low, high in spans)
            + ": widen the domain.",
        )
    x, y = x[inside], y[inside]
    order = np.random.default_rng([seed, 3]).permutation(len(x))
    values = np.column_stack([x, y])
    ends = np.unique(np.concatenate([values.argmin(axis=0), values.argmax(axis=0)]))
    order = np.concatenate([ends, order[~np.isin(order, ends)]])
    keep = max(len(ends), len(x) - round(held_out * len(x)))
    fit, held = np.sort(order[: min(keep, points)]), np.sort(order[keep:])
    news.advance(1.0, f"{len(fit)} rows")
    nothing = np.empty((0, len(domain)))
    unseen = SampleSet(domain, x[held], y[held], nothing)
    return SampleSet(domain, x[fit], y[fit], nothing, unseen)


def _refuse_constant(sample: SampleSet, teacher: Teacher, output: int) -> None:
    low, high = float(sample.y.min()), float(sample.y.max())
    # Rounding alone can move a constant by a few units in the last place.
    if high - low <= 8 * np.finfo(float).eps * max(abs(low), abs(high)):
        name = teacher.outputs[output].name
        raise SampleError(
            f"the teacher is constant: `{name}` is {low:.9g} at all {len(sample)} points.",
            where=f"teacher `{teacher.name}`",
            hint="use the number itself, or check that the domain is the one the teacher learned, "
            "and in its units.",
        )
