"""Kernel machines in C."""

from __future__ import annotations

from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.firmware.chains.calls import Call
from distill.firmware.chains.prototypes import distance_function
from distill.firmware.chains.writer import Writer

_KERNEL = """\
static void $function(const $real *x, $real *y)
{
    const $real *vector = $vectors;
    for (unsigned i = 0u; i < ${m}u; i++) {
        const $real z = $inner;
        vector = &vector[$d];
        $finish
    }
}
"""

_DOT = """\
static $real $function(const $real *x, const $real *vector, unsigned d)
{
    $real sum = 0.0$f;
    for (unsigned j = 0u; j < d; j++) {
        sum += $READ(vector + j) * x[j];
    }
    return sum;
}
"""

_POWER = """\
$real power = z;
        for (unsigned n = 1u; n < ${degree}u; n++) {
            power *= z;
        }
        y[i] = power;"""

_VOTES = """\
static void $function(const $real *x, $real *y)
{
    unsigned pair = 0u;
    for (unsigned i = 0u; i < ${classes}u; i++) {
        y[i] = 0.0$f;
    }
    for (unsigned i = 0u; i < ${last}u; i++) {
        for (unsigned j = i + 1u; j < ${classes}u; j++) {
            y[x[pair] > 0.0$f ? i : j] += 1.0$f;
            pair++;
        }
    }
}
"""

_MARGINS = """\
static void $function(const $real *x, $real *y)
{
    $real sums[$classes];
    unsigned pair = 0u;
    for (unsigned i = 0u; i < ${classes}u; i++) {
        y[i] = 0.0$f;
        sums[i] = 0.0$f;
    }
    for (unsigned i = 0u; i < ${last}u; i++) {
        for (unsigned j = i + 1u; j < ${classes}u; j++) {
            y[x[pair] < 0.0$f ? j : i] += 1.0$f;
            sums[i] += x[pair];
            sums[j] -= x[pair];
            pair++;
        }
    }
    for (unsigned i = 0u; i < ${classes}u; i++) {
        y[i] += sums[i] / (3.0$f * ($fabs(sums[i]) + 1.0$f));
    }
}
"""


def print_kernel(step: Kernel, writer: Writer) -> Call:
    """A loop over the vectors."""
    m, d = step.vectors.shape
    gamma, constant = writer.number(step.gamma), writer.number(step.constant)
    if step.kind == "rbf":
        inner = f"{gamma} * {distance_function('squared', writer)}(x, vector, {d}u)"
        finish = f"y[i] = {writer.math('exp')}(-z);"
    else:
        dot = writer.function("dot", _DOT)
        inner = f"{gamma} * {dot}(x, vector, {d}u) + {constant}"
        finish = writer.fill(_POWER, degree=step.degree)
        if step.kind == "sigmoid":
            finish = f"y[i] = {writer.math('tanh')}(z);"
        elif step.degree == 0:
            finish = f"(void)z;\n        y[i] = {writer.number(1.0)};"
        elif step.degree == 1:
            finish = "y[i] = z;"
    function = writer.function(
        "kernel",
        _KERNEL,
        m=m,
        d=d,
        vectors=writer.numbers("vectors", step.vectors, f"Vectors, {m} rows of {d}."),
        inner=inner,
        finish=finish,
    )
    return Call(function)


def print_one_vs_one(step: OneVsOne, writer: Writer) -> Call:
    """Two loops over the pairs."""
    words = {"classes": step.classes, "last": step.classes - 1}
    if step.ties == "first":
        return Call(writer.function("votes", _VOTES, **words))
    fabs = writer.math("fabs", exact=True)
    function = writer.function("votes", _MARGINS, fabs=fabs, **words)
    return Call(function, stack=step.classes * writer.bytes_per_number)
