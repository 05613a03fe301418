"""Polynomials and ratios of polynomials: linearised fits, then only the coefficients needed.

A ratio is the smallest singular vector of ``[P, -v*Q]``, reweighted by the last denominator
(Sanathanan and Koerner 1963).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.engines.structure.curves.atoms import Target
from distill.formula.tree import Node, Number, add, call, div, mul, total

DEGREES = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (2, 3), (3, 3), (4, 4))
MOST_DEGREE = 10
GLANCED = 5
REWEIGHTED = 3


@dataclass(frozen=True)
class Ratio:
    """``sum p_i u^i / sum q_j u^j`` with the exponents that are there, and its weighted error."""

    up: tuple[int, ...]
    down: tuple[int, ...]
    p: Array
    q: Array
    error: float

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return len(self.p) + len(self.q) - 1

    def __call__(self, u: Array) -> Array:
        """Values (n,)."""
        with np.errstate(all="ignore"):
            return np.asarray(_powers(u, self.up) @ self.p / (_powers(u, self.down) @ self.q))

    def trees(self, u: Node) -> list[Node]:
        """As it is, and with the polynomial part in front of what is left."""
        if self.down == (0,):
            return [_polynomial(self.up, self.p / self.q[0], u)]
        plain = div(_polynomial(self.up, self.p, u), _polynomial(self.down, self.q, u))
        divided = self._divided(u)
        return [plain] if divided is None else [divided, plain]

    def _divided(self, u: Node) -> Node | None:
        """Quotient plus remainder over the denominator; None where that takes more constants."""
        high = max(*self.up, *self.down) + 1
        p, q = np.zeros(high), np.zeros(high)
        p[list(self.up)], q[list(self.down)] = self.p, self.q
        while q[-1] == 0:
            q = q[:-1]
        if max(self.up) < len(q) - 1:
            return None
        divided = np.polynomial.polynomial.polydiv(p, q)
        quotient, remainder = (np.asarray(part, dtype=np.float64) for part in divided)
        # What cancels up to rounding is not there.
        size = np.convolve(np.abs(quotient), np.abs(q))[: len(remainder)]
        size = size + np.abs(p[: len(size)])
        remainder = np.where(np.abs(remainder[: len(size)]) > 1e-6 * size, remainder, 0.0)
        left = [i for i, r in enumerate(remainder) if r]
        if not left or len(left) + np.count_nonzero(quotient) > len(self.up):
            return None
        rest = div(_polynomial(left, remainder[left], u), _polynomial(self.down, self.q, u))
        kept = np.flatnonzero(quotient).tolist()
        return add(_polynomial(kept, quotient[kept], u), rest)


def _powers(u: Array, exponents: tuple[int, ...] | list[int]) -> Array:
    return np.stack([u**i for i in exponents], axis=1)


def _polynomial(exponents: tuple[int, ...] | list[int], values: Array, u: Node) -> Node:
    forms: dict[int, Node] = {1: u, 2: call("square", u), 3: call("cube", u)}
    for i in range(4, MOST_DEGREE + 1):
        forms[i] = call("square", forms[i // 2]) if i % 2 == 0 else mul(u, forms[i - 1])
    return total(
        [
            mul(Number(float(c)), forms[i]) if i else Number(float(c))
            for i, c in zip(exponents, values, strict=True)
        ]
    )


def polynomials(target: Target, limit: float, most: int = MOST_DEGREE) -> Iterator[Ratio]:
    """Polynomials of rising degree, up to the first that reaches ``limit``, without idle terms."""
    for degree in range(most + 1):
        found = _polynomial_fit(target, tuple(range(degree + 1)))
        if np.isfinite(found.error):
            yield found
        if found.error <= limit:
            sparse = _sparse_polynomial(found, target, limit)
            if len(sparse.up) < len(found.up):
                yield sparse
            return


def _polynomial_fit(target: Target, up: tuple[int, ...]) -> Ratio:
    with np.errstate(all="ignore"):
        coefficients, error = target.fit(_powers(target.u, up), constant=False)
    return Ratio(up, (0,), coefficients, np.ones(1), error)


def _sparse_polynomial(found: Ratio, target: Target, limit: float) -> Ratio:
    while len(found.up) > 1:
        trials = [_polynomial_fit(target, tuple(i for i in found.up if i != k)) for k in found.up]
        best = min(trials, key=lambda r: r.error)
        if best.error > limit:
            break
        found = best
    return found


def ratios(target: Target, limit: float, most: int = 4) -> Iterator[Ratio]:
    """Ratios of rising degrees, up to the first that reaches ``limit``, without idle terms."""
    for m, n in DEGREES:
        if max(m, n) > most or m + n + 2 > len(target.u) // 3:
            continue
        found = ratio(target, tuple(range(m + 1)), tuple(range(n + 1)))
        if found is None:
            continue
        yield found
        if found.error <= limit:
            sparse = sparse_ratio(found, target, limit)
            if sparse is not found:
                yield sparse
            return


def glance(target: Target, limit: float, degree: int = 3) -> Iterator[Ratio]:
    """All ratios up to a degree, if the richest one reaches ``limit``: else only that one."""
    exponents = tuple(range(degree + 1))
    richest = ratio(target, exponents, exponents)
    if richest is not None and richest.error <= limit:
        yield from polynomials(target, limit, degree)
        yield from ratios(target, limit, degree)
    elif richest is not None:
        yield richest
        if _polynomial_fit(target, tuple(range(GLANCED + 1))).error <= limit:
            yield from polynomials(target, limit, GLANCED)


def ratio(target: Target, up: tuple[int, ...], down: tuple[int, ...]) -> Ratio | None:
    """The ratio with the given exponents; None where there is none without a zero denominator."""
    with np.errstate(all="ignore"):
        over, under = _powers(target.u, up), _powers(target.u, down)
        left = np.hstack([over, -target.v[:, None] * under]) * target.w[:, None]
    if not np.isfinite(left).all():
        return None
    denominator = np.ones(len(target.u))
    best: Ratio | None = None
    for _ in range(REWEIGHTED):
        rows = left / denominator[:, None]
        scale = np.linalg.norm(rows, axis=0)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            break
        vector = np.linalg.svd(rows / scale, full_matrices=False)[2][-1] / scale
        p, q = vector[: len(up)], vector[len(up) :]
        denominator = np.abs(under @ q)
        peak = denominator.max()
        if not np.isfinite(peak) or peak == 0:
            break
        largest = q[np.argmax(np.abs(q * np.abs(under).max(axis=0)))]
        found = Ratio(up, down, p / largest, q / largest, np.inf)
        with np.errstate(all="ignore"):
            off = (found(target.u) - target.v) * target.w
            error = float(np.sqrt(np.mean(off * off)))
        if np.isfinite(error) and (best is None or error < best.error):
            best = replace(found, error=error)
        denominator = np.maximum(denominator / peak, 1e-8)
    return best


def sparse_ratio(found: Ratio, target: Target, limit: float) -> Ratio:
    """Without the coefficients that are not needed for an error of ``limit``."""
    while len(found.up) + len(found.down) > 2:
        trials = []
        for k in found.up if len(found.up) > 1 else ():
            trials.append(ratio(target, tuple(i for i in found.up if i != k), found.down))
        for k in found.down if len(found.down) > 1 else ():
            trials.append(ratio(target, found.up, tuple(i for i in found.down if i != k)))
        good = [t for t in trials if t is not None and t.error <= limit]
        if not good:
            break
        found = min(good, key=lambda r: r.error)
    return found
