"""C for what stands before a formula: checking the inputs."""

from __future__ import annotations

from distill.domain import Variable
from distill.firmware.axes import bounds
from distill.firmware.emit import literal, real_type
from distill.firmware.graph import Arithmetic
from distill.firmware.guard_code import guard_function
from distill.firmware.lookup import rounding_offsets
from distill.firmware.policy import Policy
from distill.firmware.table_code import array_rows, mix_function, table_function

__all__ = [
    "array_rows", "guard_function", "hold_input", "mix_function", "nan", "table_function",
]  # fmt: skip


def hold_input(
    variable: Variable, parameter: str, arithmetic: Arithmetic, policy: Policy
) -> list[str]:
    """Statements after which ``parameter`` is a number of the domain, or the function has returned.

    In range this takes two comparisons, one for a boolean; NaN is told apart only once a value
    has failed the first.
    """
    if not policy.checked:
        return []
    x = parameter
    low, high = (literal(b, arithmetic) for b in bounds(variable, arithmetic))
    whole = _round(variable, x, arithmetic)
    outside = f"return {nan(arithmetic)};" if policy.out_of_domain == "nan" else ""
    if variable.kind == "boolean" and not outside:
        half = literal(0.5, arithmetic)
        if policy.nan_input == "low":
            return whole
        one, zero = literal(1.0, arithmetic), literal(0.0, arithmetic)
        return [
            f"if ({x} >= {half}) {{",
            f"    {x} = {one};",
            f"}} else if ({x} < {half}) {{",
            f"    {x} = {zero};",
            "} else {",
            f"    return {x}; /* NaN */",
            "}",
        ]
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
        f"}} else if ({x} > {high}) {{",
        f"    {outside or f'{x} = {high};'}",
        "}",
        *whole,
    ]


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
