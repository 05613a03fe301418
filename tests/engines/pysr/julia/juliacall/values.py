"""Julia's values, as far as PySR hands them to and fro."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class JuliaError(Exception):
    """An error raised in Julia."""


@dataclass(frozen=True)
class Symbol:
    name: str


@dataclass(frozen=True)
class Function:
    """A Julia function, with the numbers of arguments it takes.

    One that was defined here has its source; its parameters and its body where it is `f(x) = ...`.
    """

    name: str
    arities: tuple[int, ...]
    source: str = ""
    takes_more: bool = False
    parameters: tuple[str, ...] = ()
    body: str = ""

    def accepts(self, count: int) -> bool:
        return count in self.arities or (self.takes_more and count > max(self.arities))


@dataclass(frozen=True)
class Method:
    nargs: int
    isva: bool


class Struct:
    """A value of a Julia type that is only written down."""

    def __init__(self, type_: str, *arguments: Any, **fields: Any):
        self.type = type_
        self.arguments = arguments
        self.fields = fields


class Array(list[Any]):
    """A Julia vector of anything but numbers; those are NumPy arrays."""


@dataclass(frozen=True)
class Type:
    """A Julia type, called to make a value of it."""

    name: str

    def __getitem__(self, parameters: Any) -> Type:
        return self

    def __call__(self, *arguments: Any, **fields: Any) -> Any:
        match self.name:
            case "Symbol":
                return Symbol(*arguments)
            case "Dict":
                return dict(*arguments)
            case "NamedTuple":
                (names,) = arguments or ({},)
                return {symbol.name: value for symbol, value in names.items()}
        return Struct(self.name, *arguments, **fields)


def convert(type_: Type, value: Any) -> Any:
    """Return `value` as Julia has it: arrays of numbers are copied, with their type."""
    if type_.name == "Dict":
        return dict(value)
    if type_.name != "Array":
        raise JuliaError(f"the stand-in converts to arrays and dictionaries, not to {type_.name}")
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.copy()
    return Array(value)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Symbol():
            return ":" + value.name
        case Function():
            return {"name": value.name, "source": value.source} if value.source else value.name
        case Struct():
            arguments = {"arguments": plain(value.arguments)} if value.arguments else {}
            return {"type": value.type, **arguments, **plain(value.fields)}
        case np.generic():
            return value.item()
        case np.ndarray():
            return {"shape": value.shape, "dtype": str(value.dtype), "values": value.tolist()}
        case Mapping():
            return {_key(key): plain(item) for key, item in value.items()}
        case Iterable():
            return [plain(item) for item in value]
    return repr(value)


def _key(key: Any) -> str:
    return str(getattr(key, "name", key))
