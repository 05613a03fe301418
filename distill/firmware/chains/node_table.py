"""A forest as tables of nodes and a loop that walks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.firmware.chains.comparing import Comparing
from distill.firmware.chains.forest import Forest
from distill.firmware.chains.writer import Writer, smallest

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodeTable:
    """What is stored of a forest's splits.

    Attributes
    ----------
    column, cut : of each test; a column stands the number of inputs higher where NaN is below.
    test : (m,), the test of each split; None where every split has its own, in their order.
    after : (m, 2), a leaf's row, or the number of rows plus how far ahead the next split is.
    bytes : of these arrays.
    """

    column: Whole
    cut: npt.NDArray[Any]
    test: Whole | None
    after: Whole
    bytes: int


def node_table(forest: Forest, bytes_per_cut: int) -> NodeTable:
    """The tables of a forest; tests that splits have in common are stored once if that is less."""
    column = forest.column + np.where(forest.missing, forest.inputs, 0)
    rows, own = forest.rows, np.arange(forest.splits)[:, None]
    after = np.where(forest.follows < rows, forest.follows, forest.follows - own)
    stored = after.size * smallest(after).itemsize
    pairs, first, test = np.unique(
        np.stack([column, forest.cut], axis=1), axis=0, return_index=True, return_inverse=True
    )
    each = smallest(column).itemsize + bytes_per_cut
    shared = smallest(test).itemsize * len(test) + each * len(pairs)
    if shared < each * len(column):
        cuts = forest.cut[first]
        return NodeTable(column[first], cuts, test.ravel(), after, stored + shared)
    return NodeTable(column, forest.cut, None, after, stored + each * len(column))


def walk(forest: Forest, table: NodeTable, writer: Writer, comparing: Comparing) -> list[str]:
    """Statements after which ``at`` is the row of the leaf; they start with ``at`` at a root."""
    cuts, rows = comparing.array(table.cut), forest.rows
    columns, _ = writer.whole("columns", table.column, "Which input is asked for.")
    after, _ = writer.whole(
        "after", table.after, f"What follows a split: a leaf, or {rows} and how far ahead."
    )
    test, lines = "node", []
    if table.test is not None:
        tests, _ = writer.whole("tests", table.test, "What is asked at a split.")
        test = "test"
        lines = [f"const unsigned test = {writer.read(tests, 'node')};"]
    column, cut = writer.read(columns, test), writer.read(cuts, test)
    if forest.missing.any():
        d = f"{forest.inputs}u"
        decide = [
            f"const unsigned column = {column};",
            f"if (column < {d}) {{",
            *_further(comparing.beyond("x[column]", cut, missing=False), "    "),
            "} else {",
            *_further(comparing.beyond(f"x[column - {d}]", cut, missing=True), "    "),
            "}",
        ]
    else:
        decide = _further(comparing.beyond(f"x[{column}]", cut, missing=False))
    return [
        f"while (at >= {rows}u) {{",
        f"    node += at - {rows}u;",
        *(f"    {line}" for line in lines),
        f"    {writer.index(table.after.size)} next = 2u * node;",
        *(f"    {line}" for line in decide),
        f"    at = {writer.read(after, 'next')};",
        "}",
    ]


def _further(condition: str, indent: str = "") -> list[str]:
    """The second of a split's two ways where a condition holds."""
    return [f"{indent}{line}" for line in (f"if ({condition}) {{", "    next++;", "}")]
