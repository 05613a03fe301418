"""A chain, read as data, put on a tape: which step is put by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner
from distill.checking import bits, decisions, layers
from distill.checking.formulas import Put, put_tree
from distill.checking.layers import Layer
from distill.checking.refusals import CannotCheck
from distill.checking.tape import Tape
from distill.checking.terms import Term
from distill.formula import Formula


def put_pick(step: Pick) -> Layer:
    """Some of the inputs."""
    columns = step.columns.tolist()
    return lambda tape, x: [x[i] for i in columns]


def put_branches(step: Branches) -> Layer:
    """Chains side by side."""
    parts = [put_chain(chain) for chain in step.chains]
    return lambda tape, x: [term for part in parts for term in part(tape, x)]


PUT: dict[type[Step], Callable[[Any], Layer]] = {
    Above: decisions.put_above,
    Affine: layers.put_affine,
    Apply: layers.put_apply,
    Branches: put_branches,
    Convolution: layers.put_convolution,
    Distances: layers.put_distances,
    Each: layers.put_each,
    Gaussians: layers.put_gaussians,
    Kernel: layers.put_kernel,
    Logic: bits.put_logic,
    Monomials: layers.put_monomials,
    Nearest: decisions.put_nearest,
    Normalise: decisions.put_normalise,
    OneHot: decisions.put_one_hot,
    OneVsOne: decisions.put_one_vs_one,
    Packed: bits.put_packed,
    Pick: put_pick,
    Pool: layers.put_pool,
    Scale: layers.put_scale,
    Softmax: layers.put_softmax,
    Stretch: layers.put_stretch,
    Trees: decisions.put_trees,
    Winner: decisions.put_winner,
}
"""The steps that can be checked."""


def put_chain(chain: Chain) -> Layer:
    """The function that puts a chain on a tape.

    Raises
    ------
    CannotCheck : for a step that has no enclosure here.
    """
    parts = []
    for step in chain.steps:
        put = PUT.get(type(step))
        if put is None:
            raise CannotCheck(f"the step `{type(step).__name__}`")
        parts.append(put(step))

    def put_all(tape: Tape, x: Sequence[Term]) -> list[Term]:
        terms = list(x)
        for part in parts:
            terms = part(tape, terms)
        return terms

    return put_all


def put_expression(expression: Formula | ClosedForm) -> Put:
    """The function that puts a formula, or the output of a closed form, on a tape.

    Raises
    ------
    CannotCheck : for an operator, function or step that has no enclosure here.
    """
    if isinstance(expression, Formula):
        return put_tree(expression.tree, expression.domain.names)
    put, output = put_chain(expression.chain), expression.output
    return lambda tape, x: put(tape, x)[output]
