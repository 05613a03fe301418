"""Monomials in C."""

from __future__ import annotations

import numpy as np

from distill.chain.steps.polynomials import Monomials
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_MONOMIALS = """\
static void $function(const $real *x, $real *y)
{
    $index next = 0u;
    for (unsigned i = 0u; i < ${m}u; i++) {
        $real product = 1.0$f;
        for (unsigned left = $degree; left > 0u; left--) {
            product *= x[$factor];
            next++;
        }
        y[i] = product;
    }
}
"""


def print_monomials(step: Monomials, writer: Writer) -> Call:
    """The factors of each product in a row, an input as often as its exponent says."""
    degrees, _ = writer.whole("degrees", step.exponents.sum(axis=1), "Factors of each product.")
    inputs = np.tile(np.arange(step.inputs), step.outputs)
    # An array has at least one element in C.
    row = np.repeat(inputs, step.exponents.ravel()) if step.exponents.any() else np.zeros(1, int)
    factors, _ = writer.whole("monomials", row, "The inputs that are multiplied, in a row.")
    function = writer.function(
        "monomials",
        _MONOMIALS,
        m=step.outputs,
        index=writer.index(len(row)),
        degree=writer.read(degrees, "i"),
        factor=writer.read(factors, "next"),
    )
    return Call(function)
