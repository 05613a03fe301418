"""Trees in C: as nested conditions or as tables of nodes, whichever takes less flash."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from distill.arrays import Array
from distill.chain.steps.trees import Trees
from distill.firmware.chains.calls import Call
from distill.firmware.chains.comparing import Comparing
from distill.firmware.chains.conditions import DEEPEST, conditions, deepest, written
from distill.firmware.chains.forest import Forest, real_forest
from distill.firmware.chains.integers import IntegerTrees
from distill.firmware.chains.node_table import NodeTable, node_table, walk
from distill.firmware.chains.writer import Writer

# Bytes of flash, between what a Cortex-M0+ and a MIPS32 took (zig cc -Os): a condition with its
# return 13 and 24, or 19 and 32 where integers stand for floats; a tree's call 20; the loop 75 and
# 110, beside its tables.
_HARD, _SOFT, _CALL, _LOOP = 18.0, 25.0, 20.0, 90.0

_MOST_CONDITIONS = 1000
"""Tables are smaller long before."""

_TREES = """\
static void $function(const $real *x, $real *y)
{
$body
}
"""

_ADD = """\
static void $function($index at, $real *y)
{
    for (unsigned j = 0u; j < ${k}u; j++) {
        y[j] += $leaf;
    }
}
"""

_TREE = """\
static $answer $function(const $real *x)
{
$body
}
"""


def print_trees(step: Trees, writer: Writer) -> Call:
    """The sum of the leaves that a point falls into, times the scale, plus the bias."""
    ordered = writer.soft_float and writer.arithmetic == "float32"
    forest = real_forest(step, writer.arithmetic, ordered=ordered)
    zeros, ones = np.zeros(step.outputs), np.ones(step.outputs)
    comparing = Comparing(writer, ordered)
    if len(step.roots) == 1:  # its leaves are the answers already
        return _Printer(forest, comparing, zeros, ones, zeros).print()
    return _Printer(forest, comparing, zeros, step.scale, step.bias, step.divide).print()


def print_integer_trees(step: IntegerTrees, writer: Writer) -> Call:
    """The sum of the leaves, plus the bias, all integers."""
    zeros, ones = np.zeros(step.outputs), np.ones(step.outputs)
    start = step.bias.astype(float)
    return _Printer(step.forest, Comparing(writer, ordered=False), start, ones, zeros).print()


@dataclass(frozen=True)
class _Printer:
    """Prints a forest; sums start at ``start`` (k,) and end times ``scale`` plus ``bias`` (k,).

    ``divide``: they are divided by the scale.
    """

    forest: Forest
    comparing: Comparing
    start: Array
    scale: Array
    bias: Array
    divide: bool = False

    def print(self) -> Call:
        """Write the function of the whole forest, and a function a tree where it has any."""
        body = self._conditions() if self._as_conditions() else self._table()
        return Call(self.writer.function("trees", _TREES, body=_indented(body)))

    @property
    def writer(self) -> Writer:
        return self.comparing.writer

    @property
    def k(self) -> int:
        """How many numbers a leaf has."""
        return int(self.forest.leaves.shape[1])

    @property
    def index(self) -> str:
        """The C type of places in the arrays."""
        forest = self.forest
        return self.writer.index(max(forest.rows + 2 * forest.splits, forest.rows * self.k))

    @cached_property
    def stored(self) -> NodeTable:
        """The tables of the splits."""
        return node_table(self.forest, self.comparing.bytes_per_cut(self.forest.cut))

    def _as_conditions(self) -> bool:
        """Whether nested conditions are wanted, or take less flash than tables."""
        form = self.writer.form
        if not self.forest.splits:  # C has no empty arrays
            return True
        if form == "auto" and self.forest.splits > _MOST_CONDITIONS:
            return False
        if form == "auto":
            each = _SOFT if self.comparing.ordered else _HARD
            code = each * written(self.forest) + _CALL * len(self.forest.roots)
            tables = _LOOP + self.stored.bytes
            if self.k == 1:  # as code they are in the conditions
                tables += self.forest.rows * self.writer.bytes_per_number
            form = "conditions" if code < tables else "table"
        return form == "conditions" and deepest(self.forest) <= DEEPEST

    def _conditions(self) -> list[str]:
        """Calls of a function for each tree."""
        trees = []
        for root in self.forest.roots.tolist():
            body = conditions(self.forest, root, self.comparing, self._literal)
            if not self.forest.splits or root < self.forest.rows:
                body.insert(0, "(void)x;")
            answer = self.writer.real if self.k == 1 else self.index
            words = {"answer": answer, "body": _indented(body)}
            trees.append(self.writer.function("tree", _TREE, **words) + "(x)")
        if self.k == 1:
            return self._summed([f"sum += {tree};" for tree in trees], trees[0])
        if len(trees) == 1:
            return [f"const {self.index} at = {trees[0]};", *self._each(f"y[j] = {self._leaf};")]
        add = self.writer.function("add", _ADD, index=self.index, k=self.k, leaf=self._leaf)
        return self._summed([f"{add}({tree}, y);" for tree in trees], "")

    def _table(self) -> list[str]:
        """A loop over the trees that walks through tables."""
        steps = walk(self.forest, self.stored, self.writer, self.comparing)
        node = [f"{self.index} node = 0u;"] if self.forest.splits else []
        if len(self.forest.roots) == 1:
            start = [f"{self.index} at = {self.forest.roots[0]}u;", *node, *steps]
            return [*start, *self._each(f"y[j] = {self._leaf};")]
        note = "Where the trees start, as what follows a split."
        roots, _ = self.writer.whole("roots", self.forest.roots, note)
        add = [f"sum += {self._leaf};"] if self.k == 1 else self._each(f"y[j] += {self._leaf};")
        inner = [f"{self.index} at = {self.writer.read(roots, 'tree')};", *node, *steps, *add]
        return self._summed(
            [
                f"for (unsigned tree = 0u; tree < {len(self.forest.roots)}u; tree++) {{",
                *(f"    {line}" for line in inner),
                "}",
            ],
            "",
        )

    def _summed(self, adding: list[str], only: str) -> list[str]:
        """The statements of the sums around those that add to them."""
        if only and len(self.forest.roots) == 1:
            return [f"y[0] = {only};"]
        end = self._ending("sum" if self.k == 1 else "y[j]")
        if self.k == 1:
            first = f"{self.writer.real} sum = {self._number(self.start[0])};"
            return [first, *adding, f"y[0] = {end};"]
        return [
            *self._each(f"y[j] = {self._entry('start', self.start)};"),
            *adding,
            *([] if end == "y[j]" else self._each(f"y[j] = {end};")),
        ]

    def _ending(self, total: str) -> str:
        """A sum, scaled and moved; operations that cannot change a bit are left out."""
        text = total
        if (self.scale != 1.0).any():
            text += f" {'/' if self.divide else '*'} {self._entry('scale', self.scale)}"
        # Adding zero to a sum makes 0 of -0, which only a negative scale can bring about.
        if self.bias.any() or (self.scale < 0).any():
            text += f" + {self._entry('bias', self.bias)}"
        return text

    def _entry(self, stem: str, values: Array) -> str:
        """The entry of output j: a literal where all are the same."""
        if not (values != values[0]).any():
            return self._number(values[0])
        note = {"start": "Where sums start.", "scale": "Their scales.", "bias": "Biases."}[stem]
        if self.writer.arithmetic == "fixed":
            name, _ = self.writer.whole(stem, values.astype(np.int64), note, signed=True)
            return self.writer.read(name, "j")
        return f"{self.writer.read(self.writer.numbers(stem, values, note), 'j')}"

    def _number(self, value: float) -> str:
        return str(int(value)) if self.writer.arithmetic == "fixed" else self.writer.number(value)

    def _literal(self, row: int) -> str:
        """What a tree's function returns: the leaf, or its row."""
        return self._number(self.forest.leaves[row, 0]) if self.k == 1 else f"{row}u"

    @property
    def _leaf(self) -> str:
        """Number j of the leaf's row ``at``."""
        leaves, note = self.forest.leaves, f"Leaves, {self.forest.rows} rows of {self.k}."
        if self.writer.arithmetic == "fixed":
            name, _ = self.writer.whole("leaves", leaves, note, signed=True)
        else:
            name = self.writer.numbers("leaves", leaves, note)
        return self.writer.read(name, "at" if self.k == 1 else f"at * {self.k}u + j")

    def _each(self, statement: str) -> list[str]:
        """A loop over the outputs."""
        if self.k == 1:
            return [statement.replace("y[j]", "y[0]")]
        return [f"for (unsigned j = 0u; j < {self.k}u; j++) {{", f"    {statement}", "}"]


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
