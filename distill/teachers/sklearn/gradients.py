"""Derivatives of smooth chains, by central differences of fourth order in float64."""

from __future__ import annotations

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.columns import Branches
from distill.chain.steps.elementwise import Apply
from distill.errors import NotDifferentiable
from distill.teachers.differences import refuse_many

SMOOTH = frozenset(
    {"Affine", "Scale", "Stretch", "Pick", "Gaussians", "Kernel", "Monomials", "Softmax"}
)
SMOOTH_FUNCTIONS = frozenset(
    {
        "tanh", "sigmoid", "gelu", "silu", "softplus", "sin", "exp", "log", "sqrt", "square", "inv",
        "expm1", "log1p", "erf", "identity", "cos", "mish", "softsign",
    }
)  # fmt: skip

STEP = 2.0**-10
"""Relative step: its fourth power and the rounding of values over it are about as small."""


def rough(chain: Chain) -> str | None:
    """The first step of a chain that has no derivatives everywhere, or None."""
    return next((name for step in chain.steps if (name := _rough(step))), None)


def _rough(step: Step) -> str | None:
    if isinstance(step, Branches):
        return next((name for part in step.chains if (name := rough(part))), None)
    if isinstance(step, Apply):
        return None if step.function in SMOOTH_FUNCTIONS else step.function
    name = type(step).__name__
    if name == "Distances":
        return None if getattr(step, "metric", "") == "squared" else name
    return None if name in SMOOTH else name


def slopes(chain: Chain, x: Array, name: str) -> Array:
    """Derivatives of the outputs by the inputs at x (n, d), shape (n, k, d).

    Raises
    ------
    NotDifferentiable : where a step has none everywhere, and for very many inputs.
    """
    refuse_many(x.shape[1], name)
    if step := rough(chain):
        raise NotDifferentiable(
            f"the teacher `{name}` is not smooth: its arithmetic holds `{step}`.",
            hint="differences of its values stand in for derivatives where they only save time.",
        )
    result = np.empty((len(x), chain.outputs, x.shape[1]))
    for i in range(x.shape[1]):
        h = STEP * np.maximum(np.abs(x[:, i]), 2.0**-10)
        values = []
        for times in (-2, -1, 1, 2):
            moved = x.copy()
            moved[:, i] += times * h
            values.append(chain.evaluate(moved, "double"))
        far, near = values[0] - values[3], values[2] - values[1]
        result[:, :, i] = (far + 8 * near) / (12 * h[:, None])
    return result
