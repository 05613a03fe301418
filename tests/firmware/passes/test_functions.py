"""Functions of our own: close enough, cheaper, and the same bits on every machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.emit import emit_function
from distill.firmware.graph import Graph
from distill.firmware.passes import lower
from distill.firmware.passes.functions import TYPICAL, cost
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula

AIR = Domain.box(t=(0, 50, "degC"), h=(5, 100, "percent"))
MAGNUS = "(log(h/100) + 17.625*t/(243.04 + t))"
DEW = f"243.04*{MAGNUS}/(17.625 - {MAGNUS})"
STULL = (
    "t*atan(0.151977*sqrt(h+8.313659)) + atan(t+h) - atan(h-1.676331)"
    " + 0.00391838*h^1.5*atan(0.023101*h) - 4.686035"
)
FORMULAS = [
    (DEW, AIR, 0.03),
    (DEW, AIR, 1e-4),
    (STULL, AIR, 0.01),
    ("6.112*exp(17.67*t/(t + 243.5))*h/100", AIR, 0.01),
    ("sin(t)*cos(h/10) + tanh(t/10 - 2)", AIR, 1e-4),
    ("h^0.3 + (t + h)^0.7", AIR, 1e-3),
    ("atan2(t, h) + sinh(t/50) + cosh(h/100) + cbrt(h*t + 1) + tan(t/100)", AIR, 1e-3),
    ("ifless(t, 20, exp(t*h/1000), log(h + t))", AIR, 1e-3),
]
FPU = TYPICAL | {"add": 2.0, "sub": 2.0, "mul": 2.0, "div": 3.0, "sqrt": 3.0}


def with_kernels(text: str, domain: Domain, accuracy: float, costs=None) -> Graph:
    return lower(Formula.parse(text, domain), accuracy=accuracy, costs=costs)


def points(domain: Domain, n: int = 20_000) -> np.ndarray:
    x = np.vstack([domain.sample(n, 7), domain.corners()])
    return domain.clip(x.astype(np.float32).astype(float))


@pytest.mark.parametrize("costs", [None, FPU])
@pytest.mark.parametrize(("text", "domain", "accuracy"), FORMULAS)
def test_all_functions_together_keep_the_accuracy(text, domain, accuracy, costs) -> None:
    formula = Formula.parse(text, domain)
    library, own = lower(formula), with_kernels(text, domain, accuracy, costs)
    x = points(domain)
    bound = rounding_bound(library, x, "float32")
    error = np.abs(own.evaluate(x, "float32") - formula(x))
    assert (error <= accuracy + bound).all()
    assert not own.uses_libm
    assert library.uses_libm
    costs = costs or TYPICAL
    assert cost(own, costs) < 0.5 * cost(library, costs)


@pytest.mark.parametrize(("text", "domain", "accuracy"), FORMULAS)
def test_the_rounding_bound_covers_what_kernels_lose(text, domain, accuracy) -> None:
    formula = Formula.parse(text, domain)
    own = with_kernels(text, domain, accuracy)
    x = points(domain)
    bound = rounding_bound(own, x, "float32")
    assert (np.abs(own.evaluate(x, "float32") - formula(x)) <= bound).all()
    assert np.median(bound) < 4 * accuracy
    # In double a kernel is what it stands for.
    np.testing.assert_allclose(own.evaluate(x), formula(x), rtol=1e-9, atol=1e-12)


def test_a_formula_of_one_variable_is_one_polynomial() -> None:
    own = with_kernels("log(1 + exp(sin(t/20)))/(200 + t)", AIR, 1e-3)
    assert [o.name for o in own.operations] == ["input", "kernel"]


def test_nothing_is_replaced_where_it_would_cost_more() -> None:
    cheap = dict.fromkeys(TYPICAL, 5.0)
    assert with_kernels(DEW, AIR, 0.03, cheap) == lower(Formula.parse(DEW, AIR))
    line = Formula.parse("2*t + h", AIR)
    assert lower(line, accuracy=0.1) == lower(line)


def test_nothing_is_replaced_that_float32_integers_cannot_reach() -> None:
    library = lower(Formula.parse("exp(t) + exp(h)", AIR))
    assert lower(Formula.parse("exp(t) + exp(h)", AIR), accuracy=1e-12) == library


def test_what_decides_a_branch_is_left_to_the_library() -> None:
    own = with_kernels("ifless(log(h), 3, 1, 2) + log(h)", AIR, 0.1)
    assert own.uses_libm
    assert not any(operation.kernel for operation in own.operations)


@pytest.mark.parametrize("divisor", ["cube(abs(h))", "exp(abs(h))", "1.001 + sin(h)", "cosh(h)"])
def test_no_divisor_becomes_zero_however_little_it_matters(divisor) -> None:
    """Nearly everywhere the angle is 0 or pi, whatever the divisor is."""
    domain = Domain.box(t=(-45, 91), h=(-25, 25))
    own = with_kernels(f"atan2(-0.9, 168673*tanh(t)/({divisor}))", domain, 0.05)
    x = np.column_stack([np.zeros(2001), np.linspace(-25, 25, 2001)])
    positive = Formula.parse(divisor, domain)(x) > 1e-30
    assert np.isfinite(own.evaluate(x[positive], "float32")).all()


@pytest.mark.parametrize("accuracy", [0.0, -1.0, float("nan"), float("inf")])
def test_an_accuracy_that_is_none_is_refused(accuracy: float) -> None:
    with pytest.raises(ExportError, match="accuracy above 0"):
        with_kernels(DEW, AIR, accuracy)


def test_fixed_point_is_not_lowered_here() -> None:
    with pytest.raises(ExportError, match="fixed-point"):
        lower(Formula.parse(DEW, AIR), "fixed")


def test_double_keeps_the_library() -> None:
    formula = Formula.parse(DEW, AIR)
    assert lower(formula, "double", accuracy=0.1) == lower(formula, "double")


@pytest.mark.parametrize("costs", [None, FPU])
def test_the_c_gives_the_bits_of_the_model(tmp_path: Path, compiler, c_answers, costs) -> None:
    for text, domain, accuracy in FORMULAS:
        formula = Formula.parse(text, domain)
        source = emit_function(formula, "f", "float32", accuracy=accuracy, costs=costs)
        (tmp_path / "f.c").write_text(f'#include <math.h>\n#include "f.h"\n{source}')
        (tmp_path / "f.h").write_text("float f(float t, float h);\n")
        x = points(domain)
        graph = with_kernels(text, domain, accuracy, costs)
        got = c_answers(compiler, tmp_path / "f.c", x, "-O2")
        wanted = graph.evaluate(x, "float32").astype(np.float32)
        np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))


def test_equal_formulas_give_equal_bytes() -> None:
    formula = Formula.parse(DEW, AIR)
    texts = {emit_function(formula, "f", "float32", accuracy=0.03) for _ in range(2)}
    assert len(texts) == 1
    (text,) = texts
    assert text.startswith("#include <stdint.h>\n\nstatic ")
    assert "static float f_log(float x)" in text
    assert "static float f_curve2(float x)" in text
    assert "logf" not in text


@settings(max_examples=12, deadline=None)
@given(
    inner=st.floats(0.01, 3),
    shift=st.floats(-2, 2),
    factor=st.floats(-5, 5),
    name=st.sampled_from(["exp", "sin", "cos", "atan", "tanh", "cosh"]),
    exponent=st.integers(-5, -1),
)
def test_any_function_of_a_sum_keeps_its_accuracy(inner, shift, factor, name, exponent) -> None:
    domain = Domain.box(a=(-3, 3), b=(-2, 4))
    text = f"{factor!r}*{name}({inner!r}*(a + b) + {shift!r}) + a"
    formula = Formula.parse(text, domain)
    x = points(domain, 3000)
    size = np.abs(formula(x)).max()
    accuracy = float(size * 10.0**exponent)
    own = lower(formula, accuracy=accuracy)
    error = np.abs(own.evaluate(x, "float32") - formula(x))
    assert (error <= accuracy + rounding_bound(lower(formula), x, "float32")).all()
