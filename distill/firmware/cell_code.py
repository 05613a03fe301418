"""C that finds an input's cell on an axis, and the weight in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.firmware.axes import ONE, Axis, Even, Whole
from distill.firmware.emit import literal
from distill.firmware.graph import Arithmetic
from distill.firmware.names import Names
from distill.firmware.uneven_axes import Placed, PowerOfTwo

SEARCHED = 8
"""More placed cells than this are searched by halving, fewer one after the other."""

READS = {"uint8": "READ8", "uint16": "READ16", "uint32": "READ32", "float32": "READF"}
"""The macro's suffix that reads an element of a type."""


@dataclass
class CellPrinter:
    """Prints statements onto ``lines`` of the function of table ``name``.

    ``in_reals`` says that values are floats, and weights too, of the type ``real``.
    """

    name: str
    names: Names
    parameters: tuple[str, ...]
    real: str
    in_reals: bool
    lines: list[str]

    def place(self, i: int, axis: Axis) -> tuple[str, str]:
        """Statements that find the cell and the weight; the two variables, empty where unused."""
        x = self.parameters[i]
        if isinstance(axis, Whole):
            cell = self.names.local("i")
            self.lines.append(f"const uint32_t {cell} = {position(axis, x)};")
            return cell, ""
        if isinstance(axis, Even):
            return self._even(axis, x)
        if isinstance(axis, PowerOfTwo):
            return self._power_of_two(i, axis, x)
        assert isinstance(axis, Placed)  # there is no other
        return self._placed(i, axis, x)

    def _even(self, axis: Even, x: str) -> tuple[str, str]:
        if self.in_reals:
            return self._even_real(axis, x)
        weight = self.names.local("w")
        if axis.arithmetic == "fixed":
            factor, right = axis.multiplier
            text = f"{shifted(position(axis, x), axis.coarse)} * {factor}u"
            text = f"({text}) >> {right}" if right else text
            if axis.cells == 1:
                self.lines.append(f"const uint32_t {weight} = {text};")
                return "", weight
            place, cell = self.names.local("p"), self.names.local("i")
            self.lines += [
                f"const uint32_t {place} = {text};",
                f"const uint32_t {cell} = {place} >> 16;",
                f"const uint32_t {weight} = {place} & {ONE - 1}u;",
            ]
            return cell, weight
        self.lines.append(f"uint32_t {weight} = {position(axis, x)};")
        last = axis.cells - 1
        if not last:
            self.lines += [f"if ({weight} > {ONE}u) {{", f"    {weight} = {ONE}u;", "}"]
            return "", weight
        cell = self.names.local("i")
        self.lines += [
            f"uint32_t {cell} = {weight} >> 16;",
            f"{weight} &= {ONE - 1}u;",
            f"if ({cell} > {last}u) {{",
            f"    {cell} = {last}u;",
            f"    {weight} = {ONE}u;",
            "}",
        ]
        return cell, weight

    def _even_real(self, axis: Even, x: str) -> tuple[str, str]:
        weight = self.names.local("w")
        text = scaled(axis.low, x, axis.cell_step, axis.arithmetic)
        if axis.cells == 1:
            # Beyond 1 by a rounding at most, as the model is.
            self.lines.append(f"const {self.real} {weight} = {text};")
            return "", weight
        place, cell, last = self.names.local("p"), self.names.local("i"), axis.cells - 1
        self.lines += [
            f"const {self.real} {place} = {text};",
            f"uint32_t {cell} = (uint32_t){place};",
            f"if ({cell} > {last}u) {{",
            f"    {cell} = {last}u;",
            "}",
            f"const {self.real} {weight} = {place} - ({self.real}){cell};",
        ]
        return cell, weight

    def _power_of_two(self, i: int, axis: PowerOfTwo, x: str) -> tuple[str, str]:
        place, cell, weight = (self.names.local(stem) for stem in "piw")
        self.lines.append(f"const uint32_t {place} = {position(axis, x)};")
        if len(axis.starts) == 1:
            shift = axis.shifts[0]
            if axis.cells > 1:
                self.lines.append(f"const uint32_t {cell} = {place} >> {shift};")
            part = f"({place} << {32 - shift})" if shift < 32 else place
            self.lines.append(f"const uint32_t {weight} = {part} >> 16;")
            return cell if axis.cells > 1 else "", weight
        run, shift_name, upper = self.names.local("s"), self.names.local("k"), self.name.upper()
        arrays = axis.arrays
        start, shift_text, add = (
            f"{upper}_{READS[arrays[key].dtype.name]}({self.name}_{key}{i} + {run})"
            for key in ("start", "shift", "add")
        )
        mask = np.iinfo(arrays["add"].dtype).max
        self.lines += [
            f"uint32_t {run} = {len(axis.starts) - 1}u;",
            f"while (({place} >> {axis.unit}) < {start}) {{",
            f"    --{run};",
            "}",
            f"const uint32_t {shift_name} = {shift_text};",
            f"const uint32_t {cell} = (({place} >> {shift_name}) + {add}) & {mask}u;",
            f"const uint32_t {weight} = ({place} << (32u - {shift_name})) >> 16;",
        ]
        return cell, weight

    def _placed(self, i: int, axis: Placed, x: str) -> tuple[str, str]:
        place, cell, weight = (self.names.local(stem) for stem in "piw")
        read, starts = f"{self.name.upper()}_READ16", f"{self.name}_start{i}"
        self.lines.append(f"const uint32_t {place} = {shifted(position(axis, x), axis.coarse)};")
        if axis.cells <= SEARCHED:
            self.lines += [
                f"uint32_t {cell} = {axis.cells - 1}u;",
                f"while ({place} < {read}({starts} + {cell})) {{",
                f"    --{cell};",
                "}",
            ]
        else:
            far = self.names.local("n")
            first = 1 << ((axis.cells - 1).bit_length() - 1)
            self.lines += [
                f"uint32_t {cell} = 0u;",
                f"for (uint32_t {far} = {first}u; {far} > 0u; {far} >>= 1) {{",
                f"    if ({cell} + {far} < {axis.cells}u"
                f" && {place} >= {read}({starts} + {cell} + {far})) {{",
                f"        {cell} += {far};",
                "    }",
                "}",
            ]
        distance = f"({place} - {read}({starts} + {cell}))"
        reciprocal = f"{read}({self.name}_reciprocal{i} + {cell})"
        product = f"{distance} * {reciprocal}"
        if axis.exponent:
            product = f"({product}) >> {axis.exponent}"
        self.lines.append(f"const uint32_t {weight} = {product};")
        return cell, weight


def position(axis: Axis, x: str) -> str:
    """The position of an input on an axis, a ``uint32_t``."""
    if axis.arithmetic == "fixed":
        return whole(distance(int(axis.low), x))
    return whole(scaled(axis.low, x, axis.step, axis.arithmetic))


def distance(low: int, x: str) -> str:
    """``x - low`` without what does nothing."""
    return f"{x} {'-' if low > 0 else '+'} {abs(low)}" if low else x


def scaled(low: float, x: str, step: float, arithmetic: Arithmetic) -> str:
    """``(x - low) * step`` without what does nothing."""
    sign = "-" if low > 0 else "+"
    text = f"{x} {sign} {literal(abs(low), arithmetic)}" if low else x
    if step == 1:
        return text
    return f"{f'({text})' if low else text} * {literal(step, arithmetic)}"


def shifted(text: str, bits: int) -> str:
    """``text >> bits`` without what does nothing."""
    return f"({text} >> {bits})" if bits else text


def whole(text: str) -> str:
    """The text as a ``uint32_t``."""
    return f"(uint32_t){text if text.isidentifier() else f'({text})'}"
