"""What a graph means, in balls of as many digits as are set."""

from collections.abc import Callable, Sequence
from typing import Any

from distill.firmware.graph import CONSTANT, INPUT, Graph


def exact_value(graph: Graph, point: Sequence[Any]) -> Any | None:
    """The value at one point, of floats or balls (d,), as a ball in the precision that is set.

    None where it has none.
    """
    from flint import arb

    values: list[Any] = []
    for operation in graph.operations:
        if operation.name == INPUT:
            values.append(arb(point[operation.column]))
        elif operation.name == CONSTANT:
            values.append(arb(operation.value))
        elif operation.kernel is not None:
            value = exact_value(operation.kernel.meaning, [values[operation.args[0]]])
            if value is None:
                return None
            values.append(value)
        else:
            value = _OPERATORS[operation.name](*(values[a] for a in operation.args))
            if value is None or not value.is_finite():
                return None
            values.append(value)
    return values[-1]


def _pow(a: Any, b: Any) -> Any:
    exponent = float(b)
    if exponent.is_integer() and b == exponent:
        return a ** int(exponent)
    return a**b


def _choice(a: Any, b: Any, then: Any, other: Any) -> Any | None:
    if a < b:
        return then
    return other if a >= b else None


def _cbrt(a: Any) -> Any:
    return -((-a).root(3)) if a < 0 else a.root(3)


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "neg": lambda a: -a, "pow": _pow, "square": lambda a: a * a,
    "cube": lambda a: a * a * a, "inv": lambda a: 1 / a, "sqrt": lambda a: a.sqrt(), "cbrt": _cbrt,
    "exp": lambda a: a.exp(), "log": lambda a: a.log(), "sin": lambda a: a.sin(),
    "cos": lambda a: a.cos(), "tan": lambda a: a.tan(), "asin": lambda a: a.asin(),
    "acos": lambda a: a.acos(), "atan": lambda a: a.atan(), "sinh": lambda a: a.sinh(),
    "cosh": lambda a: a.cosh(), "tanh": lambda a: a.tanh(), "abs": abs,
    "atan2": lambda y, x: type(y).atan2(y, x), "min": lambda a, b: a.min(b),
    "max": lambda a, b: a.max(b), "ifless": _choice,
}  # fmt: skip
"""Each operator on balls."""
