"""Our operators in PySR's words: names, complexities from costs, what may stand inside what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from distill.engines.pysr.custom import Custom
from distill.engines.pysr.julia import INFIX
from distill.formula.tree import Call, Node, postorder

JULIA = {
    **INFIX,
    **{name: name for name in ("neg", "square", "cube", "inv", "sqrt", "cbrt", "exp", "log")},
    **{name: name for name in ("sin", "cos", "tan", "asin", "acos", "atan", "abs", "min", "max")},
    **{name: name for name in ("sinh", "cosh", "tanh")},
    "atan2": "atan2(y, x) = atan(y, x)",
}
"""What PySR takes for each of ours, a name or a definition. It has no ``ifless``."""

_BINARY = frozenset({*INFIX, "min", "max", "atan2"})

_SAFE = {"^": "safe_pow", "sqrt": "safe_sqrt", "log": "safe_log", "asin": "safe_asin",
         "acos": "safe_acos"}  # fmt: skip
"""What the search puts in place of operators that fail outside their domain."""

_EXPONENTIALS = ("exp", "sinh", "cosh", "tanh")
_FAMILIES = (
    _EXPONENTIALS,
    ("log",),
    ("^",),
    ("sqrt", "cbrt"),
    ("sin", "cos", "tan"),
    ("asin", "acos", "atan", "atan2"),
)
"""None of a family stands inside another of it: trigonometry of trigonometry, towers of powers and
exponentials fit anything and mean nothing."""

_UNDONE = {"exp": ("log",)}
"""What an operator undoes: x^a is said by a power or a product."""


@dataclass(frozen=True)
class Offer:
    """What PySR is told of operators; the names of its parameters where it has one.

    Attributes
    ----------
    binary, unary : names and definitions, for the lists of operators.
    complexities : by our name, for the operators that are offered.
    complexity_of_operators : by Julia's name; also by the names of the functions that the search
        puts in place of operators with a domain, as 2.x looks them up after that.
    constraints : the largest complexity of each argument, -1 for any.
    nested_constraints : how often the inner operator may stand inside the outer one.
    defined : the names that the definitions define.
    left_out : ours that PySR does not have.
    """

    binary: tuple[str, ...]
    unary: tuple[str, ...]
    complexities: Mapping[str, float]
    complexity_of_operators: Mapping[str, float]
    constraints: Mapping[str, tuple[int, int]]
    nested_constraints: Mapping[str, Mapping[str, int]]
    defined: tuple[str, ...]
    left_out: tuple[str, ...]

    def has(self, operator: str) -> bool:
        """Whether one of ours is offered."""
        return operator in self.complexities

    def complexity(self, tree: Node) -> int:
        """How complex PySR finds a tree of ours that it is told as it stands."""
        calls = [node.operator for node in postorder(tree) if isinstance(node, Call)]
        leaves = sum(not isinstance(node, Call) for node in postorder(tree))
        return round(leaves + sum(self.complexities.get(name, 1.0) for name in calls))


def offered(costs: Mapping[str, float], custom: Sequence[Custom] = ()) -> Offer:
    """What PySR is told for operators of such costs (an addition is about 1) and the user's own.

    ``neg`` is not offered beside ``sub``, which says the same: PySR searches worse with both, and
    takes a ``neg`` of anything with a unit for an error.
    """
    chosen = {
        name: cost
        for name, cost in costs.items()
        if name in JULIA and not (name == "neg" and "sub" in costs)
    }
    texts = {name: JULIA[name] for name in chosen}
    weights = complexities({**chosen, **{own.name: _cost(own, costs) for own in custom}})
    named = {name: _name(texts.get(name, name)) for name in weights}
    by_name = {named[name]: weight for name, weight in weights.items()}
    return Offer(
        binary=(
            *(text for name, text in texts.items() if name in _BINARY),
            *(own.julia for own in custom if len(own.arguments) == 2),
        ),
        unary=(
            *(text for name, text in texts.items() if name not in _BINARY),
            *(own.julia for own in custom if len(own.arguments) == 1),
        ),
        complexities={name: weights[name] for name in chosen},
        complexity_of_operators={
            **by_name,
            **{_SAFE[name]: weight for name, weight in by_name.items() if name in _SAFE},
        },
        constraints={"^": (-1, 1)} if "pow" in chosen else {},
        nested_constraints=_nested({named[name] for name in chosen}),
        defined=tuple(
            [named[name] for name, text in texts.items() if "(" in text]
            + [own.name for own in custom]
        ),
        left_out=tuple(name for name in costs if name not in JULIA),
    )


def complexities(costs: Mapping[str, float]) -> dict[str, float]:
    """PySR's complexity for each cost: 1, and one more for each tenfold of an addition's.

    PySR bounds the *sum* of complexities, and a leaf has 1. In proportion an exponential of a
    hundred additions would fill every formula; on this scale it is three nodes: still dearer than
    what replaces it cheaply, still within reach. What costs less than an addition counts like one,
    and where all cost the same all count 1.
    """
    unit = max(1.0, min(costs.values(), default=1.0))
    return {name: round(1.0 + math.log10(max(1.0, c / unit)), 1) for name, c in costs.items()}


def _nested(offered: set[str]) -> dict[str, dict[str, int]]:
    """The rules among the operators that are offered: Julia knows no others."""
    rules = {}
    for family in _FAMILIES:
        for outer in family:
            inner = [name for name in (*family, *_UNDONE.get(outer, ())) if name in offered]
            if outer in offered:
                rules[outer] = dict.fromkeys(inner, 0)
    return rules


def _cost(own: Custom, costs: Mapping[str, float]) -> float:
    """What one use costs; operators of unknown cost count like the dearest known."""
    dearest = max(costs.values(), default=1.0)
    calls = [node.operator for node in postorder(own.tree) if isinstance(node, Call)]
    return sum(costs.get(operator, dearest) for operator in calls)


def _name(text: str) -> str:
    """What an operator is called once it is defined."""
    return text.partition("(")[0]
