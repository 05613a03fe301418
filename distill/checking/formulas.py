"""A formula's tree, read as data, put on a tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import arb

from distill.checking.balls import HALF, ONE, ZERO
from distill.checking.bends import RealPower, WholePower, bend
from distill.checking.functions import ABS, OPERATORS, RELU
from distill.checking.refusals import CannotCheck
from distill.checking.tape import Tape
from distill.checking.terms import Term
from distill.formula.tree import Call, Node, Number, Symbol

HIGHEST = 1024
"""Whole powers up to here are told from others; a higher one would be infinite or 0 anyway."""

Put = Callable[[Tape, Sequence[Term]], Term]
"""Puts a function of inputs on a tape."""


def put_tree(tree: Node, names: Sequence[str]) -> Put:
    """The function that puts ``tree`` on a tape, its variables standing for the terms in order.

    Equal parts are put once.

    Raises
    ------
    CannotCheck : for an operator that has no enclosure here.
    """
    places = {name: i for i, name in enumerate(names)}
    numbers: dict[Node, int] = {}
    steps: list[tuple[Node, tuple[int, ...]]] = []

    def place(node: Node) -> int:
        if node in numbers:
            return numbers[node]
        args = tuple(place(arg) for arg in node.args) if isinstance(node, Call) else ()
        if isinstance(node, Call) and node.operator not in KNOWN:
            raise CannotCheck(f"the operator `{node.operator}`")
        steps.append((node, args))
        numbers[node] = len(steps) - 1
        return numbers[node]

    place(tree)

    def put(tape: Tape, inputs: Sequence[Term]) -> Term:
        terms: list[Term] = []
        for node, args in steps:
            if isinstance(node, Number):
                terms.append(tape.constant(arb(node.value)))
            elif isinstance(node, Symbol):
                terms.append(inputs[places[node.name]])
            else:
                terms.append(operate(tape, node.operator, [terms[i] for i in args]))
        return terms[-1]

    return put


def operate(tape: Tape, operator: str, args: Sequence[Term]) -> Term:
    """One operator of formulas on a tape."""
    curve = OPERATORS.get(operator)
    if curve is not None:
        return tape.bent(args[0], bend(curve, args[0]))
    return _OTHERS[operator](tape, *args)


def larger(tape: Tape, a: Term, b: Term) -> Term:
    """``max(a, b)``."""
    off = tape.minus(a, b)
    if off.low >= 0:
        return a
    if off.high <= 0:
        return b
    term = tape.added(b, tape.bent(off, RELU.bend(off)))
    term.low = a.low if a.low > term.low else term.low
    term.low = b.low if b.low > term.low else term.low
    return term


def smaller(tape: Tape, a: Term, b: Term) -> Term:
    """``min(a, b)``."""
    off = tape.minus(a, b)
    if off.low >= 0:
        return b
    if off.high <= 0:
        return a
    term = tape.minus(a, tape.bent(off, RELU.bend(off)))
    term.high = a.high if a.high < term.high else term.high
    term.high = b.high if b.high < term.high else term.high
    return term


def chosen(tape: Tape, off: Term, below: Term, otherwise: Term) -> Term:
    """``off < 0 ? below : otherwise``; undecided, both, mixed by a free share of 0 to 1."""
    if off.high < 0:
        return below
    if off.low >= 0:
        return otherwise
    share = tape.any_of(ZERO, ONE)
    term = tape.added(otherwise, tape.product(share, tape.minus(below, otherwise)))
    both = below.range.union(otherwise.range)
    term.low = both.lower() if both.lower() > term.low else term.low
    term.high = both.upper() if both.upper() < term.high else term.high
    return term


def quotient(tape: Tape, a: Term, b: Term) -> Term:
    """``a / b``."""
    if b.constant and b.low == b.high and not b.low.is_zero():
        return tape.scaled(a, ONE / b.low)
    return tape.product(a, operate(tape, "inv", [b]))


def power(tape: Tape, a: Term, b: Term) -> Term:
    """``a ^ b``; of a negative number whole powers only."""
    if b.constant and b.low == b.high:
        whole = b.low.unique_fmpz()
        if whole is not None and abs(whole) <= HIGHEST:
            n = int(whole)
            if n == 0 and a.low.is_finite():
                return tape.constant(ONE)
            return a if n == 1 else tape.bent(a, bend(WholePower(n), a))
        if whole is None:
            return tape.bent(a, bend(RealPower(b.low), a))
    return operate(tape, "exp", [tape.product(b, operate(tape, "log", [a]))])


def arctangent2(tape: Tape, a: Term, b: Term) -> Term:
    """``atan2(a, b)``, by the half plane that (b, a) lies in."""
    if b.low > 0:
        return operate(tape, "atan", [quotient(tape, a, b)])
    pi = arb.pi()
    if a.low > 0 or a.high < 0:
        quarter = pi * HALF if a.low > 0 else -pi * HALF
        return tape.scaled(operate(tape, "atan", [quotient(tape, b, a)]), -ONE, quarter)
    defined = a.range.is_finite() and b.range.is_finite()
    return tape.any_of(-pi.upper(), pi.upper()) if defined else tape.added(a, b)


def absolute(tape: Tape, a: Term) -> Term:
    """``|a|``."""
    return tape.bent(a, ABS.bend(a))


def _constant_sum(tape: Tape, a: Term, b: Term) -> Term:
    """``a + b``; next to an exact constant, with exact ends."""
    if a.constant:
        a, b = b, a
    if b.constant and b.low == b.high:
        return tape.scaled(a, ONE, b.low)
    return tape.added(a, b)


def _difference(tape: Tape, a: Term, b: Term) -> Term:
    """``a - b``; next to an exact constant, with exact ends."""
    if a.constant and a.low == a.high:
        return tape.scaled(b, -ONE, a.low)
    if b.constant and b.low == b.high:
        return tape.scaled(a, ONE, -b.low)
    return tape.minus(a, b)


def _product(tape: Tape, a: Term, b: Term) -> Term:
    if a is b:
        return operate(tape, "square", [a])
    return tape.product(a, b)


_OTHERS: dict[str, Callable[..., Term]] = {
    "abs": absolute,
    "add": _constant_sum,
    "atan2": arctangent2,
    "div": quotient,
    "ifless": lambda tape, a, b, t, o: chosen(tape, _difference(tape, a, b), t, o),
    "max": larger,
    "min": smaller,
    "mul": _product,
    "neg": lambda tape, a: tape.scaled(a, -ONE),
    "pow": power,
    "sub": _difference,
}

KNOWN = frozenset(OPERATORS) | frozenset(_OTHERS)
"""All operators that can be checked."""
