"""Shorter ways to write the ratios inside a formula: common denominators found and cancelled.

A part built from sums, products, quotients and whole powers is a ratio of two polynomials in
whatever else stands in it. Brought to lowest terms (Geddes, Czapor, Labahn 1992, chapter 7, by
sympy) it can be written in a few ways, above and below divided by one term or another; the
shortest is taken. Simple fractions are calculated with, other constants stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from distill.errors import FormulaError
from distill.formula.simplify import simplify
from distill.formula.tree import Call, Node, Number, add, call, complexity, div, mul, rewrite, total

RATIONAL = frozenset(["add", "sub", "mul", "div", "neg", "inv", "square", "cube"])

MOST_NODES = 60
MOST_ATOMS = 8
MOST_TERMS = 12
LARGEST_POWER = 4
LARGEST_DENOMINATOR = 1000
ROUNDING = 1e-15


def shortened(tree: Node) -> Node:
    """An equal tree, as far as rounding goes, with at most as many nodes.

    It may be finite where the tree was not (``1/(1/x)``), and zero divided by zero where common
    factors were multiplied in; compare values before use.
    """
    best = tree
    for _ in range(3):
        ways = (rewrite(way, _shorter) for way in (best, rewrite(best, _one_logarithm)))
        candidate = min((simplify(way, seconds=None) for way in ways), key=complexity)
        if complexity(candidate) >= complexity(best):
            break
        best = candidate
    return best


def _shorter(node: Node) -> Node:
    """The shortest way to write a ratio; other nodes and long ones stay."""
    if not _is_rational(node) or complexity(node) > MOST_NODES or not _has_quotient(node):
        return node
    atoms: dict[Node, Any] = {}
    try:
        ways = list(_ways(node, atoms))
    except (FormulaError, OverflowError, ZeroDivisionError, ValueError):
        return node
    return min([node, *(simplify(way, seconds=None) for way in ways)], key=complexity)


def _one_logarithm(node: Node) -> Node:
    """``log(a) - log(b)`` as ``log(a/b)``, and the same with a sum."""
    if not (isinstance(node, Call) and node.operator in ("add", "sub")):
        return node
    a, b = node.args
    if not all(isinstance(arg, Call) and arg.operator == "log" for arg in node.args):
        return node
    assert isinstance(a, Call)
    assert isinstance(b, Call)
    inside = (mul if node.operator == "add" else div)(a.args[0], b.args[0])
    return call("log", inside)


def _is_rational(node: Node) -> bool:
    return isinstance(node, Call) and (node.operator in RATIONAL or _whole_power(node))


def _whole_power(node: Call) -> bool:
    power = node.args[1] if node.operator == "pow" else None
    return isinstance(power, Number) and power.value in range(-LARGEST_POWER, LARGEST_POWER + 1)


def _has_quotient(node: Node) -> bool:
    if not isinstance(node, Call) or not _is_rational(node):
        return False
    return node.operator in ("div", "inv") or any(map(_has_quotient, node.args))


def _ways(node: Node, atoms: dict[Node, Any]) -> Iterator[Node]:
    import sympy

    ratio = sympy.together(_to_sympy(node, atoms))
    if not 1 <= len(atoms) <= MOST_ATOMS:
        return
    if ratio.has(sympy.zoo, sympy.nan):  # something divided by zero everywhere
        return
    above, below = sympy.fraction(sympy.cancel(ratio))
    symbols = list(atoms.values())
    back = {symbol: atom for atom, symbol in atoms.items()}
    p, q = sympy.Poly(above, *symbols), sympy.Poly(below, *symbols)
    if len(p.terms()) + len(q.terms()) > MOST_TERMS:
        return
    lead = float(q.LC())
    top = [(monomial, float(c) / lead) for monomial, c in p.terms()]
    low = [(monomial, float(c) / lead) for monomial, c in q.terms()]
    columns = [back[symbol] for symbol in symbols]
    one = (0,) * len(symbols)
    for unit, c in dict([(one, 1.0), *top, *low]).items():
        if c:
            yield div(_sum(top, columns, unit, c), _sum(low, columns, unit, c))
            if len(top) == 1:
                yield call("inv", _sum(low, columns, *top[0]))
    if len(low) == 1:
        yield _sum(top, columns, *low[0])
    for part in (sympy.factor(above) / sympy.factor(below),):
        yield _from_sympy(part, back)


def _sum(
    terms: list[tuple[tuple[int, ...], float]], columns: list[Node], unit: tuple[int, ...], c: float
) -> Node:
    """The polynomial divided by the term ``c * columns^unit``."""
    return total([_term(columns, [a - b for a, b in zip(m, unit, strict=True)], k / c)
                  for m, k in terms])  # fmt: skip


def _term(columns: list[Node], exponents: list[int], factor: float) -> Node:
    above: Node = Number(factor)
    below: Node | None = None
    for column, exponent in zip(columns, exponents, strict=True):
        if exponent > 0:
            above = mul(above, _raised(column, exponent))
        elif exponent < 0:
            part = _raised(column, -exponent)
            below = part if below is None else mul(below, part)
    return above if below is None else div(above, below)


def _raised(base: Node, exponent: int) -> Node:
    names = {1: "", 2: "square", 3: "cube"}
    if exponent in names:
        return call(names[exponent], base) if names[exponent] else base
    return call("pow", base, Number(exponent))


def _to_sympy(node: Node, atoms: dict[Node, Any]) -> Any:
    """The ratio over one symbol for each atom, which ``atoms`` collects."""
    import sympy

    if isinstance(node, Number):
        simple = Fraction(node.value).limit_denominator(LARGEST_DENOMINATOR)
        if abs(simple - Fraction(node.value)) <= ROUNDING * abs(node.value):
            return sympy.Rational(simple.numerator, simple.denominator)
        # Sums with long fractions take long and cancel nothing.
        return atoms.setdefault(node, sympy.Symbol(f"a{len(atoms)}"))
    if not _is_rational(node):
        return atoms.setdefault(node, sympy.Symbol(f"a{len(atoms)}"))
    assert isinstance(node, Call)
    args = [_to_sympy(arg, atoms) for arg in node.args]
    match node.operator:
        case "add":
            return args[0] + args[1]
        case "sub":
            return args[0] - args[1]
        case "mul":
            return args[0] * args[1]
        case "div":
            return args[0] / args[1]
        case "neg":
            return -args[0]
        case "inv":
            return 1 / args[0]
        case "square":
            return args[0] ** 2
        case "cube":
            return args[0] ** 3
        case _:
            return args[0] ** int(args[1])


def _from_sympy(expression: Any, back: dict[Any, Node]) -> Node:
    """A product, sum or whole power of atoms and numbers as a tree."""
    if expression in back:
        return back[expression]
    if expression.is_Number:
        return Number(float(expression))
    args = [_from_sympy(arg, back) for arg in expression.args if not expression.is_Pow]
    if expression.is_Pow:
        base, exponent = expression.args
        power = int(exponent)
        inside = _raised(_from_sympy(base, back), abs(power))
        return inside if power > 0 else call("inv", inside)
    result = args[0]
    for arg in args[1:]:
        result = add(result, arg) if expression.is_Add else mul(result, arg)
    return result
