"""Probabilities and labels in C."""

from __future__ import annotations

from distill.chain.steps.winner import Softmax, Winner
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_SOFTMAX = """\
static void $function(const $real *x, $real *y, unsigned n)
{
    $real largest = x[0];
    $real sum = 0.0$f;
    for (unsigned i = 1u; i < n; i++) {
        if (x[i] > largest) {
            largest = x[i];
        }
    }
    for (unsigned i = 0u; i < n; i++) {
        y[i] = $exp(x[i] - largest);
        sum += y[i];
    }
    for (unsigned i = 0u; i < n; i++) {
        y[i] /= sum;
    }
}
"""

_WINNER = """\
static void $function(const $real *x, $real *y, unsigned n)
{
    unsigned winner = 0u;
    for (unsigned i = 1u; i < n; i++) {
        if (x[i] $beats x[winner]) {
            winner = i;
        }
    }
    y[0] = ($real)winner;
}
"""


def print_softmax(step: Softmax, writer: Writer) -> Call:
    """Three loops, in place where that serves."""
    function = writer.function("softmax", _SOFTMAX, exp=writer.math("exp"))
    return Call(function, (f"{step.width}u",), in_place=True)


def print_winner(step: Winner, writer: Writer) -> Call:
    """One loop; of equals the first wins."""
    stem, beats = ("winner", ">") if step.largest else ("least", "<")
    return Call(writer.function(stem, _WINNER, beats=beats), (f"{step.width}u",), in_place=True)
