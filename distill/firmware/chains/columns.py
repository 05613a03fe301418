"""Choosing, encoding and normalising columns, in C."""

from __future__ import annotations

import numpy as np

from distill.chain.steps.columns import Normalise, OneHot, Pick
from distill.firmware.chains.calls import Call
from distill.firmware.chains.writer import Writer

_PICK = """\
static void $function(const $real *x, $real *y)
{
    for (unsigned i = 0u; i < ${k}u; i++) {
        y[i] = x[$column];
    }
}
"""

_ONE_HOT = """\
static void $function(const $real *x, $real *y)
{
    for (unsigned i = 0u; i < ${k}u; i++) {
        y[i] = x[$column] == $category ? $one : $zero;
    }$others
}
"""

_OTHERS = """
    for (unsigned i = 0u; i < ${n}u; i++) {
        const unsigned last = $last;
        const unsigned other = $other;
        $real none = $one;
        y[other] = $zero;
        for (unsigned j = $first; j < last; j++) {
            none = y[j] != $zero ? $zero : none;
        }
        y[other] = none;
    }"""

_NORMALISE = """\
static void $function(const $real *x, $real *y, unsigned n)
{
    $real norm = 0.0$f;
    for (unsigned i = 0u; i < n; i++) {
        $add
    }$root
    for (unsigned i = 0u; i < n; i++) {
        y[i] = norm == 0.0$f ? x[i] : x[i] / norm;
    }
}
"""


def print_pick(step: Pick, writer: Writer) -> Call:
    """A loop over the numbers of the columns."""
    columns, _ = writer.whole("picked", step.columns, "The inputs that are used.")
    column = writer.read(columns, "i")
    return Call(writer.function("pick", _PICK, k=step.outputs, column=column))


def print_one_hot(step: OneHot, writer: Writer) -> Call:
    """A comparison for each category; then those that stand for all others."""
    counts = [len(values) for values in step.categories]
    values = np.concatenate(step.categories)
    column, _ = writer.whole(
        "encoded", np.repeat(np.arange(len(counts)), counts), "The input of each category."
    )
    known = np.where(np.isnan(values), 0.0, values)
    category = writer.numbers("category", known, "The categories; 0 also for all others.")
    one, zero = writer.number(1.0), writer.number(0.0)
    function = writer.function(
        "one_hot",
        _ONE_HOT,
        k=step.outputs,
        column=writer.read(column, "i"),
        category=writer.read(category, "i"),
        one=one,
        zero=zero,
        others=_others(values, np.array(counts), writer, one, zero),
    )
    return Call(function)


def _others(values: np.ndarray, counts: np.ndarray, writer: Writer, one: str, zero: str) -> str:
    other = np.flatnonzero(np.isnan(values))
    if not len(other):
        return ""
    ends = np.cumsum(counts)
    inputs = np.searchsorted(ends, other, side="right")
    stem_values = {
        "other": (other, "Which outputs stand for none of the others, ..."),
        "first": ((ends - counts)[inputs], "... from where the others of the same input are, ..."),
        "last": (ends[inputs], "... and up to where."),
    }
    words = {
        stem: writer.read(writer.whole(stem, held, note)[0], "i")
        for stem, (held, note) in stem_values.items()
    }
    return writer.fill(_OTHERS, n=len(other), one=one, zero=zero, **words)


def print_normalise(step: Normalise, writer: Writer) -> Call:
    """A loop for the norm, one for the quotients."""
    if step.norm == "l2":
        add, root = "norm += x[i] * x[i];", f"\n    norm = {writer.math('sqrt', exact=True)}(norm);"
    else:
        size, root = f"{writer.math('fabs', exact=True)}(x[i])", ""
        add = f"norm += {size};"
        if step.norm == "max":
            # A NaN wins, and stays.
            add = f"const {writer.real} a = {size};\n        norm = a > norm || a != a ? a : norm;"
    function = writer.function(f"normalise_{step.norm}", _NORMALISE, add=add, root=root)
    return Call(function, (f"{step.width}u",), in_place=True)
