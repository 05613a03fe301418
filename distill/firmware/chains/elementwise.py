"""Functions of each number alone, in C."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distill.chain.functions import SELU_SCALE, SELU_SLOPE
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.errors import ExportError
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_EACH = """\
static void $function(const $real *x, $real *y, unsigned n)
{
    for (unsigned i = 0u; i < n; i++) {
        $statements
    }
}
"""

_SIGMOID = """\
/* exp of no positive number, so that nothing overflows. */
static $real $function($real x)
{
    const $real e = $exp(-$fabs(x));
    return (x < 0.0$f ? e : 1.0$f) / (1.0$f + e);
}
"""

_SOFTPLUS = """\
static $real $function($real x)
{
    return (x < 0.0$f ? 0.0$f : x) + $log1p($exp(-$fabs(x)));
}
"""

_BETWEEN = "({x} < {low}$f ? {low}$f : ({x} > {high}$f ? {high}$f : {x}))"
_SIX = _BETWEEN.format(x="t", low="0.0", high="6.0")


@dataclass(frozen=True, slots=True)
class _Definition:
    """``y[i]`` as C of ``t``, which is ``start``; what it calls of libm or of :data:`_OWN`."""

    value: str
    calls: tuple[str, ...] = ()
    start: str = "x[i]"


_DEFINITIONS = {
    "identity": _Definition("t"),
    "abs": _Definition("$fabs(t)", ("fabs",)),
    "sqrt": _Definition("$sqrt(t)", ("sqrt",)),
    "square": _Definition("t * t"),
    "inv": _Definition("1.0$f / t"),
    "relu": _Definition("t < 0.0$f ? 0.0$f : t"),
    "leaky_relu": _Definition("t < 0.0$f ? $p * t : t"),
    "elu": _Definition("t < 0.0$f ? $p * $expm1(t) : t", ("expm1",)),
    "selu": _Definition("t < 0.0$f ? $slope * $expm1(t) : $scale * t", ("expm1",)),
    "gelu": _Definition("(0.5$f * t) * (1.0$f + $erf(t * $root))", ("erf",)),
    "sigmoid": _Definition("$sigmoid(t)", ("sigmoid",)),
    "silu": _Definition("t * $sigmoid(t)", ("sigmoid",)),
    "softplus": _Definition("$softplus(t)", ("softplus",)),
    "mish": _Definition("t * $tanh($softplus(t))", ("tanh", "softplus")),
    "softsign": _Definition("t / (1.0$f + $fabs(t))", ("fabs",)),
    "hardtanh": _Definition(_BETWEEN.format(x="t", low="-1.0", high="1.0")),
    "relu6": _Definition(_SIX),
    "hardsigmoid": _Definition(f"{_SIX} / 6.0$f", start="x[i] + 3.0$f"),
    "hardswish": _Definition(f"(x[i] * {_SIX}) / 6.0$f", start="x[i] + 3.0$f"),
    "sign": _Definition("(t > 0.0$f ? 1.0$f : 0.0$f) - (t < 0.0$f ? 1.0$f : 0.0$f)"),
    **{
        name: _Definition(f"${name}(t)", (name,))
        for name in ("tanh", "sin", "cos", "exp", "log", "expm1", "log1p", "erf")
    },
}
"""What :mod:`distill.chain.functions` computes, operation by operation."""

_EXACT = ("fabs", "sqrt")
"""What all C libraries round alike."""

_OWN = {
    "sigmoid": (_SIGMOID, ("exp", "fabs")),
    "softplus": (_SOFTPLUS, ("exp", "log1p", "fabs")),
}
"""Functions of more than one statement, and what they call."""


def print_apply(step: Apply, writer: Writer) -> Call:
    """One loop over the numbers, in place where that serves."""
    if step.function not in _DEFINITIONS:
        raise ExportError(
            f"the function `{step.function}` has no C.",
            where="distill/firmware/chains/elementwise.py",
            hint="add a row there that computes what distill/chain/functions.py does.",
        )
    definition = _DEFINITIONS[step.function]
    words = {
        "p": writer.number(step.parameter),
        "slope": writer.number(SELU_SLOPE),
        "scale": writer.number(SELU_SCALE),
        "root": writer.number(math.sqrt(0.5)),
        **{name: _called(name, writer) for name in definition.calls},
    }
    value = writer.fill(definition.value, **words)
    start = writer.fill(definition.start)
    statements = f"const {writer.real} t = {start};\n        y[i] = {value};"
    function = writer.function(step.function, _EACH, statements=statements)
    return Call(function, (f"{step.width}u",), in_place=True)


def _called(name: str, writer: Writer) -> str:
    """The name of a function of the C library or of our own."""
    if name not in _OWN:
        return writer.math(name, exact=name in _EXACT)
    template, calls = _OWN[name]
    # A layer's own function has the layer's name.
    stem = f"{name}_value"
    return writer.function(stem, template, **{called: _called(called, writer) for called in calls})


def print_scale(step: Scale, writer: Writer) -> Call:
    """The difference and the quotient of each."""
    shift = writer.read(writer.numbers("shift", step.shift, "Subtracted from each input."), "i")
    divisor = writer.read(writer.numbers("divisor", step.divisor, "What each is divided by."), "i")
    return _rows("scale", f"(x[i] - {shift}) / {divisor}", step.inputs, writer)


def print_stretch(step: Stretch, writer: Writer) -> Call:
    """The product and the sum of each."""
    factor = writer.read(writer.numbers("factor", step.factor, "What multiplies each."), "i")
    offset = writer.read(writer.numbers("offset", step.offset, "Added to each."), "i")
    return _rows("stretch", f"x[i] * {factor} + {offset}", step.inputs, writer)


def print_above(step: Above, writer: Writer) -> Call:
    """A comparison each."""
    cuts = step.cuts("double" if writer.arithmetic == "double" else "float32").astype(float)
    cut = writer.read(writer.numbers("threshold", cuts, "What each is compared with."), "i")
    one, zero = writer.number(1.0), writer.number(0.0)
    return _rows("above", f"x[i] > {cut} ? {one} : {zero}", step.inputs, writer)


def _rows(stem: str, value: str, width: int, writer: Writer) -> Call:
    function = writer.function(stem, _EACH, statements=f"y[i] = {value};")
    return Call(function, (f"{width}u",), in_place=True)
