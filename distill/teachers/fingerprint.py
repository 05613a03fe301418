"""Hashes of weights and code: what was computed with them is reused only when they agree."""

from __future__ import annotations

import hashlib
import inspect
import types
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

_PROCESS = uuid.uuid4().hex
"""Stands for what cannot be hashed: equal within this process, never equal to another one's."""


def of_file(path: Path, *more: object) -> str:
    """Hash of a file's bytes and of the options it is read with."""
    with path.open("rb") as file:
        return of(hashlib.file_digest(file, "sha256").hexdigest(), *more)


def of(*parts: object) -> str:
    """Hash of values, arrays, functions (code, defaults, what they refer to) and plain objects."""
    digest = hashlib.sha256()
    for token in _tokens(parts, set()):
        digest.update(len(token).to_bytes(8, "little") + token)
    return digest.hexdigest()


def _tokens(part: object, open_ids: set[int]) -> list[bytes]:
    kind = f"{type(part).__module__}.{type(part).__qualname__}"
    if part is None or isinstance(part, str | bytes | bool | int | float | complex):
        return [kind.encode(), repr(part).encode()]
    if isinstance(part, np.ndarray) and part.dtype != object:
        return [
            kind.encode(),
            str((part.dtype.str, part.shape)).encode(),
            np.ascontiguousarray(part).tobytes(),
        ]
    if isinstance(part, np.generic):
        return [kind.encode(), repr(part).encode()]
    if id(part) in open_ids:
        return [b"seen"]
    open_ids = open_ids | {id(part)}
    if isinstance(part, Mapping):
        pieces = [x for pair in part.items() for x in pair]
    elif isinstance(part, list | tuple):
        pieces = list(part)
    elif isinstance(part, set | frozenset):
        pieces = sorted(part, key=repr)
    elif isinstance(part, types.CodeType):
        pieces = [part.co_code, part.co_names, part.co_varnames, *part.co_consts]
    elif isinstance(part, types.FunctionType):
        closed = inspect.getclosurevars(part)
        pieces = [
            part.__code__,
            part.__defaults__,
            part.__kwdefaults__,
            dict(sorted(closed.nonlocals.items())),
            dict(sorted(closed.globals.items())),
        ]
    elif isinstance(part, types.MethodType):
        pieces = [part.__func__, part.__self__]
    elif isinstance(part, partial):
        pieces = [part.func, part.args, part.keywords]
    elif isinstance(part, types.ModuleType):
        pieces = [part.__name__, getattr(part, "__version__", None)]
    elif isinstance(part, types.BuiltinFunctionType | np.ufunc):
        pieces = [getattr(part, "__module__", None), part.__name__]
    elif isinstance(part, type):
        pieces = [part.__qualname__, *_own_code(part)]
    elif hasattr(part, "detach") and hasattr(part, "numpy"):  # a tensor, without importing torch
        pieces = [part.detach().cpu().numpy()]
    elif hasattr(part, "__dict__"):
        pieces = [*_own_code(type(part)), vars(part)]
    else:
        pieces = [_PROCESS, id(part)]
    return [kind.encode(), *(token for piece in pieces for token in _tokens(piece, open_ids))]


def _own_code(kind: type) -> list[object]:
    """The functions of a class and its bases, but those of installed libraries' C code."""
    return [
        member
        for base in kind.__mro__
        if base is not object
        for _, member in sorted(vars(base).items())
        if isinstance(member, types.FunctionType)
    ]
