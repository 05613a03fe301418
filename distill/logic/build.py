"""From answers at all points of a box of whole numbers to the smaller of logic and a table."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.chain.chain import Chain
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.whole import MAX_ROWS, widths
from distill.domain import Domain
from distill.errors import DomainError, SampleError
from distill.logic.cubes import Truth, Whole
from distill.logic.implicants import TooMany
from distill.logic.minimise import minimise_together
from distill.logic.sizes import logic_bytes, packed_bytes
from distill.sampling.designs import exhaustive
from distill.teachers.base import Teacher

MAX_LEVELS = 256
"""An output of more values than this is a number, and no choice among a few."""


def logic_chain(teacher: Teacher | Array, domain: Domain) -> Chain:
    """The exact function of a box of whole numbers: bit operations or a packed table.

    Parameters
    ----------
    teacher : is asked at every point; or its answers (points, k) at those of the design
        ``exhaustive``, NaN in all outputs of a point that never occurs.

    Returns
    -------
    Chain : one step, the smaller one as C: bit operations or a packed table. It gives the same
        answers at every point that occurs.

    Raises
    ------
    DomainError : for a continuous variable, or more than 2^20 points.
    SampleError : for answers that do not fit the domain, are infinite, or take more than 256
        values.
    """
    *logic, table = logic_steps(teacher, domain)
    small = [step for step in logic if logic_bytes(step) <= packed_bytes(table)]
    return Chain(len(domain), (small[0] if small else table,))


def logic_steps(teacher: Teacher | Array, domain: Domain) -> tuple[*tuple[Logic, ...], Packed]:
    """Both forms of what :func:`logic_chain` is asked for, the table last.

    Bit operations are left out where they take far more bytes than the table.

    Raises
    ------
    DomainError, SampleError : as :func:`logic_chain`.
    """
    levels, codes, care = _coded(_answers(teacher, domain))
    table = Packed(domain.low.astype(np.int64), domain.high.astype(np.int64), codes, levels)
    logic = _logic(table, care, packed_bytes(table))
    return (table,) if logic is None else (logic, table)


def truth_table(table: Packed, care: Truth) -> tuple[Truth, Truth]:
    """Functions (2^n, functions) and words that count (2^n,) of a table's inputs as bits.

    Words that no input has do not count.
    """
    width = widths(table.lows, table.highs)
    words = np.arange(1 << int(width.sum()))
    row, left = np.zeros(len(words), dtype=np.int64), int(width.sum())
    cared = np.ones(len(words), dtype=bool)
    for bits, low, high, step in zip(width, table.lows, table.highs, table.steps, strict=True):
        left -= int(bits)
        number = words >> left & ((1 << int(bits)) - 1)
        cared &= number <= high - low
        row += np.minimum(number, high - low) * step
    cared &= care[row]
    functions = [
        table.codes[row, output] >> bit & 1 == 1
        for output, levels in enumerate(table.levels)
        for bit in range((len(levels) - 1).bit_length() - 1, -1, -1)
    ]
    return np.stack(functions, axis=1) if functions else np.empty((len(words), 0), bool), cared


def _answers(teacher: Teacher | Array, domain: Domain) -> Array:
    if not domain.discrete:
        name = next(v.name for v in domain.variables if not v.discrete)
        raise DomainError(
            f"`{name}` is continuous; logic needs whole numbers.",
            where=f"domain variable `{name}`",
            hint="make it integer or boolean, or let the search find a formula.",
        )
    points = 1
    for v in domain.variables:
        points *= int(v.high - v.low) + 1
    if points > MAX_ROWS:
        raise DomainError(
            f"the domain has {points:,} points; {MAX_ROWS:,} can be asked one by one.",
            where="domain.variables",
            hint="narrow the bounds, or let the search find a formula.",
        )
    if not isinstance(teacher, np.ndarray):
        return teacher.predict(exhaustive(domain, MAX_ROWS, 0))
    answers = teacher[:, None] if teacher.ndim == 1 else teacher
    if answers.ndim != 2 or len(answers) != points or not answers.shape[1]:
        raise SampleError(
            f"the domain has {points:,} points; the answers have shape {teacher.shape}.",
            hint="give one row for each point of the design `exhaustive`, in its order.",
        )
    return answers.astype(np.float64)


def _coded(answers: Array) -> tuple[tuple[Array, ...], Whole, Truth]:
    """The values of each output, the number of each answer among them, and which rows occur."""
    care: Truth = np.logical_not(np.isnan(answers).all(axis=1))
    if not care.any() or not np.isfinite(answers[care]).all():
        raise SampleError(
            "the answers are not all finite.",
            hint="give NaN in all outputs of a point that never occurs, numbers everywhere else.",
        )
    levels: list[Array] = []
    codes: Whole = np.zeros(answers.shape, dtype=np.int64)
    for k, column in enumerate(answers.T):
        values = np.unique(column[care])
        if len(values) > MAX_LEVELS:
            raise SampleError(
                f"output {k} takes {len(values):,} values; {MAX_LEVELS} is the limit for logic.",
                hint="let the search find a formula for it, or round it.",
            )
        levels.append(_numbered(values + 0.0))
        codes[care, k] = np.searchsorted(levels[-1], column[care])
    return tuple(levels), codes, care


def _numbered(values: Array) -> Array:
    """The values, or 0, 1, 2, ... up to the largest where they are among these."""
    whole = values[0] >= 0 and (values == np.floor(values)).all() and values[-1] < MAX_LEVELS
    counted = np.arange(max(values[-1], 1.0) + 1) if whole else values
    return counted if len(counted).bit_length() <= max(len(values), 2).bit_length() else values


def _logic(table: Packed, care: Truth, limit: int) -> Logic | None:
    """Bit operations; None where they take more than ``limit`` bytes, or too many bits."""
    bits = int(widths(table.lows, table.highs).sum())
    if 1 << bits > MAX_ROWS:
        return None
    truths, cared = truth_table(table, care)
    levels = tuple(
        np.append(v, np.full((1 << (len(v) - 1).bit_length()) - len(v), v[-1]))
        for v in table.levels
    )
    empty = np.array([], dtype=np.int64)
    if not truths.shape[1]:
        return Logic(table.lows, table.highs, empty, empty, (), empty, levels)
    try:
        cover = minimise_together(truths, cared, most=max(64, limit))
    except TooMany:
        return None
    return Logic(
        table.lows, table.highs, cover.masks, cover.values, cover.sums, cover.inverted, levels
    )
