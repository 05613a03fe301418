"""The error that is stated of C is that of the C: its arithmetic and its functions count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distill.building.order import Order
from distill.building.scalar import build_formula, evaluate_real
from distill.building.vector import VectorOrder, build_vector, real_answers, with_known_errors
from distill.config.folder import read_option
from distill.config.schema import ExportConfig
from distill.domain import Domain
from distill.firmware.target import load_target
from distill.formula import Formula
from distill.progress import Silent
from distill.teachers.base import Output

BOX = Domain.box(a=(0.1, 1), p=(1, 8))
EXACT = Formula.parse("11.547*a*sqrt(p)/sqrt(a*a + 0.33333)", BOX)
OF_A_LIBRARY = Formula.parse("1000*exp(a)*sin(p)", BOX)
TOLERANCE = 0.2
WAYS = [
    (EXACT, "float32", "cheapest"),
    (EXACT, "fixed", "cheapest"),
    (EXACT, "double", "cheapest"),
    (OF_A_LIBRARY, "float32", "cheapest"),
    (OF_A_LIBRARY, "float32", "library"),
]
TARGET = load_target(read_option("target", "pic32"))


def an_order(formula: Formula, functions: str, *, asked: bool, own: float = 1e-10) -> Order:
    options = ExportConfig(functions=functions, prove=False)
    truth = formula if asked else None
    return Order(
        "it", BOX, formula, own, truth, TOLERANCE, Output("y"), options, TARGET, provenance={}
    )


def in_float32(spec, x: np.ndarray) -> np.ndarray:
    """What C of correctly rounded functions answers."""
    model = spec.implementation.models[-1]
    return np.asarray(model(x)) if spec.arithmetic == "float32" else evaluate_real(spec, x)


@pytest.mark.parametrize(("formula", "arithmetic", "functions"), WAYS)
@pytest.mark.parametrize("asked", [True, False])
def test_of_a_formula_that_is_the_teacher(formula, arithmetic, functions, asked):
    order = an_order(formula, functions, asked=asked)
    spec = build_formula(order, arithmetic, Silent())
    x = BOX.sample(20_000, seed=5).astype(np.float32).astype(float)
    off = float(np.abs(in_float32(spec, x) - formula(x)).max())
    if arithmetic != "double":
        assert off > 100 * order.formula_error, "the arithmetic is what counts here"
    assert 0.5 * off <= spec.max_error <= TOLERANCE


def test_of_a_formula_that_is_off_the_teacher_nobody_may_ask():
    spec = build_formula(an_order(EXACT, "cheapest", asked=False, own=0.05), "float32", Silent())
    x = BOX.sample(20_000, seed=5).astype(np.float32).astype(float)
    lost = float(np.abs(in_float32(spec, x) - EXACT(x)).max())
    assert lost > 0.001
    assert 0.05 + 0.9 * lost <= spec.max_error <= TOLERANCE


@pytest.mark.parametrize("asked", [True, False])
def test_of_several_outputs(asked):
    order = VectorOrder(
        name="both", domain=BOX, content=(EXACT, OF_A_LIBRARY), classes=(), tolerance=TOLERANCE,
        outputs=(Output("exact"), Output("library")), max_errors=(1e-10, 1e-10),
        options=replace(ExportConfig(), functions="library"), target=TARGET, provenance={},
    )  # fmt: skip

    def truth(x: np.ndarray) -> np.ndarray:
        return np.column_stack([formula(x) for formula in order.content])

    spec = with_known_errors(
        build_vector(order, "float32"), order.content, truth if asked else None
    )
    x = BOX.sample(20_000, seed=5).astype(np.float32).astype(float)
    parts = [np.abs(part.models[-1](x) - f(x)) for part, f in zip(
        spec.content.parts, order.content, strict=True)]  # fmt: skip
    for stated, part in zip(spec.max_errors, parts, strict=True):
        assert part.max() > 1e-8
        assert 0.5 * part.max() <= stated <= TOLERANCE
    assert real_answers(spec, x).shape == (20_000, 2)
