"""What the printers of steps write into: const arrays, static functions, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import count
from string import Template
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.errors import ExportError
from distill.firmware.emit import real_type
from distill.firmware.graph import Arithmetic
from distill.firmware.table_code import CArray, array_rows

Form = Literal["auto", "conditions", "table"]
"""How trees are written: as nested conditions, as tables of nodes, or as what takes less flash."""

_READS = {1: "READ8", 2: "READ16", 4: "READ32"}
_FLOATS: dict[Arithmetic, str] = {"float32": "READF", "double": "READD"}


def literals(values: Array, arithmetic: Arithmetic) -> list[str]:
    """The shortest decimal literals of constants (n,) rounded to ``arithmetic``.

    Other than :func:`distill.firmware.emit.literal` it lets a constant become zero: a weight that
    small adds nothing in that arithmetic. An infinite one is meant, such as a cut that is above
    every number; ``<math.h>`` has it.

    Raises
    ------
    ExportError : when one is too large there.
    """
    single = arithmetic == "float32"
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(np.float32 if single else np.float64)
    lost = np.isinf(rounded) & ~np.isinf(values)
    if lost.any() or np.isnan(rounded).any():
        raise ExportError(
            f"the constant {float(values[lost | np.isnan(rounded)][0])!r} cannot be held in "
            f"{arithmetic}.",
            where="the teacher's own constants",
            hint="use export.arithmetic=double, or scale the teacher's inputs and outputs.",
        )
    suffix, infinity = ("f", "INFINITY") if single else ("", "(double)INFINITY")
    texts: list[str] = rounded.astype(str).tolist()
    if not np.isinf(rounded).any():
        return [text + suffix for text in texts]
    return [text.replace("inf", infinity) + ("" if "inf" in text else suffix) for text in texts]


@dataclass
class Writer:
    """Collects the C of one chain; printers add to it.

    Attributes
    ----------
    name : what every identifier starts with.
    arithmetic : float32, double, or fixed for chains of trees.
    soft_float : whether comparing floats calls a library on the target.
    form : how trees are to be written.
    arrays, functions : what was written so far, the functions by their names.
    library : whether a function of the C library was used that no two libraries round alike.
    headers : of the C library, that the functions need.
    """

    name: str
    arithmetic: Arithmetic
    soft_float: bool = False
    form: Form = "auto"
    arrays: list[CArray] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    library: bool = False
    headers: set[str] = field(default_factory=set)
    _known: dict[tuple[str, bytes], CArray] = field(default_factory=dict)

    @property
    def real(self) -> str:
        """The C type of its numbers."""
        return "int32_t" if self.arithmetic == "fixed" else real_type(self.arithmetic)

    @property
    def suffix(self) -> str:
        """What ends literals, and names of functions of the C library."""
        return "f" if self.arithmetic == "float32" else ""

    @property
    def bytes_per_number(self) -> int:
        """Bytes of one number in memory, where ``double`` has eight."""
        return 8 if self.arithmetic == "double" else 4

    def number(self, value: float) -> str:
        """A literal of the chain's arithmetic."""
        if math.isinf(value):
            self.headers.add("math.h")
        return literals(np.array([value], dtype=float), self.arithmetic)[0]

    def numbers(self, stem: str, values: Array, note: str) -> str:
        """The name of a new const array of real numbers, or of one that holds the same."""
        elements = literals(np.ravel(values), self.arithmetic)
        if not np.isfinite(values).all():
            self.headers.add("math.h")
        return self._array(stem, elements, self.real, _FLOATS[self.arithmetic], note)

    def whole(
        self, stem: str, values: npt.NDArray[np.int64], note: str, *, signed: bool = False
    ) -> tuple[str, str]:
        """The name of a const array of integers, of the smallest type, and that type."""
        flat = np.ravel(values)
        dtype = smallest(flat, signed=signed)
        elements = [f"{value}" if signed else f"{value}u" for value in flat.tolist()]
        ctype = f"{dtype.name}_t"
        return self._array(stem, elements, ctype, _READS[dtype.itemsize], note), ctype

    def _array(self, stem: str, elements: list[str], ctype: str, read: str, note: str) -> str:
        self.headers.add("stdint.h")
        key = (ctype, ",".join(elements).encode())
        if key not in self._known:
            array = CArray(
                self.fresh(stem), ctype, len(elements), tuple(array_rows(elements)), read, note
            )
            self._known[key] = array
            self.arrays.append(array)
        return self._known[key].name

    def index(self, last: int) -> str:
        """The C type of places up to ``last``: on small chips ``unsigned`` has 16 bits."""
        return "unsigned" if last < 1 << 16 else "uint32_t"

    def read(self, array: str, index: str) -> str:
        """The expression of an element of a const array, also where flash is read by a macro."""
        found = next(a for a in self.arrays if a.name == array)
        text = f"{self.name.upper()}_{found.read}({array} + {index})"
        # The macros of AVR know no signs.
        return f"({found.ctype}){text}" if found.ctype.startswith("int") else text

    def function(self, stem: str, template: str, **words: object) -> str:
        """Add a static function from C with ``$words``; its name, shared by functions alike.

        ``$function`` is that name; ``$real``, ``$f`` (the suffix of literals and of the C library)
        and ``$READ`` (reads a real number from flash) are known everywhere.
        """
        taken = {array.name for array in self.arrays}
        for i in count(1):
            name = f"{self.name}_{stem}{i if i > 1 else ''}"
            text = self.fill(template, function=name, **words)
            if name not in taken and self.functions.setdefault(name, text) == text:
                return name
        raise AssertionError  # there is always another number

    def fresh(self, stem: str) -> str:
        """A name that nothing has yet."""
        taken = self.functions.keys() | {array.name for array in self.arrays}
        names = (f"{self.name}_{stem}{i}" for i in count(1))
        return next(name for name in names if name not in taken)

    def fill(self, template: str, **words: object) -> str:
        """C of a template."""
        read = "" if self.arithmetic == "fixed" else _FLOATS[self.arithmetic]
        common = {"real": self.real, "f": self.suffix, "READ": f"{self.name.upper()}_{read}"}
        return Template(template).substitute(common, **words)

    def math(self, name: str, *, exact: bool = False) -> str:
        """The name of a function of the C library; ``exact`` where all libraries round it alike."""
        self.headers.add("math.h")
        self.library |= not exact
        return name + self.suffix


def smallest(values: npt.NDArray[Any], *, signed: bool = False) -> np.dtype[Any]:
    """The smallest integer type that holds all values."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    types = (np.int8, np.int16, np.int32) if signed else (np.uint8, np.uint16, np.uint32)
    for kind in types:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return np.dtype(kind)
    raise ExportError(
        f"an array of the chain holds numbers up to {high}, more than 32 bits.",
        hint="export a smaller model: this one has more parts than a chip can address.",
    )
