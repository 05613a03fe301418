"""Other ways to write a formula that may be shorter: identities, and parts left out.

Candidates only: whoever asks checks the values. Identities may hold on a part of the real line
(``sqrt(square(a))`` is ``a`` where a is positive), and constants are compared with some tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from distill.formula.simplify import simplify
from distill.formula.tree import Call, Node, Number, Symbol, add, call, div, mul, postorder, sub

NEAR = 1e-3
"""Constants this close, as a part of their size, may be meant to be the same."""


def edits(tree: Node) -> Iterator[Node]:
    """The tree with one of its parts replaced by an argument of the part."""
    if not isinstance(tree, Call):
        return
    yield from (a for a in tree.args if varies(a))
    for i, arg in enumerate(tree.args):
        for other in edits(arg):
            yield Call(tree.operator, (*tree.args[:i], other, *tree.args[i + 1 :]))


def rewritings(tree: Node) -> Iterator[Node]:
    """The tree with one identity used at one place."""
    if not isinstance(tree, Call):
        return
    yield from _identities(tree)
    for i, arg in enumerate(tree.args):
        for other in rewritings(arg):
            yield Call(tree.operator, (*tree.args[:i], other, *tree.args[i + 1 :]))


def varies(tree: Node) -> bool:
    """Whether a variable occurs."""
    return any(isinstance(n, Symbol) for n in postorder(tree))


def _identities(node: Call) -> Iterator[Node]:
    match node.operator:
        case "sqrt":
            yield from _roots(node.args[0])
        case "sin" | "cos":
            yield from _quarter_turns(node)
        case "exp":
            yield from _powers(node.args[0])
        case "pow":
            yield from _cube_roots(*node.args)
        case "add" | "sub":
            yield from _sums(node)
        case "mul":
            yield from _products(*node.args)
        case "min" | "max":
            yield from _extremes(node)


def _roots(inside: Node) -> Iterator[Node]:
    match inside:
        case Call("square", (a,)):
            yield from (a, call("neg", a), call("abs", a))
        case Call("mul" | "div" as operator, (a, b)):
            for part in _roots(a):
                yield Call(operator, (part, call("sqrt", b)))
            for part in _roots(b):
                yield Call(operator, (call("sqrt", a), part))
        case Call("neg", (Call("div", (a, b)),)):
            yield from _roots(div(a, simplify(call("neg", b))))
        case Call("cube", (a,)):
            yield call("pow", a, Number(1.5))


def _quarter_turns(node: Call) -> Iterator[Node]:
    inner = node.args[0]
    if not (isinstance(inner, Call) and inner.operator in ("add", "sub")):
        return
    a, b = inner.args
    shift, rest = (a, b) if isinstance(a, Number) else (b, a)
    if not isinstance(shift, Number):
        return
    # sin(c - r) = -sin(r - c): the variable part goes first, with a sign in front.
    turned = inner.operator == "sub" and shift is a
    angle = -shift.value if inner.operator == "sub" else shift.value
    quarter = round(angle / (math.pi / 2))
    if abs(angle - quarter * math.pi / 2) > NEAR or quarter % 2 == 0:
        return
    other = "cos" if node.operator == "sin" else "sin"
    yield call(other, rest)
    yield call("neg", call(other, rest))
    if turned:
        yield call(other, call("neg", rest))


def _powers(inside: Node) -> Iterator[Node]:
    match inside:
        case Call("mul", (Number() as c, Call("log", (a,)))):
            yield call("pow", a, c)
        case Call("mul", (Call("log", (a,)), Number() as c)):
            yield call("pow", a, c)


def _cube_roots(base: Node, exponent: Node) -> Iterator[Node]:
    if isinstance(exponent, Number) and exponent.value:
        thirds = round(3 * exponent.value)
        if abs(3 * exponent.value - thirds) <= NEAR:
            root = call("cbrt", base)
            powers = {1: root, 2: call("square", root), -1: div(Number(1.0), root)}
            if thirds in powers:
                yield powers[thirds]


def _weighted(term: Node) -> tuple[float, Node]:
    """A term as a factor and what it multiplies."""
    match term:
        case Number(value):
            return value, Number(1.0)
        case Call("neg", (a,)):
            factor, rest = _weighted(a)
            return -factor, rest
        case Call("mul", (Number(value), a)) | Call("mul", (a, Number(value))):
            return value, a
        case Call("div", (a, Number(value))) if value:
            return 1.0 / value, a
    return 1.0, term


def _sums(node: Call) -> Iterator[Node]:
    sign = 1.0 if node.operator == "add" else -1.0
    (f, a), (g, b) = _weighted(node.args[0]), _weighted(node.args[1])
    g *= sign
    for (p, s), (q, t) in (((f, a), (g, b)), ((g, b), (f, a))):
        near = abs(abs(p) - abs(q)) <= NEAR * abs(p)
        alike = near and p * q > 0
        if near and isinstance(s, Number) and isinstance(t, Call):
            yield from _with_one(p, q, t)
        match s, t:
            case Call("exp", (c,)), Call("exp", (d,)) if near and _opposite(c, d):
                yield mul(Number(2.0 * p), call("cosh" if alike else "sinh", c))
            case Call("mul", (c, Call("add" | "sub" as join, (d, Number(m))))), Number():
                # Completing the square.
                if c == d and p:
                    half = (m if join == "add" else -m) / 2
                    whole = mul(Number(p), call("square", add(c, Number(half))))
                    yield add(whole, Number(q - p * half * half))
            case _, Call("abs", (d,)) if varies(s) and p:
                left, right = mul(Number(p), s), mul(Number(abs(q)), d)
                both = call("max" if q > 0 else "min", add(left, right), sub(left, right))
                yield both
                # a + c*|d| with half the slope of d: one side is constant.
            case Call("max" | "min" as pick, (c, d)), Number() if p:
                shift = Number(q / p)
                yield mul(Number(p), call(pick, add(c, shift), add(d, shift)))


def _with_one(p: float, q: float, wave: Call) -> Iterator[Node]:
    """``p + q*f(a)`` for p = q or p = -q, where that is a known product."""
    a, same = wave.args[0], p * q > 0
    match wave.operator:
        case "cos":
            half = mul(Number(0.5), a)
            yield mul(Number(2.0 * p), call("square", call("cos" if same else "sin", half)))
        case "tanh":
            sign = -2.0 if same else 2.0
            yield div(Number(2.0 * p), add(Number(1.0), call("exp", mul(Number(sign), a))))
        case "square":
            match a:
                case Call("sin", (b,)) if not same:
                    yield mul(Number(p), call("square", call("cos", b)))
                case Call("cos", (b,)) if not same:
                    yield mul(Number(p), call("square", call("sin", b)))


def _opposite(a: Node, b: Node) -> bool:
    left = simplify(add(a, b), seconds=None)
    return isinstance(left, Number) and abs(left.value) < NEAR


def _products(a: Node, b: Node) -> Iterator[Node]:
    for left, right in ((a, b), (b, a)):
        if right == call("sqrt", left):
            yield call("pow", left, Number(1.5))
        match left, right:
            case Number(value), Call("max" | "min" as pick, (c, d)) if value < 0:
                other = "min" if pick == "max" else "max"
                yield call(other, mul(left, c), mul(left, d))
            case Number(), Call("max" | "min" as pick, (c, d)):
                yield call(pick, mul(left, c), mul(left, d))


def _extremes(node: Call) -> Iterator[Node]:
    a, b = node.args
    half = Number(0.5 if node.operator == "max" else -0.5)
    mean = mul(Number(0.5), add(a, b))
    yield add(mean, mul(half, call("abs", sub(a, b))))
    yield call("abs", a)
    yield call("neg", call("abs", a))
