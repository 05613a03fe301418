"""Normal densities in C."""

from __future__ import annotations

from distill.chain.steps.gaussians import Gaussians
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_DIAGONAL = """\
static void $function(const $real *x, $real *y)
{
    for (unsigned i = 0u; i < ${k}u; i++) {
        $real sum = 0.0$f;
        for (unsigned j = 0u; j < ${d}u; j++) {
            const $index at = i * ${d}u + j;
            const $real z = $factor * (x[j] - $centre);
            sum += z * z;
        }
        y[i] = $constant - 0.5$f * sum;
    }
}
"""

_FULL = """\
static void $function(const $real *x, $real *y)
{
    $index next = 0u;
    for (unsigned i = 0u; i < ${k}u; i++) {
        $real sum = 0.0$f;
        for (unsigned r = 0u; r < ${r}u; r++) {
            $real z = 0.0$f;
            for (unsigned j = 0u; j < ${d}u; j++) {
                const $index at = i * ${d}u + j;
                z += $factor * (x[j] - $centre);
                next++;
            }
            sum += z * z;
        }
        y[i] = $constant - 0.5$f * sum;
    }
}
"""


def print_gaussians(step: Gaussians, writer: Writer) -> Call:
    """Loops over classes, factors and inputs."""
    k, d = step.centres.shape
    centres = writer.numbers("centres", step.centres, f"Centres, {k} rows of {d}.")
    factors = writer.numbers("factors", step.factors, "What multiplies the differences from them.")
    constants = writer.numbers("constants", step.constants, "What the squares are taken from.")
    words = {
        "k": k,
        "d": d,
        "index": writer.index(step.factors.size),
        "centre": writer.read(centres, "at"),
        "factor": writer.read(factors, "at" if step.diagonal else "next"),
        "constant": writer.read(constants, "i"),
    }
    if step.diagonal:
        return Call(writer.function("densities", _DIAGONAL, **words))
    return Call(writer.function("densities", _FULL, r=step.factors.shape[1], **words))
