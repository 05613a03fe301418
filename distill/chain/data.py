"""Chains as plain data that JSON holds, and back, believing nothing that is read.

Arrays are base64 of little-endian bytes beside their type and shape; there is no pickle and no
text that is evaluated, and no allocation by a size that the data state but do not have.
"""

from __future__ import annotations

import base64
import binascii
import math
import types
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.logic import Logic
from distill.chain.steps.packed import Packed
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner
from distill.errors import DistillError, FormulaError
from distill.formula import Formula

STEPS: dict[str, type[Any]] = {
    step.__name__: step
    for step in (
        Above, Affine, Apply, Branches, Convolution, Distances, Each, Gaussians, Kernel, Logic,
        Monomials, Nearest, Normalise, OneHot, OneVsOne, Packed, Pick, Pool, Scale, Softmax,
        Stretch, Trees, Winner,
    )
}  # fmt: skip
"""All steps by the names that data call them by."""

DEEPEST = 8
"""Chains within chains; deeper ones are no model's."""

_KINDS = {"f8": np.float64, "i8": np.int64, "u1": np.bool_}
_NAMES = {np.dtype(kind): name for name, kind in _KINDS.items()}


def chain_data(chain: Chain) -> dict[str, object]:
    """The chain as plain data; :func:`read_chain` reads them back to the same bytes."""
    return {"inputs": chain.inputs, "steps": [_step_data(step) for step in chain.steps]}


def read_chain(data: object) -> Chain:
    """Read what :func:`chain_data` gave.

    Raises
    ------
    FormulaError : for data that make no chain: unknown steps, fields that are missing or too many,
        values of another type, arrays whose bytes do not fit their shape, and all that a step
        itself refuses.
    """
    return _chain(data, 0)


def _step_data(step: Step) -> dict[str, object]:
    name = type(step).__name__
    if STEPS.get(name) is not type(step):
        raise FormulaError(f"`{name}` is no step that can be written as data.", where="chain")
    values = {f.name: _value_data(getattr(step, f.name)) for f in fields(cast(Any, step))}
    return {"step": name, **values}


def _value_data(value: object) -> object:
    if isinstance(value, np.ndarray):
        kind = _NAMES[value.dtype]
        little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"))
        text = base64.b64encode(little.tobytes()).decode("ascii")
        return {"dtype": kind, "shape": list(value.shape), "base64": text}
    if isinstance(value, tuple):
        return [_value_data(item) for item in value]
    if isinstance(value, Chain):
        return chain_data(value)
    return value.to_data() if isinstance(value, Formula) else value


def _chain(data: object, depth: int) -> Chain:
    if depth > DEEPEST:
        raise _wrong(f"chains are nested deeper than {DEEPEST} levels")
    if not isinstance(data, Mapping) or set(data) != {"inputs", "steps"}:
        raise _wrong("a chain has the keys `inputs` and `steps`, and no other")
    inputs, steps = data["inputs"], data["steps"]
    if not isinstance(inputs, int) or not isinstance(steps, list):
        raise _wrong("`inputs` is a whole number and `steps` a list")
    return Chain(inputs, tuple(_step(step, depth) for step in steps))


def _step(data: object, depth: int) -> Step:
    if not isinstance(data, Mapping) or not isinstance(data.get("step"), str):
        raise _wrong("a step needs its name as `step`")
    kind = STEPS.get(data["step"])
    if kind is None:
        raise _wrong(f"`{data['step'][:40]}` is no step; known: {', '.join(STEPS)}")
    hints = _hints(kind)
    if set(data) != {"step", *hints}:
        raise _wrong(f"`{kind.__name__}` has the fields {', '.join(hints)}")
    values = {}
    for name, hint in hints.items():
        try:
            values[name] = _value(data[name], hint, depth)
        except _Unfit:
            raise _wrong(f"`{name}` of `{kind.__name__}` is not what it must be") from None
    try:
        return cast(Step, kind(**values))
    except DistillError:
        raise
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise _wrong(f"the fields of `{kind.__name__}` do not fit each other ({error})") from error


def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


class _Unfit(Exception):
    """A value is not of the type of its field."""


def _value(data: object, hint: Any, depth: int) -> object:
    """The value of a field, by the type of the field."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        return _array(data, get_args(args[1])[0])
    if origin is tuple:
        if not isinstance(data, list):
            raise _Unfit
        kinds = [args[0]] * len(data) if args[-1] is Ellipsis else list(args)
        if len(kinds) != len(data):
            raise _Unfit
        return tuple(_value(item, kind, depth) for item, kind in zip(data, kinds, strict=True))
    if origin is Literal:
        if not isinstance(data, str) or data not in args:
            raise _Unfit
        return data
    if origin in (Union, types.UnionType):
        if data is None and type(None) in args:
            return None
        return _value(data, next(a for a in args if a is not type(None)), depth)
    if hint is Chain:
        return _chain(data, depth + 1)
    if hint is Formula and isinstance(data, Mapping):
        return Formula.from_data(data)
    return _scalar(data, hint)


def _scalar(data: object, hint: Any) -> object:
    if hint is float and isinstance(data, int | float) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:  # an integer of hundreds of digits
            raise _Unfit from None
    if hint in (bool, int) and type(data) is hint:
        return data
    raise _Unfit


def _array(data: object, kind: Any) -> np.ndarray[Any, Any]:
    if not isinstance(data, Mapping) or set(data) != {"dtype", "shape", "base64"}:
        raise _Unfit
    shape, text, name = data["shape"], data["base64"], data["dtype"]
    fits = (
        isinstance(shape, list)
        and len(shape) <= 4
        and all(type(n) is int and n >= 0 for n in shape)
        and isinstance(text, str)
        and name == _NAMES[np.dtype(kind)]
    )
    if not fits:
        raise _Unfit
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _Unfit from None
    dtype = np.dtype(kind).newbyteorder("<")
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise _Unfit
    if dtype == np.bool_ and raw.strip(b"\x00\x01"):
        raise _Unfit
    return np.frombuffer(raw, dtype=dtype).reshape(shape).astype(kind)


def _wrong(what: str) -> FormulaError:
    return FormulaError(
        f"not a closed form: {what}.",
        hint="write it again with this version of distill; do not edit it by hand.",
    )
