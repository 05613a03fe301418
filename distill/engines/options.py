"""Reading an engine's options from a config: names and values are checked against annotations.

Annotations are read as text, so that those of a package can be asked that is not imported.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar

from distill.errors import ConfigError

KEY = "engine.options"

Options = TypeVar("Options")

_SCALARS: Mapping[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
_LISTS = ("list", "tuple", "Sequence")
_DICTS = ("dict", "Mapping")


def read(options: type[Options], data: Mapping[str, object], engine: str) -> Options:
    """An instance of the dataclass ``options`` with the values given; others keep their defaults.

    Raises
    ------
    ConfigError : for an unknown option, or a value of the wrong type.
    """
    known = defaults(options)
    for key in data:
        if key not in known:
            raise ConfigError(
                f"the engine `{engine}` has no option `{key}`.",
                where=key_of(key),
                hint=did_you_mean(key, known) or f"allowed: {', '.join(known) or 'none'}.",
            )
    return options(**{key: value_of(options, key, value) for key, value in data.items()})


def defaults(options: type[Any]) -> dict[str, object]:
    """The options by name with their defaults; fields that a factory fills are no options."""
    return {f.name: f.default for f in fields(options) if f.default is not MISSING}


def value_of(options: type[Any], key: str, value: object) -> object:
    """The value of one option, as the dataclass wants it.

    Raises
    ------
    ConfigError : when it is of the wrong type.
    """
    (found,) = (f for f in fields(options) if f.name == key)
    annotation = found.type if isinstance(found.type, str) else found.type.__name__
    return checked(key, value, annotation, found.default)


def checked(key: str, value: object, annotation: str, default: object) -> object:
    """The value as the annotation wants it: lists become tuples where it says so.

    Raises
    ------
    ConfigError : when it does not fit; naming the key and its default.
    """
    try:
        return _conform(value, _parsed(annotation))
    except TypeError:
        raise ConfigError(
            f"`{key}` must be of type {_said(_parsed(annotation))}, not {value!r}.",
            where=key_of(key),
            hint=f"its default is {'null' if default is None else default}.",
        ) from None


def writable(annotation: str) -> bool:
    """Whether values other than null can be written in a config: Python objects cannot."""
    return _writable(_parsed(annotation))


def key_of(option: str) -> str:
    """Where an option is written."""
    return f"config key `{KEY}.{option}`"


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """A question that names the closest of ``known``; empty where none is close."""
    close = [f"`{match}`" for match in difflib.get_close_matches(str(name), list(known), most)]
    if not close:
        return ""
    *others, last = close
    return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


@cache
def _parsed(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body


def _parts(node: ast.expr) -> tuple[str, Sequence[ast.expr]]:
    """The outermost name of a type, and what stands in its brackets."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        inner = node.slice
        return node.value.id, inner.elts if isinstance(inner, ast.Tuple) else [inner]
    return (node.id if isinstance(node, ast.Name) else ""), ()


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _conform(value: object, node: ast.expr) -> object:
    """The value as the type wants it; TypeError where it does not fit."""
    choices = _alternatives(node)
    if len(choices) > 1:
        for choice in choices:
            try:
                return _conform(value, choice)
            except TypeError:
                continue
        raise TypeError
    name, inner = _parts(node)
    if isinstance(node, ast.Constant):
        fits = value is node.value
    elif name == "Literal":
        fits = any(value == ast.literal_eval(e) and not isinstance(value, bool) for e in inner)
    elif name in _LISTS and isinstance(value, Sequence) and not isinstance(value, str):
        return _items(name, value, inner)
    elif name in _DICTS and isinstance(value, Mapping):
        key, item = inner
        return {_conform(k, key): _conform(v, item) for k, v in value.items()}
    else:
        wanted = _SCALARS.get(name)
        fits = type(value) is wanted or (wanted is float and type(value) is int)
    if not fits:
        raise TypeError
    return value


def _items(name: str, values: Sequence[object], inner: Sequence[ast.expr]) -> object:
    if name != "tuple":
        return [_conform(value, inner[0]) for value in values]
    if isinstance(inner[-1], ast.Constant) and inner[-1].value is ...:
        inner = [inner[0]] * len(values)
    if len(inner) != len(values):
        raise TypeError
    return tuple(_conform(value, node) for value, node in zip(values, inner, strict=True))


def _writable(node: ast.expr) -> bool:
    choices = _alternatives(node)
    if len(choices) > 1:
        return any(_writable(choice) for choice in choices)
    name, inner = _parts(node)
    if name in _LISTS or name in _DICTS:
        return all(_writable(e) for e in inner if not isinstance(e, ast.Constant))
    return name == "Literal" or name in _SCALARS


def _said(node: ast.expr) -> str:
    """A type for people: ``bool, auto or null``; what cannot be written in a config left out."""
    said: dict[str, None] = {}
    for choice in _alternatives(node):
        name, inner = _parts(choice)
        if name == "Literal":
            said |= dict.fromkeys(str(ast.literal_eval(e)) for e in inner)
        elif name in _LISTS and _writable(choice):
            items = [e for e in inner if not isinstance(e, ast.Constant)]
            said["list of " + ", ".join(map(_said, items))] = None
        elif name in _DICTS and _writable(choice):
            said[f"mapping of {_said(inner[0])} to {_said(inner[1])}"] = None
        elif _writable(choice):
            said[name] = None
        elif isinstance(choice, ast.Constant):
            said["null"] = None
    *others, last = said
    return f"{', '.join(others)} or {last}" if others else last
