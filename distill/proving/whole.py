"""One proven bound of everything a bundle's C may answer: formula, table, guard and rounding.

``|C - teacher| <= |formula - teacher| + |C - formula|`` where the formula answers, and the same
with the table's interpolant where the table does. Each part is proven by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from distill.arrays import Array
from distill.bounds.base import Difference, Enclosable
from distill.bounds.prove import Bound
from distill.bounds.read import enclosable
from distill.bounds.rounding import up
from distill.errors import ExportError
from distill.figures import upward
from distill.firmware.guard import Guard
from distill.firmware.lookup import Table
from distill.firmware.proof.base import RoundingClaim
from distill.firmware.proof.claim import rounding_claim
from distill.firmware.proven import Part, Proof
from distill.firmware.spec import BundleSpec
from distill.formula import Formula
from distill.progress import Progress
from distill.proving.cells import unproven
from distill.proving.certificate import Claim, Known, certificate_text
from distill.proving.interpolant import Interpolant
from distill.proving.operations import program_data
from distill.proving.region import Region
from distill.proving.sides import OneSide, marked
from distill.proving.table_layout import interpolant
from distill.proving.table_rounding import table_rounding
from distill.proving.within import Budget, bound_within

TEACHER = (
    "the teacher is its own arithmetic in real numbers, with the weights it is stored with; what "
    "a computer rounds when the teacher is asked comes on top"
)
INPUTS = "every input is inside its stated range, as the function's own numbers hold it"


@dataclass(eq=False)
class Prover:
    """Proves what is exported of one teacher; remembers how far formulas are from it.

    Raises
    ------
    NotBounded : when made of a teacher with a step that has no enclosure.
    """

    teacher: Known
    budget: Budget
    _form: Enclosable = field(init=False)
    _apart: dict[str, Bound] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._form = enclosable(self.teacher.expression)

    def apart(self, formula: Formula, allowed: float, progress: Progress) -> Bound:
        """A bound of |formula - teacher| on the whole domain, within ``allowed`` if possible.

        Raises
        ------
        NotBounded : when the formula has an operator that has no enclosure.
        """
        known = self._apart.get(formula.text)
        if known is None or (known.found < allowed < known.bound):
            starts = None if known is None else known.at[None]
            function = self._difference(formula)
            known = bound_within(
                function, formula.domain, allowed, self.budget, progress,
                what="the formula", found=starts,
            )  # fmt: skip
            self._apart[formula.text] = known
        return known

    def alone(self, spec: BundleSpec, progress: Progress) -> tuple[bool, bool]:
        """Whether the formula is proven good enough everywhere; whether finer arithmetic may help.

        Raises
        ------
        NotBounded : when the formula has an operator that has no enclosure.
        """
        progress.advance(None, f"proving what {spec.arithmetic} adds to the formula")
        added = _added(spec, None)
        allowed = spec.tolerance - added.bound
        if not allowed > 0:
            return False, True
        bound = self.apart(added.meant, allowed, progress)
        return bound.bound <= allowed, bound.bound <= spec.tolerance

    def guarded(
        self, spec: BundleSpec, guard: Guard, counts: tuple[int, ...], progress: Progress
    ) -> Guard:
        """The guard, and the cells where formula and rounding are not proven good enough.

        ``counts`` are the cells of the grid, of which ``guard`` may be a compact form.
        """
        flags = np.broadcast_to(guard.flags, counts).copy()
        whole = Guard(spec.domain, flags, guard.arithmetic)
        region = Region.of(whole)
        added = _added(spec, region)
        allowed = spec.tolerance - added.bound
        left = np.argwhere(~flags)
        progress.advance(None, "proving the formula cell by cell")
        failed = (
            unproven(
                self._difference(added.meant),
                region.cells(left),
                allowed,
                self.budget.boxes,
                self.budget.until,
            )
            if allowed > 0
            else np.ones(len(left), dtype=bool)
        )
        flags[tuple(left[failed].T)] = True
        return Guard(spec.domain, flags, guard.arithmetic).compact()

    def proof(self, spec: BundleSpec, progress: Progress) -> Proof:
        """The proven bound of the C of a spec; infinite parts where nothing could be proven.

        Raises
        ------
        NotBounded : when formula or teacher have no enclosure.
        ExportError : when the budget ends before there is any bound.
        """
        region = None
        if spec.guard is not None and spec.guarded:
            region = Region.of(spec.guard)
        claims: list[Claim] = []
        rests_on = [TEACHER, INPUTS]
        sums: list[float] = []
        formula: Formula | None = None
        if spec.formula is not None and (region is None or not region.guard.flags.all()):
            added = _added(spec, region)
            formula = added.meant
            found, words = self._formula(spec, added, region, progress)
            claims += found
            rests_on += words
            sums.append(_sum(found))
        meant = None
        if spec.table is not None and (region is not None or spec.formula is None):
            meant = interpolant(spec.table)
            found = self._table(spec, spec.table, meant, region, progress)
            claims += found
            rests_on.append(_arithmetic(spec))
            sums.append(_sum(found))
        bound = max(sums)
        if not np.isfinite(bound):
            endless = next(c.part for c in claims if not np.isfinite(c.part.bound))
            raise ExportError(f"{endless.says}.")
        rests_on = list(dict.fromkeys(rests_on))
        text = certificate_text(
            spec, self.teacher, claims, bound, rests_on,
            region=region, formula=formula, table=meant,
            program=None if formula is None else program_data(spec),
        )  # fmt: skip
        return Proof(bound, tuple(claim.part for claim in claims), tuple(rests_on), text)

    def _difference(self, formula: Formula) -> Difference:
        return Difference(enclosable(formula), self._form)

    def _formula(
        self, spec: BundleSpec, added: RoundingClaim, region: Region | None, progress: Progress
    ) -> tuple[list[Claim], tuple[str, ...]]:
        """What is proven where the formula answers, and what that rests on."""
        formula = added.meant
        if region is None:
            bound = self.apart(formula, spec.tolerance - added.bound, progress)
            splits = bound.splits
            where = "anywhere"
        else:
            side = OneSide(self._difference(formula), region, table=False)
            bound = self._one_side(
                spec, side, spec.tolerance - added.bound, "the formula", progress
            )
            splits = marked(bound.splits, spec.domain, side)
            where = "where it answers"
        says = f"the formula is off the teacher by at most {_size(spec, bound.bound)} {where}"
        return [
            Claim(Part("formula", says, bound.bound), splits),
            Claim(Part("rounding", added.says, added.bound)),
        ], added.rests_on

    def _table(
        self,
        spec: BundleSpec,
        table: Table,
        meant: Interpolant,
        region: Region | None,
        progress: Progress,
    ) -> list[Claim]:
        """What is proven where the table answers."""
        rounding = table_rounding(table, float_result=spec.interface == "float")
        allowed = spec.tolerance - rounding
        function: Enclosable = Difference(meant, self._form)
        if region is None:
            bound = bound_within(
                function, spec.domain, allowed, self.budget, progress, what="the table"
            )
            splits, where = bound.splits, "anywhere"
        else:
            side = OneSide(function, region, table=True)
            bound = self._one_side(spec, side, allowed, "the table", progress)
            splits, where = marked(bound.splits, spec.domain, side), "where it answers"
        size = _size(spec, bound.bound)
        says = f"the table's interpolation is off the teacher by at most {size} {where}"
        added = (
            f"the C reads the table to within {_size(spec, rounding)}, inputs and result included"
        )
        return [
            Claim(Part("table", says, bound.bound), splits),
            Claim(Part("table rounding", added, rounding)),
        ]

    def _one_side(
        self, spec: BundleSpec, side: OneSide, allowed: float, what: str, progress: Progress
    ) -> Bound:
        starts = _inside(side)
        return bound_within(
            side, spec.domain, allowed, self.budget, progress, what=what, found=starts
        )


def _added(spec: BundleSpec, region: Region | None) -> RoundingClaim:
    return rounding_claim(spec, regions=None if region is None else region.others)


def _inside(side: OneSide) -> Array:
    """The middles of the cells of one side: points (m, d) to begin with."""
    region = side.region
    flags = region.guard.flags
    cells = region.cells(np.argwhere(flags if side.table else ~flags))
    return cells.middle.T


def _sum(claims: list[Claim]) -> float:
    """The sum of bounds, rounded up."""
    return float(up(np.array(sum(claim.part.bound for claim in claims))))


def _size(spec: BundleSpec, size: float) -> str:
    return f"{upward(size)} {spec.output_unit}".rstrip()


def _arithmetic(spec: BundleSpec) -> str:
    if spec.arithmetic == "fixed":
        return "integers of 32 bits, as C99 defines them"
    name = "double" if spec.arithmetic == "double" else "float"
    return f"{name} arithmetic as IEEE 754 rounds it, fused operations allowed"
