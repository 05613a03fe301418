"""Matrix products in C."""

from __future__ import annotations

from distill.chain.steps.affine import Affine
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_AFFINE = """\
static void $function(
    const $real *x, $real *y, const $real *weights, const $real *bias, unsigned d, unsigned k)
{
    for (unsigned i = 0u; i < k; i++) {
        $real sum = $READ(bias + i);
        for (unsigned j = 0u; j < d; j++) {
            sum += $READ(weights + j) * x[j];
        }
        weights = &weights[d];
        y[i] = sum;
    }
}
"""


def print_affine(step: Affine, writer: Writer) -> Call:
    """A loop over const arrays, one function for all products of a chain."""
    k, d = step.weights.shape
    arguments = (
        writer.numbers("weights", step.weights, f"Weights, {k} rows of {d}."),
        writer.numbers("bias", step.bias, "Biases."),
        f"{d}u",
        f"{k}u",
    )
    return Call(writer.function("affine", _AFFINE), arguments)
