"""The cheapest kernel for a function of one variable: a curve, or the form its text fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from distill.firmware.graph import CONSTANT, INPUT, Graph
from distill.firmware.kernels.arctangent import fit_arctangent
from distill.firmware.kernels.base import Kernel, Words
from distill.firmware.kernels.curve import fit_curve
from distill.firmware.kernels.exponential import fit_exponential
from distill.firmware.kernels.logarithm import fit_logarithm
from distill.firmware.kernels.wave import fit_wave

SHARES = (0.8, 0.4)
"""The part of the error that the polynomial may take; the integers' rounding has the rest."""


@dataclass(frozen=True, slots=True)
class Affine:
    """``factor*function(inner*x + shift) + constant``."""

    function: str
    factor: float
    constant: float
    inner: float
    shift: float


@lru_cache(maxsize=4096)
def design(
    meaning: Graph, low: float, high: float, absolute: float, relative: float, words: Words
) -> Kernel | None:
    """The kernel of fewest instructions for the arguments in [low, high].

    Parameters
    ----------
    meaning : a graph of one input.
    absolute, relative : errors of its value that are small enough, either of them.
    words : what integers cost on the chip.
    """
    for share in SHARES:
        found = [
            fit_curve(meaning, low, high, absolute, words.fpu, share),
            _by_form(meaning, low, high, absolute, relative, words.fpu, share),
        ]
        kernels = [kernel for kernel in found if kernel is not None]
        if kernels:
            return min(kernels, key=lambda kernel: kernel.cost(words))
    return None


def _by_form(
    meaning: Graph,
    low: float,
    high: float,
    absolute: float,
    relative: float,
    fpu: bool,
    share: float,
) -> Kernel | None:
    form = affine(meaning)
    if form is None:
        return None
    if form.function == "log" and form.shift == 0:
        factors = (form.factor, form.inner, form.constant)
        return fit_logarithm(meaning, factors, low, high, absolute, fpu, share)
    if form.function == "exp" and form.constant == 0 and form.factor > 0:
        exponents = (form.inner, form.shift + math.log(form.factor))
        return fit_exponential(meaning, exponents, low, high, relative, fpu, share)
    if form.function == "atan" and (form.inner, form.shift) == (1.0, 0.0):
        return fit_arctangent(meaning, form.factor, form.constant, low, high, absolute, fpu, share)
    if form.function in ("sin", "cos"):
        phase = form.shift + (math.pi / 2 if form.function == "cos" else 0.0)
        turns = (form.factor, form.inner, phase, form.constant)
        return fit_wave(meaning, turns, low, high, absolute, fpu, share)
    return None


def affine(graph: Graph) -> Affine | None:
    """The graph of one input as a function between two straight lines, if it is that."""
    factor, constant, at = _line(graph, len(graph.operations) - 1)
    core = graph.operations[at]
    if core.name == INPUT or len(core.args) != 1:
        return None
    inner, shift, below = _line(graph, core.args[0])
    if graph.operations[below].name != INPUT or not inner:
        return None
    return Affine(core.name, factor, constant, inner, shift)


def _line(graph: Graph, at: int) -> tuple[float, float, int]:
    """``at`` is ``factor*b + constant`` of an operation b that is no such line itself."""
    factor, constant = 1.0, 0.0
    while True:
        operation = graph.operations[at]
        values = [
            graph.operations[a].value if graph.operations[a].name == CONSTANT else None
            for a in operation.args
        ]
        match operation.name, values:
            case "neg", _:
                factor, at = -factor, operation.args[0]
            case "add", [None, float(k)]:
                constant, at = constant + factor * k, operation.args[0]
            case "add", [float(k), None]:
                constant, at = constant + factor * k, operation.args[1]
            case "sub", [None, float(k)]:
                constant, at = constant - factor * k, operation.args[0]
            case "sub", [float(k), None]:
                factor, constant, at = -factor, constant + factor * k, operation.args[1]
            case "mul", [None, float(k)]:
                factor, at = factor * k, operation.args[0]
            case "mul", [float(k), None]:
                factor, at = factor * k, operation.args[1]
            case "div", [None, float(k)] if k:
                factor, at = factor / k, operation.args[0]
            case _:
                return factor, constant, at
