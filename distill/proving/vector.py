"""Proven bounds of functions of arrays: of every output its own, with a certificate of its own.

Formulas are proven one by one, as a bundle of one output is: the joint C computes each by the very
operations of its own graph. A chain in the C is the teacher itself, or close to it: what lies
between them is proven, and what rounding adds to the chain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from distill.bounds.base import Difference, NotBounded
from distill.bounds.enclosure import pairs
from distill.bounds.partition import Split
from distill.bounds.prove import Limits, prove
from distill.bounds.read import MOST_INPUTS, enclosable
from distill.bounds.rounding import up
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm, chain_hash
from distill.chain.steps.columns import Branches, Pick
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.proof.chains.claim import ChainClaim, chain_claim
from distill.firmware.proven import Part, Proof
from distill.firmware.spec import BundleSpec
from distill.firmware.vector.spec import VectorSpec
from distill.formula import Formula
from distill.progress import Progress
from distill.proving.certificate import Claim, Known, certificate_text
from distill.proving.whole import INPUTS, TEACHER, Prover
from distill.proving.within import CLOSE, Budget

WORK = 2**24
"""Pairs of inputs times boxes that the proof of one output may take."""

NOTHING = 2.0**-10
"""The part of the tolerance below which a bound need not be closer."""

MOST_BYTES = 4_000_000
"""Certificates of a chain that is the teacher itself are left out where they would be larger."""

Teacher = Known | str
"""What one output of the teacher computes, or why that is not known; empty where nobody asks."""


@dataclass(frozen=True)
class VectorProofs:
    """A proof for each output, None where there is none, and sentences that say why."""

    proofs: tuple[Proof | None, ...]
    remarks: tuple[str, ...]


def vector_proofs(
    spec: VectorSpec,
    chain: Chain | None,
    teachers: Sequence[Teacher],
    budget: Budget,
    progress: Progress,
) -> VectorProofs:
    """What is proven of every output of a spec.

    Parameters
    ----------
    chain : what the spec's chain was folded from; None for formulas.
    teachers : of each output.
    """
    if chain is None or all(isinstance(teacher, str) for teacher in teachers):
        prove = _of_formulas(spec, budget, progress)
    else:
        prove = _of_chain(spec, chain, budget, progress)
    proofs: list[Proof | None] = []
    whys: dict[str, list[str]] = {}
    for i, teacher in enumerate(teachers):
        found = teacher if isinstance(teacher, str) else prove(i, teacher)
        proofs.append(None if isinstance(found, str) else found)
        if isinstance(found, str) and found:
            whys.setdefault(found.rstrip("."), []).append(spec.outputs[i].name)
    remarks = [_remark(why, names, len(teachers)) for why, names in whys.items()]
    if any(proof is not None and not proof.certificate for proof in proofs):
        remarks.append(
            "There is no certificate to check: what is proven is what rounding adds to the "
            "teacher's own arithmetic, which stands in the C."
        )
    return VectorProofs(tuple(proofs), tuple(remarks))


_Prove = Callable[[int, Known], Proof | str]
"""From the number of an output and its teacher to the proof, or why there is none."""


def _remark(why: str, names: Sequence[str], outputs: int) -> str:
    if len(names) == outputs:
        return f"Not proven: {why}."
    shown = ", ".join(f"`{name}`" for name in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"Not proven of {shown}{more}: {why}."


def _share(budget: Budget, domain: Domain) -> Budget:
    """What one output may take: of many inputs fewer boxes, which each take more."""
    return replace(budget, boxes=max(1, min(budget.boxes, WORK // len(pairs(len(domain))))))


def _too_wide(domain: Domain) -> str:
    if len(domain) <= MOST_INPUTS:
        return ""
    return (
        f"differences of functions of {len(domain)} inputs are not bounded (at most {MOST_INPUTS})"
    )


def _of_formulas(spec: VectorSpec, budget: Budget, progress: Progress) -> _Prove:
    def prove(i: int, teacher: Known) -> Proof | str:
        if why := _too_wide(spec.domain):
            return why
        try:
            return Prover(teacher, _share(budget, spec.domain)).proof(_alone(spec, i), progress)
        except (NotBounded, ExportError) as error:
            return error.what

    return prove


def _alone(spec: VectorSpec, i: int) -> BundleSpec:
    """One formula as a bundle of its own, whose C has the same operations."""
    return BundleSpec(
        name=spec.name,
        domain=spec.domain,
        formula=spec.formulas[i],
        table=None,
        guard=None,
        output_name=spec.outputs[i].name,
        output_unit=spec.outputs[i].unit,
        tolerance=spec.tolerance[i],
        max_error=spec.max_errors[i],
        arithmetic=spec.arithmetic,
        interface=spec.interface,
        accuracy=None if spec.accuracy is None else spec.accuracy[i],
        costs=spec.costs,
        policy=spec.policy,
    )


@dataclass(eq=False)
class _ChainProver:
    """Proofs of a chain, to which rounding adds what was bounded for all outputs at once."""

    spec: VectorSpec
    chain: Chain
    added: ChainClaim
    budget: Budget
    progress: Progress
    _hashes: dict[int, tuple[Chain, str]] = field(default_factory=dict)

    def __call__(self, i: int, teacher: Known) -> Proof | str:
        if not math.isfinite(self.added.bounds[i]):
            return self.added.why
        own, output = _source(self.chain, i)
        if isinstance(teacher.expression, ClosedForm):
            there = _source(teacher.expression.chain, teacher.expression.output)
            if output == there[1] and self._same(own, there[0]):
                says = "the C computes the teacher's own arithmetic: nothing else lies between them"
                apart = Part("formula", says, 0.0)
                return _proof(self.spec, i, teacher.expression, teacher, apart, None, self.added)
        return self._beside(i, ClosedForm(own, self.spec.domain, output), teacher)

    def _same(self, one: Chain, other: Chain) -> bool:
        return one is other or self._hash(one) == self._hash(other)

    def _hash(self, chain: Chain) -> str:
        if id(chain) not in self._hashes:
            self._hashes[id(chain)] = chain, chain_hash(chain)  # kept, so that its id stays its own
        return self._hashes[id(chain)][1]

    def _beside(self, i: int, form: ClosedForm, teacher: Known) -> Proof | str:
        """The proof of a chain that is not the teacher itself."""
        domain = self.spec.domain
        if why := _too_wide(domain):
            return why
        try:
            function = Difference(enclosable(form), enclosable(teacher.expression))
        except NotBounded as error:
            return error.what
        self.progress.advance(None, f"proving the closed form of `{self.spec.outputs[i].name}`")
        share = _share(self.budget, domain)
        # What is below the rounding, or nothing beside the tolerance, is not worth splitting for.
        floor = max(float(self.added.bounds[i]), NOTHING * self.spec.tolerance[i])
        found = prove(
            function,
            domain,
            Limits(ratio=CLOSE, floor=floor, seconds=share.seconds, boxes=share.boxes),
        )
        if not math.isfinite(found.bound):
            return "how far the closed form is from the teacher has no bound"
        size = _size(found.bound, self.spec.outputs[i].unit)
        says = f"the closed form is off the teacher by at most {size} anywhere"
        apart = Part("formula", says, found.bound)
        return _proof(self.spec, i, form, teacher, apart, found.splits, self.added)


def _of_chain(spec: VectorSpec, chain: Chain, budget: Budget, progress: Progress) -> _Prove:
    progress.advance(None, f"proving what {spec.arithmetic} adds to the closed form")
    added = chain_claim(
        chain,
        spec.domain,
        spec.arithmetic,
        library=not spec.exact,
        floats=spec.interface == "float",
    )
    return _ChainProver(spec, chain, added, budget, progress)


def _source(chain: Chain, output: int) -> tuple[Chain, int]:
    """The shortest chain that an output is one of: without choices, and branches beside its own."""
    while chain.steps:
        last = chain.steps[-1]
        if isinstance(last, Pick) and len(chain.steps) > 1:
            chain, output = Chain(chain.inputs, chain.steps[:-1]), int(last.columns[output])
        elif isinstance(last, Branches) and len(chain.steps) == 1:
            for branch in last.chains:
                if output < branch.outputs:
                    chain = branch
                    break
                output -= branch.outputs
        else:
            break
    return chain, output


def _proof(
    spec: VectorSpec,
    i: int,
    form: ClosedForm,
    teacher: Known,
    apart: Part,
    splits: tuple[Split, ...] | None,
    added: ChainClaim,
) -> Proof:
    """The sum of both, and the certificate."""
    rounding = float(added.bounds[i])
    how = "32-bit integers" if spec.arithmetic == "fixed" else spec.arithmetic
    size = _size(rounding, spec.outputs[i].unit)
    says = f"the C computes the closed form in {how} to within {size}"
    parts = (apart, Part("rounding", says, rounding))
    # Where one of them is 0 nothing is added.
    both = apart.bound > 0 and rounding > 0
    bound = float(up(np.array(apart.bound + rounding))) if both else apart.bound + rounding
    rests_on = (TEACHER, INPUTS, *added.rests_on)
    text = ""
    if len(spec.domain) <= MOST_INPUTS:
        # The text speaks of one output, which any spec of one output says.
        stated = cast(BundleSpec, _Stated(spec, i))
        claims = [Claim(parts[0], splits), Claim(parts[1])]
        text = certificate_text(
            stated, teacher, claims, bound, rests_on,
            region=None, formula=cast(Formula, form), table=None,
        )  # fmt: skip
    if splits is None and len(text) * len(spec.outputs) > MOST_BYTES:
        text = ""
    return Proof(bound, parts, rests_on, text)


@dataclass(frozen=True)
class _Stated:
    """What a certificate says of one output."""

    spec: VectorSpec
    i: int

    @property
    def domain(self) -> Domain:
        return self.spec.domain

    @property
    def output_name(self) -> str:
        return self.spec.outputs[self.i].name

    @property
    def output_unit(self) -> str:
        return self.spec.outputs[self.i].unit

    @property
    def tolerance(self) -> float:
        return self.spec.tolerance[self.i]


def _size(size: float, unit: str) -> str:
    return f"{size:.4g} {unit}".rstrip()
