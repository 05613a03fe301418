"""Chains as blocks: what each step is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from distill.bounds.base import NotBounded
from distill.bounds.builder import Builder
from distill.bounds.lines import LINES
from distill.bounds.steps import cells, formula, near, scores, sums
from distill.bounds.steps.blocks import Activation, Bent, Each
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each as EachStep
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner

Make = Callable[[Builder, int, Any], int]
"""From the number of a step's input block and the step to the number of its output block."""


def chain_block(builder: Builder, chain: Chain, source: int) -> int:
    """The number of the block that the chain makes of block ``source``.

    Raises
    ------
    NotBounded : naming the step that has no enclosure.
    """
    for step in chain.steps:
        source = step_block(builder, step, source)
    return source


def step_block(builder: Builder, step: Step, source: int) -> int:
    """The number of the block that one step makes of block ``source``."""
    make = STEPS.get(type(step))
    if make is None:
        raise NotBounded(
            f"the step `{type(step).__name__}` of the teacher has no enclosure, so nothing about "
            "it can be proven.",
            hint="rely on the errors found and on the statistical statement.",
        )
    return make(builder, source, step)


def _affine(builder: Builder, source: int, step: Affine) -> int:
    return builder.linear([(source, step.weights)], step.bias)


def _scale(builder: Builder, source: int, step: Scale) -> int:
    return builder.shift(source, step.shift, step.divisor)


def _stretch(builder: Builder, source: int, step: Stretch) -> int:
    return builder.linear([(source, step.factor)], step.offset)


def _pick(builder: Builder, source: int, step: Pick) -> int:
    return builder.rows([source], step.columns)


def _branches(builder: Builder, source: int, step: Branches) -> int:
    ends = [chain_block(builder, chain, source) for chain in step.chains]
    return builder.rows(ends, np.arange(step.outputs))


def _apply(builder: Builder, source: int, step: Apply) -> int:
    make = FUNCTIONS.get(step.function)
    if make is not None:
        return make(builder, source, step.parameter)
    if step.function in LINES:
        return builder.push(Each(source, Bent(LINES[step.function])), step.width)
    return builder.push(Each(source, Activation.of(step.function, step.parameter)), step.width)


def _sigmoid(builder: Builder, source: int, parameter: float) -> int:
    half = builder.apply(builder.combined([(source, 0.5)]), "tanh")
    return builder.combined([(half, 0.5)], 0.5)


def _smooth(name: str) -> Callable[[Builder, int, float], int]:
    return lambda builder, source, parameter: builder.apply(source, name)


FUNCTIONS: Mapping[str, Callable[[Builder, int, float], int]] = {
    "identity": lambda builder, source, parameter: source,
    **{f: _smooth(f) for f in ("tanh", "sin", "cos", "exp", "log", "sqrt", "square", "inv")},
    "sigmoid": _sigmoid,
    "relu": lambda builder, source, parameter: builder.kink(source, 0.0, 1.0),
    "leaky_relu": lambda builder, source, parameter: builder.kink(source, parameter, 1.0),
    "abs": lambda builder, source, parameter: builder.kink(source, -1.0, 1.0),
}
"""The functions of :class:`distill.chain.steps.elementwise.Apply`."""

STEPS: Mapping[type[Any], Make] = {
    Affine: _affine,
    Scale: _scale,
    Stretch: _stretch,
    Pick: _pick,
    Apply: _apply,
    Branches: _branches,
    Above: scores.make_above,
    Convolution: sums.make_convolution,
    Distances: sums.make_distances,
    EachStep: formula.make_each,
    Gaussians: sums.make_gaussians,
    Kernel: sums.make_kernel,
    Logic: cells.make_whole,
    Monomials: sums.make_monomials,
    Nearest: near.make_nearest,
    Normalise: sums.make_normalise,
    OneHot: scores.make_one_hot,
    OneVsOne: scores.make_one_vs_one,
    Packed: cells.make_whole,
    Pool: sums.make_pool,
    Softmax: scores.make_softmax,
    Trees: cells.make_trees,
    Winner: scores.make_winner,
}
"""All steps that have an enclosure."""
