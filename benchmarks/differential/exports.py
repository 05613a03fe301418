"""The C of a case in every arithmetic: what is compiled, and what it must answer where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from differential.exactly import exactly, tame
from differential.generating import Case
from differential.problem import Checked, Mistake
from distill.arrays import Array
from distill.firmware.fixed.formats import hold, input_formats
from distill.firmware.graph import Arithmetic, build_graph, dtype
from distill.firmware.harness import Results
from distill.firmware.holding import held
from distill.firmware.implementation import FixedImplementation, FloatImplementation
from distill.firmware.policy import Policy
from distill.firmware.rounding import rounding_bound
from distill.firmware.spec import BundleSpec, evaluate_bundle
from distill.firmware.subject import Code
from distill.firmware.table_storing import even_table
from distill.formula import Formula
from distill.formula.tree import constants

POLICIES = (
    Policy(),
    Policy("nan", "low"),
    Policy("clamp", "low"),
    Policy("nan"),
    Policy("unchecked"),
)
STEADY = 1e-2
"""Points where rounding may move a value by more than this part of it are compared with the model
of the C alone, and not with the formula."""

FIRST_ORDER = 2.0
"""What a bound to first order is allowed to be off by."""

FEW = 8
"""Points that are compared with the formula in real numbers."""


@dataclass(frozen=True)
class Export:
    """One function in C: the printer it stands for, and its spec."""

    printer: str
    spec: BundleSpec

    @property
    def arrays(self) -> tuple[int, np.dtype[np.generic]]:
        """Inputs, and the type of its numbers."""
        kind = self.spec.numbers.signature
        return kind.inputs, kind.dtype


def accuracy_of(case: Case) -> float:
    """How far the C's functions may be off, from the range of the finite values that are seen."""
    domain = case.formula.domain
    values = case.formula(np.vstack([domain.corners(), domain.sample(64)]))
    values = values[np.isfinite(values)]
    if not values.size:
        return case.part
    size = float(np.abs(values).max())
    with np.errstate(over="ignore"):
        spread = float(np.ptp(values))
    wanted = max(spread if np.isfinite(spread) else size, 1e-3 * size) * case.part
    return float(np.clip(wanted, 1e-30, 1e30))


def makers(case: Case, name: str) -> dict[str, Callable[[], Export]]:
    """How each export of a case is made; each may be refused."""
    number, formula, accuracy = case.number, case.formula, accuracy_of(case)
    policy = POLICIES[number % len(POLICIES)]

    def of(printer: str, arithmetic: Arithmetic, needs: float | None) -> Callable[[], Export]:
        def make() -> Export:
            integer = arithmetic == "fixed" and number % 2 == 1
            rule = Policy() if integer and policy.out_of_domain == "nan" else policy
            return Export(
                printer,
                BundleSpec(
                    f"{name}_{printer}", formula.domain, formula, None, None, "y",
                    tolerance=2 * accuracy, max_error=accuracy, arithmetic=arithmetic,
                    accuracy=needs, policy=rule, interface="integer" if integer else "float",
                ),
            )  # fmt: skip

        return make

    def table() -> Export:
        arithmetic: Arithmetic = ("float32", "fixed", "double")[number % 3]
        counts = tuple(_points(formula, i, number) for i in range(len(formula.domain)))
        quantised = arithmetic == "fixed" or number % 2 == 0
        made = even_table(formula, formula.domain, counts, arithmetic, quantised=quantised)
        return Export(
            "table",
            BundleSpec(
                f"{name}_table", formula.domain, None, made, None, "y", tolerance=2 * accuracy,
                max_error=accuracy, arithmetic=arithmetic, policy=policy,
            ),
        )  # fmt: skip

    return {
        "float32": of("float32", "float32", None),
        "own": of("own", "float32", accuracy),
        "double": of("double", "double", None),
        "fixed": of("fixed", "fixed", accuracy),
        "table": table,
    }


def _points(formula: Formula, column: int, number: int) -> int:
    variable = formula.domain.variables[column]
    if variable.discrete:
        return int(variable.high - variable.low) + 1
    return (33, 9, 5, 3)[len(formula.domain) - 1] + number % 4


def inputs(export: Export, case: Case) -> Array:
    """Edges in and far outside the domain, random points, thresholds with their neighbours."""
    spec, domain = export.spec, case.formula.domain
    code = Code(Path(), spec.name, spec.numbers, (), spec.policy.checked, 0.0)
    seed = case.number
    points = np.vstack([code.edges(48, seed, single=96), code.points(24, seed)])
    rows = []
    steps = [] if spec.table is None else [a.breakpoints() for a in spec.table.axes]
    kind = dtype(spec.arithmetic)
    special = np.array(sorted({0.0, *constants(case.formula.tree)}))
    for i, variable in enumerate(domain.variables):
        values = special[(special >= variable.low) & (special <= variable.high)]
        values = np.concatenate([values, steps[i][-3:] if steps else []])
        if variable.discrete:
            values = np.rint(values)
        with np.errstate(over="ignore"):
            near = [np.nextafter(kind(v), kind(t)) for v in values for t in (-np.inf, np.inf)]
        for value in [*values, *(near if not variable.discrete else [])]:
            rows.append(np.where(np.arange(len(domain)) == i, float(value), code.middle()))
    if rows:
        points = np.vstack([points, spec.numbers.inside(np.array(rows))])
    return points


def check_export(export: Export, case: Case, x: Array, results: Results) -> Iterator[Checked]:
    """The C against its model in Python, bit for bit where that is promised, and the formula."""
    spec = export.spec
    with np.errstate(all="ignore"):
        found = results.astype(float)
        expected = evaluate_bundle(spec, x).astype(results.dtype).astype(float)
        if spec.exact():
            _same_bits(export.printer, found, expected, x)
            yield Checked(f"{export.printer}, bit for bit", len(x))
        else:
            yield _near_model(export, case, found, expected, x)
        if spec.formula is not None:
            yield _near_formula(export, case, found, x)


def _same_bits(printer: str, found: Array, expected: Array, x: Array) -> None:
    same = (found == expected) & (np.signbit(found) == np.signbit(expected))
    different = ~(same | (np.isnan(found) & np.isnan(expected)))
    if different.any():
        at = int(np.argmax(different))
        raise Mistake(printer, f"C gives {found[at]!r}, the model {expected[at]!r}", x[at])


def _inside(spec: BundleSpec, x: Array) -> Array:
    """The points of the domain that the C takes x for."""
    real = spec.numbers.reals(x)
    real = np.where(np.isnan(real), spec.domain.low, real)
    if spec.arithmetic == "fixed":
        steps = np.array([form.step for form in input_formats(spec.domain)])
        # A coarse format's bounds may lie outside: what stands for a point of the domain is meant.
        return spec.domain.clip(np.asarray(hold(real, spec.domain) * steps))
    if not spec.policy.checked:
        return real.astype(dtype(spec.arithmetic)).astype(float)  # as it is, signs of zeros too
    return held(real, spec.domain, spec.arithmetic)


def _near_model(export: Export, case: Case, found: Array, expected: Array, x: Array) -> Checked:
    """Within the rounding that the C library is allowed, of one of the models."""
    spec = export.spec
    implementation = spec.implementation
    assert isinstance(implementation, FloatImplementation)
    inside = _inside(spec, x)
    eps = float(np.finfo(dtype(spec.arithmetic)).eps)
    bound = implementation.rounding(inside)
    other = implementation.models[-1](inside).astype(dtype(spec.arithmetic)).astype(float)
    used = np.full(len(x), np.inf)
    for model in (expected, other):
        off = np.where(found == model, 0.0, np.abs(found - model))
        off = np.where(np.isnan(found) & np.isnan(model), 0.0, off)
        use = np.where(off == 0, 0.0, off / np.maximum(bound + eps * np.abs(model), 1e-320))
        used = np.fmin(used, np.where(np.isnan(use), np.inf, use))
    # Where the formula has no value, or no bound (next to a pole), nothing is promised.
    loose = ~np.isfinite(bound) | np.isnan(expected)
    loose |= ~tame(build_graph(case.formula), inside, spec.arithmetic)
    used = np.where(loose, 0.0, used)
    if used.max() > FIRST_ORDER:
        at = int(np.argmax(used))
        raise Mistake(
            export.printer,
            f"C gives {found[at]!r}, the models {expected[at]!r} and {other[at]!r} within "
            f"{bound[at]:.3g}",
            x[at],
        )
    return Checked(f"{export.printer}, within its rounding", int((~loose).sum()), float(used.max()))


def _near_formula(export: Export, case: Case, found: Array, x: Array) -> Checked:
    """Within the stated error of the formula, at points of the domain."""
    spec = export.spec
    chosen = np.arange(0, len(x), max(1, len(x) // FEW))
    inside = _inside(spec, x[chosen])
    real = spec.numbers.reals(x[chosen])
    # Only what is in the domain already: of the rest the policy speaks.
    at_home = np.all((real >= spec.domain.low) & (real <= spec.domain.high), axis=1)
    # Next to zero a first-order bound says nothing: an input's own size is its last place there.
    tiny = float(np.finfo(dtype(spec.arithmetic)).tiny) / float(np.finfo(np.float32).eps)
    at_home &= np.all((real == 0) | (np.abs(real) >= tiny), axis=1)
    inside, chosen = inside[at_home], chosen[at_home]
    truth = exactly(case.formula, inside)
    got = spec.numbers.outputs(found[chosen].astype(spec.numbers.signature.dtype))
    eps = float(np.finfo(dtype(spec.arithmetic)).eps)
    implementation = spec.implementation
    if isinstance(implementation, FixedImplementation):
        # Constants are computed beforehand, in float64.
        folded = rounding_bound(build_graph(case.formula), inside, "double")
        bound = implementation.program.error_bound + folded + eps * np.abs(truth)
        steady = np.isfinite(truth) & np.isfinite(folded)
        most = 1.0
    else:
        assert isinstance(implementation, FloatImplementation)
        graphs = [implementation.graph, build_graph(case.formula)]
        bound = np.max([rounding_bound(g, inside, spec.arithmetic) for g in graphs], axis=0)
        bound = bound + eps * np.abs(truth)
        steady = np.isfinite(truth) & (bound <= STEADY * np.abs(truth))
        bound = bound + (spec.accuracy or 0.0)  # what functions of our own may lose together
        steady &= tame(graphs[-1], inside, spec.arithmetic)
        most = FIRST_ORDER
    off = np.where(got == truth, 0.0, np.abs(got - truth))
    used = np.where(steady, off / np.maximum(bound, 1e-320), 0.0)
    used = np.where(steady & np.isnan(used), np.inf, used)
    if used.size and used.max() > most:
        at = int(np.argmax(used))
        raise Mistake(
            export.printer,
            f"C gives {got[at]!r}, the formula is {truth[at]!r} within {bound[at]:.3g}",
            inside[at],
        )
    return Checked(
        f"{export.printer}, of the formula", int(steady.sum()), float(used.max(initial=0))
    )


def ready(export: Export) -> Export:
    """The same, its implementation found: refusals come now."""
    assert export.spec.formula is None or export.spec.implementation is not None
    return export
