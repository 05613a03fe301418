"""What the C makes of a table is never further from its meaning than is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.lookup import Table
from distill.firmware.table_storing import store
from distill.firmware.uneven_axes import Placed
from distill.proving import table_layout, table_rounding
from distill.proving.table_layout import interpolant

WHOLE = [
    ("float32", "uint8"), ("float32", "uint16"), ("float32", "float32"), ("double", "uint16"),
    ("fixed", "uint8"), ("fixed", "uint16"), ("fixed", "uint32"),
]  # fmt: skip


def found(table: Table) -> float:
    """The largest difference at many points: random ones, breakpoints and their neighbours."""
    domain = table.domain
    x = np.vstack([domain.sample(20_000, seed=5), domain.corners()])
    for i, axis in enumerate(table.axes):
        points = axis.breakpoints()
        near = np.concatenate([points, points + 1e-4, points - 1e-4])
        rows = domain.sample(40 * len(near), seed=i)
        rows[:, i] = np.tile(near, 40)
        x = np.vstack([x, rows])
    x = domain.clip(x)
    if table.arithmetic != "double":
        x = x.astype(np.float32).astype(float)
    x = x[domain.contains(x)]
    answers = table(x)
    if table.arithmetic == "fixed":
        answers = answers.astype(np.float32).astype(float)
    return float(np.abs(answers - interpolant(table)(x)).max())


@pytest.mark.parametrize(("arithmetic", "kind"), WHOLE)
def test_the_claim_holds_and_is_not_absurd(every_table, arithmetic: str, kind: str) -> None:
    for table in every_table(arithmetic, kind):
        claimed = table_rounding.table_rounding(table, float_result=True)
        worst = found(table)
        assert worst <= claimed
        assert claimed < 20 * worst


def uneven() -> Table:
    """Cells so different in width that few bits are left of the wide ones' reciprocals."""
    domain = Domain.box(x=(0, 1))
    axis = Placed(domain.variables[0], "float32", (0, 3, 40_000))
    return store(domain, (axis,), np.array([0.0, 0.1, 5.0, -4.0]), "uint16", "float32")


def without_positions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table_layout, "_position_error", lambda *_: 0.0)


def without_weights(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table_layout, "_placed_weights", lambda axis: np.zeros(axis.cells))


def without_floats(patch: pytest.MonkeyPatch) -> None:
    for module in (table_layout, table_rounding):
        patch.setattr(module, "unit_roundoff", lambda table: 0.0)


@pytest.mark.parametrize(
    ("broken", "arithmetic", "kind"),
    [
        (without_positions, "fixed", "uint16"),
        (without_weights, "", ""),
        (without_floats, "float32", "float32"),
    ],
)
def test_without_one_rule_the_claim_is_wrong(
    every_table, broken, arithmetic: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = list(every_table(arithmetic, kind)) if kind else [uneven()]
    sizes = [found(table) for table in tables]

    def hold() -> list[bool]:
        claims = (table_rounding.table_rounding(table, float_result=True) for table in tables)
        return [size <= claim for size, claim in zip(sizes, claims, strict=True)]

    assert all(hold())
    broken(monkeypatch)
    assert not all(hold())


def test_wholes_alone_lose_only_what_the_readout_does(every_table) -> None:
    coarse = next(iter(every_table("fixed", "uint32")))
    fine = table_rounding.table_rounding(coarse, float_result=True)
    integers = table_rounding.table_rounding(coarse, float_result=False)
    assert 0 < integers < fine
