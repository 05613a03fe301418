"""`early_stop_condition`: a number that the loss falls below, or a function of loss and size."""

from __future__ import annotations

import ast
import operator
import time
from collections.abc import Callable
from typing import Any

from juliacall.values import Function, JuliaError

_COMPARED: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def is_met(condition: Function | float | None, loss: float, complexity: int) -> bool:
    """Whether a search ends with a formula of this loss and complexity."""
    if not isinstance(condition, Function):
        return condition is not None and loss < condition
    text = condition.body.replace("||", " or ").replace("&&", " and ")
    values = dict(zip(condition.parameters, (loss, complexity), strict=True))
    return bool(_value(ast.parse(text.strip(), mode="eval").body, values))


def _value(node: ast.expr, values: dict[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Call(func=ast.Name(id="time"), args=[]):
            return time.time()
        case ast.BoolOp(op=ast.Or(), values=some):
            return any(_value(each, values) for each in some)
        case ast.BoolOp(op=ast.And(), values=some):
            return all(_value(each, values) for each in some)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            return _COMPARED[type(op)](_value(left, values), _value(right, values))
    raise JuliaError(f"the stand-in does not know the condition `{ast.unparse(node)}`")
