"""The operators of a formula, each as integer steps."""

from __future__ import annotations

from distill.firmware.fixed.angles import acos, asin, atan, atan2
from distill.firmware.fixed.arithmetic import (
    Apply,
    absolute,
    add,
    cube,
    ifless,
    least,
    most,
    multiply,
    negate,
    square,
    subtract,
)
from distill.firmware.fixed.leading import cbrt, log, quotient, reciprocal, sqrt
from distill.firmware.fixed.periods import cos, cosh, exp, power, sin, sinh, tan, tanh

APPLY: dict[str, Apply] = {
    "add": add, "sub": subtract, "mul": multiply, "div": quotient, "neg": negate, "abs": absolute,
    "min": least, "max": most, "square": square, "cube": cube, "inv": reciprocal, "ifless": ifless,
    "sqrt": sqrt, "cbrt": cbrt, "exp": exp, "log": log, "sin": sin, "cos": cos, "tan": tan,
    "sinh": sinh, "cosh": cosh, "tanh": tanh, "atan": atan, "atan2": atan2, "asin": asin,
    "acos": acos, "pow": power,
}  # fmt: skip
"""Each operator of a formula as steps."""
