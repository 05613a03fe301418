"""Two-level minimisation: prime implicants, and the cheapest of them that cover everything.

The choice is an integer programme, solved by HiGHS (scipy). Beside espresso on random functions it
needs 46 cubes for 50 on 8 inputs and 152 for 160 on 10, and says where fewer are impossible;
espresso has no wheels on PyPI, and sympy's ``SOPform`` takes 0.5 s for 8 inputs and finds 47.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from distill.errors import FormulaError
from distill.logic.cubes import Cover, Cubes, Truth, Whole, cubes_of
from distill.logic.implicants import Digits, irredundant, primes
from distill.logic.programme import CUBE, USE, cheapest

MAX_INPUTS = 20
"""Words of more bits are refused: 2^20 points are asked at most."""

PRIME_INPUTS = 11
"""Up to here all primes are listed (3^n cubes); above, an irredundant sum is taken."""

_TOGETHER = 4
"""Of so many functions all groups may share cubes; of more, pairs."""


def minimise(truth: Truth, care: Truth | None = None, *, most: int = 1 << MAX_INPUTS) -> Cubes:
    """The fewest products whose sum is ``truth`` (2^n,) wherever ``care`` (2^n,) is true.

    Parameters
    ----------
    most : where no proof is possible, more cubes than this end the search.

    Raises
    ------
    FormulaError : for shapes that are no truth table, or more than 20 inputs.
    TooMany : past ``most``.
    """
    cover = minimise_together(truth[:, None], care, most=most, invert=False)
    return Cubes(cover.inputs, cover.masks, cover.values, cover.proven)


def minimise_together(
    truths: Truth,
    care: Truth | None = None,
    *,
    most: int = 1 << MAX_INPUTS,
    invert: bool = True,
) -> Cover:
    """The cheapest sums for the functions ``truths`` (2^n, functions), cubes shared.

    With ``invert`` the opposite of a function is written where that takes fewer cubes.

    Raises
    ------
    FormulaError, TooMany : as :func:`minimise`.
    """
    n = _check(truths, care)
    cared = np.ones(len(truths), dtype=bool) if care is None else care
    ons, own, proven, flips = [], [], [], []
    for truth in truths.T:
        ways = [(truth & cared, 0), (~truth & cared, 1)][: 2 if invert else 1]
        tried = [(*_alone(on, on | ~cared, most), on, flip) for on, flip in ways]
        cubes, sure, on, flip = min(
            tried, key=lambda t: len(t[0]) * (CUBE + USE) + int((t[0] < 2).sum())
        )
        own.append(cubes)
        proven.append(sure)
        ons.append(on)
        flips.append(flip)
    inverted = np.array(flips, dtype=np.int64)
    shared = _shared(ons, cared, n) if len(ons) > 1 and n <= PRIME_INPUTS else None
    if shared is not None:
        return Cover(n, *shared[0], inverted, shared[1])
    digits = np.unique(np.concatenate(own), axis=0)
    masks, values = cubes_of(digits)
    numbers = {tuple(row): i for i, row in enumerate(digits.tolist())}
    sums = tuple(np.array([numbers[tuple(r)] for r in c.tolist()], dtype=np.int64) for c in own)
    return Cover(n, masks, values, sums, inverted, all(proven) and len(ons) == 1)


def _weight(cubes: Digits) -> int:
    return len(cubes) * (CUBE + USE) + int((cubes < 2).sum())


def _check(truths: Truth, care: Truth | None) -> int:
    n = len(truths).bit_length() - 1
    if truths.ndim != 2 or truths.dtype != bool or len(truths) != 1 << n or not truths.shape[1]:
        raise FormulaError(
            f"a truth table has 2^n rows of booleans, not shape {truths.shape} of {truths.dtype}.",
            hint="one row for each word of n bits, in their order.",
        )
    if n > MAX_INPUTS:
        raise FormulaError(
            f"{n} bits of input are more than the {MAX_INPUTS} that can be asked everywhere.",
            hint="narrow the integers' bounds, or let the search find a formula.",
        )
    if care is not None and (care.shape != (len(truths),) or care.dtype != bool):
        raise FormulaError(f"`care` has shape {care.shape} of {care.dtype}, not one bool a row.")
    return n


def _alone(on: Truth, allowed: Truth, most: int) -> tuple[Digits, bool]:
    """The cubes of one function, and whether fewer are impossible."""
    n = len(on).bit_length() - 1
    if not on.any() or allowed.all():
        return np.full((int(on.any()), n), 2, dtype=np.int8), True
    if n <= PRIME_INPUTS:
        candidates = primes(allowed)
        solved = cheapest(candidates, [on], [allowed])
        if solved is not None:
            chosen, proven = solved
            return candidates[chosen[0]], proven
    return irredundant(on, allowed, most), False


def _shared(
    ons: Sequence[Truth], cared: Truth, n: int
) -> tuple[tuple[Whole, Whole, tuple[Whole, ...]], bool] | None:
    """Cubes for all functions at once: the primes of what groups of them allow together."""
    allowed = [on | ~cared for on in ons]
    largest = len(ons) if len(ons) <= _TOGETHER else 2
    groups = [g for size in range(1, largest + 1) for g in combinations(range(len(ons)), size)]
    if len(groups) * 3**n > 50_000_000:
        return None
    found = [primes(np.logical_and.reduce([allowed[i] for i in group])) for group in groups]
    candidates = np.unique(np.concatenate(found), axis=0)
    solved = cheapest(candidates, ons, allowed)
    if solved is None:
        return None
    chosen, proven = solved
    used = np.unique(np.concatenate(chosen))
    sums = tuple(np.searchsorted(used, numbers).astype(np.int64) for numbers in chosen)
    return (*cubes_of(candidates[used]), sums), proven and largest == len(ons)
