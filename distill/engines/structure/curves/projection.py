"""Variable projection: coefficients solved inside, nonlinear parameters outside.

Golub and Pereyra (1973) with Kaufman's Jacobian (1975). Sums of forms grow term by term with a
small beam: every form of a dictionary is tried at once, the best of each kind are refined.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.curves.atoms import (
    Atom,
    Dictionary,
    Projected,
    Sum,
    Target,
    as_tree,
    matrix,
)
from distill.formula.tree import Node, Symbol, mul

ITERATIONS = 14
LEAST_GAIN = 1e-3
PATIENCE, SLOW, SLOW_GAIN = 6, 0.3, 0.02
"""A refinement ends after so many steps, where most of the error is left and little goes."""

ALIKE = 0.15
"""Parameters this close, as a part of their size, are tried as one."""

PROBE = 3e-6
"""Steps of the derivative by a parameter, as a part of it."""


@dataclass(frozen=True)
class Found:
    """A sum with its coefficients (the constant's first) and its weighted error."""

    atoms: Sum
    coefficients: Array
    error: float

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return int(np.count_nonzero(self.coefficients)) + sum(len(a.theta) for a in self.atoms)

    def tree(self, u: Node) -> Node:
        """As a formula in u."""
        return as_tree(self.atoms, self.coefficients, u)


def solved(atoms: Sum, target: Target) -> Found:
    """The best coefficients."""
    coefficients, error = target.fit(matrix(atoms, target.u))
    return Found(atoms, coefficients, error)


def refined(atoms: Sum, target: Target, iterations: int = ITERATIONS) -> Found:
    """The best parameters near those of the atoms, with their coefficients."""
    theta = np.array([t for a in atoms for t in a.theta])
    if not len(theta):
        return solved(atoms, target)
    size = float(np.sqrt(np.mean((target.v * target.w) ** 2)))
    fixed = {i: a.column(target.u) for i, a in enumerate(atoms) if not a.theta}
    best = _Step.at(atoms, target, fixed)
    damping = 1e-3
    start = best.error if best is not None else 0.0
    for count in range(iterations):
        if best is None or best.error <= 1e-13 * size:
            break
        trial = _Step.at(_moved(atoms, theta + best.step(damping)), target, fixed)
        if trial is not None and trial.error < best.error:
            gain = 1.0 - trial.error / best.error
            best = trial
            theta = np.array([t for a in best.atoms for t in a.theta])
            damping = max(0.1 * damping, 1e-12)
            hopeless = count >= PATIENCE and best.error > SLOW * start and gain < SLOW_GAIN
            if gain < LEAST_GAIN or hopeless:
                break
        else:
            damping *= 10.0
            if damping > 1e5:
                break
    return solved(best.atoms if best is not None else atoms, target)


def _moved(atoms: Sum, theta: Array) -> Sum:
    result, at = [], 0
    for atom in atoms:
        k = len(atom.theta)
        result.append(Atom(atom.family, tuple(theta[at : at + k].tolist())))
        at += k
    return tuple(result)


@dataclass(frozen=True)
class _Step:
    """Where the search is: the projected derivatives by the parameters, what is unexplained."""

    atoms: Sum
    error: float
    jacobian: Array
    rest: Array

    @classmethod
    def at(cls, atoms: Sum, target: Target, fixed: dict[int, Array]) -> _Step | None:
        """Everything at these parameters; None where it is not finite."""
        columns, slopes, owner = [np.ones(len(target.u))], [], []
        for i, atom in enumerate(atoms):
            if i in fixed:
                columns.append(fixed[i])
                continue
            theta = np.array(atom.theta)
            steps = PROBE * np.maximum(np.abs(theta), 1e-3)
            k, moves = len(theta), np.diag(steps)
            moves = np.column_stack([np.zeros(k), moves, -moves])
            ends = atom.family.columns(target.u, theta[:, None] + moves)
            columns.append(ends[:, 0])
            slopes.append((ends[:, 1 : k + 1] - ends[:, k + 1 :]) / (2.0 * steps))
            owner += [len(columns) - 1] * len(theta)
        left = np.column_stack(columns) * target.w[:, None]
        jacobian = np.hstack(slopes) * target.w[:, None]
        scale = np.sqrt(np.einsum("ij,ij->j", left, left))
        if not (np.isfinite(scale).all() and (scale > 0).all() and np.isfinite(jacobian).all()):
            return None
        q, r = np.linalg.qr(left / scale)
        diagonal = np.abs(np.diag(r))
        if diagonal.min() < 1e-13 * diagonal.max():
            return None
        right = target.v * target.w
        inside = q.T @ right
        rest = right - q @ inside
        jacobian = jacobian * (np.linalg.solve(r, inside) / scale)[owner]
        jacobian = jacobian - q @ (q.T @ jacobian)
        return cls(atoms, float(np.sqrt(np.mean(rest * rest))), jacobian, rest)

    def step(self, damping: float) -> Array:
        """The damped Gauss-Newton step of the parameters."""
        scale = np.linalg.norm(self.jacobian, axis=0)
        scale[scale == 0] = 1.0
        slopes = self.jacobian / scale
        k = slopes.shape[1]
        left = np.vstack([slopes, np.sqrt(damping) * np.eye(k)])
        right = np.concatenate([self.rest, np.zeros(k)])
        return np.asarray(np.linalg.lstsq(left, right, rcond=None)[0] / scale)


def shared(found: Found, target: Target) -> Found:
    """Refined once more from nearly equal parameters made equal: forms often share a rate.

    Where the same rate stands in two forms, their difference is nearly undetermined, and the way
    to the minimum leads through false ones beside it.
    """
    theta = np.array([t for a in found.atoms for t in a.theta])
    if len(theta) < 2 or len(found.atoms) < 2:
        return found
    size = np.abs(theta)
    near = np.abs(size[:, None] - size) <= ALIKE * np.maximum(size[:, None], size)
    if near.sum() == len(theta):
        return found
    mean = np.sign(theta) * (near @ size) / near.sum(axis=1)
    return min(found, refined(_moved(found.atoms, mean), target), key=lambda f: f.error)


def pruned(found: Found, target: Target, limit: float) -> Found:
    """Without the terms and the constant that are not needed for an error of ``limit``."""
    kept, constant = list(range(len(found.atoms))), found.coefficients[0] != 0.0
    columns = matrix(found.atoms, target.u)
    current = found
    while True:
        trials = [
            ([k for k in kept if k != i], constant) for i in kept if len(kept) > 1 or constant
        ]
        if constant and kept:
            trials.append((kept, False))
        best: tuple[float, list[int], bool, Array] | None = None
        for rows, with_constant in trials:
            coefficients, error = target.fit(columns[:, rows], with_constant)
            if error <= limit and (best is None or error < best[0]):
                best = (error, rows, with_constant, coefficients)
        if best is None:
            return current
        error, kept, constant, coefficients = best
        if not constant:
            coefficients = np.concatenate([[0.0], coefficients])
        current = Found(tuple(found.atoms[i] for i in kept), coefficients, error)


def singles(dictionary: Dictionary, target: Target, most: int, base: Sum = ()) -> Iterator[Found]:
    """A constant, the base, and one form."""
    projected = Projected.of(dictionary, target, base)
    for i in projected.singles(most):
        yield refined((*base, dictionary.atom(i)), target)


def pairs(dictionary: Dictionary, target: Target, most: int, base: Sum = ()) -> Iterator[Found]:
    """A constant, the base, and two forms."""
    if dictionary.columns.shape[1] < 2:
        return
    projected = Projected.of(dictionary, target, base)
    for i, j in projected.pairs(most):
        yield shared(refined((*base, dictionary.atom(i), dictionary.atom(j)), target), target)


def straight(dictionary: Dictionary, target: Target, most: int) -> Iterator[Found]:
    """A form times a straight line, and a constant."""
    first = Projected.of(dictionary, target, ())
    raised = replace(dictionary, columns=dictionary.columns * target.u[:, None])
    for i in first.aligned(Projected.of(raised, target, ()), most):
        atom = dictionary.atom(i)
        family = replace(
            atom.family, name=f"u*{atom.family.name}", tree=mul(Symbol("u"), atom.family.tree)
        )
        yield shared(refined((atom, Atom(family, atom.theta)), target), target)


def subsets(dictionary: Dictionary, target: Target, size: int, most: int) -> Iterator[Found]:
    """A constant and ``size`` forms without parameters."""
    for chosen in Projected.of(dictionary, target, ()).subsets(size, most):
        yield solved(tuple(dictionary.atom(i) for i in chosen), target)


def cross_pairs(
    some: Dictionary, others: Dictionary, target: Target, most: int, base: Sum = ()
) -> Iterator[Found]:
    """A constant, the base, and a form of each dictionary."""
    if not (some.columns.shape[1] and others.columns.shape[1]):
        return
    first, second = (Projected.of(d, target, base) for d in (some, others))
    for i, j in first.pairs(most, second):
        yield shared(refined((*base, some.atom(i), others.atom(j)), target), target)


def grown(
    found: list[Found], dictionary: Dictionary, target: Target, beam: int, most: int
) -> list[Found]:
    """One form more for each of the best, again the best first."""
    result: list[Found] = []
    for parent in sorted(found, key=lambda f: f.error)[:beam]:
        projected = Projected.of(dictionary, target, parent.atoms)
        for i in projected.singles(most):
            result.append(refined((*parent.atoms, dictionary.atom(i)), target))
    return sorted(_distinct(result), key=lambda f: f.error)


def _distinct(found: list[Found]) -> Iterator[Found]:
    """The best of those that are the same families in another order."""
    seen: set[tuple[str, ...]] = set()
    for one in sorted(found, key=lambda f: f.error):
        key = tuple(sorted(a.family.name for a in one.atoms))
        if key not in seen:
            seen.add(key)
            yield one
