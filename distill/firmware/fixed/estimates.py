"""What integer steps cost on a processor: by which a plan weighs one program against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from distill.firmware.fixed.steps import Step


@dataclass(frozen=True)
class Estimates:
    """Instructions (AVR: cycles) of the steps, rounded; the defaults are a Cortex-M0+'s.

    Attributes
    ----------
    simple, constant : an addition or comparison; loading a constant.
    multiply, wide : a product of 32 bits; one of 64 bits and its shift.
    divide, zeros : 32 by 32 bits; counting leading zeros.
    shift, shift_bit : a shift; what it takes longer for each bit beyond whole bytes.
    short_products : whether products of 16-bit operands should be written as such.
    """

    simple: float = 1.0
    constant: float = 1.0
    multiply: float = 1.0
    wide: float = 25.0
    divide: float = 100.0
    zeros: float = 20.0
    shift: float = 1.0
    shift_bit: float = 0.0
    short_products: bool = False

    @property
    def whole_bytes(self) -> bool:
        """Whether shifts by multiples of 8 are much cheaper than others."""
        return self.shift_bit > 0

    @classmethod
    def from_costs(cls, costs: Mapping[str, float]) -> Estimates:
        """The estimates that :meth:`costs` gave."""
        numbers = {name: value for name, value in costs.items() if name != "short_products"}
        return cls(**numbers, short_products=bool(costs["short_products"]))

    def costs(self) -> dict[str, float]:
        """The estimates as numbers by name."""
        return {name: float(value) for name, value in asdict(self).items()}

    def of(self, step: Step) -> float:
        """The cost of one step."""
        if step.name in ("input", "constant"):
            return 0.0
        extra = 0.0
        if step.shift:
            extra += self.shift + self.shift_bit * (step.shift % 8)
        if step.constant and step.name != "mask":
            extra += self.simple + self.constant
        match step.name:
            case "mac":
                return (self.wide if step.wide else self.multiply) + extra
            case "shift" | "scale":
                return extra
            case "abs" | "min" | "max" | "ifless":
                return 3 * self.simple
            case "divide":
                return self.divide
            case "zeros":
                return self.zeros
            case "left" | "right":
                # By a variable: about 10 bits where a shift takes a loop.
                return self.shift + 10 * self.shift_bit
            case _:
                return self.simple


ESTIMATES = {
    "arm-m0plus": Estimates(),
    "arm-m4": Estimates(wide=5.0, divide=2.0),
    "arm-m4f": Estimates(wide=5.0, divide=2.0),
    "mipsel": Estimates(constant=1.5, wide=7.0, divide=4.0, zeros=25.0),
    "riscv32": Estimates(constant=1.5, wide=6.0, divide=2.0),
    "x86_64": Estimates(constant=0.0, wide=1.0, divide=20.0),
    "avr": Estimates(
        simple=4.0, constant=4.0, multiply=30.0, wide=300.0, divide=600.0, zeros=150.0, shift=4.0,
        shift_bit=5.0, short_products=True,
    ),
}  # fmt: skip
"""By the processor that a target names as its emulator."""
