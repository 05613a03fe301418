"""Random formulas over random domains, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Number, Symbol, TooDeep

LARGEST = 60
"""Nodes."""

NAMES = ("x", "y", "z_1", "temperature")
_BY_ARITY = {
    arity: tuple(name for name, row in OPERATORS.items() if row.arity == arity)
    for arity in (1, 2, 4)
}
_LEAST = {1: 2, 2: 3, 4: 5}
_WEIGHTS = {1: 0.4, 2: 0.55, 4: 0.05}
_HARMLESS = {1: "neg", 2: "min", 4: "ifless"}
_CONSTANTS = {"whole": 0.3, "half": 0.1, "plain": 0.35, "any": 0.22, "extreme": 0.03}
_TRIES, _LIKELY = 6, 1e9


@dataclass(frozen=True)
class Case:
    """A formula and how accurately it is wanted, in parts of the range of its values."""

    number: int
    formula: Formula
    part: float


def case(seed: int, number: int) -> Case:
    """The case of this number: two of three are tame, finite on the domain as far as is seen."""
    rng = np.random.default_rng([seed, number])
    domain = random_domain(rng)
    size = int(np.ceil(LARGEST ** rng.uniform(0, 1) ** 1.5))  # most are small, a tenth above 30
    tame = rng.random() < 2 / 3
    x = np.vstack(
        [domain.corners(), domain.low + (domain.high - domain.low) * rng.random((24, len(domain)))]
    )
    x = np.where([v.discrete for v in domain.variables], np.rint(x), x)
    columns = dict(zip(domain.names, x.T, strict=True))
    while True:
        try:
            tree, _ = _grow(rng, columns, size, tame)
            break
        except TooDeep:
            size //= 2
    part = float(10 ** rng.uniform(-4.5, -1))
    return Case(number, Formula(tree, domain), part)


def random_domain(rng: np.random.Generator) -> Domain:
    """One to four inputs of any kind."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1]))
    return Domain(tuple(_variable(rng, name) for name in NAMES[:count]))


def _variable(rng: np.random.Generator, name: str) -> Variable:
    sign = rng.choice([-1.0, 1.0])
    match rng.choice(["plain", "tiny", "huge", "one-sided", "log", "integer", "boolean"],
                     p=[0.4, 0.08, 0.08, 0.14, 0.1, 0.12, 0.08]):  # fmt: skip
        case "plain":
            middle, half = rng.normal() * 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-1, 2)
            return Variable(name, middle - half, middle + half)
        case "tiny":
            low = sign * 10 ** rng.uniform(-3, 2)
            return Variable(name, low, low + abs(low) * 10 ** rng.uniform(-6, -3))
        case "huge":
            ends = sorted((sign * 10 ** rng.uniform(0, 4), sign * 10 ** rng.uniform(5, 12)))
            return Variable(name, *ends)
        case "one-sided":
            return Variable(name, *sorted((0.0, sign * round(10 ** rng.uniform(-2, 3), 3))))
        case "log":
            low = 10 ** rng.uniform(-6, 1)
            return Variable(name, low, low * 10 ** rng.uniform(1, 6), scale="log")
        case "integer":
            low = int(rng.integers(-20, 20))
            return Variable(name, low, low + int(rng.integers(1, 40)), kind="integer")
        case _:
            return Variable(name, 0, 1, kind="boolean")


def _grow(
    rng: np.random.Generator, columns: Mapping[str, Array], size: int, tame: bool
) -> tuple[Node, Array]:
    """A tree of about ``size`` nodes and its values; a tame one's are finite and of likely size."""
    if size <= 1:
        return _leaf(rng, columns)
    arities = [a for a, least in _LEAST.items() if least <= size]
    weights = np.array([_WEIGHTS[a] for a in arities])
    arity = int(rng.choice(arities, p=weights / weights.sum()))
    cuts = np.sort(rng.choice(np.arange(1, size - 1), arity - 1, replace=False))
    grown = [_grow(rng, columns, int(n), tame) for n in np.diff([0, *cuts, size - 1])]
    args, inputs = tuple(node for node, _ in grown), [values for _, values in grown]
    for operator in (*rng.choice(_BY_ARITY[arity], _TRIES if tame else 1), _HARMLESS[arity]):
        with np.errstate(all="ignore"):
            values = np.asarray(OPERATORS[operator].value(*inputs), dtype=float)
        if not tame or (np.isfinite(values).all() and np.abs(values).max() < _LIKELY):
            break
    return Call(str(operator), args), values


def _leaf(rng: np.random.Generator, columns: Mapping[str, Array]) -> tuple[Node, Array]:
    if rng.random() < 0.6:
        name = str(rng.choice(list(columns)))
        return Symbol(name), columns[name]
    sign = float(rng.choice([-1, 1]))
    value = sign * float(
        {
            "whole": rng.integers(0, 10),
            "half": rng.integers(0, 10) / 2,
            "plain": np.round(rng.normal() * 5, 4),
            "any": 10 ** rng.uniform(-6, 6),
            "extreme": rng.choice([1e-310, 5e-324, 1e-40, 1e-38, 3e38, 1e39, 1e300]),
        }[str(rng.choice(list(_CONSTANTS), p=list(_CONSTANTS.values())))]
    )
    return Number(value), np.full(len(next(iter(columns.values()))), value)
