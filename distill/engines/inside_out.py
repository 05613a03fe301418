"""A skeleton with one free part in one place, turned inside out.

The answers, led back through the operators above the part, are its values, as exact as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from distill.arrays import Array
from distill.engines.free_parts import KnownPart
from distill.engines.oracle import Oracle
from distill.engines.part_bases import box_of
from distill.engines.skeleton import Skeleton
from distill.engines.structure.piece import Values
from distill.formula.program import compile_tree
from distill.formula.tree import Call, Node, symbols

ANCHORS, PROBES, USED_ANCHORS = 24, 32, 3
"""Of so many places for the other variables, tried on so many points, the best few are used."""


def inside_out(skeleton: Skeleton, oracle: Oracle) -> KnownPart | None:
    """The only free part, its values led back from answers; None where that cannot be done.

    The variables that are no arguments of it are held where the answers tell most about it.
    """
    part, domain = skeleton.once(), skeleton.domain
    if part is None or any(domain.variables[domain.names.index(n)].discrete for n in part.names):
        return None
    name = part.symbol(part.names)
    program = compile_tree(skeleton.tree, skeleton.columns)
    at = [domain.names.index(n) for n in part.names]
    corner = dict(zip(domain.names, domain.low[:, None], strict=True))
    with np.errstate(all="ignore"):
        if _led_back(skeleton.tree, name, np.zeros(1), corner) is None:
            return None

    def led_back(u: Array, held: Array) -> Values:
        x = np.repeat(held[None, :], len(u), axis=0)
        x[:, at] = u
        y = oracle(x)
        with np.errstate(all="ignore"):
            f = _led_back(skeleton.tree, name, y, dict(zip(domain.names, x.T, strict=True)))
        assert f is not None
        gradient = program.by_inputs(np.column_stack([x, f]))[1][:, -1]
        with np.errstate(all="ignore"):
            s = 1.0 / np.abs(gradient)
        known = np.isfinite(f) & np.isfinite(s)
        return Values(np.where(known, f, np.nan), np.where(known, s, np.inf))

    low, high = box_of(part, domain)
    held = domain.sample(ANCHORS if len(at) < len(domain) else 1, seed=1)
    probes = domain.sample(PROBES, seed=2)[:, at]
    if len(held) > 1:
        told = [float(np.median(led_back(probes, h).s)) for h in held]
        held = held[np.argsort(told, kind="stable")[:USED_ANCHORS]]

    def ask(u: Array) -> Values:
        y, s = led_back(u, held[0])
        for other in held[1:]:
            open_ = np.flatnonzero(np.isnan(y))
            if len(open_):
                y[open_], s[open_] = led_back(u[open_], other)
        return Values(y, np.where(np.isfinite(s), s, 1.0))

    return KnownPart(part, ask, low, high, direct=True)


_INVERSES: dict[str, Callable[[Array], Array]] = {
    "neg": np.negative, "square": np.sqrt, "cube": np.cbrt, "inv": lambda t: 1.0 / t,
    "sqrt": np.square, "cbrt": lambda t: t**3, "exp": np.log, "log": np.exp, "sin": np.arcsin,
    "cos": np.arccos, "tan": np.arctan, "asin": np.sin, "acos": np.cos, "atan": np.tan,
    "sinh": np.arcsinh, "cosh": np.arccosh, "tanh": np.arctanh,
}  # fmt: skip
"""On the principal branch; whether that was right the formula's own error tells."""


def _led_back(node: Node, name: str, t: Array, x: Mapping[str, Array]) -> Array | None:
    """What the symbol ``name`` must be for the node to be t; None where that cannot be told."""
    if not isinstance(node, Call):
        return t
    inner = next(i for i, arg in enumerate(node.args) if name in symbols(arg))
    if len(node.args) == 1:
        inverse = _INVERSES.get(node.operator)
        return None if inverse is None else _led_back(node.args[0], name, inverse(t), x)
    if len(node.args) != 2:
        return None
    beside = node.args[1 - inner]
    used = symbols(beside)
    columns = np.column_stack([x[n] for n in used]) if used else np.empty((len(t), 0))
    other = compile_tree(beside, used)(columns)
    first = inner == 0
    match node.operator:
        case "add":
            t = t - other
        case "sub":
            t = t + other if first else other - t
        case "mul":
            t = t / other
        case "div":
            t = t * other if first else other / t
        case "pow":
            t = np.power(t, 1.0 / other) if first else np.log(t) / np.log(other)
        case _:
            return None
    return _led_back(node.args[inner], name, t, x)
