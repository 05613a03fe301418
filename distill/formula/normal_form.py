"""The normal form behind :mod:`distill.formula.simplify`: linear forms over monomials.

Every tree is a *linear form*, coefficients times *monomials*; a monomial is a product of bases
with real exponents; a base is anything that is neither a number, a sum nor a product. Sums inside
a product are divided by their leading coefficient, functions give their constant factors away
(``log(2*x)`` is ``log(2) + log(x)``), so constants that do the same work meet and become one.
A rule is used only where both sides are equal wherever the left side is finite.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol, add, complexity, div, mul, sub
from distill.formula.text import to_text

Monomial = tuple[tuple[Node, float], ...]
Linear = Mapping[Monomial, float]
Term = tuple[float, Monomial]

ONE: Monomial = ()

ODD = frozenset(["sin", "tan", "asin", "atan", "sinh", "tanh", "cbrt"])
EVEN = frozenset(["cos", "cosh", "abs"])
NOT_NEGATIVE = frozenset(["exp", "abs", "cosh"])

LARGEST_SHIFT = 40.0
"""exp(a + c) becomes exp(c)*exp(a) for |c| up to this, so that float32 still holds both."""

TRIED = 12
"""Up to so many terms, two ways of factoring a sum are compared at each level instead of one."""


class OutOfTime(Exception):  # noqa: N818 - never leaves this room
    """The deadline has passed."""


class Algebra:
    """Builds normal forms and the cheapest trees for them, until ``deadline`` (monotonic)."""

    def __init__(self, deadline: float | None) -> None:
        self.deadline = deadline
        self._linear: dict[Node, Linear] = {}
        self._trees: dict[frozenset[tuple[Monomial, float]], Node] = {}
        self._keys: dict[Node, tuple[int, str]] = {}

    # -- from trees to linear forms ------------------------------------------------------------

    def linear(self, node: Node) -> Linear:
        """The normal form of a tree."""
        if node not in self._linear:
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise OutOfTime
            self._linear[node] = self._build(node)
        return self._linear[node]

    def _build(self, node: Node) -> Linear:
        if isinstance(node, Number):
            return {ONE: node.value} if node.value else {}
        if isinstance(node, Symbol):
            return {((node, 1.0),): 1.0}
        forms = [self.linear(a) for a in node.args]
        if all(_is_constant(f) for f in forms):
            value = OPERATORS[node.operator].value(*(f.get(ONE, 0.0) for f in forms))
            return {ONE: Number(float(value)).value} if value else {}
        match node.operator:
            case "add":
                return _plus(forms[0], forms[1], 1.0)
            case "sub":
                return _plus(forms[0], forms[1], -1.0)
            case "neg":
                return _scaled(forms[0], -1.0)
            case "mul":
                return self._times(forms[0], forms[1], 1.0)
            case "div":
                return self._times(forms[0], forms[1], -1.0)
            case "inv":
                return self._raised(forms[0], -1.0)
            case "square":
                return self._raised(forms[0], 2.0)
            case "cube":
                return self._raised(forms[0], 3.0)
            case "sqrt":
                return self._raised(forms[0], 0.5)
            case "pow" if _is_constant(forms[1]):
                return self._raised(forms[0], forms[1].get(ONE, 0.0))
            case "exp":
                return self._expanded(*self._exponential(forms[0]))
            case "log":
                return self._logarithm(forms[0])
            case _:
                return self._function(node.operator, forms)

    def _times(self, a: Linear, b: Linear, exponent: float) -> Linear:
        """A * b^exponent for an exponent of 1 or -1."""
        if _is_constant(b):
            return _scaled(a, b.get(ONE, 0.0) if exponent > 0 else 1.0 / b.get(ONE, 0.0))
        if _is_constant(a) and exponent > 0:
            return _scaled(b, a.get(ONE, 0.0))
        first, second = self.term(a), self.term(b)
        product = self._product([(first[1], 1.0), (second[1], exponent)])
        return self._expanded(first[0] * second[0] ** exponent * product[0], product[1])

    def term(self, form: Linear) -> Term:
        """The form as one coefficient times one monomial; a sum becomes a base."""
        if not form:
            return 0.0, ONE
        if len(form) == 1:
            ((monomial, coefficient),) = form.items()
            return coefficient, monomial
        lead = self._lead(form)
        base = self.tree(_scaled(form, 1.0 / lead))
        if isinstance(base, Call) and base.operator in ("add", "sub"):
            return lead, ((base, 1.0),)
        inner = self.linear(base)
        if len(inner) == 1:  # a common factor came to light
            coefficient, monomial = self.term(inner)
            return lead * coefficient, monomial
        return lead, ((base, 1.0),)

    def _lead(self, form: Linear) -> float:
        """The coefficient to divide a sum by: of its first term, or 1 where that saves nothing."""
        ordered = [form[m] for m in self._ordered(form)]
        signs = math.copysign(1.0, ordered[0])
        return signs if any(abs(c) == 1.0 for c in ordered) else ordered[0]

    def _product(self, factors: list[tuple[Monomial, float]]) -> Term:
        """The product of monomials, each to an integer power."""
        exponents: dict[Node, float] = {}
        exponential: Linear = {}
        count = 0
        todo = [(b, e * power) for monomial, power in factors for b, e in monomial]
        coefficient = 1.0
        while todo:
            base, exponent = todo.pop(0)
            if isinstance(base, Call) and base.operator == "exp":
                exponential = _plus(exponential, self.linear(base.args[0]), exponent)
                count += 1 if exponent == 1.0 else 2
            else:
                exponents[base] = exponents.get(base, 0.0) + exponent
        if count == 1:
            kept = next(b for m, _ in factors for b, _ in m if _operator(b) == "exp")
            exponents[kept] = 1.0
        elif count:
            coefficient, monomial = self._exponential(exponential)
            for base, exponent in monomial:
                exponents[base] = exponents.get(base, 0.0) + exponent
        result: dict[Node, float] = {}
        for base, exponent in exponents.items():
            if _operator(base) in ("mul", "div", "neg") and exponent.is_integer():
                c, inner = self.term(self.linear(base))
                c2, inner = self._product([(inner, exponent)])
                coefficient *= c**exponent * c2
                for b, e in inner:
                    result[b] = result.get(b, 0.0) + e
            else:
                result[base] = result.get(base, 0.0) + exponent
        return coefficient, self._sorted({b: e for b, e in result.items() if e})

    def _sorted(self, exponents: dict[Node, float]) -> Monomial:
        return tuple(sorted(exponents.items(), key=lambda item: self._key(item[0])))

    def _expanded(self, coefficient: float, monomial: Monomial) -> Linear:
        """The term as a linear form; a sum that stands alone is opened."""
        if coefficient == 0.0:
            return {}
        if len(monomial) == 1:
            base, exponent = monomial[0]
            if exponent == 1.0 and _operator(base) in ("add", "sub"):
                return _scaled(self.linear(base), coefficient)
        return {monomial: coefficient}

    def _raised(self, form: Linear, p: float) -> Linear:
        if p == 1.0:
            return form
        if p == 0.0:
            return {ONE: 1.0}
        if not form:
            return {ONE: OPERATORS["pow"].value(0.0, p)}
        coefficient, monomial = self.term(form)
        if p.is_integer():
            c, raised = self._product([(monomial, p)])
            return self._expanded(c * coefficient**p, raised)
        if coefficient < 0.0:  # the sign has to stay under the root
            opposite = self.tree(_scaled(form, 1.0 / abs(coefficient)))
            return {((opposite, p),): abs(coefficient) ** p}
        factor = coefficient**p
        if len(monomial) == 1:
            base, e = monomial[0]
            if e % 2 or _operator(base) in NOT_NEGATIVE:
                c, raised = self._product([(((base, e * p),), 1.0)])
                return self._expanded(c * factor, raised)
            if e * p == 1.0:
                return {((Call("abs", (base,)), 1.0),): factor}
        return {((self.tree({monomial: 1.0}), p),): factor}

    def _exponential(self, form: Linear) -> Term:
        """Exp of the form, its constant pulled out and logarithms undone."""
        shift = form.get(ONE, 0.0)
        pulled = shift if abs(shift) <= LARGEST_SHIFT else 0.0
        rest = {m: c for m, c in form.items() if m != ONE or not pulled}
        powers: dict[Node, float] = {}
        for monomial, c in list(rest.items()):
            if len(monomial) == 1 and monomial[0][1] == 1.0 and (2 * c).is_integer():
                base = monomial[0][0]
                if isinstance(base, Call) and base.operator == "log":
                    del rest[monomial]
                    powers[base.args[0]] = c
        coefficient = math.exp(pulled)
        factors: list[tuple[Monomial, float]] = []
        for inner, c in powers.items():
            raised = self._raised(self.linear(inner), c)
            k, monomial = self.term(raised)
            coefficient *= k
            factors.append((monomial, 1.0))
        if rest:
            factors.append((((Call("exp", (self.tree(rest),)), 1.0),), 1.0))
        c, monomial = self._product(factors)
        return coefficient * c, monomial

    def _logarithm(self, form: Linear) -> Linear:
        coefficient, monomial = self.term(form)
        shift: Linear = {ONE: math.log(abs(coefficient))} if abs(coefficient) != 1.0 else {}
        if coefficient < 0.0:
            inside = self.tree(_scaled(form, 1.0 / abs(coefficient)))
            return _plus(shift, {((Call("log", (inside,)), 1.0),): 1.0}, 1.0)
        if len(monomial) == 1:
            base, e = monomial[0]
            if isinstance(base, Call) and base.operator == "exp":
                return _plus(shift, self.linear(base.args[0]), e)
            if e % 2:
                inner = self.tree({((base, 1.0),): 1.0})
                return _plus(shift, {((Call("log", (inner,)), 1.0),): e}, 1.0)
        inside = self.tree({monomial: 1.0})
        return _plus(shift, {((Call("log", (inside,)), 1.0),): 1.0}, 1.0)

    def _function(self, operator: str, forms: list[Linear]) -> Linear:
        sign = 1.0
        if operator in ODD or operator in EVEN:
            (form,) = forms
            if form[self._ordered(form)[0]] < 0.0:
                forms = [_scaled(form, -1.0)]
                sign = -1.0 if operator in ODD else 1.0
        if operator in ("abs", "cbrt"):
            coefficient, monomial = self.term(forms[0])
            sign *= float(OPERATORS[operator].value(coefficient))
            if operator == "abs" and all(
                e % 2 == 0.0 or not e.is_integer() or _operator(b) in NOT_NEGATIVE
                for b, e in monomial
            ):
                return self._expanded(sign, monomial)
            forms = [{monomial: 1.0}]
        base = Call(operator, tuple(self.tree(f) for f in forms))
        return {((base, 1.0),): sign}

    # -- from linear forms to trees ------------------------------------------------------------

    def tree(self, form: Linear) -> Node:
        """The cheapest tree found for a linear form."""
        key = frozenset(form.items())
        if key not in self._trees:
            self._trees[key] = _sum_of(self._parts(form), form.get(ONE, 0.0))
        return self._trees[key]

    def _parts(self, form: Linear) -> list[tuple[float, Node]]:
        """Signed summands that cost the fewest nodes; the constant term is left out."""
        order = [m for m in self._ordered(form) if m != ONE]
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
                inside[m] = (form[m], self._sorted({b: e for b, e in left.items() if e}))
            if len({monomial for _, monomial in inside.values()}) == len(inside):
                groups.append(((1.0, ((base, shared),)), inside))
        for size, members in by_size.items():
            if len(members) > 1:
                groups.append(((size, ONE), {m: (form[m] / size, m) for m in members}))
        return sorted(groups, key=lambda g: -len(g[1]))

    def _factored(self, factor: Term, inside: dict[Monomial, Term]) -> tuple[float, Node]:
        form = {monomial: c for c, monomial in inside.values()}
        sign = -1.0 if all(c < 0 for c in form.values()) else 1.0
        group = self.tree(_scaled(form, sign))
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

    def _ordered(self, form: Linear) -> list[Monomial]:
        """The monomials in a fixed order that does not depend on the coefficients; ONE last."""
        return sorted(
            form,
            key=lambda m: (
                m == ONE,
                -sum(abs(e) for _, e in m),
                [(self._key(b), -e) for b, e in m],
            ),
        )

    def _key(self, node: Node) -> tuple[int, str]:
        if node not in self._keys:
            self._keys[node] = (complexity(node), to_text(node))
        return self._keys[node]


def _operator(node: Node) -> str:
    return node.operator if isinstance(node, Call) else ""


def _is_constant(form: Linear) -> bool:
    return not form or (len(form) == 1 and ONE in form)


def _plus(a: Linear, b: Linear, factor: float) -> Linear:
    """A + factor * b; terms that cancel but for rounding vanish."""
    result = dict(a)
    for monomial, c in b.items():
        old, new = result.get(monomial, 0.0), factor * c
        result[monomial] = old + new
        if abs(result[monomial]) <= 1e-15 * abs(old):
            del result[monomial]
    return result


def _scaled(form: Linear, factor: float) -> Linear:
    return {m: c * factor for m, c in form.items()} if factor else {}


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
