"""The cheapest cubes that cover functions, as an integer programme for HiGHS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from distill.logic.cubes import Truth, Whole, cubes_of
from distill.logic.implicants import Digits

CUBE, USE = 32, 48
"""What a cube, and each function's use of it, weigh beside a literal.

Two shared cubes then never stand for one of a function's own, three do for two.
"""

_ENTRIES = 12_000
"""A programme with more entries in its matrix takes minutes."""

_EXACT = 5_000
"""With fewer the cheapest is asked for; else one that is within a twentieth of it."""

_MEMORY = 50_000_000
"""Bytes that the tables of words by cubes may take."""


def cheapest(
    candidates: Digits, ons: Sequence[Truth], allowed: Sequence[Truth]
) -> tuple[list[Whole], bool] | None:
    """Which candidates (cubes, n) each function takes, and whether nothing is cheaper.

    ``ons`` and ``allowed`` (2^n,) are for each function the words to cover and those that may be
    covered. None: too large. Unknowns are the cubes, then each function's uses of those that it
    allows; a use needs its cube, a word needs a use.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    if len(ons[0]) * len(candidates) > _MEMORY:
        return None
    masks, values = cubes_of(candidates)
    insides = [_inside(may, masks, values) for may in allowed]
    rows: list[Whole] = []
    columns: list[Whole] = []
    signs: list[npt.NDArray[np.float64]] = []
    least: list[npt.NDArray[np.float64]] = []
    unknowns, height = len(candidates), 0
    for on, inside in zip(ons, insides, strict=True):
        words = np.flatnonzero(on)[:, None]
        # Words that the same cubes hold for are one condition.
        held = np.unique(words & masks[inside] == values[inside], axis=0)
        word, use = np.nonzero(held)
        each, ones = np.arange(len(inside)), np.ones(len(inside))
        rows += [word + height, each + height + len(held), each + height + len(held)]
        columns += [use + unknowns, inside, each + unknowns]
        signs += [np.ones(len(word)), ones, -ones]
        least += [np.ones(len(held)), 0 * ones]
        unknowns += len(inside)
        height += len(held) + len(inside)
    entries = np.concatenate(signs)
    if len(entries) > _ENTRIES:
        return None
    matrix = coo_array(
        (entries, (np.concatenate(rows), np.concatenate(columns))), shape=(height, unknowns)
    )
    costs = np.full(unknowns, float(USE))
    costs[: len(candidates)] = CUBE + (candidates < 2).sum(axis=1)
    result = milp(
        costs,
        constraints=LinearConstraint(matrix.tocsc(), lb=np.concatenate(least)),
        integrality=np.ones(unknowns, dtype=np.int64),
        bounds=Bounds(0, 1),
        # Counted in nodes: a limit in seconds would give other results on other days.
        options={"mip_rel_gap": 0.0 if len(entries) < _EXACT else 0.05, "node_limit": 1},
    )
    if result.x is None:
        return None
    taken = result.x > 0.5
    starts = len(candidates) + np.cumsum([0, *map(len, insides)])
    chosen = [
        inside[taken[start : start + len(inside)]]
        for inside, start in zip(insides, starts, strict=False)
    ]
    return chosen, result.status == 0 and result.mip_gap < 1e-9


def _inside(allowed: Truth, masks: Whole, values: Whole) -> Whole:
    """The numbers of the cubes that hold for allowed words only."""
    outside = np.flatnonzero(~allowed)[:, None]
    return np.flatnonzero(~(outside & masks == values).any(axis=0))
