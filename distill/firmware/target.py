"""A target: the chip, its compiler settings, its limits and what its operations cost, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

from distill.errors import ConfigError
from distill.formula.operators import OPERATORS
from distill.identifiers import why_not_identifier

ToolchainName = Literal["wheels"]
Optimization = Literal["-Os", "-O1", "-O2", "-O3"]
Emulator = Literal["mipsel", "x86_64", "arm-m0plus", "riscv32"]


@dataclass(frozen=True, slots=True)
class Target:
    """What C is written and measured for. One file of ``conf/target/`` each.

    Attributes
    ----------
    name, description : what ``distill list`` shows.
    toolchain : which compilers build for it; `wheels` is zig from PyPI.
    triple, cpu, flags, optimization : the compiler's target, processor, other flags, and level.
    emulator : the processor that Unicorn emulates.
    int_bits, pointer_bits : widths of C's int and of a pointer.
    fpu : whether float32 operations are single instructions.
    flash_bytes, ram_bytes, stack_bytes : what a generated function may use of the chip.
    instructions : measured instructions per float32 operation, by operator name.
    """

    name: str
    description: str
    toolchain: ToolchainName
    triple: str
    cpu: str
    flags: tuple[str, ...]
    optimization: Optimization
    emulator: Emulator
    int_bits: int
    pointer_bits: int
    fpu: bool
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    instructions: Mapping[str, float]

    @property
    def operations(self) -> dict[str, float]:
        """The relative cost of each operator, for the search; an addition is 1."""
        addition = self.instructions["add"]
        return {name: count / addition for name, count in self.instructions.items()}


_CHOICES: dict[str, tuple[object, ...]] = {
    "toolchain": get_args(ToolchainName),
    "optimization": get_args(Optimization),
    "emulator": get_args(Emulator),
    "int_bits": (16, 32, 64),
    "pointer_bits": (16, 32, 64),
    "fpu": (True, False),
}
_TEXTS = ("name", "description", "triple", "cpu")
_SIZES = ("flash_bytes", "ram_bytes", "stack_bytes")

_KEYS = tuple("operations" if f.name == "instructions" else f.name for f in fields(Target))


def load_target(data: Mapping[str, object]) -> Target:
    """A target from the plain mapping of its configuration file.

    Raises
    ------
    ConfigError : for a missing, unknown or unusable key; the error names it and what is allowed.
    """
    for key in _KEYS:
        if key not in data:
            raise _error(key, "is missing", f"a target has the keys {', '.join(_KEYS)}.")
    for key in data:
        if key not in _KEYS:
            raise _error(str(key), "is not known", f"allowed: {', '.join(_KEYS)}.")
    for key in _TEXTS:
        text = data[key]
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise _error(key, f"is {text!r}", "give one line of text.")
    if why := why_not_identifier(str(data["name"])):
        raise _error("name", f"is {data['name']!r}", f"{why}.")
    for key, allowed in _CHOICES.items():
        # `True == 1`, so the type is compared as well.
        if not any(data[key] == a and type(data[key]) is type(a) for a in allowed):
            options = ", ".join(str(a).lower() if isinstance(a, bool) else str(a) for a in allowed)
            raise _error(key, f"is {data[key]!r}", f"allowed: {options}.")
    for key in _SIZES:
        size = data[key]
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise _error(key, f"is {size!r}", "give a whole number of bytes, 1 or more.")
    flags = data["flags"]
    if (
        isinstance(flags, str)
        or not isinstance(flags, Sequence)
        or not all(isinstance(flag, str) and flag.startswith("-") for flag in flags)
    ):
        raise _error("flags", f"is {flags!r}", "give a list of compiler flags, such as [-mfoo].")
    known = {key: data[key] for key in _KEYS if key not in ("flags", "operations")}
    costs = _operations(data["operations"])
    return Target(**known, flags=tuple(flags), instructions=costs)  # type: ignore[arg-type]


def _operations(given: object) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise _error("operations", f"is {given!r}", "give instructions by operator name.")
    for name in given:
        if name not in OPERATORS:
            raise _error(
                f"operations.{name}", "is not an operator", f"allowed: {', '.join(OPERATORS)}."
            )
    for name in OPERATORS:
        count = given.get(name)
        if (
            not isinstance(count, int | float)
            or isinstance(count, bool)
            or not math.isfinite(count)
            or count <= 0
        ):
            raise _error(
                f"operations.{name}",
                "is missing" if count is None else f"is {count!r}",
                "give its instructions per call, above 0; benchmarks/measure_operations.py "
                "measures them.",
            )
    return {name: float(given[name]) for name in OPERATORS}


def _error(key: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"`target.{key}` {what}.", where=f"target.{key}", hint=hint)
