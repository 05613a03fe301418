"""Hashes of weights and code: what was computed with them is reused only when they agree."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import types
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

_PROCESS = uuid.uuid4().hex
"""Stands for what cannot be hashed: equal within this process, never equal to another one's."""


def of_file(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of(*parts: object) -> str:
    """Hash of values, arrays, tensors, functions and plain objects.

    A function counts with its code, its defaults and what it closes over or refers to; a method
    with its object. Of installed libraries only the version counts.
    """
    digest = hashlib.sha256()
    for token in _Walk().tokens(parts):
        digest.update(len(token).to_bytes(8, "little") + token)
    return digest.hexdigest()


class _Walk:
    """One way through objects that refer to each other, each entered once."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.kept: list[object] = []  # an object that is gone could lend its id to another one

    def tokens(self, part: object) -> Iterator[bytes]:
        """Bytes that tell ``part`` from others."""
        yield f"{type(part).__module__}.{type(part).__qualname__}".encode()
        if part is None or isinstance(
            part, str | bytes | bool | int | float | complex | np.generic
        ):
            yield repr(part).encode()
        elif isinstance(part, np.ndarray) and part.dtype != object:
            yield str((part.dtype.str, part.shape)).encode()
            yield np.ascontiguousarray(part).tobytes()
        elif id(part) in self.places:
            yield str(self.places[id(part)]).encode()
        else:
            self.places[id(part)] = len(self.places)
            self.kept.append(part)
            for piece in _pieces(part):
                yield from self.tokens(piece)


def _pieces(part: object) -> list[object]:
    """What an object is made of, as far as it decides what the object answers."""
    if isinstance(part, Mapping):
        return [piece for pair in part.items() for piece in pair]
    if isinstance(part, list | tuple):
        return list(part)
    if isinstance(part, set | frozenset):
        return sorted(part, key=repr)
    if isinstance(part, np.ndarray):
        return part.reshape(-1).tolist()
    if isinstance(part, types.CodeType):
        return [part.co_code, part.co_names, part.co_varnames, *part.co_consts]
    if isinstance(part, types.FunctionType):
        if _installed(part.__code__.co_filename):
            return [part.__qualname__, *_version(part.__module__)]
        closed = inspect.getclosurevars(part)
        return [
            part.__code__,
            part.__defaults__,
            part.__kwdefaults__,
            dict(sorted(closed.nonlocals.items())),
            dict(sorted(closed.globals.items())),
        ]
    if isinstance(part, types.MethodType):
        return [part.__func__, part.__self__]
    if isinstance(part, partial):
        return [part.func, part.args, part.keywords]
    if isinstance(part, types.ModuleType):
        if (file := getattr(part, "__file__", None)) is None or _installed(file):
            return list(_version(part.__name__))
        return [part.__name__, of_file(Path(file))]
    if isinstance(part, types.BuiltinFunctionType | np.ufunc):
        return [*_version(getattr(part, "__module__", None) or ""), part.__name__]
    if isinstance(part, type):
        return [part.__qualname__, *_own_code(part)]
    if callable(detach := getattr(part, "detach", None)):  # a tensor, without importing torch
        return [detach().cpu().numpy()]
    if hasattr(part, "__dict__"):
        return [type(part), vars(part)]
    return [_PROCESS, id(part)]


def _own_code(kind: type) -> list[object]:
    """The functions of a class and its bases, up to those of installed libraries."""
    found: list[object] = []
    for base in kind.__mro__:
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if base.__module__ == "builtins" or (file is not None and _installed(file)):
            found += [base.__qualname__, *_version(base.__module__)]
        else:
            members = sorted(vars(base).items())
            found += [m for _, m in members if isinstance(m, types.FunctionType)]
    return found


def _version(module: str) -> tuple[str, str]:
    """A module's name and the version of its library."""
    library = sys.modules.get(module.partition(".")[0])
    return module, str(getattr(library, "__version__", sys.version))


def _installed(file: str) -> bool:
    """Whether a file belongs to Python or to an installed library."""
    path = Path(file)
    return (
        file.startswith("<frozen")
        or "site-packages" in path.parts
        or path.is_relative_to(Path(os.__file__).parent)
    )
