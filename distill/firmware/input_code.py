"""C for what stands before a formula: checking the inputs."""

from __future__ import annotations

import numpy as np

from distill.domain import Variable
from distill.firmware.axes import bounds
from distill.firmware.emit import literal, real_type
from distill.firmware.graph import Arithmetic
from distill.firmware.holding import rounding_offsets
from distill.firmware.names import Names
from distill.firmware.policy import Policy


def hold_input(
    variable: Variable,
    parameter: str,
    arithmetic: Arithmetic,
    policy: Policy,
    names: Names,
    order: str = "",
) -> list[str]:
    """Statements after which ``parameter`` is a number of the domain, or the function has returned.

    In range this takes two comparisons, one for a boolean; NaN is told apart only once a value
    has failed one. Locals come from ``names``. ``order`` names the function of :data:`ORDER`, where
    integers are compared in place of floats.
    """
    if not policy.checked:
        return []
    x = parameter
    if order and variable.kind != "boolean":
        return _hold_by_order(variable, x, policy, names.local("k"), order)
    low, high = (literal(b, arithmetic) for b in bounds(variable, arithmetic))
    whole = _round(variable, x, arithmetic)
    outside = f"return {nan(arithmetic)};" if policy.out_of_domain == "nan" else ""
    if variable.kind == "boolean" and not outside:
        if policy.nan_input == "low":
            return whole
        missing = [f"if ({x} != {x}) {{", f"    return {x}; /* NaN */", "}"]
        return [*missing, *whole]
    if outside and policy.nan_input == "propagate":
        return [f"if (!({x} >= {low} && {x} <= {high})) {{", f"    {outside}", "}", *whole]
    if policy.nan_input == "propagate":
        below = [f"    if ({x} != {x}) {{", f"        return {x}; /* NaN */", "    }"]
    elif outside:
        below = [f"    if ({x} < {low}) {{", f"        {outside}", "    }"]
    else:
        below = []
    return [
        f"if (!({x} >= {low})) {{",
        *below,
        f"    {x} = {low};",
        "}",
        f"if ({x} > {high}) {{",
        f"    {outside or f'{x} = {high};'}",
        "}",
        *whole,
    ]


ORDER = """\
/* An integer that is as far up as the float: NaN lies beyond the infinities. */
static int32_t {name}_order(float value)
{{
    union {{
        float real;
        uint32_t bits;
    }} same;
    same.real = value;
    return (same.bits >> 31) != 0u ? -(int32_t)(same.bits & 0x7fffffffu) : (int32_t)same.bits;
}}
"""
"""What a chip without a floating-point unit compares in a tenth of the time."""

INFINITE = 0x7F800000
"""The key of infinity, beyond which NaN lies."""


def order_of(value: float) -> int:
    """What ``NAME_order`` gives for a float32."""
    bits = int(np.float32(value).view(np.uint32))
    return -(bits & 0x7FFFFFFF) if bits >> 31 else bits


def _hold_by_order(variable: Variable, x: str, policy: Policy, key: str, order: str) -> list[str]:
    low, high = bounds(variable, "float32")
    missing = {
        "propagate": f"return {x}; /* NaN */",
        "low": f"{x} = {literal(low, 'float32')};",
    }[policy.nan_input]
    refuse = policy.out_of_domain == "nan"
    lines = [f"const int32_t {key} = {order}({x});"]
    sides = (("<", low, f"{key} < -{INFINITE}"), (">", high, f"{key} > {INFINITE}"))
    for sign, bound, is_nan in sides:
        held = "return NAN;" if refuse else f"{x} = {literal(bound, 'float32')};"
        lines.append(f"if ({key} {sign} {order_of(bound)}) {{")
        if missing != held:
            lines += [f"    if ({is_nan}) {{", f"        {missing}", "    } else {"]
            lines += [f"        {held}", "    }"]
        else:
            lines.append(f"    {held}")
        lines.append("}")
    return [*lines, *_round(variable, x, "float32")]


def nan(arithmetic: Arithmetic) -> str:
    """NaN as the C writes it: the macro is a float, which a double says openly."""
    return "NAN" if arithmetic == "float32" else "(double)NAN"


def _round(variable: Variable, x: str, arithmetic: Arithmetic) -> list[str]:
    """Round a whole-number input that is in range to the nearest whole number."""
    if variable.kind == "boolean":
        half, one, zero = (literal(v, arithmetic) for v in (0.5, 1.0, 0.0))
        return [f"{x} = {x} >= {half} ? {one} : {zero};"]
    if variable.kind == "integer":
        offset, shift = rounding_offsets(bounds(variable, arithmetic)[0])
        back = f" - {int(shift)}" if shift else ""
        real = real_type(arithmetic)
        truncated = f"(int32_t)({x} + {literal(offset, arithmetic)}){back}"
        return [f"{x} = ({real}){f'({truncated})' if back else truncated};"]
    return []
