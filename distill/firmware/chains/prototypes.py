"""Distances to prototypes, and the vote of the nearest, in C."""

from __future__ import annotations

from distill.chain.distances import Metric
from distill.chain.steps.prototypes import Distances, Nearest
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_DISTANCE = """\
static $real $function(const $real *x, const $real *prototype, unsigned d)
{
    $real sum = 0.0$f;
    for (unsigned j = 0u; j < d; j++) {
        $add
    }
    return $end;
}
"""

_DISTANCES = """\
static void $function(const $real *x, $real *y)
{
    const $real *prototype = $prototypes;
    for (unsigned i = 0u; i < ${m}u; i++) {
        y[i] = $distance(x, prototype, ${d}u);
        prototype = &prototype[$d];
    }
}
"""

_NEAREST = """\
static void $function(const $real *x, $real *y)
{
    const $real *prototype = $prototypes;
    $real near[$count];
    $index which[$count];
    unsigned held = 0u;
    for (unsigned n = 0u; n < ${count}u; n++) {
        near[n] = 0.0$f;
    }
    for ($index i = 0u; i < ${m}u; i++) {
        const $real distance = $distance(x, prototype, ${d}u);
        unsigned at = held;
        prototype = &prototype[$d];
        if (held < ${count}u) {
            held++;
        } else if (distance < near[${last}u]) {
            at--;
        } else {
            continue;
        }$move
        near[at] = distance;
        which[at] = i;
    }$weigh
    for (unsigned j = 0u; j < ${k}u; j++) {
        $real sum = 0.0$f;
        for (unsigned n = 0u; n < ${count}u; n++) {
            sum += $term;
        }
        y[j] = sum / $divisor;
    }
}
"""

_MOVE = """
        while (at > 0u && distance < near[at - 1u]) {
            near[at] = near[at - 1u];
            which[at] = which[at - 1u];
            at--;
        }"""

_WEIGH = """
    unsigned there = 0u;
    $real total = 0.0$f;
    if (near[0] == 0.0$f) {
        there = 1u;
    }
    for (unsigned n = 0u; n < ${count}u; n++) {
        if (there != 0u) {
            near[n] = near[n] == 0.0$f ? 1.0$f : 0.0$f;
        } else {
            near[n] = 1.0$f / near[n];
        }
        total += near[n];
    }"""


def distance_function(metric: Metric, writer: Writer) -> str:
    """The name of the function of x, a prototype and the number of inputs."""
    off, end = "x[j] - $READ(prototype + j)", "sum"
    if metric in ("squared", "euclidean"):
        add = f"const $real z = {off};\n        sum += z * z;"
        if metric == "euclidean":
            end = f"{writer.math('sqrt', exact=True)}(sum)"
    else:
        size = f"{writer.math('fabs', exact=True)}({off})"
        add = f"sum += {size};"
        if metric == "chebyshev":
            # A NaN wins, and stays.
            add = f"const $real z = {size};\n        sum = z > sum || z != z ? z : sum;"
    return writer.function(f"{metric}", _DISTANCE, add=writer.fill(add), end=end)


def print_distances(step: Distances, writer: Writer) -> Call:
    """A loop over the prototypes."""
    m, d = step.prototypes.shape
    function = writer.function(
        "distances",
        _DISTANCES,
        m=m,
        d=d,
        distance=distance_function(step.metric, writer),
        prototypes=writer.numbers("prototypes", step.prototypes, f"Prototypes, {m} rows of {d}."),
    )
    return Call(function)


def print_nearest(step: Nearest, writer: Writer) -> Call:
    """The nearest so far, in their order, while the prototypes are gone through."""
    (m, d), k, count = step.prototypes.shape, step.outputs, step.count
    index = writer.index(max(m, step.values.size))
    values = writer.numbers("values", step.values, f"What prototypes stand for, {m} rows of {k}.")
    term = writer.read(values, f"which[n] * {k}u + j")
    by_distance = step.weights == "distance"
    function = writer.function(
        "nearest",
        _NEAREST,
        m=m,
        d=d,
        k=k,
        count=count,
        last=count - 1,
        index=index,
        distance=distance_function(step.metric, writer),
        prototypes=writer.numbers("prototypes", step.prototypes, f"Prototypes, {m} rows of {d}."),
        move=_MOVE if count > 1 else "",
        weigh=writer.fill(_WEIGH, count=count) if by_distance else "",
        term=f"near[n] * {term}" if by_distance else term,
        divisor="total" if by_distance else writer.number(count),
    )
    return Call(function, stack=count * (writer.bytes_per_number + 4))
