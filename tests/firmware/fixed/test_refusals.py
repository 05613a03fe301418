"""What fixed point refuses, and what it tells about it."""

from __future__ import annotations

import pytest

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.fixed.plan import plan_fixed
from distill.formula import Formula


def refusal(text: str, accuracy: float, **box: object) -> ExportError:
    domain = Domain.box(**box)
    with pytest.raises(ExportError) as error:
        plan_fixed(Formula.parse(text, domain), domain, accuracy)
    return error.value


def test_a_pole_is_named_with_its_place() -> None:
    error = refusal("y + 1/(x - 3)", 0.01, x=(0, 5), y=(0, 1))
    assert "(1 / (x - 3))" in error.what
    assert "x in [2.9" in error.where
    assert "narrow the domain" in error.hint


def test_a_range_beyond_every_format_is_named() -> None:
    error = refusal("exp(x) + 1", 1e17, x=(0, 60))
    assert "cannot hold" in error.what
    assert "exp(x)" in error.where
    assert "32 bits" in error.where


def test_too_fine_an_accuracy_tells_what_could_be_held() -> None:
    error = refusal("x*y", 1e-12, x=(0, 1000), y=(0, 1000))
    assert "an error of " in error.what
    held = float(error.what.split("an error of ")[1].split(" ")[0])
    domain = Domain.box(x=(0, 1000), y=(0, 1000))
    program = plan_fixed(Formula.parse("x*y", domain), domain, 1.5 * held)
    assert program.error_bound <= 1.5 * held
    assert "float32" in error.hint


def test_the_jump_of_an_angle_is_named() -> None:
    error = refusal("atan2(y, x)", 0.01, x=(-5, -1), y=(-1, 1))
    assert "jumps by a whole turn" in error.where


def test_the_origin_of_an_angle_is_named() -> None:
    error = refusal("atan2(y, x)", 0.01, x=(-1, 1), y=(0, 1))
    assert "every angle is possible" in error.where


def test_a_network_over_wide_inputs_is_held_whatever_the_search_tries() -> None:
    # Coarse arguments of the exponential in tanh are held so loosely that their powers overflow.
    box = Domain.box(humidity=(5, 100), temperature=(0, 50))
    text = (
        "0.33114*tanh(0.52039*humidity + 0.58198*temperature - 0.18711)"
        " - 0.20611*tanh(0.18962*humidity - 0.27235*temperature - 0.2137)"
        " - 0.47767*tanh(0.37932*humidity - 0.005294*temperature - 0.062752) + 0.19767"
    )
    formula = Formula.parse(text, box)
    program = plan_fixed(formula, box, 0.0009)
    assert program.error_bound <= 0.0009


@pytest.mark.parametrize("accuracy", [0, -1, float("nan"), float("inf")])
def test_an_accuracy_must_be_a_positive_number(accuracy: float) -> None:
    assert "positive accuracy" in refusal("x", accuracy, x=(0, 1)).what
