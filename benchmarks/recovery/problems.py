"""Sets of problems with a known truth: read from ``sets/*.csv``.

A row is a name, the truth, and the variables as ``name low high [log|integer]; ...``. The truth is
an expression in the grammar of :mod:`distill.formula.parse`, or ``@name`` for a function of
:mod:`recovery.functions`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Kind, Scale, Variable
from distill.errors import ConfigError
from distill.formula import Formula

SETS = Path(__file__).with_name("sets")

NEAREST = 0.25
"""A wider box reaches down to this part of a positive lower bound, where it would reach zero."""


@dataclass(frozen=True)
class RecoveryProblem:
    """A truth over a box; ``expression`` is empty where the truth is a function of a library."""

    name: str
    group: str
    domain: Domain
    truth: Callable[[Array], Array]
    expression: str = ""

    @property
    def slug(self) -> str:
        """The name as a part of a file's name."""
        return f"{self.group}-{self.name}".replace("/", "_")

    def answers(self, x: Array) -> Array:
        """The truth at x (n, d), shape (n,); NaN where it has no finite value."""
        with np.errstate(all="ignore"):
            y = np.asarray(self.truth(x), dtype=float)
        return np.where(np.isfinite(y), y, np.nan)

    def points(self, n: int, seed: int, widen: float = 1.0) -> tuple[Array, Array]:
        """N random points of the box, ``widen`` times as wide, and the truth where it is finite."""
        domain = self.domain if widen == 1.0 else widened(self.domain, widen)
        x = domain.from_unit(np.random.default_rng(seed).random((n, len(domain))))
        y = self.answers(x)
        keep = np.isfinite(y)
        return x[keep], y[keep]


def names() -> tuple[str, ...]:
    """The sets there are."""
    return tuple(sorted(path.stem for path in SETS.glob("*.csv")))


def load(group: str) -> list[RecoveryProblem]:
    """The problems of a set.

    Raises
    ------
    ConfigError : when there is no such set.
    """
    path = SETS / f"{group}.csv"
    if group not in names():
        raise ConfigError(
            f"`{group}` is not a problem set.",
            where="option `--set`",
            hint=f"allowed: {', '.join(names())}.",
        )
    with path.open(encoding="utf-8", newline="") as file:
        return [_problem(group, row) for row in csv.DictReader(file)]


def _problem(group: str, row: dict[str, str]) -> RecoveryProblem:
    domain = Domain(tuple(_variable(part) for part in row["variables"].split(";")))
    text = row["truth"]
    if text.startswith("@"):
        from recovery import functions

        return RecoveryProblem(row["name"], group, domain, getattr(functions, text[1:]))
    return RecoveryProblem(row["name"], group, domain, Formula.parse(text, domain), text)


def _variable(text: str) -> Variable:
    name, low, high, *rest = text.split()
    way = rest[0] if rest else "linear"
    if way == "integer":
        return Variable(name, float(low), float(high), kind=cast(Kind, way))
    return Variable(name, float(low), float(high), scale=cast(Scale, way))


def widened(domain: Domain, factor: float) -> Domain:
    """The box ``factor`` times as wide about its middle; positive variables stay positive."""
    return Domain(tuple(_widened(v, factor) for v in domain.variables))


def _widened(variable: Variable, factor: float) -> Variable:
    if variable.kind == "boolean":
        return variable
    log = variable.scale == "log"
    low, high = np.log([variable.low, variable.high]) if log else (variable.low, variable.high)
    middle, half = (low + high) / 2, (high - low) / 2 * factor
    low, high = np.exp([middle - half, middle + half]) if log else (middle - half, middle + half)
    if variable.low > 0:
        low = max(low, NEAREST * variable.low)
    if variable.kind == "integer":
        low, high = np.ceil(low), np.floor(high)
    return replace(variable, low=float(low), high=float(high))
