"""Dictionaries: many forms at many parameters as columns, and sums of some of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.engines.structure.curves.families import Family
from distill.formula.tree import Node, Number, mul, total

LEAST_NORM = 1e-7
"""A column is left out when less than this part of it is new."""

RIDGE = 1e-13
"""What keeps the normal equations of a subset solvable."""

LEAST_ANGLE = 1e-10
"""Pairs of columns are left out when the square of the sine between them is less."""


EXPLAINED = 0.7
"""The part of the squares a column must explain to be refined: grids are finer than that."""


@dataclass(frozen=True)
class Atom:
    """A form with its parameters."""

    family: Family
    theta: tuple[float, ...]

    def column(self, u: Array) -> Array:
        """Values (n,)."""
        return self.family.columns(u, np.array(self.theta)[:, None])[:, 0]

    def tree(self, u: Node) -> Node:
        """As a formula in u."""
        return self.family.at(u, np.array(self.theta))


Sum = tuple[Atom, ...]
"""Atoms whose coefficients, and a constant, are solved for."""


@dataclass(frozen=True)
class Dictionary:
    """Columns (n, m), and for each its family's index and its parameters."""

    families: tuple[Family, ...]
    columns: Array
    family: npt.NDArray[np.intp]
    thetas: tuple[tuple[float, ...], ...]

    def atom(self, index: int) -> Atom:
        """The form behind a column."""
        return Atom(self.families[self.family[index]], self.thetas[index])

    @classmethod
    def of(cls, families: Iterable[Family], u: Array) -> Dictionary:
        """All families at their starting values, where they are finite and vary."""
        families = tuple(families)
        low, high = float(u.min()), float(u.max())
        columns: list[Array] = [np.empty((len(u), 0))]
        labels: list[int] = []
        thetas: list[tuple[float, ...]] = []
        for label, family in enumerate(families):
            theta = family.starts(low, high)
            if not theta.shape[1]:
                continue
            block = family.columns(u, theta)
            with np.errstate(all="ignore"):
                size = np.abs(block).max(axis=0)
                good = np.isfinite(block).all(axis=0) & (size < 1e60) & (size > 1e-60)
                good &= np.ptp(block, axis=0) > 1e-9 * size
            columns.append(block[:, good] / size[good])
            labels += [label] * int(good.sum())
            thetas += [tuple(t) for t in theta.T[good].tolist()]
        return cls(families, np.hstack(columns), np.array(labels, dtype=np.intp), tuple(thetas))


@dataclass(frozen=True)
class Target:
    """What a sum is to be: v (n,) at u (n,), each row weighing w (n,)."""

    u: Array
    v: Array
    w: Array

    @property
    def size(self) -> float:
        """The root mean square of what a constant leaves over."""
        return self.fit(np.empty((len(self.u), 0)))[1]

    def fit(self, columns: Array, constant: bool = True) -> tuple[Array, float]:
        """Coefficients, the constant's first, and the weighted root mean square error."""
        left = np.column_stack([np.ones(len(self.u)), columns]) if constant else columns
        left = left * self.w[:, None]
        scale = np.linalg.norm(left, axis=0)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            return np.zeros(left.shape[1]), np.inf
        right = self.v * self.w
        solved = np.linalg.lstsq(left / scale, right, rcond=1e-14)[0]
        off = right - (left / scale) @ solved
        return solved / scale, float(np.sqrt(np.mean(off * off)))


def matrix(atoms: Sequence[Atom], u: Array) -> Array:
    """The atoms' columns (n, k)."""
    return np.stack([a.column(u) for a in atoms], axis=1) if atoms else np.empty((len(u), 0))


def as_tree(atoms: Sum, coefficients: Array, u: Node) -> Node:
    """The constant (left out where it is zero) and the weighted forms."""
    terms: list[Node] = [
        mul(Number(float(c)), a.tree(u))
        for c, a in zip(coefficients[1:], atoms, strict=True)
        if c != 0.0
    ]
    if coefficients[0] != 0.0 or not terms:
        terms.append(Number(float(coefficients[0])))
    return total(terms)


@dataclass(frozen=True)
class Projected:
    """A dictionary with what a sum already explains taken away.

    ``unit`` (n, m) are weighted columns of length one, ``rest`` (n,) is what is to be explained.
    """

    dictionary: Dictionary
    unit: Array
    rest: Array
    usable: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, dictionary: Dictionary, target: Target, atoms: Sum) -> Projected:
        """Everything orthogonal to the constant and the atoms, under the weights."""
        w = target.w[:, None]
        left = np.column_stack([np.ones(len(target.u)), matrix(atoms, target.u)]) * w
        q = np.linalg.qr(left / np.linalg.norm(left, axis=0))[0]
        d = dictionary.columns * w
        before = np.linalg.norm(d, axis=0)
        d = d - q @ (q.T @ d)
        d = d - q @ (q.T @ d)
        norm = np.linalg.norm(d, axis=0)
        usable = norm > LEAST_NORM * before
        unit = d / np.where(usable, norm, 1.0)
        unit[:, ~usable] = 0.0
        rest = target.v * target.w
        return cls(dictionary, unit, rest - q @ (q.T @ rest), usable)

    def singles(self, most: int) -> list[int]:
        """The best column of each family, the best families first."""
        gain = (self.rest @ self.unit) ** 2
        order = np.argsort(-gain, kind="stable")
        least = EXPLAINED * float(self.rest @ self.rest)
        found: list[int] = []
        seen: set[int] = set()
        for i in order[: 40 * most].tolist():
            if found and gain[i] < least:
                break
            label = int(self.dictionary.family[i])
            if label not in seen and self.usable[i]:
                seen.add(label)
                found.append(i)
                if len(found) == most:
                    break
        return found

    def pairs(self, most: int, other: Projected | None = None) -> list[tuple[int, int]]:
        """The best pair of columns of each pair of families, the best first.

        The second column is one of ``other``, where that is given.
        """
        second = self if other is None else other
        c, d = self.rest @ self.unit, second.rest @ second.unit
        gram = self.unit.T @ second.unit
        gain = c[:, None] ** 2 + d[None, :] ** 2
        with np.errstate(all="ignore"):
            gain -= 2.0 * np.outer(c, d) * gram
            np.square(gram, out=gram)
            np.subtract(1.0, gram, out=gram)
            gain /= gram
        gain[~(gram > LEAST_ANGLE)] = -1.0
        if other is None:
            gain[np.tril_indices(len(c))] = -1.0
        flat = gain.ravel()
        count = min(200 * most, flat.size)
        top = np.argpartition(-flat, count - 1)[:count]
        top = top[np.lexsort((top, -flat[top]))]
        found: list[tuple[int, int]] = []
        seen: set[tuple[int, int]] = set()
        for place in top.tolist():
            i, j = divmod(place, len(d))
            if gain[i, j] <= 0:
                break
            key = (int(self.dictionary.family[i]), int(second.dictionary.family[j]))
            if key not in seen:
                seen.add(key)
                found.append((i, j))
                if len(found) == most:
                    break
        return found

    def aligned(self, other: Projected, most: int) -> list[int]:
        """Where a column and the one in its place in ``other`` explain most, once a family."""
        c, d = self.rest @ self.unit, other.rest @ other.unit
        cosine = np.einsum("ij,ij->j", self.unit, other.unit)
        with np.errstate(all="ignore"):
            gain = (c * c + d * d - 2.0 * c * d * cosine) / (1.0 - cosine * cosine)
        gain[~(1.0 - cosine * cosine > LEAST_ANGLE) | ~self.usable | ~other.usable] = -1.0
        order = np.argsort(-gain, kind="stable")
        _, first = np.unique(self.dictionary.family[order], return_index=True)
        return [int(i) for i in order[np.sort(first)][:most] if gain[i] > 0]

    def subsets(self, size: int, most: int) -> list[tuple[int, ...]]:
        """The best subsets of columns of so small a dictionary that all can be tried."""
        places = np.flatnonzero(self.usable)
        if len(places) < size:
            return []
        unit = self.unit[:, places]
        gram, c = unit.T @ unit, self.rest @ unit
        chosen = np.array(list(itertools.combinations(range(len(places)), size)))
        blocks = gram[chosen[:, :, None], chosen[:, None, :]] + RIDGE * np.eye(size)
        right = c[chosen]
        gain = np.sum(right * np.linalg.solve(blocks, right[:, :, None])[:, :, 0], axis=1)
        order = np.argsort(-gain, kind="stable")[:most]
        return [tuple(places[row].tolist()) for row in chosen[order]]
