"""Which printer writes which kind of step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distill.chain.base import Step
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Normalise, OneHot, Pick
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
from distill.errors import ExportError
from distill.firmware.chains.affine import print_affine
from distill.firmware.chains.calls import Call
from distill.firmware.chains.columns import print_normalise, print_one_hot, print_pick
from distill.firmware.chains.elementwise import (
    print_above,
    print_apply,
    print_scale,
    print_stretch,
)
from distill.firmware.chains.formula import print_each
from distill.firmware.chains.gaussians import print_gaussians
from distill.firmware.chains.images import print_convolution, print_pool
from distill.firmware.chains.integers import IntegerTrees
from distill.firmware.chains.kernels import print_kernel, print_one_vs_one
from distill.firmware.chains.logic import print_logic, print_packed
from distill.firmware.chains.polynomials import print_monomials
from distill.firmware.chains.prototypes import print_distances, print_nearest
from distill.firmware.chains.trees import print_integer_trees, print_trees
from distill.firmware.chains.winner import print_softmax, print_winner
from distill.firmware.chains.writer import Writer

Printer = Callable[[Any, Writer], Call]
"""Adds a step's arrays and functions to the writer, and says how they are called."""

PRINTERS: dict[type, Printer] = {
    Affine: print_affine,
    Pick: print_pick,
    OneHot: print_one_hot,
    Normalise: print_normalise,
    Apply: print_apply,
    Scale: print_scale,
    Stretch: print_stretch,
    Above: print_above,
    Each: print_each,
    Gaussians: print_gaussians,
    Convolution: print_convolution,
    Pool: print_pool,
    Kernel: print_kernel,
    OneVsOne: print_one_vs_one,
    Monomials: print_monomials,
    Distances: print_distances,
    Nearest: print_nearest,
    Trees: print_trees,
    IntegerTrees: print_integer_trees,
    Logic: print_logic,
    Packed: print_packed,
    Softmax: print_softmax,
    Winner: print_winner,
}
"""The printer of each kind of step but branches, which are chains themselves."""


def printer_of(step: Step) -> Printer:
    """The printer of a step.

    Raises
    ------
    ExportError : for one that has none.
    """
    if type(step) not in PRINTERS:
        raise ExportError(
            f"steps of the kind `{type(step).__name__}` have no C.",
            where="distill/firmware/chains/dispatch.py",
            hint="give the step a printer there, or export a formula found by the search.",
        )
    return PRINTERS[type(step)]
