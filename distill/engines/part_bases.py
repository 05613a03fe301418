"""A skeleton whose free parts are Chebyshev polynomials, and the least squares for all of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from distill.arrays import Array
from distill.domain import Domain
from distill.engines.skeleton import Part, Skeleton
from distill.formula.program import Program, compile_tree


def box_of(part: Part, domain: Domain) -> tuple[Array, Array]:
    """The smallest box with the variables of all uses of a part."""
    columns = np.array([[domain.names.index(name) for name in use] for use in part.uses])
    return domain.low[columns].min(axis=0), domain.high[columns].max(axis=0)


@dataclass(frozen=True)
class Basis:
    """Chebyshev polynomials over a box; a logarithmic variable is one in all uses."""

    low: Array
    high: Array
    logarithmic: tuple[bool, ...]
    degrees: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, part: Part, domain: Domain, degree: int) -> Basis:
        """The polynomials up to a total degree over the box of a part."""
        low, high = box_of(part, domain)
        scales = {v.name: v.scale == "log" for v in domain.variables}
        logs = tuple(all(scales[use[i]] for use in part.uses) for i in range(len(part.names)))
        total = itertools.product(range(degree + 1), repeat=len(part.names))
        return cls(low, high, logs, tuple(sorted((d for d in total if sum(d) <= degree), key=sum)))

    def unit(self, points: Array) -> Array:
        """The points in the cube [-1, 1]."""
        columns = []
        for i, logarithmic in enumerate(self.logarithmic):
            u, low, high = points[:, i], self.low[i], self.high[i]
            if logarithmic:
                u, low, high = np.log(u), np.log(low), np.log(high)
            columns.append(2.0 * (u - low) / (high - low) - 1.0)
        return np.column_stack(columns)

    def __call__(self, points: Array) -> Array:
        """The polynomials' values, (n, number of them)."""
        top = max(map(max, self.degrees))
        each = [chebyshev.chebvander(column, top) for column in self.unit(points).T]
        result = np.ones((len(points), len(self.degrees)))
        for i, table in enumerate(each):
            result *= table[:, [degree[i] for degree in self.degrees]]
        return result


@dataclass(frozen=True)
class System:
    """A skeleton with a basis for each part, on the points x (n, d) with the answers y (n,)."""

    skeleton: Skeleton
    program: Program
    bases: tuple[Basis, ...]
    x: Array
    y: Array
    designs: tuple[tuple[Array, ...], ...]  # of each use of each part

    @classmethod
    def of(cls, skeleton: Skeleton, bases: tuple[Basis, ...], x: Array, y: Array) -> System:
        """The system of a skeleton on points and answers."""
        program = compile_tree(skeleton.tree, skeleton.columns)
        names = skeleton.domain.names
        designs = tuple(
            tuple(basis(x[:, [names.index(name) for name in use]]) for use in part.uses)
            for part, basis in zip(skeleton.parts, bases, strict=True)
        )
        return cls(skeleton, program, bases, x, y, designs)

    def rows(self, count: int) -> System:
        """The same on the first points only."""
        designs = tuple(tuple(d[:count] for d in part) for part in self.designs)
        return replace(self, x=self.x[:count], y=self.y[:count], designs=designs)

    @property
    def sizes(self) -> list[int]:
        """How many unknowns each part has; the constants come after all of them."""
        return [len(basis.degrees) for basis in self.bases]

    def parts(self, theta: Array) -> tuple[list[Array], Array]:
        """The coefficients of each part, and the constants."""
        ends = np.cumsum(self.sizes).tolist()
        split = np.split(theta, ends)
        return split[:-1], split[-1]

    def columns(self, theta: Array) -> Array:
        """What the program reads: the variables, all uses of the parts, the constants."""
        coefficients, constants = self.parts(theta)
        uses = [
            design @ c
            for part, c in zip(self.designs, coefficients, strict=True)
            for design in part
        ]
        fixed = [np.full(len(self.x), c) for c in constants]
        return np.column_stack([self.x, *uses, *fixed])

    def off(self, theta: Array) -> Array:
        """The errors (n,)."""
        return self.program(self.columns(theta)) - self.y

    def slopes(self, theta: Array) -> tuple[Array, Array]:
        """The errors (n,) and their derivatives by all unknowns."""
        values, gradient = self.program.by_inputs(self.columns(theta))
        at = self.x.shape[1]
        blocks = []
        for part in self.designs:
            block = np.zeros_like(part[0])
            for design in part:
                block += gradient[:, at, None] * design
                at += 1
            blocks.append(block)
        return values - self.y, np.hstack([*blocks, gradient[:, at:]])

    def rms(self, theta: Array) -> float:
        """The root of the mean squared error, infinite where it is not finite."""
        off = self.off(theta)
        with np.errstate(all="ignore"):
            value = float(np.sqrt(np.mean(off * off)))
        return value if np.isfinite(value) else np.inf

    def solve(self, theta: Array, iterations: int) -> Array:
        """Levenberg and Marquardt's method from theta, on scaled columns."""
        with np.errstate(all="ignore"):
            return self._solve(theta, iterations)

    def _solve(self, theta: Array, iterations: int) -> Array:
        from scipy.linalg import lstsq

        off, jacobian = self.slopes(theta)
        cost = float(off @ off)
        damping = 1e-2
        for _ in range(iterations):
            if not (np.isfinite(cost) and np.isfinite(jacobian).all()) or cost == 0.0:
                break
            scale = np.linalg.norm(jacobian, axis=0)
            scale[scale == 0.0] = 1.0
            weight = np.sqrt(damping) * np.eye(len(scale))
            matrix = np.vstack([jacobian / scale, weight])
            right = np.concatenate([-off, np.zeros(len(scale))])
            step = lstsq(matrix, right, lapack_driver="gelsy", check_finite=False)[0] / scale
            new = self.off(theta + step)
            new_cost = float(new @ new)
            if np.isfinite(new_cost) and new_cost < cost:
                settled = cost - new_cost < 1e-6 * cost
                theta, cost = theta + step, new_cost
                damping = max(damping * 0.1, 1e-15)
                if settled:
                    break
                off, jacobian = self.slopes(theta)
            else:
                damping *= 10.0
                if damping > 1e6:
                    break
        return theta
