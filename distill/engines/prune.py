"""Making a formula smaller: which part of it does least?

For every edit (a constant becomes 0, 1 or -1; a part becomes a constant; a function becomes a
straight line in its argument) the loss is predicted from the linearised least-squares problem,
all other constants adjusting, as in the optimal brain surgeon (Hassibi and Stork 1993). The most
promising edits are then fitted for real, on few rows first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from distill.arrays import Array
from distill.engines.polish import Fit, least_squares, working_rows
from distill.formula.program import compile_tree
from distill.formula.simplify import Simplifier
from distill.formula.tree import Call, Node, Number, add, complexity, mul, symbols

PROMISING = 16
"""So many edits, those with the smallest predicted loss, are fitted on few rows."""

FEW_ROWS = 200

WORTHS = (1.3, 1.1)
"""A node less makes up for this factor in error: boldly, and with care."""

RETURNED = 2
"""So many formulas for each of these."""


def smaller(fit: Fit, names: Sequence[str]) -> list[Fit]:
    """The most promising formulas with fewer nodes that one edit gives, fitted, bold ones first."""
    rows = working_rows(fit)
    few = fit.rows(rows[:: max(1, len(rows) // FEW_ROWS)])
    size = complexity(fit.tree)
    with np.errstate(all="ignore"):
        edits = sorted(_edits(few, names), key=lambda edit: edit[0])
    promising: list[Node] = []
    simplified = Simplifier()
    for loss, tree in edits:
        if len(promising) == PROMISING or not np.isfinite(loss):
            break
        simpler = simplified(tree)
        if complexity(simpler) < size and symbols(simpler) and simpler not in promising:
            promising.append(simpler)
    rough = [least_squares(Fit.of(tree, names, few.x, few.y, few.weight), 8) for tree in promising]
    chosen: dict[Node, Fit] = {}
    for worth in WORTHS:
        ranked = sorted(rough, key=lambda trial: trial.rms() * worth ** complexity(trial.tree))
        chosen |= {trial.tree: trial for trial in ranked[:RETURNED]}
    full = [replace(t, x=fit.x, y=fit.y, weight=fit.weight) for t in chosen.values()]
    return [least_squares(t, 20) for t in full]


def _edits(fit: Fit, names: Sequence[str]) -> Iterator[tuple[float, Node]]:
    """Edited trees with their predicted sum of squared errors."""
    tree = fit.solved
    off, jacobian = fit.slopes()
    if not (np.isfinite(off).all() and np.isfinite(jacobian).all()):
        return
    for path, node in _places(tree):
        if isinstance(node, Number):
            column = _column(tree, path)
            for value in (0.0, 1.0, -1.0):
                if value != node.value:
                    moved = off + jacobian[:, column] * (value - node.value)
                    rest = np.delete(jacobian, column, axis=1)
                    yield _residual(moved, rest), _replaced(tree, path, Number(value))
        elif path and isinstance(node, Call) and symbols(node):
            slope = _slope(tree, path, names, fit.x)
            inside = compile_tree(node, names)(fit.x)
            if not (np.isfinite(slope).all() and np.isfinite(inside).all()):
                continue
            gone = off - slope * inside
            mean = Number(float(np.mean(inside)))
            yield _residual(gone, jacobian, slope), _replaced(tree, path, mean)
            if len(node.args) == 1 and node.operator != "neg":
                argument = compile_tree(node.args[0], names)(fit.x)
                loss = _residual(gone, jacobian, slope, slope * argument)
                b, a = np.polyfit(argument, inside, 1) if np.ptp(argument) else (0.0, inside[0])
                if np.isfinite(a) and np.isfinite(b):
                    line = add(mul(Number(float(b)), node.args[0]), Number(float(a)))
                    yield loss, _replaced(tree, path, line)


def _residual(off: Array, jacobian: Array, *columns: Array) -> float:
    """What least squares leaves of ``off``."""
    basis = np.column_stack([jacobian, *columns])
    size = np.linalg.norm(basis, axis=0)
    basis = basis[:, size > 0] / size[size > 0]
    if not np.isfinite(basis).all():
        return np.inf
    solution, *_ = np.linalg.lstsq(basis, off, rcond=1e-10)
    left = off - basis @ solution
    return float(left @ left)


Path = tuple[int, ...]


def _places(tree: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with the way to it, in post-order."""
    if isinstance(tree, Call):
        for i, arg in enumerate(tree.args):
            yield from _places(arg, (*path, i))
    yield path, tree


def _column(tree: Node, path: Path) -> int:
    """Which constant, in post-order, stands at ``path``."""
    numbers = [p for p, node in _places(tree) if isinstance(node, Number)]
    return numbers.index(path)


def _replaced(tree: Node, path: Path, part: Node) -> Node:
    if not path:
        return part
    assert isinstance(tree, Call)
    args = list(tree.args)
    args[path[0]] = _replaced(args[path[0]], path[1:], part)
    return Call(tree.operator, tuple(args))


def _slope(tree: Node, path: Path, names: Sequence[str], x: Array) -> Array:
    """The derivative of the formula by the part at ``path``, (n,)."""
    part = tree
    for i in path:
        assert isinstance(part, Call)
        part = part.args[i]
    probed = _replaced(tree, path, add(part, Number(0.0)))
    probe = _column(probed, (*path, 1))
    return compile_tree(probed, names).by_constants(x)[1][:, probe]
