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

from distill.formula.cheapest_tree import Trees
from distill.formula.linear_form import (
    ONE,
    Linear,
    Monomial,
    Order,
    Term,
    is_constant,
    operator_of,
    plus,
    scaled,
)
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol, symbols

ODD = frozenset(["sin", "tan", "asin", "atan", "sinh", "tanh", "cbrt"])
EVEN = frozenset(["cos", "cosh", "abs"])
NOT_NEGATIVE = frozenset(["exp", "abs", "cosh"])

LARGEST_SHIFT = 40.0
"""exp(a + c) becomes exp(c)*exp(a) for |c| up to this, so that float32 still holds both."""

MULTIPLIED_OUT = 12
"""Products of sums with more terms than this are not multiplied out."""


class OutOfTime(Exception):
    """The deadline has passed."""


class Algebra:
    """Builds normal forms and the cheapest trees for them, until ``deadline`` (monotonic).

    ``expanding`` multiplies small sums out, so that like terms of different products meet.
    """

    def __init__(self, deadline: float | None, *, expanding: bool = False) -> None:
        self.deadline = deadline
        self.expanding = expanding
        self.has_expanded = False
        # What was put together as a product stays one: expanded again, it would never end.
        self._plain = Algebra(deadline) if expanding else self
        self._linear: dict[Node, Linear] = {}
        self.order = Order()
        self.trees = Trees(self.order)

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
        if all(is_constant(f) for f in forms):
            value = OPERATORS[node.operator].value(*(f.get(ONE, 0.0) for f in forms))
            return {ONE: Number(float(value)).value} if value else {}
        match node.operator:
            case "add":
                return plus(forms[0], forms[1], 1.0)
            case "sub":
                return plus(forms[0], forms[1], -1.0)
            case "neg":
                return scaled(forms[0], -1.0)
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
            case "pow" if is_constant(forms[1]):
                return self._raised(forms[0], forms[1].get(ONE, 0.0))
            case "exp":
                return self._expanded(*self._exponential(forms[0]))
            case "log":
                return self._logarithm(forms[0])
            case "ifless":
                return self._choice(node, forms)
            case _:
                return self._function(node.operator, forms)

    def _times(self, a: Linear, b: Linear, exponent: float) -> Linear:
        """A * b^exponent for an exponent of 1 or -1."""
        if is_constant(b):
            return scaled(a, b.get(ONE, 0.0) if exponent > 0 else 1.0 / b.get(ONE, 0.0))
        if is_constant(a) and exponent > 0:
            return scaled(b, a.get(ONE, 0.0))
        if self.expanding and exponent > 0 and 1 < len(a) * len(b) <= MULTIPLIED_OUT:
            self.has_expanded = True
            result: Linear = {}
            for m, c in a.items():
                for n, d in b.items():
                    k, monomial = self._product([(m, 1.0), (n, 1.0)])
                    result = plus(result, self._expanded(c * d * k, monomial), 1.0)
            return result
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
        base = self.trees.tree(scaled(form, 1.0 / lead))
        if isinstance(base, Call) and base.operator in ("add", "sub"):
            return lead, ((base, 1.0),)
        inner = self._plain.linear(base)
        if len(inner) == 1:  # a common factor came to light
            coefficient, monomial = self._plain.term(inner)
            return lead * coefficient, monomial
        return lead, ((base, 1.0),)

    def _lead(self, form: Linear) -> float:
        """The coefficient to divide a sum by: of its first term, or 1 where that saves nothing."""
        ordered = [form[m] for m in self.order.ordered(form)]
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
                exponential = plus(exponential, self.linear(base.args[0]), exponent)
                count += 1 if exponent == 1.0 else 2
            else:
                exponents[base] = exponents.get(base, 0.0) + exponent
        if count == 1:
            kept = next(b for m, _ in factors for b, _ in m if operator_of(b) == "exp")
            exponents[kept] = 1.0
        elif count:
            coefficient, monomial = self._exponential(exponential)
            for base, exponent in monomial:
                exponents[base] = exponents.get(base, 0.0) + exponent
        result: dict[Node, float] = {}
        for base, exponent in exponents.items():
            if operator_of(base) in ("mul", "div", "neg") and exponent.is_integer():
                c, inner = self._plain.term(self._plain.linear(base))
                c2, inner = self._product([(inner, exponent)])
                coefficient *= c**exponent * c2
                for b, e in inner:
                    result[b] = result.get(b, 0.0) + e
            else:
                result[base] = result.get(base, 0.0) + exponent
        return coefficient, self.order.monomial(result)

    def _expanded(self, coefficient: float, monomial: Monomial) -> Linear:
        """The term as a linear form; a sum that stands alone is opened."""
        if coefficient == 0.0:
            return {}
        if len(monomial) == 1:
            base, exponent = monomial[0]
            if exponent == 1.0 and operator_of(base) in ("add", "sub"):
                return scaled(self.linear(base), coefficient)
        return {monomial: coefficient}

    def _raised(self, form: Linear, p: float) -> Linear:
        if p == 1.0:
            return form
        if p == 0.0:
            return {ONE: 1.0}
        if not form:
            return {ONE: Number(float(OPERATORS["pow"].value(0.0, p))).value}
        if self.expanding and p == 2.0 and len(form) > 1:
            return self._times(form, form, 1.0)
        coefficient, monomial = self.term(form)
        if p.is_integer():
            c, raised = self._product([(monomial, p)])
            return self._expanded(c * coefficient**p, raised)
        if coefficient < 0.0:  # the sign has to stay under the root
            opposite = self.trees.tree(scaled(form, 1.0 / abs(coefficient)))
            return {((opposite, p),): abs(coefficient) ** p}
        factor = coefficient**p
        if len(monomial) == 1:
            base, e = monomial[0]
            if e % 2 or operator_of(base) in NOT_NEGATIVE:
                c, raised = self._product([(((base, e * p),), 1.0)])
                return self._expanded(c * factor, raised)
            if e * p == 1.0:
                return {((Call("abs", (base,)), 1.0),): factor}
        return {((self.trees.tree({monomial: 1.0}), p),): factor}

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
            factors.append((((Call("exp", (self.trees.tree(rest),)), 1.0),), 1.0))
        c, monomial = self._product(factors)
        return coefficient * c, monomial

    def _logarithm(self, form: Linear) -> Linear:
        coefficient, monomial = self.term(form)
        shift: Linear = {ONE: math.log(abs(coefficient))} if abs(coefficient) != 1.0 else {}
        if coefficient < 0.0:
            inside = self.trees.tree(scaled(form, 1.0 / abs(coefficient)))
            return plus(shift, {((Call("log", (inside,)), 1.0),): 1.0}, 1.0)
        if len(monomial) == 1:
            base, e = monomial[0]
            if isinstance(base, Call) and base.operator == "exp":
                return plus(shift, self.linear(base.args[0]), e)
            if e % 2:
                inner = self.trees.tree({((base, 1.0),): 1.0})
                return plus(shift, {((Call("log", (inner,)), 1.0),): e}, 1.0)
        inside = self.trees.tree({monomial: 1.0})
        return plus(shift, {((Call("log", (inside,)), 1.0),): 1.0}, 1.0)

    def _choice(self, node: Call, forms: list[Linear]) -> Linear:
        """The branch that is always taken, or a base of its own.

        What is compared stays as it is: the rounding of another way to compute it would move the
        points where the branches meet, and there values jump.
        """
        a, b = node.args[:2]
        then, otherwise = forms[2:]
        if then == otherwise or a == b:
            return otherwise
        if not symbols(a) and not symbols(b):
            return then if forms[0].get(ONE, 0.0) < forms[1].get(ONE, 0.0) else otherwise
        branches = self.trees.tree(then), self.trees.tree(otherwise)
        return {((Call("ifless", (a, b, *branches)), 1.0),): 1.0}

    def _function(self, operator: str, forms: list[Linear]) -> Linear:
        sign = 1.0
        if operator in ODD or operator in EVEN:
            (form,) = forms
            if form[self.order.ordered(form)[0]] < 0.0:
                forms = [scaled(form, -1.0)]
                sign = -1.0 if operator in ODD else 1.0
        if operator in ("abs", "cbrt"):
            coefficient, monomial = self.term(forms[0])
            sign *= float(OPERATORS[operator].value(coefficient))
            if operator == "abs" and all(
                e % 2 == 0.0 or not e.is_integer() or operator_of(b) in NOT_NEGATIVE
                for b, e in monomial
            ):
                return self._expanded(sign, monomial)
            forms = [{monomial: 1.0}]
        base = Call(operator, tuple(self.trees.tree(f) for f in forms))
        return {((base, 1.0),): sign}
