"""Sums of products as text: ``a & ~b | c``."""

from __future__ import annotations

from collections.abc import Sequence

from distill.chain.steps.logic import Logic
from distill.chain.steps.whole import widths
from distill.domain import Domain
from distill.errors import FormulaError
from distill.logic.cubes import Cubes


def equation(cubes: Cubes, names: Sequence[str]) -> str:
    """The sum with a name for each bit, the highest first; ``0`` or ``1`` where it is constant."""
    if len(names) != cubes.inputs:
        raise FormulaError(f"{cubes.inputs} bits need as many names, not {len(names)}.")
    return _sum(
        [_product(int(m), int(v), names) for m, v in zip(cubes.masks, cubes.values, strict=True)]
    )


def equations(step: Logic, domain: Domain) -> list[str]:
    """One line for each function of a step; ``x_1`` is the second lowest bit of ``x - low``."""
    names = [
        variable.name if width == 1 else f"{variable.name}_{bit}"
        for variable, width in zip(domain.variables, widths(step.lows, step.highs), strict=True)
        for bit in range(int(width) - 1, -1, -1)
    ]
    products = [
        _product(int(m), int(v), names) for m, v in zip(step.masks, step.values, strict=True)
    ]
    found = []
    for chosen, flip in zip(step.sums, step.inverted, strict=True):
        text = _sum([products[i] for i in chosen])
        found.append({"0": "1", "1": "0"}.get(text, f"~({text})") if flip else text)
    return found


def _products(cubes: Cubes | Logic, names: Sequence[str]) -> list[str]:
    pairs = zip(cubes.masks.tolist(), cubes.values.tolist(), strict=True)
    return [_product(mask, value, names) for mask, value in pairs]


def _product(mask: int, value: int, names: Sequence[str]) -> str:
    places = range(len(names) - 1, -1, -1)
    literals = [
        name if value >> at & 1 else f"~{name}"
        for at, name in zip(places, names, strict=True)
        if mask >> at & 1
    ]
    return " & ".join(literals) or "1"


def _sum(products: list[str]) -> str:
    return " | ".join(products) or "0"
