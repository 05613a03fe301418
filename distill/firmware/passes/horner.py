"""Sums of products in Horner's form: ``a*x*x + b*x + c`` is ``(a*x + b)*x + c``.

A sum is read as a polynomial in whatever its terms multiply: inputs, or other subexpressions. The
factor that most terms share is taken out of them, and so on inside and in the rest (M. Ceberio and
V. Kreinovich, "Greedy algorithms for optimizing multivariate Horner schemes", 2004). The new form
is kept only where it takes fewer operations in all. Roundings are those of fewer operations;
nothing larger than the terms themselves is computed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from distill.firmware.graph import CONSTANT, Builder, Graph, rewrite

_WEIGHTS = {"add": 1.0, "sub": 1.0, "mul": 1.0, "div": 2.0}
_MAX_POWER = 16

Powers = tuple[tuple[int, int], ...]
"""Which operation to which power, sorted: what a term multiplies."""


@dataclass(frozen=True, slots=True)
class _Term:
    coefficient: float
    powers: Powers


def horner_form(graph: Graph) -> Graph:
    """The graph with its sums in Horner's form where that is cheaper."""
    graph = rewrite(graph, {}, "Horner's form")
    at = len(graph.operations) - 1
    while at >= 0:
        terms = _terms(graph, at, 1.0, top=True)
        if len(terms) > 1 and _commonest(terms)[1] > 1:
            candidate = _with_sum(graph, at, terms)
            if _weight(candidate) < _weight(graph):
                # What came after `at` still does; operations before it may have gone.
                at = min(at - len(graph.operations), -1) + len(candidate.operations)
                graph = candidate
                continue
        at -= 1
    return graph


def _weight(graph: Graph) -> float:
    return sum(_WEIGHTS.get(operation.name, 0.0) for operation in graph.operations)


def _with_sum(graph: Graph, at: int, terms: list[_Term]) -> Graph:
    """The graph with the sum at ``at`` written anew."""
    builder = Builder(graph.inputs)
    places: list[int] = []
    for i, operation in enumerate(graph.operations):
        if i == at:
            places.append(_write(builder, places, terms))
        else:
            args = tuple(places[a] for a in operation.args)
            places.append(builder.add(replace(operation, args=args)))
    return builder.finish(places[-1])


def _terms(graph: Graph, at: int, sign: float, top: bool = False) -> list[_Term]:
    """The terms of the sum at ``at``, those that are sums and used only here taken apart."""
    operation = graph.operations[at]
    if operation.name in ("add", "sub") and (top or graph.uses[at] == 1):
        left, right = operation.args
        flipped = -sign if operation.name == "sub" else sign
        return _terms(graph, left, sign) + _terms(graph, right, flipped)
    if operation.name == "neg" and graph.uses[at] == 1:
        return _terms(graph, operation.args[0], -sign)
    coefficient, powers = _factors(graph, at)
    return [_Term(sign * coefficient, tuple(sorted(powers.items())))]


def _factors(graph: Graph, at: int) -> tuple[float, Counter[int]]:
    """The constant factor of a product, and its other factors with their powers."""
    operation = graph.operations[at]
    if operation.name == CONSTANT:
        return operation.value, Counter()
    if operation.name == "mul":
        (a, left), (b, right) = (_factors(graph, arg) for arg in operation.args)
        joint = left + right
        if max(joint.values(), default=0) <= _MAX_POWER:
            return a * b, joint
    return 1.0, Counter({at: 1})


def _write(builder: Builder, places: list[int], terms: list[_Term]) -> int:
    """The operations of a sum: the commonest factor is taken out of the terms that have it."""
    factor, count = _commonest(terms)
    if count < 2:
        return _sum(builder, [_product(builder, places, term) for term in terms])
    inside = [term for term in terms if factor in dict(term.powers)]
    outside = [term for term in terms if factor not in dict(term.powers)]
    least = min(dict(term.powers)[factor] for term in inside)
    quotient = _write(builder, places, [_without(term, factor, least) for term in inside])
    product = _times(builder, quotient, places[factor], least)
    if not outside:
        return product
    rest = _write(builder, places, outside)
    return _sum(builder, [(1.0, product), (1.0, rest)])


def _commonest(terms: list[_Term]) -> tuple[int, int]:
    """The factor that most terms share, and how many."""
    shared = Counter(factor for term in terms for factor, _ in term.powers)
    return max(shared.items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def _without(term: _Term, factor: int, power: int) -> _Term:
    left = [(f, p - power if f == factor else p) for f, p in term.powers]
    return _Term(term.coefficient, tuple((f, p) for f, p in left if p))


def _times(builder: Builder, at: int, factor: int, power: int) -> int:
    """``at * factor^power``; the power by repeated squaring, so that it is shared."""
    result = factor
    for bit in bin(power)[3:]:
        result = builder.call("mul", result, result)
        if bit == "1":
            result = builder.call("mul", result, factor)
    return builder.call("mul", at, result)


def _product(builder: Builder, places: list[int], term: _Term) -> tuple[float, int]:
    """A term as a sign and an operation."""
    sign = -1.0 if term.coefficient < 0 else 1.0
    size = abs(term.coefficient)
    factors = list(term.powers)
    if size == 1.0 and factors:
        first, power = factors.pop(0)
        result = places[first]
        if power > 1:
            result = _times(builder, result, places[first], power - 1)
    else:
        result = builder.constant(size)
    for factor, power in factors:
        result = _times(builder, result, places[factor], power)
    return sign, result


def _sum(builder: Builder, terms: list[tuple[float, int]]) -> int:
    """Positive terms first, so that the sum needs no negation."""
    (sign, result), *others = sorted(terms, key=lambda term: -term[0])
    for other_sign, other in others:
        result = builder.call("add" if other_sign == sign else "sub", result, other)
    return builder.call("neg", result) if sign < 0 else result
