"""What a function's arithmetic, interface and policy must have in common."""

from __future__ import annotations

from typing import Literal, get_args

from distill.errors import ExportError
from distill.firmware.graph import Arithmetic
from distill.firmware.policy import Policy

InterfaceName = Literal["float", "integer"]
"""What the C function takes and returns: real numbers, or fixed-point integers."""


def check_numbers(arithmetic: str, interface: str, policy: Policy) -> None:
    """Refuse what cannot be together.

    Raises
    ------
    ExportError : for a name that is none, integers at the door of floats, or NaN among integers.
    """
    for key, value, allowed in (
        ("arithmetic", arithmetic, get_args(Arithmetic)),
        ("interface", interface, get_args(InterfaceName)),
    ):
        if value not in allowed:
            raise ExportError(
                f"`{value}` is no {key}.",
                where=f"export.{key}",
                hint=f"allowed: {', '.join(allowed)}.",
            )
    if interface == "float":
        return
    if arithmetic != "fixed":
        raise ExportError(
            f"{arithmetic} has no integers at its door.",
            where="export.interface",
            hint="use export.interface=float, or export.arithmetic=fixed.",
        )
    if policy.out_of_domain == "nan":
        raise ExportError(
            "an integer cannot be NaN, so inputs outside the domain need another answer.",
            where="export.out_of_domain",
            hint="use export.out_of_domain=clamp, or export.interface=float.",
        )
