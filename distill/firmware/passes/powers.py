"""Powers to products: squares, cubes and powers with a small whole or half exponent.

``x^3`` becomes ``x*x*x`` and ``x^1.5`` becomes ``x*sqrt(x)``: one to six multiplications in place
of ``powf``, which costs some forty of them without a floating-point unit. A power of n gathers at
most n roundings. Only signed zeros and infinities differ: ``pow(-0, 0.5)`` is 0, ``sqrt(-0)`` is
-0, and ``pow(-inf, 1.5)`` is inf where a product with ``sqrt`` is NaN.
"""

from __future__ import annotations

from distill.firmware.graph import Builder, Graph, rewrite

MAX_EXPONENT = 16
"""Larger exponents stay ``pow``: the roundings of a long product add up."""


def powers_to_products(graph: Graph) -> Graph:
    """The graph without square and cube, and without pow where products and roots do it."""
    return rewrite(graph, {"square": _square, "cube": _cube, "pow": _pow}, "powers to products")


def _square(builder: Builder, args: tuple[int, ...]) -> int:
    return _product(builder, args[0], 2)


def _cube(builder: Builder, args: tuple[int, ...]) -> int:
    return _product(builder, args[0], 3)


def _pow(builder: Builder, args: tuple[int, ...]) -> int | None:
    base, exponent = args[0], builder.value_of(args[1])
    if exponent is None or abs(exponent) > MAX_EXPONENT or not (2 * exponent).is_integer():
        return None
    if exponent == 0:
        return builder.constant(1.0)
    whole, half = divmod(abs(exponent), 1)
    result = _product(builder, base, int(whole)) if whole else None
    if half:
        root = builder.call("sqrt", base)
        result = root if result is None else builder.call("mul", result, root)
    assert result is not None  # an exponent other than 0 has a whole or a half part
    return builder.call("div", builder.constant(1.0), result) if exponent < 0 else result


def _product(builder: Builder, base: int, exponent: int) -> int:
    """By repeated squaring, from the highest bit, so that x^2 is shared with x^3 and x^4."""
    result = base
    for bit in bin(exponent)[3:]:
        result = builder.call("mul", result, result)
        if bit == "1":
            result = builder.call("mul", result, base)
    return result
