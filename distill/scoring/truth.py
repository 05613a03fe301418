"""What formulas are judged against: fresh points, the truth there, and a way to ask for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array, affordable
from distill.domain import Domain
from distill.errors import NotDifferentiable, SampleError
from distill.extremum import border_points, every_point
from distill.teachers.base import Teacher
from distill.teachers.checked import Checked

FRESH = 2**64
"""Added to the seed of fresh points: no seed of a sample is so large, so no sample has them."""

BORDER = 4096
"""Points on edges and faces, besides the corners."""

BATCH = 8192
"""Points asked at once, so that the memory a teacher needs does not grow with their number."""

Tell = Callable[[int, int], None]
"""Hears at how many points of how many a teacher was asked."""


@dataclass(frozen=True)
class Truth:
    """The truth about one output, asked once and shared by all formulas that are judged.

    Attributes
    ----------
    domain : where the truth is wanted.
    x, y : fresh points (n, d), spread as the domain says, with the finite truth (n,).
    border_x, border_y : corners and points on edges and faces; they count for the largest error
        only, since averages over them would say nothing.
    answer : maps (n, d) to (n,), or None when the points above are all that can be had.
    slope : maps (n, d) to the derivatives (n, d) of the answer, where there are any.
    complete : whether x holds every point of the domain, so that nothing is left to search.
    """

    domain: Domain
    x: Array
    y: Array
    border_x: Array
    border_y: Array
    answer: Callable[[Array], Array] | None = None
    slope: Callable[[Array], Array] | None = None
    complete: bool = False


def fresh_points(domain: Domain, points: int, seed: int) -> Array:
    """Points (n, d) that no sample holds; every point of a small domain of whole numbers.

    Fewer than ``points`` where there are so many inputs that memory would run out.
    """
    every = every_point(domain)
    if every is not None:
        return every
    return domain.sample(affordable(points, len(domain)), FRESH + seed)


def asked_points(domain: Domain, points: int, seed: int) -> tuple[Array, Array]:
    """Where :func:`ask` asks: fresh points (n, d), and points (m, d) on the border."""
    x = fresh_points(domain, points, seed)
    if every_point(domain) is not None:
        return x, np.empty((0, len(domain)))
    return x, border_points(domain, min(points, BORDER), FRESH + seed)


def ask(
    answer: Callable[[Array], Array],
    domain: Domain,
    *,
    points: int,
    seed: int,
    slope: Callable[[Array], Array] | None = None,
    again: bool = True,
    batch: int = BATCH,
    tell: Tell = lambda asked, points: None,
) -> Truth:
    """Ask a function (n, d) -> (n,) at fresh points and on the border.

    Points at which the answer is not finite are left out: there is nothing to be compared with.
    ``again=False`` says that it is too slow to be asked once more in searches for worst points.
    ``tell`` hears after each ``batch`` at how many points of how many it was asked.

    Raises
    ------
    SampleError : when no answer is finite.
    """
    x, border = asked_points(domain, points, seed)
    complete = every_point(domain) is not None
    every = len(x) + len(border)
    y = in_batches(answer, x, batch, lambda asked: tell(asked, every))
    border_y = in_batches(answer, border, batch, lambda asked: tell(len(x) + asked, every))
    known, border_known = np.isfinite(y), np.isfinite(border_y)
    if not known.any():
        raise SampleError(
            f"none of the answers at {len(x)} fresh points is a finite number.",
            hint="state a domain on which there are answers.",
        )
    asked = answer if again and not complete else None
    return Truth(
        domain,
        x[known],
        y[known],
        border[border_known],
        border_y[border_known],
        asked,
        slope if asked else None,
        complete,
    )


def ask_teacher(
    teacher: Teacher,
    output: int,
    domain: Domain,
    *,
    points: int,
    seed: int,
    again: bool = True,
    tell: Tell = lambda asked, points: None,
) -> Truth:
    """Ask one output of a teacher that can be asked, with gradients where it has them.

    ``again`` and ``tell`` are those of :func:`ask`.
    """

    def answer(x: Array) -> Array:
        return teacher.predict(x)[:, output]

    def slope(x: Array) -> Array:
        return teacher.gradient(x)[:, output, :]

    return ask(
        answer,
        domain,
        points=points,
        seed=seed,
        slope=slope if again and _differentiable(teacher, domain) else None,
        again=again,
        batch=min(BATCH, teacher.batch) if isinstance(teacher, Checked) else BATCH,
        tell=tell,
    )


def held_out(domain: Domain, x: Array, y: Array) -> Truth:
    """Rows x (n, d), y (n,) that no engine saw, of a teacher that cannot be asked.

    The largest error is over these rows then: nothing is known between them.

    Raises
    ------
    SampleError : when there are none, or not all are finite.
    """
    if not len(x):
        raise SampleError(
            "no row is held out, so that nothing can tell how good a formula is.",
            where="config key `sampling.held_out`",
            hint="hold out a part of the rows, such as sampling.held_out=0.2.",
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise SampleError("the held-out rows hold values that are not finite.")
    nothing = np.empty((0, len(domain)))
    return Truth(domain, x, y, nothing, np.empty(0))


def in_batches(
    answer: Callable[[Array], Array],
    x: Array,
    batch: int = BATCH,
    tell: Callable[[int], None] = lambda asked: None,
) -> Array:
    """Answers (n,) at x (n, d), asked ``batch`` at a time; ``tell`` hears how many there are."""
    result = np.empty(len(x))
    for start in range(0, len(x), batch):
        result[start : start + batch] = answer(x[start : start + batch])
        tell(min(start + batch, len(x)))
    return result


def _differentiable(teacher: Teacher, domain: Domain) -> bool:
    try:
        teacher.gradient(domain.corners()[:1])
    except NotDifferentiable:
        return False
    return True
