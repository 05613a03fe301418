"""Tables in place of a formula's costly parts that depend on one or two inputs.

One grid over many inputs is out of reach; a formula over them often is not, because its dear
parts (a logarithm of one input, a root of two) are functions of few. Each such part becomes a new
variable of the formula, and a table of its own gives its value. How exact a part must be follows
from the formula's derivative by it: the tolerance is shared equally, and the shares are widened or
narrowed until the whole, as the C computes it, uses the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.extremum import border_points, largest
from distill.firmware.fixed.formats import input_format
from distill.firmware.graph import Arithmetic
from distill.firmware.lookup import Table
from distill.firmware.tables import fit_table
from distill.formula import Formula
from distill.formula.tree import Call, Node, Symbol, postorder, symbols

POINTS = 8192
ROUNDS = 8
MOST_INPUTS = 2

KEPT = 0.98
"""The part of the tolerance that the whole may use where it is searched."""


@dataclass(frozen=True, eq=False)
class Part:
    """A table for one part of a formula: ``columns`` are the inputs of the formula it reads."""

    variable: Variable
    node: Node
    columns: tuple[int, ...]
    table: Table


@dataclass(frozen=True, eq=False)
class Tabled:
    """A formula over its inputs and, after them, the values of ``parts``."""

    formula: Formula
    parts: tuple[Part, ...]
    inputs: int

    @property
    def bytes(self) -> int:
        """The size of all tables."""
        return sum(part.table.bytes for part in self.parts)

    def extended(self, x: Array) -> Array:
        """Inputs (n, d) and behind them what the tables answer, (n, d + parts)."""
        return np.column_stack([x, *(part.table(x[:, part.columns]) for part in self.parts)])

    def __call__(self, x: Array) -> Array:
        """The whole at x (n, d), shape (n,): tables to the bit, the formula in float64."""
        return self.formula(self.extended(x))


def subexpression_tables(
    formula: Formula,
    tolerance: float,
    costs: Mapping[str, float],
    *,
    max_bytes: int,
    dear: float,
    arithmetic: Arithmetic = "float32",
) -> Tabled:
    """The formula with tables for its parts of one or two inputs, within ``tolerance`` of it.

    Parameters
    ----------
    tolerance : the largest |tabled - formula| allowed, in the formula's unit; searched for.
    costs : what each operator costs on the target; parts that cost less than ``dear`` stay.
    max_bytes : the largest size of all tables together.

    Raises
    ------
    ExportError : when no part is worth a table, or the tables cannot be that exact or that small.
    """
    nodes = dear_parts(formula.tree, costs, dear)
    if not nodes:
        raise ExportError(
            f"no part of the formula of one or two inputs costs {dear:g} or more.",
            hint="keep the formula as it is.",
        )
    border = border_points(formula.domain, POINTS // 2, seed=0)
    x = np.vstack([border, formula.domain.sample(POINTS, seed=0)])
    values = [_values(formula, node, x) for node in nodes]
    names = _new_names(formula, len(nodes))
    bound: dict[Node, Node] = {node: Symbol(name) for node, name in zip(nodes, names, strict=True)}
    tree = _replaced(formula.tree, bound)
    wide = [Variable(name, y.min() - 1, y.max() + 1) for name, y in zip(names, values, strict=True)]
    whole = Formula(tree, Domain((*formula.domain.variables, *wide)))
    slopes = np.abs(whole.gradient(np.column_stack([x, *values]))[:, len(formula.domain) :])
    room = [
        _room(y, tolerance / max(float(slope), 1e-300))
        for y, slope in zip(values, slopes.max(axis=0), strict=True)
    ]
    variables = [
        _variable(name, y, error) for name, y, error in zip(names, values, room, strict=True)
    ]
    whole = Formula(tree, Domain((*formula.domain.variables, *variables)))
    share = 1.0
    narrow, best = 0.0, None
    for _ in range(ROUNDS):
        parts = tuple(
            _part(formula, node, variable, share * error / len(nodes), max_bytes, arithmetic)
            for node, variable, error in zip(nodes, variables, room, strict=True)
        )
        tabled = Tabled(whole, parts, len(formula.domain))
        worst = _worst(tabled, formula)
        if worst <= KEPT * tolerance:
            if best is None or tabled.bytes < best.bytes:
                best = tabled
            narrow = share
            share = min(len(nodes), share * min(1.6, KEPT * tolerance / max(worst, 1e-300)))
        else:
            share = math.sqrt(share * narrow) if narrow else share * 0.8 * tolerance / worst
        if narrow and abs(share / narrow - 1) < 0.05:
            break
    if best is None or best.bytes > max_bytes:
        size = "no size" if best is None else f"{best.bytes:,} bytes"
        raise ExportError(
            f"tables of the formula's parts within {tolerance:g} take {size}, "
            f"but {max_bytes:,} are allowed.",
            where="export.table_bytes",
            hint="allow more bytes or a larger tolerance, or compute those parts.",
        )
    return best


def dear_parts(tree: Node, costs: Mapping[str, float], dear: float) -> list[Node]:
    """The largest parts of one or two variables that cost ``dear`` or more, each once."""
    if not isinstance(tree, Call):
        return []
    if len(symbols(tree)) <= MOST_INPUTS:
        calls = {node for node in postorder(tree) if isinstance(node, Call)}
        cost = sum(costs.get(node.operator, 0.0) for node in calls)
        return [tree] if symbols(tree) and cost >= dear else []
    found = [node for arg in tree.args for node in dear_parts(arg, costs, dear)]
    return list(dict.fromkeys(found))


def _replaced(tree: Node, bound: Mapping[Node, Node]) -> Node:
    if tree in bound:
        return bound[tree]
    if isinstance(tree, Call):
        return Call(tree.operator, tuple(_replaced(arg, bound) for arg in tree.args))
    return tree


def _values(formula: Formula, node: Node, x: Array) -> Array:
    part = Formula(node, formula.domain)
    values = part(x)
    if not np.isfinite(values).all():
        raise ExportError(
            f"`{part.readable()}` has no finite value somewhere.",
            hint="leave such inputs out of the domain.",
        )
    return values


def _new_names(formula: Formula, count: int) -> list[str]:
    taken = {name.lower() for name in formula.domain.names}
    stem = "part"
    while any(f"{stem}{i}" in taken for i in range(count)):
        stem += "_"
    return [f"{stem}{i}" for i in range(count)]


def _room(values: Array, error: float) -> float:
    """The error a part may have: not more than a part of its range, nor across zero."""
    low, high = float(values.min()), float(values.max())
    room = min(error, 0.05 * (high - low) or 0.05 * abs(high) or error)
    return min(room, 0.5 * min(abs(low), abs(high))) if low * high > 0 else room


def _variable(name: str, values: Array, room: float) -> Variable:
    """The new variable of a part: its values and the error they may have."""
    low, high = float(values.min()) - room, float(values.max()) + room
    # Right below a power of two there is no room in its fixed-point format.
    largest_power = 2.0 ** math.ceil(math.log2(max(abs(low), abs(high))))
    if max(abs(low), abs(high)) > (1 - 2.0**-8) * largest_power:
        low, high = (low, largest_power * 1.001) if high > -low else (-largest_power * 1.001, high)
    return Variable(name, low, high)


def _part(
    formula: Formula,
    node: Node,
    variable: Variable,
    tolerance: float,
    max_bytes: int,
    arithmetic: Arithmetic,
) -> Part:
    names = formula.domain.names
    columns = tuple(i for i, name in enumerate(names) if name in symbols(node))
    own = Formula(node, Domain(tuple(formula.domain.variables[i] for i in columns)))
    output = input_format(variable) if arithmetic == "fixed" else None
    table = fit_table(
        own, own.domain, tolerance, max_bytes=max_bytes, arithmetic=arithmetic, output=output
    )
    return Part(variable, node, columns, table)


def _worst(tabled: Tabled, formula: Formula) -> float:
    return largest(lambda x: tabled(x) - formula(x), formula.domain, seed=0).value
