"""A target: the chip, its compilers, its limits and what its operations cost, as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from distill.errors import ConfigError
from distill.firmware.graph import Arithmetic
from distill.formula.operators import OPERATORS
from distill.identifiers import why_not_identifier

ToolchainName = Literal["wheels", "native"]
Optimization = Literal["-Os", "-O1", "-O2", "-O3"]
Processor = Literal["arm-m0plus", "arm-m4", "arm-m4f", "mipsel", "riscv32", "x86_64", "avr"]
Runtime = Literal["gcc", "zig"]
Unit = Literal["instructions", "cycles"]
Counted = Literal["float32", "fixed"]


@dataclass(frozen=True, slots=True)
class Wheels:
    """How zig builds for the chip: its target without an operating system, processor, flags."""

    triple: str
    cpu: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Native:
    """How a cross-GCC builds for the chip.

    ``runtime`` says whose libm and floating-point routines are linked: the compiler's own, or
    zig's where GCC's do not fit the chip. ``packages`` are Debian's, to install it.
    """

    compiler: str
    flags: tuple[str, ...]
    runtime: Runtime
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What C is written and measured for. One file of ``conf/target/`` each.

    Attributes
    ----------
    name, description : what ``distill list`` shows.
    toolchain : whose figures count; `wheels` is zig from PyPI, `native` Debian's GCC.
    wheels, native : how each of them builds; None where it cannot.
    optimization : the level, the same for both.
    emulator : the processor that is emulated: Unicorn's, or for `avr` simavr's.
    fpu : whether float32 operations are single instructions.
    flash_bytes, ram_bytes, stack_bytes : what a generated function may use of the chip.
    instructions : measured :attr:`unit` per operation, by arithmetic and operator name.
    """

    name: str
    description: str
    toolchain: ToolchainName
    wheels: Wheels | None
    native: Native | None
    optimization: Optimization
    emulator: Processor
    fpu: bool
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    instructions: Mapping[Counted, Mapping[str, float]]

    @property
    def unit(self) -> Unit:
        """What is counted: simavr tells exact cycles, Unicorn tells instructions."""
        return "cycles" if self.emulator == "avr" else "instructions"

    def costs(self, arithmetic: Arithmetic) -> Mapping[str, float]:
        """The measured :attr:`unit` of each operator in an arithmetic.

        For ``double`` these are float32's: the right order, but too low.
        """
        return self.instructions["fixed" if arithmetic == "fixed" else "float32"]

    def operations(self, arithmetic: Arithmetic) -> dict[str, float]:
        """The relative cost of each operator in an arithmetic; an addition of it is 1."""
        costs = self.costs(arithmetic)
        return {name: count / costs["add"] for name, count in costs.items()}


def load_target(data: Mapping[str, object]) -> Target:
    """A target from the plain mapping of its configuration file.

    Raises
    ------
    ConfigError : for a missing, unknown or unusable key; the error names it and what is allowed.
    """
    read = _read(_TARGET, data, "")
    instructions = read.pop("operations")
    target = Target(**read, instructions=instructions)  # type: ignore[arg-type]
    if why := why_not_identifier(target.name):
        raise _error("name", f"is {target.name!r}", f"{why}.")
    if getattr(target, target.toolchain) is None:
        other = "native" if target.toolchain == "wheels" else "wheels"
        raise _error(
            "toolchain",
            f"is {target.toolchain!r}, which has no compiler for {target.name}",
            f"target.toolchain={other}",
        )
    if target.emulator == "avr" and simulated_mcu(target) is None:
        raise _error("native.flags", "name no chip", "the emulator `avr` needs -mmcu=CHIP.")
    return target


def simulated_mcu(target: Target) -> str | None:
    """The chip that an AVR target's compiler flags name, such as ``atmega328p``."""
    flags = target.native.flags if target.native else ()
    named = [flag.removeprefix("-mmcu=") for flag in flags if flag.startswith("-mmcu=")]
    return named[-1] if named else None


# Reading: by key, a function that returns the value or raises -------------------------------------

_Reader = Callable[[str, object], object]


def _read(readers: Mapping[str, _Reader], data: Mapping[Any, object], at: str) -> dict[str, object]:
    for key in readers:
        if key not in data:
            raise _error(f"{at}{key}", "is missing", f"its keys are {', '.join(readers)}.")
    for given in data:
        if given not in readers:
            raise _error(f"{at}{given}", "is not known", f"allowed: {', '.join(readers)}.")
    return {key: reader(f"{at}{key}", data[key]) for key, reader in readers.items()}


def _text(key: str, given: object) -> object:
    if not isinstance(given, str) or not given.strip() or "\n" in given:
        raise _error(key, f"is {given!r}", "give one line of text.")
    return given


def _bytes(key: str, given: object) -> object:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise _error(key, f"is {given!r}", "give a whole number of bytes, 1 or more.")
    return given


def _texts(kind: str, start: str = "") -> _Reader:
    def read(key: str, given: object) -> object:
        if (
            isinstance(given, str)
            or not isinstance(given, Sequence)
            or not all(isinstance(text, str) and text.startswith(start) for text in given)
        ):
            raise _error(key, f"is {given!r}", f"give a list of {kind}.")
        return tuple(given)

    return read


def _one_of(*allowed: object) -> _Reader:
    def read(key: str, given: object) -> object:
        # `True == 1`, so the type is compared as well.
        if not any(given == a and type(given) is type(a) for a in allowed):
            options = ", ".join(str(a).lower() if isinstance(a, bool) else str(a) for a in allowed)
            raise _error(key, f"is {given!r}", f"allowed: {options}.")
        return given

    return read


def _group(kind: type, readers: Mapping[str, _Reader]) -> _Reader:
    def read(key: str, given: object) -> object:
        if given is None:
            return None
        if not isinstance(given, Mapping):
            raise _error(key, f"is {given!r}", f"give {', '.join(readers)}, or null.")
        return kind(**_read(readers, given, f"{key}."))

    return read


def _count(key: str, given: object) -> object:
    if (
        not isinstance(given, int | float)
        or isinstance(given, bool)
        or not math.isfinite(given)
        or given <= 0
    ):
        raise _error(
            key,
            f"is {given!r}",
            "give what one call takes, above 0; benchmarks/measure_operations.py measures it.",
        )
    return float(given)


def _operations(key: str, given: object) -> object:
    if not isinstance(given, Mapping):
        raise _error(key, f"is {given!r}", "give counts by arithmetic and operator name.")
    tables: dict[str, _Reader] = dict.fromkeys(get_args(Counted), _table)
    return _read(tables, given, f"{key}.")


def _table(key: str, given: object) -> object:
    if not isinstance(given, Mapping):
        raise _error(key, f"is {given!r}", "give counts by operator name.")
    return _read(dict.fromkeys(OPERATORS, _count), given, f"{key}.")


_FLAGS = _texts("compiler flags, such as [-mfoo]", "-")
_WHEELS: dict[str, _Reader] = {"triple": _text, "cpu": _text, "flags": _FLAGS}
_NATIVE: dict[str, _Reader] = {
    "compiler": _text,
    "flags": _FLAGS,
    "runtime": _one_of(*get_args(Runtime)),
    "packages": _texts("Debian packages"),
}
_TARGET: dict[str, _Reader] = {
    "name": _text,
    "description": _text,
    "toolchain": _one_of(*get_args(ToolchainName)),
    "wheels": _group(Wheels, _WHEELS),
    "native": _group(Native, _NATIVE),
    "optimization": _one_of(*get_args(Optimization)),
    "emulator": _one_of(*get_args(Processor)),
    "fpu": _one_of(True, False),
    "flash_bytes": _bytes,
    "ram_bytes": _bytes,
    "stack_bytes": _bytes,
    "operations": _operations,
}


def _error(key: str, what: str, hint: str) -> ConfigError:
    return ConfigError(f"`target.{key}` {what}.", where=f"target.{key}", hint=hint)
