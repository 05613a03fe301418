"""Cells that cannot be proven good enough."""

from __future__ import annotations

import numpy as np

from distill.bounds.boxes import Boxes
from distill.bounds.read import enclosable
from distill.domain import Domain
from distill.formula import Formula
from distill.proving.cells import unproven

LINE = Domain.box(x=(0, 8), y=(0, 1))


def cells(count: int) -> Boxes:
    """So many equal cells along x."""
    ends = np.linspace(0, 8, count + 1)
    return Boxes(np.stack([ends[:-1], np.zeros(count)]), np.stack([ends[1:], np.ones(count)]))


def test_the_cells_above_the_limit_and_no_others() -> None:
    hump = Formula.parse("exp(0 - (x - 3)^2)*(1 + 0.01*y)", LINE)
    failed = unproven(enclosable(hump), cells(16), 0.5, 5000)
    x = np.linspace(0, 8, 16 * 50 + 1)
    size = hump(np.stack([x, np.ones_like(x)], axis=1))
    above = np.array([size[50 * k : 50 * k + 51].max() > 0.5 for k in range(16)])
    assert failed.tolist() == above.tolist()


def test_a_pole_fails_where_it_is() -> None:
    pole = Formula.parse("1/(x - 2.25)", LINE)
    failed = unproven(enclosable(pole), cells(16), 2.5, 5000)
    assert np.flatnonzero(failed).tolist() == [3, 4, 5]


def test_without_a_budget_nothing_is_proven() -> None:
    flat = Formula.parse("0.1*x", LINE)
    assert unproven(enclosable(flat), cells(16), 1.0, 15).all()
    assert not unproven(enclosable(flat), cells(16), 1.0, 16).any()
