from __future__ import annotations

import numpy as np
import pytest

from distill.arrays import Array
from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.guard_search import find_guard
from distill.firmware.passes import lower
from distill.formula import Formula

SQUARE = Domain.box(x=(0, 10), y=(-1, 1))


def guard_of(
    text: str,
    truth: str,
    tolerance: float = 0.1,
    arithmetic: Arithmetic = "float32",
    cells: int | tuple[int, ...] | None = None,
) -> Guard:
    formula, wanted = Formula.parse(text, SQUARE), Formula.parse(truth, SQUARE)
    graph = lower(formula, "float32" if arithmetic == "float32" else "double")
    answers = [formula]
    if arithmetic == "float32":
        answers.append(lambda x: graph.evaluate(x, "float32"))
    return find_guard(answers, wanted, SQUARE, tolerance, cells, arithmetic=arithmetic)


def dense() -> Array:
    return np.vstack([SQUARE.corners(), SQUARE.sample(400_000, seed=5)])


def test_a_good_formula_has_an_empty_guard() -> None:
    guard = guard_of("x + y", "x + y + 0.09")
    assert guard.empty
    assert guard.fraction == 0
    assert not guard(dense()).any()


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("x*y", "x*y + max(0, x - 9)^2*0.5"),  # a corner region
        ("1e-4/(x - 3.137)", "0"),  # a pole thinner than a cell
        ("sqrt(x - 1)", "max(x - 1, 0)^0.5"),  # not a number on a side
        ("exp(5000*(x - 9.99))", "0"),  # infinite in float64 and float32, next to a bound
        ("max(0, 0.2 - abs(x - 4.321)*100)", "0"),  # a spike 0.002 wide
    ],
)
@pytest.mark.parametrize("arithmetic", ["float32", "double", "fixed"])
def test_outside_the_guard_the_formula_keeps_the_tolerance(
    text: str, truth: str, arithmetic: Arithmetic
) -> None:
    guard = guard_of(text, truth, arithmetic=arithmetic)
    assert 0 < guard.fraction < 0.6
    x = dense()
    error = np.abs(Formula.parse(text, SQUARE)(x) - Formula.parse(truth, SQUARE)(x))
    missed = ~(error <= 0.1)
    assert missed.any()
    assert guard(x)[missed].all()


def test_what_overflows_in_float32_alone_is_guarded() -> None:
    text, truth = "x^16*x^16*x^8/(x^16*x^16*x^8 + 1)", "min(1, x^16/(x^16 + 1))"
    single = guard_of(text, truth, tolerance=0.6)
    double = guard_of(text, truth, tolerance=0.6, arithmetic="double")
    assert single(np.array([[9.9, 0.0]]))[0]
    assert double.empty


def test_neighbours_of_a_fault_are_guarded() -> None:
    guard = guard_of("x*0", "max(0, 0.2 - abs(x - 4.5))", cells=(10, 4))
    # The fault is in cell 4; y does not matter, so one row of cells is enough.
    assert guard.counts == (10, 1)
    assert guard.flags[:, 0].nonzero()[0].tolist() == [3, 4, 5]
    assert guard.bits.tolist() == [0b00111000, 0]


def test_a_formula_that_is_wrong_everywhere_is_guarded_everywhere() -> None:
    guard = guard_of("x", "x + 1")
    assert guard.fraction == 1
    assert guard.counts == (1, 1)
    assert guard(dense()).all()


def test_nan_is_not_guarded_and_outside_points_count_as_the_nearest_cell() -> None:
    guard = guard_of("sqrt(x - 1)", "max(x - 1, 0)^0.5")
    x = np.array([[np.nan, 0.0], [-5.0, 0.0], [50.0, 0.0]])
    assert guard(x).tolist() == [False, True, False]


def test_whole_numbers_have_a_cell_each() -> None:
    domain = Domain((Variable("gear", -1, 4, kind="integer"), Variable("on", 0, 1, kind="boolean")))
    formula = Formula.parse("gear + on", domain)
    truth = Formula.parse("gear + on + max(0, gear - 3)", domain)
    guard = find_guard([formula], truth, domain, 0.5)
    assert guard.counts == (6, 1)
    assert guard.flags[:, 0].tolist() == [False, False, False, False, True, True]


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(ExportError, match="larger than 65,536"):
        guard_of("x", "x", cells=1000)
    with pytest.raises(ExportError, match="cell counts"):
        guard_of("x", "x", cells=(3,))
