"""What is proven of a chain's C: how far each of its outputs is from the chain in real numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.chain.base import Real
from distill.chain.chain import Chain
from distill.chain.closed_form import chain_hash
from distill.chain.fold import folded
from distill.chain.steps.columns import Branches
from distill.chain.steps.trees import Trees
from distill.domain import Domain
from distill.firmware.proof.base import IEEE, INTEGERS, LIBRARY, NUMPY, float_door
from distill.firmware.proof.boxes import begun, settle
from distill.firmware.proof.chains.running import Machine, Running
from distill.firmware.proof.chains.steps import NotAnalysed, run_chain, why_not
from distill.firmware.proof.chains.trees import fixed_trees, same_decisions
from distill.firmware.ranges import Boxes

WORK = 2**22
"""Constants, or operations, times boxes: what a bound may take, some tenths of a second."""

MOST_BOXES = 4096

HELD = "every input is a number of its fixed-point format"


@dataclass(frozen=True, eq=False)
class ChainClaim:
    """How far the C's outputs are from the chain's in real numbers.

    Attributes
    ----------
    bounds : (k,), of |C - chain| at every input of the domain that the C's numbers can say;
        infinite where nothing could be proven.
    why : the reason where they are infinite.
    rests_on : what has to be true for it.
    """

    bounds: Array
    why: str
    rests_on: tuple[str, ...]


def chain_claim(
    chain: Chain, domain: Domain, arithmetic: str, *, library: bool, floats: bool = True
) -> ChainClaim:
    """A proven bound of every output of a chain as it is exported.

    In float32 the C computes ``folded(chain)``, whose trees must decide as the chain's; in fixed
    point trees alone are known.

    Parameters
    ----------
    library : whether the C calls functions of the C library.
    floats : whether fixed point's answers leave as float32.

    Raises
    ------
    ExportError : for steps that fixed point does not know.
    """
    if arithmetic == "fixed":
        return _fixed(chain, domain, floats)
    real: Real = "double" if arithmetic == "double" else "float32"
    rests_on = (IEEE, LIBRARY, NUMPY) if library else (IEEE, NUMPY)
    written = folded(chain) if real == "float32" else chain
    if why := why_not(written):
        return _nothing(chain, why, rests_on)
    if chain_hash(written) != chain_hash(chain) and not _same(chain, written, domain):
        why = "the scaler before its trees, in real numbers, was not shown to decide as they do"
        return _nothing(chain, why, rests_on)
    try:
        return _floats(written, domain, Machine(real), rests_on)
    except NotAnalysed as error:
        return _nothing(chain, error.what, rests_on)


def _nothing(chain: Chain, why: str, rests_on: tuple[str, ...]) -> ChainClaim:
    return ChainClaim(np.full(chain.outputs, np.inf), why, rests_on)


def _same(chain: Chain, written: Chain, domain: Domain) -> bool:
    """Whether what folding made of a chain, or of each of its branches, decides as it did."""
    if not _has_trees(chain):
        return True  # identities are gone and columns chosen earlier: no real number differs
    if len(chain.steps) == 1 and isinstance(chain.steps[0], Branches):
        return all(
            not _has_trees(branch)
            or chain_hash(folded(branch)) == chain_hash(branch)
            or same_decisions(branch, folded(branch), domain)
            for branch in chain.steps[0].chains
        )
    return same_decisions(chain, written, domain)


def _has_trees(chain: Chain) -> bool:
    return any(
        isinstance(step, Trees)
        or (isinstance(step, Branches) and any(map(_has_trees, step.chains)))
        for step in chain.steps
    )


def _fixed(chain: Chain, domain: Domain, floats: bool) -> ChainClaim:
    rests_on = (INTEGERS, HELD)
    found = fixed_trees(chain, domain)
    if found is None:
        return _nothing(chain, "the rounding of leaves may turn which of them wins", rests_on)
    door = float_door(found.largest, found.fraction) if floats else 0.0
    return ChainClaim(found.error + door, "", rests_on)


def _floats(
    chain: Chain, domain: Domain, machine: Machine, rests_on: tuple[str, ...]
) -> ChainClaim:
    """Running errors over boxes that are halved where they are worst."""
    most = max(1, min(MOST_BOXES, WORK // max(1, chain.stored, chain.operations // 2)))

    def errors(boxes: Boxes) -> Array:
        """(k, m)."""
        return run_chain(chain, Running.exact(boxes.low.T, boxes.high.T), machine).error

    first = begun(domain, max(1, most // 16), None)
    columns = frozenset(range(len(domain))) if most > 1 else frozenset[int]()
    settled = settle(lambda part: errors(part).max(axis=0), first, domain, columns, most)
    bounds = errors(settled.boxes).max(axis=1)
    why = "" if np.isfinite(bounds).all() else _where(settled.place, domain)
    return ChainClaim(np.where(np.isfinite(bounds), bounds, math.inf), why, rests_on)


def _where(place: tuple[Array, Array], domain: Domain) -> str:
    rows = list(zip(domain.names, *place, strict=True))[:4]
    text = ", ".join(f"{name} in [{low:.6g}, {high:.6g}]" for name, low, high in rows)
    return f"a value has no bound around {text}{', ...' if len(domain) > len(rows) else ''}"
