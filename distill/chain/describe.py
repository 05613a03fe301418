"""A chain in a few words, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, OneHot, Pick
from distill.chain.steps.elementwise import Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees

_AROUND = (Scale, Stretch, Pick, OneHot)
"""What stands around a model; said only where there is nothing else."""


def described(chain: Chain) -> str:
    """What the chain is, such as "network 64-32-10, relu" or "forest of 100 trees, 12,345 nodes".

    Parts that are no network's layers are named one after another.
    """
    steps = [step for step in chain.steps if not isinstance(step, _AROUND)] or list(chain.steps)
    if not steps:
        return f"the {chain.inputs} inputs themselves"
    words: list[str] = []
    at = 0
    while at < len(steps):
        layers = _layers(steps[at:])
        if layers:
            words.append(_network(layers))
            at += len(layers)
        else:
            words.append(_one(steps[at]))
            at += 1
    return ", then ".join(words)


def _layers(steps: list[Step]) -> list[Step]:
    """The run of layers of a network at the head of the steps; empty when there is none."""
    layers: list[Step] = []
    for step in steps:
        if not isinstance(step, Affine | Apply | Each | Convolution | Pool):
            break
        layers.append(step)
    return layers if any(isinstance(step, Affine | Convolution) for step in layers) else []


def _network(layers: list[Step]) -> str:
    products = [step for step in layers if isinstance(step, Affine | Convolution)]
    functions: dict[str, None] = {}
    for step in layers:
        if isinstance(step, Apply | Each):
            functions[step.function if isinstance(step, Apply) else "formulas"] = None
    convolutions = sum(isinstance(step, Convolution) for step in layers)
    if len(products) == 1 and not functions and not convolutions:
        only = products[0]
        return f"linear, {_count(only.inputs, 'input')}, {_count(only.outputs, 'output')}"
    widths = "-".join(map(str, [products[0].inputs, *(step.outputs for step in products)]))
    kind = f"convolutional network {widths}" if convolutions else f"network {widths}"
    return ", ".join([kind, *functions])


def _one(step: Step) -> str:
    for kind, words in _WORDS.items():
        if isinstance(step, kind):
            return words(step)
    return type(step).__name__.lower()


def _trees(step: Trees) -> str:
    nodes = _count(len(step.left), "node")
    if len(step.roots) == 1:
        return f"tree of {nodes}, depth {int(step.depths[0])}"
    return f"forest of {len(step.roots):,} trees, {nodes}"


def _logic(step: Logic | Packed) -> str:
    rows = (
        f"{len(step.masks):,} products" if isinstance(step, Logic) else f"{len(step.codes):,} rows"
    )
    return f"{'logic' if isinstance(step, Logic) else 'table'} of {rows}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


_WORDS: dict[type[Any], Callable[[Any], str]] = {
    Trees: _trees,
    Gaussians: lambda step: (
        f"{_count(step.outputs, 'normal density').replace('ys', 'ies')} of "
        f"{_count(step.inputs, 'input')}"
    ),
    Kernel: lambda step: f"{step.kind} kernel with {_count(step.outputs, 'vector')}",
    Nearest: lambda step: f"{step.count} nearest of {_count(len(step.prototypes), 'prototype')}",
    Distances: lambda step: f"distances to {_count(step.outputs, 'prototype')}",
    Monomials: lambda step: (
        f"{step.outputs:,} monomials of degree {int(step.exponents.sum(axis=1).max(initial=0))}"
    ),
    Branches: lambda step: f"[{'; '.join(map(described, step.chains))}]",
    Apply: lambda step: str(step.function),
    Each: lambda step: f"{step.formula.readable()} of each",
    Logic: _logic,
    Packed: _logic,
}
