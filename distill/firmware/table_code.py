"""C for a table: its arrays, and the functions that find a cell and mix its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from distill.firmware.axes import ONE
from distill.firmware.cell_code import READS, CellPrinter
from distill.firmware.emit import literal, real_type, signature
from distill.firmware.graph import Arithmetic
from distill.firmware.lookup import Table
from distill.firmware.mixing import THIRD
from distill.firmware.names import Names

WIDTH = 92

_BYTES = {"READ8": 1, "READ16": 2, "READ32": 4, "READF": 4, "READD": 8}


@dataclass(frozen=True)
class CArray:
    """A ``static const`` array: its name, its elements' C type, the rows of its initialiser.

    ``read`` is the macro's suffix that reads an element (``READ8``, ``READ16``, ``READ32``,
    ``READF``, ``READD``); ``note`` says what it holds.
    """

    name: str
    ctype: str
    count: int
    rows: tuple[str, ...]
    read: str
    note: str

    @property
    def declaration(self) -> str:
        """``static const uint16_t NAME_values[12]``."""
        return f"static const {self.ctype} {self.name}[{self.count}]"

    @property
    def bytes(self) -> int:
        """What it takes, where ``double`` has eight bytes."""
        return self.count * _BYTES[self.read]


def c_array(name: str, values: npt.NDArray[Any], note: str) -> CArray:
    """The array of some values, of the type they have."""
    if values.dtype == np.float32:
        elements = [literal(float(value), "float32") for value in values]
    else:
        elements = [f"{value}u" for value in values]
    kind = values.dtype.name
    ctype = "float" if kind == "float32" else f"{kind}_t"
    return CArray(name, ctype, len(values), tuple(array_rows(elements)), READS[kind], note)


def table_arrays(table: Table, name: str) -> tuple[CArray, ...]:
    """All that a table stores: its values, and what its axes search."""
    counts = " x ".join(map(str, table.counts))
    values = c_array(f"{name}_values", table.values, f"{counts} values, the last input fastest.")
    notes = {
        "start": "where the cells begin",
        "shift": "the cells' widths, as powers of two",
        "add": "what makes a position in cells the number of a cell",
        "reciprocal": "the cells' reciprocal widths",
    }
    found = [
        c_array(f"{name}_{suffix}{i}", array, f"{axis.variable.name}: {notes[suffix]}.")
        for i, axis in enumerate(table.axes)
        for suffix, array in axis.arrays.items()
    ]
    return (values, *found)


def array_rows(values: Sequence[str], width: int = WIDTH) -> list[str]:
    """The elements of an initialiser, as many on a line as fit."""
    rows, row = [], ""
    for value in values:
        if row and len(row) + len(value) + 2 > width:
            rows.append(row)
            row = ""
        row += (" " if row else "") + value + ","
    return [*rows, row] if row else rows


def table_function(table: Table, name: str) -> str:
    """``NAME_table``: the table's answer for inputs in the domain (held, in fixed point)."""
    printer = _Printer(table, name)
    lines = printer.print()
    return function(
        number_type(table.arithmetic), f"{name}_table", printer.parameters, table.arithmetic, lines
    )


def mix_function(table: Table, name: str) -> str:
    """``NAME_mix`` and ``NAME_cubic``, as far as the table calls them; else empty."""
    if not table.interpolated:
        return ""
    kind = table.values.dtype.name
    number = real_type(table.arithmetic) if kind == "float32" else "uint32_t"
    head = f"static {number} {name}_mix({number} a, {number} b, {number} weight)\n{{\n"
    texts = [head + _MIXES[kind] + "}\n"]
    if any(axis.order == 4 for axis in table.axes):
        texts.append(_cubic_function(name, number, table))
    return "\n".join(texts)


_LEVELS = f"    return (a * ({ONE}u - weight) + b * weight + {ONE // 2}u) >> 16;\n"

_MIXES = {
    "uint8": _LEVELS,
    "uint16": _LEVELS,
    # Two products of 32 bits in place of one of 64.
    "uint32": f"""    const uint32_t size = b >= a ? b - a : a - b;
    const uint32_t low = (size & 65535u) * weight + {ONE // 2}u;
    const uint32_t part = (size >> 16) * weight + (low >> 16);
    return b >= a ? a + part : a - part;
""",
    "float32": "    return a + weight * (b - a);\n",
}


def _cubic_function(name: str, number: str, table: Table) -> str:
    if number == "uint32_t":
        third = f"(weight * {THIRD}u) >> 16"
        half = "weight >> 1"
        parts = (f"{2 * THIRD}u", f"{THIRD}u", f"{ONE // 2}u")
    else:
        third, half, *rest = (literal(v, table.arithmetic) for v in (1 / 3, 0.5, 2 / 3, 1 / 3))
        parts = (rest[0], rest[1], half)
        third, half = f"weight * {third}", f"weight * {half}"
    mix = f"{name}_mix"
    head = f"static {number} {name}_cubic("
    return f"""/* One cell of a cubic B-spline, by de Boor's algorithm. */
{head}
    {number} a, {number} b, {number} c, {number} d, {number} weight)
{{
    const {number} third = {third};
    const {number} half = {half};
    const {number} p = {mix}(a, b, third + {parts[0]});
    const {number} q = {mix}(b, c, third + {parts[1]});
    const {number} r = {mix}(c, d, third);
    return {mix}({mix}(p, q, half + {parts[2]}), {mix}(q, r, half), weight);
}}
"""


class _Printer:
    """Prints the statements of one table's function."""

    def __init__(self, table: Table, name: str) -> None:
        self.table, self.name = table, name
        self.names = Names(name)
        self.parameters = self.names.parameters(table.domain.names)
        self.kind = table.values.dtype.name
        self.real = real_type(table.arithmetic)
        self.lines: list[str] = []
        self.cells = CellPrinter(
            name, self.names, self.parameters, self.real, self.kind == "float32", self.lines
        )

    def print(self) -> list[str]:
        """The statements, return and all."""
        table, place = self.table, [f"{self.name}_values"]
        weights: dict[int, str] = {}
        for i, axis in enumerate(table.axes):
            if axis.values == 1:
                self.lines.append(f"(void){self.parameters[i]};")
                continue
            cell, weights[i] = self.cells.place(i, axis)
            if cell:
                stride = table.strides[i]
                place.append(cell if stride == 1 else f"{cell} * {stride}u")
        values = self.names.local("v")
        stored = "float" if self.kind == "float32" else f"{self.kind}_t"
        self.lines.append(f"const {stored} *const {values} = {' + '.join(place)};")
        level = [
            self._value(f"{values}{f' + {offset}' if offset else ''}")
            for offset in table.corner_offsets()
        ]
        for i in reversed(table.interpolated):
            order = table.axes[i].order
            groups = [level[k : k + order] for k in range(0, len(level), order)]
            level = [self._mixed(group, weights[i]) for group in groups]
        return [*self.lines, f"return {self._result(level[0])};"]

    def _value(self, address: str) -> str:
        text = f"{self.name.upper()}_{READS[self.kind]}({address})"
        if self.kind == "float32":
            return text if self.real == "float" else f"({self.real}){text}"
        if self.kind == "uint32":
            return text
        return f"(uint32_t){text}" + (" << 8" if self.kind == "uint8" else "")

    def _mixed(self, group: list[str], weight: str) -> str:
        number = self.real if self.kind == "float32" else "uint32_t"
        mixed = self.names.local("m")
        call = f"{self.name}_{'mix' if len(group) == 2 else 'cubic'}"
        parts = [*group, weight]
        line = f"const {number} {mixed} = {call}({', '.join(parts)});"
        if len(line) <= WIDTH:
            self.lines.append(line)
        else:
            self.lines.append(f"const {number} {mixed} = {call}(")
            self.lines += [f"    {part}," for part in parts[:-1]]
            self.lines.append(f"    {parts[-1]});")
        return mixed

    def _result(self, level: str) -> str:
        table = self.table
        if self.kind != "float32" and not level.isidentifier():
            level = f"({level})"
        if table.arithmetic == "fixed":
            offset, factor, right = table.readout
            text = level if factor == 1 else f"{level} * {factor}u"
            if right:
                text = f"({text} + {1 << (right - 1)}u) >> {right}"
            elif factor == 1:
                return f"{offset} + (int32_t){level}"
            return f"{offset} + (int32_t)({text})"
        if self.kind == "float32":
            return level
        offset_text, scale = (literal(v, table.arithmetic) for v in (table.offset, table.scale))
        return f"{offset_text} + {scale} * ({self.real}){level}"


def number_type(arithmetic: Arithmetic) -> str:
    """The C type of inputs and results."""
    return "int32_t" if arithmetic == "fixed" else real_type(arithmetic)


def function(
    result: str, name: str, parameters: tuple[str, ...], arithmetic: Arithmetic, lines: list[str]
) -> str:
    """A static function of all inputs."""
    number = number_type(arithmetic)
    head = signature(number, name, parameters).removeprefix(number)
    return "\n".join([f"static {result}{head}", "{", *(f"    {line}" for line in lines), "}\n"])
