"""C that holds an array of inputs in its domain, one after another in a loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.firmware.axes import bounds
from distill.firmware.emit import literal, real_type
from distill.firmware.fixed.formats import input_bounds, input_formats
from distill.firmware.graph import Arithmetic
from distill.firmware.holding import rounding_offsets
from distill.firmware.input_code import INFINITE, nan, order_of
from distill.firmware.table_code import CArray, array_rows
from distill.firmware.vector.spec import VectorSpec

KINDS = {"continuous": 0, "integer": 1, "boolean": 2}

_FILL = """\
static void {name}_out_fill({real} *y, {real} value)
{{
    for (unsigned i = 0u; i < {k}u; i++) {{
        y[i] = value;
    }}
}}
"""


@dataclass(frozen=True)
class Hold:
    """Statements after which ``held`` is in the domain, the arrays they read, static functions.

    Where they call ``NAME_in_order``, that is :data:`distill.firmware.input_code.ORDER`'s.
    ``needs_nan`` says that they answer with the macro NAN. Without statements nothing is checked.
    """

    lines: tuple[str, ...]
    arrays: tuple[CArray, ...]
    functions: tuple[str, ...]
    needs_nan: bool


def hold_inputs(spec: VectorSpec) -> Hold:
    """What stands before the content: for each input of ``x`` a number of the domain in ``held``.

    Where the policy refuses an input, all of ``y`` becomes NaN and the function returns.
    """
    printer = _Printer(spec)
    lines = printer.lines()
    functions = []
    if printer.fills:
        real = real_type(_door(spec.arithmetic))
        functions.append(_FILL.format(name=spec.name, real=real, k=len(spec.outputs)))
    return Hold(tuple(lines), tuple(printer.arrays), tuple(functions), printer.needs_nan)


def _door(arithmetic: Arithmetic) -> Arithmetic:
    """The arithmetic of the numbers at the door, which fixed point takes as floats."""
    return "double" if arithmetic == "double" else "float32"


class _Printer:
    """Prints the loop of one function."""

    def __init__(self, spec: VectorSpec) -> None:
        self.spec = spec
        self.domain, self.policy, self.name = spec.domain, spec.policy, spec.name
        self.door = _door(spec.arithmetic)
        self.arrays: list[CArray] = []
        self.fills = self.needs_nan = False
        self.order = spec.by_order and spec.policy.checked
        self.refuse = self.policy.out_of_domain == "nan"

    def lines(self) -> list[str]:
        """The whole loop."""
        if self.spec.arithmetic == "fixed":
            body, real = self._fixed(), "int32_t"
        elif self.policy.checked:
            body, real = self._floats(), real_type(self.door)
        else:
            return []
        if not body:
            return []
        return [
            f"{real} held[{len(self.domain)}];",
            f"for (unsigned i = 0u; i < {len(self.domain)}u; i++) {{",
            *(f"    {line}" for line in body),
            "    held[i] = value;",
            "}",
        ]

    def _floats(self) -> list[str]:
        ends = np.array([bounds(v, self.spec.arithmetic) for v in self.domain.variables])
        low = self._numbers("low", ends[:, 0], "Lowest value")
        high = self._numbers("high", ends[:, 1], "Highest value")
        kept = "i" if low.endswith(")") or high.endswith(")") else ""
        real = real_type(self.door)
        lines = [f"{real} value = x[i];"]
        if kept:
            lines += [f"const {real} low = {low};", f"const {real} high = {high};"]
            low, high = "low", "high"
        missing = self._missing("value", f"value = {low};")
        below = self._refused() if self.refuse else [f"value = {low};"]
        above = self._refused() if self.refuse else [f"value = {high};"]
        if self.order:
            lines += self._by_order(ends, low, high, missing, below, above)
        else:
            lines += [
                f"if (!(value >= {low})) {{",
                *_either("value != value", missing, below),
                "}",
                f"if (value > {high}) {{",
                *(f"    {line}" for line in above),
                "}",
            ]
        return [*lines, *self._whole()]

    def _by_order(
        self, ends: Array, low: str, high: str, missing: list[str], below: list[str],
        above: list[str],
    ) -> list[str]:  # fmt: skip
        order = f"{self.name}_in_order"
        alike = (ends == ends[0]).all()
        first, last = (
            [str(order_of(float(end))) for end in ends[0]]
            if alike
            else [f"{order}({low})", f"{order}({high})"]
        )
        return [
            f"const int32_t key = {order}(value);",
            f"if (key < {first}) {{",
            *_either(f"key < -{INFINITE}", missing, below),
            f"}} else if (key > {last}) {{",
            *_either(f"key > {INFINITE}", missing, above),
            "} else {",
            "    /* in range */",
            "}",
        ]

    def _fixed(self) -> list[str]:
        forms = np.array([form.fraction for form in input_formats(self.domain)])
        ends = np.array([input_bounds(v) for v in self.domain.variables])
        if self.spec.interface == "integer":
            if not self.policy.checked:
                return []
            return ["int32_t value = x[i];", *self._bounded(ends)]
        fraction = self._integers("fraction", forms, "Fraction bits")
        convert = f"value = {self.name}_to_integer(bits, {fraction});"
        lines = [f"const uint32_t bits = {self.name}_bits(x[i]);"]
        if not self.policy.checked:
            return [*lines, f"const int32_t {convert}"]
        low = self._integers("low", ends[:, 0], "Lowest value")
        missing = self._missing("x[i]", f"value = {low};")
        lines += [
            "int32_t value;",
            "if ((bits & 0x7fffffffu) > 0x7f800000u) {",
            *(f"    {line}" for line in missing),
        ]
        if self.policy.nan_input == "propagate":
            lines += ["}", convert]
        else:
            lines += ["} else {", f"    {convert}", "}"]
        return [*lines, *self._bounded(ends)]

    def _bounded(self, ends: Array) -> list[str]:
        low = self._integers("low", ends[:, 0], "Lowest value")
        high = self._integers("high", ends[:, 1], "Highest value")
        lines = []
        for sign, end in (("<", low), (">", high)):
            held = self._refused() if self.refuse else [f"value = {end};"]
            lines += [f"if (value {sign} {end}) {{", *(f"    {line}" for line in held), "}"]
        return lines

    def _missing(self, value: str, low: str) -> list[str]:
        if self.policy.nan_input == "low":
            return [low]
        self.fills = True
        return [f"{self.name}_out_fill(y, {value}); /* NaN */", "return;"]

    def _refused(self) -> list[str]:
        self.fills = self.needs_nan = True
        return [f"{self.name}_out_fill(y, {nan(self.door)});", "return;"]

    def _whole(self) -> list[str]:
        """Round what is a whole number; a loop knows by an array which inputs are."""
        kinds = {str(v.kind) for v in self.domain.variables}
        if kinds == {"continuous"}:
            return []
        lines: list[str] = []
        kind = self._integers(
            "kind", np.array([KINDS[v.kind] for v in self.domain.variables]),
            "0 continuous, 1 whole, 2 yes or no",
        )  # fmt: skip
        if "boolean" in kinds:
            half, one, zero = (literal(v, self.door) for v in (0.5, 1.0, 0.0))
            rounded = [f"value = value >= {half} ? {one} : {zero};"]
            lines += _where(kinds, f"{kind} == {KINDS['boolean']}", rounded)
        if "integer" in kinds:
            real = real_type(self.door)
            shift = np.array(
                [
                    rounding_offsets(bounds(v, self.spec.arithmetic)[0])[1]
                    if v.kind == "integer"
                    else 0.0
                    for v in self.domain.variables
                ]
            )
            back = self._integers("shift", shift, "What makes a value positive")
            if shift.any():
                add = self._numbers("add", shift + 0.5, "The same and a half")
                whole = f"(int32_t)(value + {add}) - {back}"
            else:
                whole = f"(int32_t)(value + {literal(0.5, self.door)})"
            rounded = [f"value = ({real})({whole});"]
            lines += _where(kinds, f"{kind} == {KINDS['integer']}", rounded)
        return lines

    def _numbers(self, stem: str, values: Array, note: str) -> str:
        """A literal where all are the same, else an element of a new array."""
        texts = [literal(float(value), self.door) for value in values]
        read = "READF" if self.door == "float32" else "READD"
        return self._element(stem, texts, real_type(self.door), read, note)

    def _integers(self, stem: str, values: Array, note: str) -> str:
        texts = [str(int(value)) for value in values]
        found = self._element(stem, texts, "int32_t", "READ32", note)
        return found if found in texts else f"(int32_t){found}"

    def _element(self, stem: str, texts: list[str], ctype: str, read: str, note: str) -> str:
        if len(set(texts)) == 1:
            return texts[0]
        name = f"{self.name}_in_{stem}"
        if all(array.name != name for array in self.arrays):
            rows = tuple(array_rows(texts))
            self.arrays.append(CArray(name, ctype, len(texts), rows, read, f"{note}, by input."))
        return f"{self.name.upper()}_{read}({name} + i)"


def _either(condition: str, first: list[str], second: list[str]) -> list[str]:
    """The first statements where a condition holds, else the second; once where they are alike."""
    if first == second:
        return [f"    {line}" for line in first]
    return [
        f"    if ({condition}) {{",
        *(f"        {line}" for line in first),
        *(["    } else {"] if first[-1] != "return;" else ["    }"]),
        *(f"    {'' if first[-1] == 'return;' else '    '}{line}" for line in second),
        *([] if first[-1] == "return;" else ["    }"]),
    ]


def _where(kinds: set[str], condition: str, lines: list[str]) -> list[str]:
    """Statements for inputs of one kind; without a question where all are of it."""
    if len(kinds) == 1:
        return lines
    return [f"if ({condition}) {{", *(f"    {line}" for line in lines), "}"]
