"""The C around a generated function: on the chip a loop over memory, on the host over a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from distill.arrays import Array

SECTION = ".distill_harness"
"""The section of the chip's harness, so that its bytes and instructions can be left out."""

ENTRY = "distill_harness"

Number = Literal["float32", "double", "int32"]
"""What a generated function takes and returns: ``float``, ``double``, or fixed-point integers."""

Results = npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int32]
"""What C returned, in C's own type: (n,), or of a function over arrays (n, outputs), a label behind
them where there is one."""

# The C type of each number and its bytes in memory; every target is little-endian.
_C_TYPES: dict[Number, str] = {"float32": "float", "double": "double", "int32": "int32_t"}
_DTYPES: dict[Number, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "double": np.dtype("<f8"),
    "int32": np.dtype("<i4"),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """A generated function's arguments: how many, and of which type (its result has it too).

    With ``arrays`` it is ``void NAME(const real *x, real *y)`` with ``outputs`` numbers in y; with
    ``label`` there is ``int NAME_label(const real *x)`` besides, which counts as one more result.
    """

    inputs: int
    number: Number = "float32"
    outputs: int = 1
    arrays: bool = False
    label: bool = False

    @property
    def columns(self) -> int:
        """How many results a point has, the label among them."""
        return self.outputs + self.label

    @property
    def real(self) -> str:
        """The C type."""
        return _C_TYPES[self.number]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The same in memory."""
        return _DTYPES[self.number]

    def pack(self, x: Array) -> bytes:
        """Points (n, d) as C reads them.

        Values beyond the type become infinite; integers are held at its ends and have no NaN.
        """
        return self._held(x).tobytes()

    def round(self, x: Array) -> Array:
        """Points as C sees them, back in float64."""
        return self._held(x).astype(np.float64)

    def _held(self, x: Array) -> npt.NDArray[Any]:
        if self.number == "int32":
            limits = np.iinfo(np.int32)
            x = np.clip(np.rint(x), limits.min, limits.max)
        with np.errstate(over="ignore"):
            return x.astype(self.dtype)

    def shaped(self, results: Results) -> Results:
        """Results one after another, in the shape that :data:`Results` tells."""
        return results.reshape(-1, self.columns) if self.arrays else results

    def prototype(self, name: str) -> str:
        """The declarations of the function, and of that of the label."""
        if not self.arrays:
            return f"{self.real} {name}({', '.join([self.real] * self.inputs)});"
        label = f"\n{self.label_prototype(name)}" if self.label else ""
        return f"void {name}(const {self.real} *x, {self.real} *y);{label}"

    def label_prototype(self, name: str) -> str:
        """The declaration of the function of the label."""
        return f"int {name}_label(const {self.real} *x);"

    def call(self, name: str) -> str:
        """Statements that lay the results at ``y``, of the point that ``x`` points to."""
        if not self.arrays:
            return f"y[0] = {name}({', '.join(f'x[{i}]' for i in range(self.inputs))});"
        label = f" y[{self.outputs}] = ({self.real}){name}_label(x);" if self.label else ""
        return f"{name}(x, y);{label}"


def chip_loop(name: str, signature: Signature) -> str:
    """C that calls function ``name`` for n points in memory; its entry is :data:`ENTRY`."""
    real, d, k = signature.real, signature.inputs, signature.columns
    return _chip(
        signature.prototype(name),
        f"void {ENTRY}(const {real} *x, {real} *y, unsigned n)",
        f"for (; n > 0; n--, x += {d}, y += {k}) {{ {signature.call(name)} }}",
    )


def chip_label(name: str, signature: Signature) -> str:
    """The same for the function of the label alone, so that a call of it can be counted."""
    real, d, k = signature.real, signature.inputs, signature.columns
    return _chip(
        signature.label_prototype(name),
        f"void {ENTRY}(const {real} *x, int32_t *y, unsigned n)",
        f"for (; n > 0; n--, x += {d}, y += {k}) *y = {name}_label(x);",
    )


def chip_selftest(name: str) -> str:
    """C that stores what ``int name(void)`` returns as 32 bits at its second argument."""
    return _chip(
        f"int {name}(void);",
        f"void {ENTRY}(const void *x, int32_t *y, unsigned n)",
        f"(void)x; (void)n; *y = {name}();",
    )


def chip_program() -> str:
    """C that runs the bundle's ``main`` and keeps what it prints: one word of that for each point.

    The first result is what ``main`` returned; the characters follow, four in each, up to a zero.
    Chips have no console, so this has a ``printf`` of its own, which knows %d and %s.
    """
    return _PRINTING + _chip(
        "int main(void);",
        f"void {ENTRY}(const int32_t *x, int32_t *y, unsigned n)",
        "(void)x; for (; n > 0; n--) *y++ = word();",
    )


PRINTED = 256
"""Characters that :func:`chip_program` keeps."""

_PRINTING = f"""#include <stdarg.h>
#include <stdint.h>
#include <string.h>
int main(void);
int printf(const char *format, ...);
int puts(const char *text);
int putchar(int c);
static char printed[{PRINTED}];
static unsigned used, told;
int putchar(int c)
{{
    if (used < sizeof printed - 1) printed[used++] = (char)c;
    return c;
}}
static void text(const char *at)
{{
    for (; *at; at++) putchar(*at);
}}
int puts(const char *at)
{{
    text(at);
    return putchar('\\n');
}}
static void decimal(int value)
{{
    char digits[12];
    unsigned left = value < 0 ? 0u - (unsigned)value : (unsigned)value, n = 0;
    if (value < 0) putchar('-');
    do digits[n++] = (char)('0' + left % 10); while ((left /= 10) > 0 && n < sizeof digits);
    while (n > 0) putchar(digits[--n]);
}}
int printf(const char *format, ...)
{{
    va_list list;
    va_start(list, format);
    for (; *format; format++) {{
        if (*format != '%') putchar(*format);
        else if (*++format == 's') text(va_arg(list, const char *));
        else decimal(va_arg(list, int));
    }}
    va_end(list);
    return 0;
}}
static int32_t word(void)
{{
    int32_t result = 0;
    if (told == 0) result = main();
    else if (told * 4 <= sizeof printed) memcpy(&result, printed + (told - 1) * 4, 4);
    told++;
    return result;
}}
"""


def _chip(prototype: str, entry: str, body: str) -> str:
    # The C library's start-up brings its own _init and _fini if there are none.
    mark = f'__attribute__((section("{SECTION}")))'
    return (
        f"#include <stdint.h>\n{prototype}\n{entry};\nvoid _init(void);\nvoid _fini(void);\n"
        f"{mark} {entry} {{ {body} }}\n"
        f"{mark} void _init(void) {{}}\n{mark} void _fini(void) {{}}\n"
    )


def host_loop(header: str, name: str, signature: Signature) -> str:
    """A C program that reads points from one binary file and writes results to another."""
    real, d, k = signature.real, signature.inputs, signature.columns
    return f"""#include <stdio.h>
#include "{header}"
int main(int harness_count, char **harness_arguments)
{{
    {real} x[{d}], y[{k}];
    FILE *harness_in, *harness_out;
    if (harness_count != 3) return 2;
    harness_in = fopen(harness_arguments[1], "rb");
    harness_out = fopen(harness_arguments[2], "wb");
    if (!harness_in || !harness_out) return 3;
    while (fread(x, sizeof x, 1, harness_in) == 1) {{
        {signature.call(name)}
        if (fwrite(y, sizeof y, 1, harness_out) != 1) return 4;
    }}
    fclose(harness_in);
    return fclose(harness_out) ? 4 : 0;
}}
"""
