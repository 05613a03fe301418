"""The cheapest tree for a linear form: common factors are pulled out where that saves nodes."""

from __future__ import annotations

import math

from distill.formula.linear_form import ONE, Linear, Monomial, Order, Term, scaled
from distill.formula.tree import Call, Node, Number, add, complexity, div, mul, sub

TRIED = 12
"""Up to so many terms, two ways of factoring a sum are compared at each level instead of one."""


class Trees:
    """Writes linear forms as trees and remembers them."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._trees: dict[frozenset[tuple[Monomial, float]], Node] = {}

    def tree(self, form: Linear) -> Node:
        """The cheapest tree found for a linear form."""
        key = frozenset(form.items())
        if key not in self._trees:
            self._trees[key] = _sum_of(self._parts(form), form.get(ONE, 0.0))
        return self._trees[key]

    def _parts(self, form: Linear) -> list[tuple[float, Node]]:
        """Signed summands that cost the fewest nodes; the constant term is left out."""
        order = [m for m in self._order.ordered(form) if m != ONE]
        flat = [self._summand(form[m], m) for m in order]
        best, price = flat, _price(flat)
        groups = self._groups({m: form[m] for m in order})
        for factor, inside in groups[: 2 if len(order) <= TRIED else 1]:
            rest = {m: form[m] for m in order if m not in inside}
            parts = [self._factored(factor, inside), *self._parts(rest)]
            if _price(parts) < price:
                best, price = parts, _price(parts)
        return best

    def _groups(self, form: Linear) -> list[tuple[Term, dict[Monomial, Term]]]:
        """Factors that several terms share, those shared by most first.

        Each comes with the terms that share it, divided by it.
        """
        found: dict[tuple[Node, bool], list[Monomial]] = {}
        by_size: dict[float, list[Monomial]] = {}
        for monomial, c in form.items():
            for base, e in monomial:
                found.setdefault((base, e > 0), []).append(monomial)
            if abs(c) != 1.0:
                by_size.setdefault(abs(c), []).append(monomial)
        groups: list[tuple[Term, dict[Monomial, Term]]] = []
        for (base, _), members in found.items():
            if len(members) < 2:
                continue
            shared = min((dict(m)[base] for m in members), key=abs)
            inside = {}
            for m in members:
                left = dict(m)
                left[base] -= shared
                inside[m] = (form[m], self._order.monomial(left))
            if len({monomial for _, monomial in inside.values()}) == len(inside):
                groups.append(((1.0, ((base, shared),)), inside))
        for size, members in by_size.items():
            if len(members) > 1:
                groups.append(((size, ONE), {m: (form[m] / size, m) for m in members}))
        return sorted(groups, key=lambda g: -len(g[1]))

    def _factored(self, factor: Term, inside: dict[Monomial, Term]) -> tuple[float, Node]:
        form = {monomial: c for c, monomial in inside.values()}
        sign = -1.0 if all(c < 0 for c in form.values()) else 1.0
        group = self.tree(scaled(form, sign))
        coefficient, monomial = factor
        if not monomial:
            return sign, mul(Number(coefficient), group)
        ((base, e),) = monomial
        shared = _power(base, abs(e))
        return sign, (mul(shared, group) if e > 0 else div(group, shared))

    def _summand(self, coefficient: float, monomial: Monomial) -> tuple[float, Node]:
        """The sign and the tree of the magnitude."""
        above = _product_of([(b, e) for b, e in monomial if e > 0])
        below = _product_of([(b, -e) for b, e in monomial if e < 0])
        sign, size = math.copysign(1.0, coefficient), abs(coefficient)
        if below is None:
            assert above is not None
            return sign, (above if size == 1.0 else mul(Number(size), above))
        if above is None:
            return sign, (Call("inv", (below,)) if size == 1.0 else div(Number(size), below))
        return sign, div(above if size == 1.0 else mul(Number(size), above), below)


def _price(parts: list[tuple[float, Node]]) -> int:
    return len(parts) + sum(complexity(node) for _, node in parts)


def _sum_of(parts: list[tuple[float, Node]], constant: float) -> Node:
    if not parts:
        return Number(constant)
    start = next((i for i, (sign, _) in enumerate(parts) if sign > 0), None)
    if start is not None:
        result, rest = parts[start][1], [*parts[:start], *parts[start + 1 :]]
    elif constant > 0:
        result, rest, constant = Number(constant), parts, 0.0
    else:
        start = next((i for i, (_, node) in enumerate(parts) if _can_be_negated(node)), 0)
        result, rest = _negated(parts[start][1]), [*parts[:start], *parts[start + 1 :]]
    for sign, node in rest:
        result = add(result, node) if sign > 0 else sub(result, node)
    if constant:
        number = Number(abs(constant))
        result = add(result, number) if constant > 0 else sub(result, number)
    return result


def _can_be_negated(node: Node) -> bool:
    """Whether a number at the left end can carry the sign."""
    if isinstance(node, Number):
        return True
    return (
        isinstance(node, Call) and node.operator in ("mul", "div") and _can_be_negated(node.args[0])
    )


def _negated(node: Node) -> Node:
    if isinstance(node, Number):
        return Number(-node.value)
    if isinstance(node, Call) and _can_be_negated(node):
        return Call(node.operator, (_negated(node.args[0]), node.args[1]))
    return Call("neg", (node,))


def _product_of(factors: list[tuple[Node, float]]) -> Node | None:
    """The product of powers with positive exponents; equal exponents share one power."""
    by_exponent: dict[float, Node] = {}
    for base, e in factors:
        by_exponent[e] = mul(by_exponent[e], base) if e in by_exponent else base
    result: Node | None = None
    for e, base in by_exponent.items():
        power = _power(base, e)
        result = power if result is None else mul(result, power)
    return result


def _power(base: Node, e: float) -> Node:
    """Base^e for e > 0, by squares and roots where that takes no more nodes than ``pow``."""
    if e == 1.0:
        return base
    whole, part = divmod(e, 1.0)
    if e > 8.0 or not (8.0 * part).is_integer():
        return Call("pow", (base, Number(e)))
    root = Call("sqrt", (_power(base, 2.0 * part),)) if part else None
    if not whole:
        assert root is not None
        return root
    if whole == 3.0:
        result: Node = Call("cube", (base,))
    elif whole % 2.0:
        result = base if whole == 1.0 else mul(_power(base, whole - 1.0), base)
    else:
        result = Call("square", (_power(base, whole / 2.0),))
    return result if root is None else mul(result, root)
