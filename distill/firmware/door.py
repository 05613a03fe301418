"""The door of fixed point: floats to integers and back by their bits, and integers into bounds.

Bit operations cost a chip without a floating-point unit a fifth of what its soft-float library
takes for the same, pull little of that library in, and give the same bits everywhere. The models
are :meth:`QFormat.integers` and :func:`to_float`. Bits are read through a union, which C99 defines
(6.5.2.3): freestanding compilers turn memcpy into a call.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.domain import Variable
from distill.firmware.fixed.formats import Integers, QFormat, input_bounds, input_format
from distill.firmware.policy import Policy

_TO_INTEGER = """\
static uint32_t {name}_bits(float value)
{{
    union {{
        float real;
        uint32_t bits;
    }} same;
    same.real = value;
    return same.bits;
}}

/* The integer nearest to 2^fraction times the float of these bits: halves away from zero, held at
 * the ends of 32 bits. */
static int32_t {name}_to_integer(uint32_t bits, int32_t fraction)
{{
    const int32_t shift = (int32_t)((bits >> 23) & 0xffu) - 150 + fraction;
    uint32_t size = (bits & 0x7fffffu) | 0x800000u;
    if (shift >= 8) {{
        size = 0x7fffffffu;
    }} else if (shift >= 0) {{
        size <<= shift;
    }} else if (shift >= -24) {{
        size = (size + ((uint32_t)1 << (-shift - 1))) >> -shift;
    }} else {{
        size = 0u;
    }}
    return (bits >> 31) != 0u ? -(int32_t)size : (int32_t)size;
}}
"""

_TO_FLOAT = """\
/* The float nearest to a number of {fraction} fraction bits. */
static float {name}_to_float(int32_t number)
{{
    union {{
        float real;
        uint32_t bits;
    }} same;
    same.real = (float)number;
    if (number != 0) {{
        same.bits {sign}= (uint32_t){exponent} << 23;
    }}
    return same.real;
}}
"""


def to_float(q: Integers, form: QFormat) -> Array:
    """What the C makes of integers (n,): the nearest float32, ties to even, scaled exactly."""
    rounded: npt.NDArray[np.float32] = q.astype(np.float64).astype(np.float32)
    scaled: Array = np.ldexp(rounded.astype(float), -form.fraction)
    return scaled


def door_functions(name: str, output: QFormat) -> str:
    """``NAME_to_integer`` and ``NAME_to_float``; they need <stdint.h>."""
    return to_integer_function(name) + "\n" + to_float_function(name, output)


def to_integer_function(name: str) -> str:
    """``NAME_bits`` and ``NAME_to_integer``; they need <stdint.h>."""
    return _TO_INTEGER.format(name=name)


def to_float_function(name: str, output: QFormat) -> str:
    """``NAME_to_float`` of numbers of one format."""
    return _TO_FLOAT.format(
        name=name,
        fraction=output.fraction,
        sign="-" if output.fraction >= 0 else "+",
        exponent=abs(output.fraction),
    )


def take_float(
    variable: Variable, parameter: str, local: str, bits: str, name: str, policy: Policy
) -> list[str]:
    """Statements after which ``local`` is the held integer of the float ``parameter``.

    ``bits`` is the local that gets the float's bits.

    The function may have returned before, as the policy says.
    """
    low, high = input_bounds(variable)
    convert = f"{local} = {name}_to_integer({bits}, {input_format(variable).fraction});"
    missing = f"if (({bits} & 0x7fffffffu) > 0x7f800000u) {{"
    lines = [f"const uint32_t {bits} = {name}_bits({parameter});"]
    if not policy.checked:
        return [*lines, f"const int32_t {convert}"]
    lines.append(f"int32_t {local};")
    if policy.nan_input == "propagate":
        lines += [missing, f"    return {parameter}; /* NaN */", "}", convert]
    else:
        lines += [missing, f"    {local} = {low};", "} else {", f"    {convert}", "}"]
    return [*lines, *_bounded(local, low, high, refuse=policy.out_of_domain == "nan")]


def take_integer(variable: Variable, parameter: str, policy: Policy) -> list[str]:
    """Statements after which the integer ``parameter`` lies in its bounds."""
    if not policy.checked:
        return []
    return _bounded(parameter, *input_bounds(variable), refuse=False)


def _bounded(local: str, low: int, high: int, *, refuse: bool) -> list[str]:
    if refuse:
        return [f"if ({local} < {low} || {local} > {high}) {{", "    return NAN;", "}"]
    return [
        f"if ({local} < {low}) {{",
        f"    {local} = {low};",
        "}",
        f"if ({local} > {high}) {{",
        f"    {local} = {high};",
        "}",
    ]
