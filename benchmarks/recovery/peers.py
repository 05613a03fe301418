"""gplearn behind the engine protocol, with a generation after the other until the time is up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from distill.engines.base import Candidate, Problem
from distill.formula import Formula
from distill.formula.tree import Call, Node, Number, Symbol

FUNCTIONS = ("add", "sub", "mul", "div", "sqrt", "log", "neg", "inv", "sin", "cos", "tan")
"""All it has that is a formula of ours; there is no exp and no power."""

MAGNITUDES = frozenset(["sqrt", "log"])
"""It takes these of the magnitude of their argument."""


class Gplearn:
    """gplearn's symbolic regressor with its own defaults but for the population."""

    name = "gplearn"

    def search(self, problem: Problem) -> Iterator[Candidate]:
        """The best formula of each generation."""
        from gplearn.genetic import SymbolicRegressor

        assert problem.budget.seconds is not None
        deadline = time.monotonic() + problem.budget.seconds
        sample = problem.sample
        regressor = SymbolicRegressor(
            population_size=2000,
            generations=1,
            function_set=FUNCTIONS,
            const_range=(-5.0, 5.0),
            parsimony_coefficient=0.001,
            metric="rmse",
            random_state=problem.seed,
            warm_start=True,
        )
        while time.monotonic() < deadline:
            regressor.fit(sample.x, sample.y)
            tree = tree_of(regressor._program.program, sample.domain.names)
            origin = f"generation {regressor.generations}"
            yield Candidate(Formula(tree, sample.domain), self.name, origin)
            regressor.set_params(generations=regressor.generations + 1)


def tree_of(program: Sequence[Any], names: Sequence[str]) -> Node:
    """Our tree of a program in prefix: functions, indices of inputs, constants."""
    return _read(iter(program), names)


def _read(program: Iterator[Any], names: Sequence[str]) -> Node:
    item = next(program)
    if isinstance(item, int):
        return Symbol(names[item])
    if isinstance(item, float):
        return Number(float(item))
    args = tuple(_read(program, names) for _ in range(item.arity))
    if item.name in MAGNITUDES:
        args = (Call("abs", args),)
    return Call(item.name, args)
