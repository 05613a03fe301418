"""Linear forms over monomials: coefficients times products of powers, kept in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping

from distill.formula.text import to_text
from distill.formula.tree import Call, Node, complexity

Monomial = tuple[tuple[Node, float], ...]
"""Bases with their exponents, in the order of :class:`Order`."""

Linear = Mapping[Monomial, float]
"""Monomials with their coefficients; the constant stands at :data:`ONE`."""

Term = tuple[float, Monomial]

ONE: Monomial = ()


class Order:
    """The order of bases and monomials; it does not depend on coefficients."""

    def __init__(self) -> None:
        self._keys: dict[Node, tuple[int, str]] = {}

    def ordered(self, form: Linear) -> list[Monomial]:
        """The monomials in a fixed order that does not depend on the coefficients; ONE last."""
        return sorted(
            form,
            key=lambda m: (
                m == ONE,
                -sum(abs(e) for _, e in m),
                [(self.key(b), -e) for b, e in m],
            ),
        )

    def key(self, node: Node) -> tuple[int, str]:
        """Simple bases come first."""
        if node not in self._keys:
            self._keys[node] = (complexity(node), to_text(node))
        return self._keys[node]

    def monomial(self, exponents: Mapping[Node, float]) -> Monomial:
        """The product of powers without those of exponent zero."""
        kept = [(base, e) for base, e in exponents.items() if e]
        return tuple(sorted(kept, key=lambda item: self.key(item[0])))


def operator_of(node: Node) -> str:
    """The operator's name; empty for numbers and symbols."""
    return node.operator if isinstance(node, Call) else ""


def is_constant(form: Linear) -> bool:
    """Whether there is nothing but a constant, or nothing at all."""
    return not form or (len(form) == 1 and ONE in form)


def plus(a: Linear, b: Linear, factor: float) -> Linear:
    """A + factor * b; terms that cancel but for rounding vanish."""
    result = dict(a)
    for monomial, c in b.items():
        old, new = result.get(monomial, 0.0), factor * c
        result[monomial] = old + new
        if abs(result[monomial]) <= 1e-15 * abs(old):
            del result[monomial]
    return result


def scaled(form: Linear, factor: float) -> Linear:
    """Factor * form."""
    return {m: c * factor for m, c in form.items()} if factor else {}
