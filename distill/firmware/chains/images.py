"""Convolutions and pooling in C."""

from __future__ import annotations

from distill.chain.steps.images import Convolution, Pool
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

# Rows and columns before the image wrap round: they are too large then, as those behind it are.
_CONVOLUTION = """\
static void $function(const $real *x, $real *y)
{
    $index at = 0u;
    for (unsigned out = 0u; out < ${out}u; out++) {
        for (unsigned row = 0u; row < ${rows}u; row++) {
            for (unsigned column = 0u; column < ${columns}u; column++) {
                $index weight = out * ${each}u;
                $real sum = $bias;
                for (unsigned c = $first; c < $last; c++) {
                    for (unsigned i = 0u; i < ${high}u; i++) {
                        const unsigned v = $v;
                        for (unsigned j = 0u; j < ${wide}u; j++) {
                            const unsigned u = $u;
                            $add
                            weight++;
                        }
                    }
                }
                y[at] = sum;
                at++;
            }
        }
    }
}
"""

_POOL = """\
static void $function(const $real *x, $real *y)
{
    $index at = 0u;
    for (unsigned c = 0u; c < ${channels}u; c++) {
        for (unsigned row = 0u; row < ${rows}u; row++) {
            for (unsigned column = 0u; column < ${columns}u; column++) {
                unsigned seen = 0u;
                $real found = 0.0$f;
                for (unsigned i = 0u; i < ${high}u; i++) {
                    const unsigned v = $v;
                    for (unsigned j = 0u; j < ${wide}u; j++) {
                        const unsigned u = $u;
$take
                    }
                }
                y[at] = $answer;
                at++;
            }
        }
    }
}
"""

_TAKE = """\
const $real value = $pixel;
$pick
seen++;"""


def print_convolution(step: Convolution, writer: Writer) -> Call:
    """Loops over outputs and weights, the sizes written into them."""
    _, height, width = step.shape
    out, rows, columns = step.image
    _, depth, high, wide = step.weights.shape
    note = f"Weights, {out} outputs of {depth} x {high} x {wide}."
    weight = writer.read(writer.numbers("weights", step.weights, note), "weight")
    add = f"sum += {weight} * {_pixel(step)};"
    if any(step.padding):
        inside = f"if (v < {height}u && u < {width}u) {{"
        add = f"{inside}\n{' ' * 32}{add}\n{' ' * 28}}}"
    group = f"out / {out // step.groups}u * {depth}u"
    function = writer.function(
        "convolution",
        _CONVOLUTION,
        index=writer.index(max(step.weights.size, step.outputs, step.inputs)),
        out=out,
        rows=rows,
        columns=columns,
        each=depth * high * wide,
        high=high,
        wide=wide,
        bias=writer.read(writer.numbers("bias", step.bias, "Biases."), "out"),
        first="0u" if step.groups == 1 else group,
        last=f"{depth}u" if step.groups == 1 else f"{group} + {depth}u",
        v=_place("row", step.stride[0], "i", step.dilation[0], step.padding[0]),
        u=_place("column", step.stride[1], "j", step.dilation[1], step.padding[1]),
        add=add,
    )
    return Call(function)


def print_pool(step: Pool, writer: Writer) -> Call:
    """Loops over outputs and their windows."""
    channels, rows, columns = step.image
    _, height, width = step.shape
    largest, padded = step.kind == "max", any(step.padding)
    # A NaN wins, and stays.
    first = "if (seen == 0u || value > found || value != value) {\n    found = value;\n}"
    take = writer.fill(_TAKE, pixel=_pixel(step), pick=first if largest else "found += value;")
    lines = take.splitlines()
    if padded:
        inside = f"if (v < {height}u && u < {width}u) {{"
        lines = [inside, *(f"    {line}" for line in lines), "}"]
    count = f"({writer.real})seen"
    function = writer.function(
        "largest" if largest else "mean",
        _POOL,
        index=writer.index(max(step.inputs, step.outputs)),
        channels=channels,
        rows=rows,
        columns=columns,
        high=step.size[0],
        wide=step.size[1],
        v=_place("row", step.stride[0], "i", 1, step.padding[0]),
        u=_place("column", step.stride[1], "j", 1, step.padding[1]),
        take="\n".join(" " * 24 + line for line in lines),
        answer="found" if largest else f"found / {count}",
    )
    return Call(function)


def _pixel(step: Convolution | Pool) -> str:
    _, height, width = step.shape
    return f"x[(c * {height}u + v) * {width}u + u]"


def _place(window: str, stride: int, within: str, dilation: int, padding: int) -> str:
    """The row or column that is seen."""
    terms = [
        window if stride == 1 else f"{window} * {stride}u",
        within if dilation == 1 else f"{within} * {dilation}u",
    ]
    return " + ".join(terms) + (f" - {padding}u" if padding else "")
