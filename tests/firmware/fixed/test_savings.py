"""What a plan saves: polynomials for whole subexpressions, narrow products, decided branches."""

from __future__ import annotations

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.fixed.estimates import ESTIMATES
from distill.firmware.fixed.formats import hold
from distill.firmware.fixed.plan import plan_fixed
from distill.firmware.fixed.program import FixedProgram
from distill.formula import Formula


def plan(text: str, accuracy: float, processor: str = "arm-m0plus", **box: object) -> FixedProgram:
    domain = Domain.box(**box)
    return plan_fixed(Formula.parse(text, domain), domain, accuracy, ESTIMATES[processor])


def names(program: FixedProgram) -> list[str]:
    return [step.name for step in program.steps]


def test_a_rational_function_of_one_input_becomes_a_polynomial() -> None:
    program = plan("17.625*t/(243.04 + t)", 1e-3, t=(0, 50))
    assert "divide" not in names(program)
    assert names(program).count("mac") <= 3
    assert program.wide_products == 0


def test_a_quotient_through_an_intermediate_becomes_a_polynomial_of_it() -> None:
    program = plan("243.04*(x*y)/(17.625 - x*y)", 0.03, x=(0, 2), y=(0, 1.5))
    assert "divide" not in names(program)


def test_a_power_of_two_and_a_negative_cost_no_product() -> None:
    program = plan("max(x, 0.25) - y", 1e-3, x=(0, 1), y=(0, 1))
    assert "mac" not in names(program)


def test_decided_branches_leave_nothing_behind() -> None:
    program = plan("ifless(x, 5, y, exp(x*y)) + max(y, -1)", 1e-3, x=(0, 1), y=(0, 1))
    assert set(names(program)) <= {"input", "shift", "add", "scale", "mac"}


def test_a_coarse_accuracy_needs_no_wide_product_and_a_fine_one_does() -> None:
    box = {"x": (0, 10), "y": (0, 10)}
    assert plan("x*y + y", 0.1, **box).wide_products == 0
    assert plan("x*y + y", 1e-6, **box).wide_products > 0


def test_where_wide_products_are_cheap_they_are_used_for_a_shorter_program() -> None:
    small, large = (plan("sqrt(x*x + y*y)", 5e-3, p, x=(0, 10), y=(0, 10))
                    for p in ("arm-m0plus", "x86_64"))  # fmt: skip
    assert small.wide_products <= large.wide_products


def test_avr_shifts_by_whole_bytes() -> None:
    shifts = [s.shift for s in plan("exp(x)", 1e-3, "avr", x=(0, 1)).steps if s.shift]
    assert sum(shift % 8 == 0 for shift in shifts) >= len(shifts) - 1


def test_a_constant_formula_is_one_constant() -> None:
    program = plan("2.5", 1e-3, x=(0, 1))
    assert names(program) == ["constant"]
    assert program.output.reals(
        program.evaluate(np.zeros((3, 1), dtype=np.int64))
    ) == pytest.approx([2.5] * 3, abs=1e-3)


def test_an_input_passes_through_exactly() -> None:
    domain = Domain.box(x=(0, 10))
    program = plan_fixed(Formula.parse("x", domain), domain, 1e-3)
    q = hold(domain.sample(50), domain)
    assert (program.evaluate(q) == q[:, 0]).all()
