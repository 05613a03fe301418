"""What kernels are made of: each step as a model in NumPy and as a static helper in C.

Integers of the models are held in int64. Everything is exact or stated; nothing depends on the
machine: C converts ``float`` to ``int32_t`` by cutting towards zero and ``int32_t`` to ``float``
to nearest. Bits of floats are read through a union, which C99 defines (6.5.2.3) and which, unlike
``memcpy``, no freestanding compiler turns into a call. Conversions of ``uint32_t`` to ``int32_t``
keep the bits, as every compiler documents that has these types.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

WORD = 1 << 32


def fixed(x: Singles, scale: int) -> Integers:
    """``x * 2^scale``, cut towards zero."""
    with np.errstate(invalid="ignore"):
        return np.trunc(np.ldexp(x.astype(np.float64), scale)).astype(np.int64)


def signed(n: Integers) -> Integers:
    """The low 32 bits of n as an ``int32_t``."""
    return (n + WORD // 2) % WORD - WORD // 2


def high(a: Integers, b: Integers | int, bits: int) -> Integers:
    """``floor(a*b / 2^bits)`` of two ``bits`` wide integers."""
    return (a * b) >> bits


def real(n: Integers, fraction: int) -> Singles:
    """The float32 next to ``n / 2^fraction``."""
    return np.ldexp(n.astype(np.float32), -fraction).astype(np.float32)


def float_bits(x: Singles) -> Integers:
    """The bits of a float32."""
    return x.view(np.uint32).astype(np.int64)


def from_bits(n: Integers) -> Singles:
    """The float32 with these bits."""
    return n.astype(np.uint32).view(np.float32)


def largest_scale(magnitude: float) -> int:
    """The largest scale at which :func:`fixed` of values up to ``magnitude`` fits an int32."""
    if not magnitude:
        return 0
    # A quotient by less is beyond the largest scale, or even beyond float64.
    return min(math.floor(math.log2((2**31 - 1024) / max(magnitude, 2.0**-80))), 96)


def finest_fraction(size: float) -> int:
    """The finest unit ``2^-fraction`` at which values up to ``size`` fit an int32."""
    return math.floor(math.log2((2**31 - 1024) / max(size, 2.0**-30)))


HELPERS = {
    "high16": """\
static int16_t {name}_high16(int16_t a, int16_t b)
{{
    return (int16_t)((uint32_t)((int32_t)a * b) >> 16);
}}
""",
    "high32": """\
static int32_t {name}_high32(int32_t a, int32_t b)
{{
    return (int32_t)((uint64_t)((int64_t)a * b) >> 32);
}}
""",
    "bits": """\
static uint32_t {name}_bits(float x)
{{
    union {{
        float real;
        uint32_t bits;
    }} same;
    same.real = x;
    return same.bits;
}}
""",
    "float": """\
static float {name}_float(uint32_t bits)
{{
    union {{
        float real;
        uint32_t bits;
    }} same;
    same.bits = bits;
    return same.real;
}}
""",
    "scaled": """\
static float {name}_scaled(int32_t n, uint32_t exponent)
{{
    return n == 0 ? 0.0f : {name}_float({name}_bits((float)n) + exponent);
}}
""",
}
"""C of the helpers by name, in an order in which each is defined before it is used."""

NEEDS = {"scaled": ("bits", "float")}

HEADERS = ("stdint.h",)
"""What the C of kernels includes."""


def uint32(n: int) -> str:
    """A literal of the low 32 bits of n."""
    return f"{n % WORD:#x}u"


def to_fixed(scale: int, fpu: bool, x: str = "x") -> str:
    """The C of :func:`fixed` of a variable, with the helpers of ``@``."""
    if scale == 0:
        return f"(int32_t){x}"
    if fpu or scale < 0:
        return f"(int32_t)({x} * {np.float32(2.0**scale)!s}f)"
    # Adding to the exponent costs a tenth of a multiplication; zero and subnormals stay below 1.
    return f"(int32_t)@_float(@_bits({x}) + {uint32(scale << 23)})"


def to_real(expression: str, fraction: int, fpu: bool) -> str:
    """The C of :func:`real` of an ``int32_t`` expression, with the helpers of ``@``."""
    if fraction == 0:
        return f"(float){expression}"
    if fpu:
        return f"(float){expression} * {np.float32(2.0**-fraction)!s}f"
    return f"@_scaled({expression}, {uint32(-fraction << 23)})"
