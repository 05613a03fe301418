"""Building what a bundle is made of: a formula or a table in one arithmetic, with its guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from distill.arrays import Array
from distill.bounds.base import NotBounded
from distill.building.order import (
    SELFTEST_POINTS,
    Order,
    accuracy_left,
    arithmetic_costs,
    own_accuracy,
)
from distill.config.schema import ExportConfig
from distill.errors import ExportError
from distill.extremum import largest
from distill.firmware.fixed.formats import QFormat
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.guard_search import find_guard, grid_counts
from distill.firmware.holding import held
from distill.firmware.implementation import library_gap
from distill.firmware.lookup import Table
from distill.firmware.numbers import InterfaceName
from distill.firmware.policy import NanInput, OutOfDomain, Policy
from distill.firmware.spec import BundleSpec, Mode, evaluate_bundle
from distill.firmware.table_search import Prefer
from distill.firmware.tables import fit_table
from distill.firmware.target import Target
from distill.formula import Formula
from distill.progress import Progress

FINER = (1, 4, 16)
"""By how much finer the arithmetic is made so that its rounding fits into what a formula leaves."""

TABLE_SHARE = 0.96
"""The part of the tolerance that a table may use up where it is to be proven: rounding comes on
top, and what lies between the points at which it was fitted."""

MOST_ADDED = 0.25
"""The part of the domain that may go to the table because a proof failed there, not a sample."""


def plain_spec(
    formula: Formula,
    name: str,
    arithmetic: Arithmetic,
    accuracy: float,
    tolerance: float,
    options: ExportConfig,
    target: Target,
) -> BundleSpec:
    """A formula alone, its inputs unchecked: what formulas are compared by.

    Raises
    ------
    ExportError : when the arithmetic cannot hold the formula.
    """
    spec = BundleSpec(
        name=name,
        domain=formula.domain,
        formula=formula,
        table=None,
        guard=None,
        output_name=name,
        tolerance=tolerance,
        max_error=0.0,
        arithmetic=arithmetic,
        interface=cast(InterfaceName, options.interface),
        accuracy=own_accuracy(options, arithmetic, accuracy),
        costs=arithmetic_costs(target, arithmetic),
        policy=Policy("unchecked"),
    )
    assert spec.implementation is not None  # found now, so that errors come now
    return spec


def build_table(order: Order, arithmetic: Arithmetic, progress: Progress) -> BundleSpec:
    """The table alone.

    Raises
    ------
    ExportError : when no table is within the tolerance and the bytes.
    """
    progress.advance(None, f"fitting the table in {arithmetic}")
    table = _fit(order, arithmetic, "instructions", answers=True)
    return _known_error(order, _spec(order, arithmetic, None, table, None, order.tolerance))


def build_formula(order: Order, arithmetic: Arithmetic, progress: Progress) -> BundleSpec:
    """The formula, the table behind it, and the guard between them.

    Raises
    ------
    ExportError : when the arithmetic cannot hold the formula, or where the formula misses the
        tolerance no table can stand in.
    """
    assert order.formula is not None
    accuracy = accuracy_left(order.formula_error, order.tolerance)
    progress.advance(None, f"the formula in {arithmetic}")
    if order.truth is None:
        return _known_error(order, _spec(order, arithmetic, order.formula, None, None, accuracy))
    proven = _proven_alone(order, arithmetic, accuracy, progress)
    guards: list[Guard | None] = [None]
    if proven is None:
        spec, guards, accuracy = _guarded(order, arithmetic, accuracy, progress)
    else:
        spec, accuracy = proven
    table, guard = _behind(order, spec, guards, progress)
    return _known_error(order, _spec(order, arithmetic, order.formula, table, guard, accuracy))


def _behind(
    order: Order, spec: BundleSpec, guards: Sequence[Guard | None], progress: Progress
) -> tuple[Table | None, Guard | None]:
    """A table, and the first of the guards behind which it can stand.

    Raises
    ------
    ExportError : where even the last guard needs a table and none is good enough.
    """
    progress.advance(None, f"fitting the table in {spec.arithmetic}")
    output = spec.output_format if spec.arithmetic == "fixed" else None
    ways = [(guard, True) for guard in guards] + [(guards[-1], False)]
    for at, (guard, to_prove) in enumerate(ways, 1):
        needed = guard is not None and not guard.empty
        try:
            return _fit(order, spec.arithmetic, "bytes", output, answers=needed and to_prove), guard
        except ExportError as error:
            if needed and at < len(ways):
                continue
            if needed:
                raise
            # The formula is enough everywhere; the table would only have been an alternative.
            progress.warn(f"no table stands behind the formula: {error.what} {error.hint}")
            break
    return None, guard


def _proven_alone(
    order: Order, arithmetic: Arithmetic, accuracy: float, progress: Progress
) -> tuple[BundleSpec, float] | None:
    """The formula without a guard and its accuracy, where it is proven to need none."""
    prover = order.prover
    if prover is None:
        return None
    for finer in FINER:
        try:
            spec = _spec(order, arithmetic, order.formula, None, None, accuracy / finer)
            proven, helps = prover.alone(spec, progress)
        except (ExportError, NotBounded):
            return None  # the guard is searched instead, and what is proven is told in the end
        if proven:
            return spec, accuracy / finer
        if not helps or spec.accuracy is None:
            return None
    return None


def _guarded(
    order: Order, arithmetic: Arithmetic, accuracy: float, progress: Progress
) -> tuple[BundleSpec, list[Guard | None], float]:
    """The formula; its guard by the proof, if that helps, and by a search; and its accuracy."""
    spec = _spec(order, arithmetic, order.formula, None, None, accuracy)
    guard = _guard(order, spec, progress)
    good = order.formula_error is not None and order.formula_error <= order.tolerance
    if good and not guard.empty and arithmetic != "double":
        # The arithmetic may be what misses the tolerance: it gets a quarter of the room.
        finer = _spec(order, arithmetic, order.formula, None, None, accuracy / 4)
        again = _guard(order, finer, progress)
        if again.fraction < guard.fraction:
            spec, guard, accuracy = finer, again, accuracy / 4
    wider = _proven_guard(order, spec, guard, progress)
    return spec, [guard] if wider is None else [wider, guard], accuracy


def _proven_guard(order: Order, spec: BundleSpec, guard: Guard, progress: Progress) -> Guard | None:
    """The guard with the cells that cannot be proven; None where they are too many, or none."""
    if order.prover is None or guard.flags.all():
        return None
    counts = grid_counts(order.domain, spec.arithmetic)
    try:
        wider = order.prover.guarded(spec, guard, counts, progress)
    except (ExportError, NotBounded):
        return None  # what is not proven is told in the end
    return wider if guard.fraction < wider.fraction <= guard.fraction + MOST_ADDED else None


def _spec(
    order: Order,
    arithmetic: Arithmetic,
    formula: Formula | None,
    table: Table | None,
    guard: Guard | None,
    accuracy: float,
) -> BundleSpec:
    options = order.options
    spec = BundleSpec(
        name=order.name,
        domain=order.domain,
        formula=formula,
        table=table,
        guard=guard,
        output_name=order.output.name,
        output_unit=order.output.unit,
        tolerance=order.tolerance,
        max_error=float("inf") if order.formula_error is None else order.formula_error,
        label_above=options.label_above,
        policy=Policy(cast(OutOfDomain, options.out_of_domain), cast(NanInput, options.nan_input)),
        provenance=order.provenance,
        target=order.target.name,
        verified=options.verify,
        vectors=order.domain.sample(SELFTEST_POINTS),
        arithmetic=arithmetic,
        interface=cast(InterfaceName, options.interface),
        accuracy=own_accuracy(options, arithmetic, accuracy),
        costs=arithmetic_costs(order.target, arithmetic),
    )
    assert formula is None or spec.implementation is not None  # found now, so that errors come now
    return spec


def _guard(order: Order, spec: BundleSpec, progress: Progress) -> Guard:
    assert order.truth is not None
    assert spec.implementation is not None
    progress.advance(None, "looking for cells in which the formula misses the tolerance")
    return find_guard(
        spec.implementation.models,
        order.truth,
        order.domain,
        order.tolerance,
        arithmetic=spec.arithmetic,
    )


def _fit(
    order: Order,
    arithmetic: Arithmetic,
    prefer: Prefer,
    output: QFormat | None = None,
    *,
    answers: bool,
) -> Table:
    """The table; ``prefer`` is what counts where the options leave it open.

    ``answers`` says that it is asked as the C is compiled plainly, and proven.
    """
    if order.truth is None:
        raise ExportError(
            "nothing can be asked between a table's rows, or after all calls are used, so no table "
            "of breakpoints can be made.",
            where="teacher",
            hint="raise the tolerance, search longer, or export a candidate by its id.",
        )
    wanted = order.options.table_prefers
    return fit_table(
        order.truth,
        order.domain,
        order.tolerance * (TABLE_SHARE if answers and order.prover is not None else 1.0),
        max_bytes=order.options.table_bytes,
        arithmetic=arithmetic,
        prefer=prefer if wanted == "auto" else cast(Prefer, wanted),
        output=output,
    )


def _known_error(order: Order, spec: BundleSpec) -> BundleSpec:
    """The spec with the largest error of what the C will answer.

    Where the teacher cannot be asked, what the arithmetic loses of the formula comes on top of the
    formula's own error.
    """
    truth = order.truth or spec.formula
    assert truth is not None  # a table was made with a truth
    own = 0.0 if order.truth is not None else spec.max_error

    def difference(x: Array) -> Array:
        off = evaluate_real(spec, x) - truth(x)
        return off + np.copysign(_gap(spec, x), off)

    return replace(spec, max_error=own + largest(difference, spec.domain).value)


def _gap(spec: BundleSpec, x: Array) -> Array:
    """How far (n,) a C library may take the formula from the model that stands for the C."""
    if spec.implementation is None or spec.implementation.exact:
        return np.zeros(len(x))
    at = held(x, spec.domain, spec.arithmetic)
    gap = library_gap(spec.implementation, at)
    if spec.guard is not None and spec.guarded:
        gap[spec.guard(at)] = 0.0  # there the table answers
    return gap


def evaluate_real(spec: BundleSpec, x: Array, mode: Mode = "default") -> Array:
    """What the C answers at real points (n, d), in real numbers (n,), whatever its interface."""
    numbers = spec.numbers
    return numbers.outputs(evaluate_bundle(spec, numbers.numbers(x), mode))
