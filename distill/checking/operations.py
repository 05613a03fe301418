"""Reading the C's own operations from a certificate: integers of fixed point, or floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from distill.checking.fields import damaged, keys, number, one_of, record, text, whole

MOST = 100_000
"""Steps; a longer program is no formula's."""

MOST_SHIFT = 62
"""Bits; the widest sums have 63."""

MOST_FRACTION = 64
"""Fraction bits, either way; formats of 32 bits have fewer."""

INTEGERS = {
    "input": 0, "constant": 0, "add": 2, "sub": 2, "neg": 1, "abs": 1, "min": 2, "max": 2,
    "scale": 1, "shift": 1, "mac": 2, "mask": 1, "zeros": 1, "left": 2, "right": 2, "divide": 2,
    "ifless": 4,
}  # fmt: skip
"""The operations on integers, and how many arguments each has."""

FLAGS = ("wide", "short", "bare")
"""How the C writes a step: its sum in 64 bits; its factors cut to 16 bits; its shift as a bare
``>>``, which must see no negative number."""


@dataclass(frozen=True, slots=True)
class IntegerStep:
    """One operation on 32-bit integers, results of earlier steps.

    ``constant`` is what is added (``mac``, ``shift``), a value, a column or a mask; ``shift`` by
    how many bits the result goes right (``mac``, ``shift``) or left (``scale``).
    """

    name: str
    args: tuple[int, ...]
    constant: int
    shift: int
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class IntegerProgram:
    """The C in integers: inputs of so many fraction bits each, the result's; the last step is it.

    ``floats`` says that inputs and result pass as float32 through a door.
    """

    inputs: tuple[int, ...]
    output: int
    floats: bool
    steps: tuple[IntegerStep, ...]


@dataclass(frozen=True, slots=True)
class FloatStep:
    """An input (by column), a constant as the C holds it, or an operator on earlier steps."""

    name: str
    args: tuple[int, ...] = ()
    value: float = 0.0
    column: int = -1


@dataclass(frozen=True, slots=True)
class FloatProgram:
    """The C in ``float32`` or ``double``; the last step is the result."""

    arithmetic: str
    steps: tuple[FloatStep, ...]


Program = IntegerProgram | FloatProgram


@dataclass(frozen=True, slots=True)
class Source:
    """The file whose operations these are said to be."""

    name: str
    sha256: str


def read_program(data: object, inputs: int) -> Program:
    """The operations of the C of a function of so many inputs.

    Raises
    ------
    CertificateError : when they are damaged.
    """
    row = record(data, "program")
    kind = one_of(row.get("arithmetic"), "program", ("fixed", "float32", "double"))
    if kind != "fixed":
        keys(row, "program", {"arithmetic", "steps"})
        steps = tuple(
            _float_step(item, at, inputs, kind) for at, item in enumerate(_rows(row["steps"]))
        )
        return FloatProgram(kind, steps)
    keys(row, "program", {"arithmetic", "steps", "inputs", "output", "door"})
    given = row["inputs"]
    if not isinstance(given, list) or len(given) != inputs:
        raise damaged("program", f"it does not have {inputs} inputs")
    door = one_of(row["door"], "program", ("float32", "integer"))
    return IntegerProgram(
        tuple(_fraction(item) for item in given),
        _fraction(row["output"]),
        door == "float32",
        tuple(_integer_step(item, at, inputs) for at, item in enumerate(_rows(row["steps"]))),
    )


def read_source(data: object) -> Source:
    """The name of a file that lies beside the certificate, and its hash.

    Raises
    ------
    CertificateError : when it is damaged, or names another place.
    """
    row = keys(record(data, "source"), "source", {"name", "sha256"})
    name, sha256 = text(row["name"], "source", 255), text(row["sha256"], "source", 64)
    if not name.removesuffix(".c").isidentifier() or not name.endswith(".c"):
        raise damaged("source", "it does not name a C file beside the certificate")
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise damaged("source", "it has no SHA-256")
    return Source(name, sha256)


def _rows(data: object) -> Sequence[object]:
    if not isinstance(data, list) or not 0 < len(data) <= MOST:
        raise damaged("program", f"it is not a list of up to {MOST:,} steps")
    return data


def _fraction(value: object) -> int:
    found = whole(value, "program")
    if abs(found) > MOST_FRACTION:
        raise damaged("program", f"a format has more than {MOST_FRACTION} fraction bits")
    return found


def _args(value: object, at: int, count: int | None) -> tuple[int, ...]:
    if not isinstance(value, list) or (count is not None and len(value) != count):
        raise damaged("program", f"step {at} has the wrong number of arguments")
    found = tuple(whole(item, "program") for item in value)
    if any(not 0 <= arg < at for arg in found):
        raise damaged("program", f"step {at} takes what is not there yet")
    return found


def _integer_step(data: object, at: int, inputs: int) -> IntegerStep:
    if not isinstance(data, list) or len(data) != 5:
        raise damaged("program", f"step {at} is not a name, arguments, two numbers and flags")
    name = one_of(data[0], f"program, step {at}", tuple(INTEGERS))
    args = _args(data[1], at, INTEGERS[name])
    constant, shift = whole(data[2], "program"), whole(data[3], "program")
    if not -(2**63) <= constant < 2**63 or not 0 <= shift <= MOST_SHIFT:
        raise damaged("program", f"step {at} has a number that no C type holds")
    if name == "input" and not 0 <= constant < inputs:
        raise damaged("program", f"step {at} reads an input that there is not")
    flags = data[4]
    if not isinstance(flags, list):
        raise damaged("program", f"step {at} has no list of flags")
    known = frozenset(one_of(flag, "program", FLAGS) for flag in flags)
    return IntegerStep(name, args, constant, shift, known)


def _float_step(data: object, at: int, inputs: int, kind: str) -> FloatStep:
    if not isinstance(data, list) or len(data) != 2:
        raise damaged("program", f"step {at} is not a name and what it takes")
    name = text(data[0], "program", 40)
    if name == "input":
        column = whole(data[1], "program")
        if not 0 <= column < inputs:
            raise damaged("program", f"step {at} reads an input that there is not")
        return FloatStep(name, column=column)
    if name == "constant":
        value = number(data[1], "program")
        with np.errstate(over="ignore"):
            held = value if kind == "double" else float(np.float32(value))
        if held != value:
            raise damaged("program", f"step {at} is a constant that float32 does not hold")
        return FloatStep(name, value=value)
    return FloatStep(name, _args(data[1], at, None))


def program_of(data: Mapping[str, object], inputs: int) -> tuple[Program | None, Source | None]:
    """What a certificate says of its C; None where it says nothing.

    Raises
    ------
    CertificateError : when it is damaged.
    """
    program = None if data.get("program") is None else read_program(data["program"], inputs)
    source = None if data.get("source") is None else read_source(data["source"])
    return program, source
