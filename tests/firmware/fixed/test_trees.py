"""Comparisons are exact: a decision tree answers like its formula at every held input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import ExportError
from distill.firmware.fixed.formats import hold, input_bounds, input_formats
from distill.firmware.fixed.plan import plan_fixed
from distill.formula import Formula


def near(domain: Domain, column: int, value: float) -> np.ndarray:
    """Integers around a value in one column, the others in their middle."""
    form = input_formats(domain)[column]
    q = np.repeat(hold((domain.low + domain.high)[None, :] / 2, domain), 9, axis=0)
    low, high = input_bounds(domain.variables[column])
    q[:, column] = np.clip(form.integers(np.array([value]))[0] + np.arange(-4, 5), low, high)
    return q


def reals(domain: Domain, q: np.ndarray) -> np.ndarray:
    """What integers stand for; a bound is held to the nearest integer, which may lie outside."""
    x = np.column_stack([f.reals(q[:, i]) for i, f in enumerate(input_formats(domain))])
    return np.clip(x, domain.low, domain.high)


@given(
    low=st.floats(-1000, 1000),
    width=st.floats(0.01, 1000),
    at=st.floats(0, 1),
    swapped=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_a_threshold_falls_between_the_same_two_integers(low, width, at, swapped) -> None:
    domain = Domain.box(x=(low, low + width))
    threshold = low + at * width
    compared = f"{threshold!r}, x" if swapped else f"x, {threshold!r}"
    formula = Formula.parse(f"ifless({compared}, 1, 2)", domain)
    program = plan_fixed(formula, domain, 0.01)
    q = near(domain, 0, threshold)
    assert (
        program.output.reals(program.evaluate(q, check=True)) == formula(reals(domain, q))
    ).all()


@pytest.mark.parametrize("bounds", [((0, 1), (0, 1000)), ((0, 1000), (0, 1)), ((-3, 3), (-3, 3))])
def test_inputs_of_different_formats_compare_exactly(bounds) -> None:
    domain = Domain((Variable("x", *bounds[0]), Variable("y", *bounds[1])))
    formula = Formula.parse("ifless(x, y, 1, 2)", domain)
    program = plan_fixed(formula, domain, 0.01)
    x = hold(np.repeat(domain.sample(200), 3, axis=0), domain)
    forms = input_formats(domain)
    # The integers of y that are next to the value of x.
    beside = forms[1].integers(forms[0].reals(x[:, 0])) + np.tile([-1, 0, 1], 200)
    low, high = input_bounds(domain.variables[1])
    x[:, 1] = np.clip(beside, low, high)
    assert (
        program.output.reals(program.evaluate(x, check=True)) == formula(reals(domain, x))
    ).all()


def test_a_tree_of_whole_and_real_inputs_is_exact() -> None:
    domain = Domain((Variable("n", 0, 200, kind="integer"), Variable("t", -20, 60)))
    text = "ifless(n, 17.5, ifless(t, 21.3, 1, 2), ifless(t, -3.75, 3, ifless(n, 100, 4.5, 5)))"
    formula = Formula.parse(text, domain)
    program = plan_fixed(formula, domain, 0.01)
    q = np.concatenate(
        [near(domain, 1, 21.3), near(domain, 1, -3.75), hold(domain.sample(500), domain)]
    )
    assert (
        program.output.reals(program.evaluate(q, check=True)) == formula(reals(domain, q))
    ).all()
    assert program.error_bound == 0


def test_a_jump_that_rounding_could_move_is_refused() -> None:
    domain = Domain.box(x=(0, 1), y=(0, 1))
    with pytest.raises(ExportError, match="cannot hold"):
        plan_fixed(Formula.parse("ifless(sin(x), y*y, 0, 1)", domain), domain, 0.01)


def test_branches_that_meet_are_not_refused() -> None:
    domain = Domain.box(x=(0, 1), y=(0, 1))
    formula = Formula.parse("ifless(x*y, 0.25, x*y, 0.25)", domain)
    program = plan_fixed(formula, domain, 0.05)
    x = domain.sample(500)
    held = program.output.reals(program.evaluate(hold(x, domain), check=True))
    assert np.abs(held - formula(x)).max() <= program.error_bound
