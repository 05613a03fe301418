from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.emit import emit_function, literal
from distill.firmware.graph import Builder, Operation
from distill.firmware.names import RESERVED, Names
from distill.firmware.passes import lower
from distill.firmware.rounding import rounding_bound
from distill.formula import Formula

AIR = Domain.box(temperature=(10, 50, "degC"), humidity=(5, 99, "percent"))
STULL = (
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
)
ODD = Domain.box(exp=(0.5, 2), y0=(0.5, 2), t0=(0.5, 2), Pressure=(0.5, 2), RH=(0.5, 2))


def test_stull_is_printed_as_a_person_would() -> None:
    assert emit_function(Formula.parse(STULL, AIR), "wet_bulb", "float32") == (
        "float wet_bulb(float temperature, float humidity)\n"
        "{\n"
        "    const float t0 = temperature * atanf(0.151977f * sqrtf(humidity + 8.313659f));\n"
        "    const float t1 = 0.00391838f * (humidity * sqrtf(humidity)) * atanf(0.023101f *"
        " humidity);\n"
        "    const float t2 = t0 + atanf(temperature + humidity) - atanf(humidity - 1.676331f)"
        " + t1;\n"
        "    return t2 - 4.686035f;\n"
        "}\n"
    )


def test_double_has_no_suffixes_and_static_is_said() -> None:
    text = emit_function(Formula.parse("exp(temperature)/3", AIR), "f", "double", static=True)
    assert text == (
        "static double f(double temperature, double humidity)\n"
        "{\n"
        "    (void)humidity;\n"
        "    return exp(temperature) * 0.3333333333333333;\n"
        "}\n"
    )


def test_a_power_that_products_do_never_calls_pow() -> None:
    formula = Formula.parse("temperature^3 + humidity^2.5 + humidity^-4", AIR)
    assert "pow" not in emit_function(formula, "f", "float32")
    assert "powf(humidity, 0.3f)" in emit_function(
        Formula.parse("humidity^0.3", AIR), "f", "float32"
    )


def test_operands_of_min_and_max_are_computed_once() -> None:
    text = emit_function(Formula.parse("max(exp(temperature), humidity)", AIR), "f", "float32")
    assert text.count("expf") == 1
    assert "(t0 > humidity ? t0 : humidity)" in text


@pytest.mark.parametrize(
    ("value", "single", "double"),
    [
        (0.1, "0.1f", "0.1"),
        (3.0, "3.0f", "3.0"),
        (1e-7, "1e-07f", "1e-07"),
        (-2.5, "-2.5f", "-2.5"),
        (1 / 3, "0.33333334f", "0.3333333333333333"),
        (1e20, "1e+20f", "1e+20"),
        (16777217.0, "1.6777216e+07f", "16777217.0"),
        (0.0, "0.0f", "0.0"),
    ],
)
def test_literals_are_the_shortest_that_read_back(value: float, single: str, double: str) -> None:
    assert literal(value, "float32") == single
    assert literal(value, "double") == double


@settings(max_examples=200, deadline=None)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float_literals_round_trip_in_nine_digits(value: float) -> None:
    text = literal(value, "float32").removesuffix("f")
    assert np.float32(text) == np.float32(value)
    assert len(text.split("e")[0].strip("-").replace(".", "").strip("0")) <= 9


@pytest.mark.parametrize("value", [1e39, -1e39, 1e-60, float("inf"), float("nan")])
def test_a_constant_float32_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ExportError, match="cannot be held in float32"):
        literal(value, "float32")


def test_a_term_that_float32_cannot_hold_vanishes_and_a_divisor_does_not() -> None:
    tiny = Formula.parse("temperature*4.4e-166 - 1e-60 + temperature", AIR)
    text = emit_function(tiny, "f", "float32")
    assert "0.0f" in text
    assert "e-166" not in text
    assert "4.4e-166" in emit_function(tiny, "f", "double")
    for formula, constant in (("temperature*1e39", "1e+39"), ("temperature/1e-60", "1e-60")):
        with pytest.raises(ExportError, match=re.escape(constant)):
            emit_function(Formula.parse(formula, AIR), "f", "float32")


@pytest.mark.parametrize("name", ["exp", "sinf", "double", "y0", "1st", "NAN", "MAX_VALUE", "main"])
def test_a_function_name_that_c_knows_is_refused(name: str) -> None:
    with pytest.raises(ExportError, match="cannot be called"):
        emit_function(Formula.parse("temperature", AIR), name, "float32")


def test_parameters_that_collide_are_renamed_and_locals_step_aside() -> None:
    formula = Formula.parse("exp(exp)*y0 + sin(exp*y0)/(exp*y0) + t0 + Pressure + RH", ODD)
    text = emit_function(formula, "f", "float32")
    assert "f(float in_exp, float in_y0, float t0, float Pressure, float RH)" in text
    assert "const float t1 = in_exp * in_y0;" in text


NAMES = st.lists(
    st.one_of(
        st.sampled_from(sorted(RESERVED)),
        st.sampled_from(["in_exp", "exp", "t0", "t1", "f", "f_table", "in_in_exp", "PRESSURE"]),
    ),
    unique=True,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(NAMES)
def test_parameter_names_never_collide(wanted: list[str]) -> None:
    names = Names("f")
    given_names = [*names.parameters(wanted), names.local("t"), names.local("t")]
    assert len(set(given_names)) == len(given_names)
    assert not set(given_names) & RESERVED
    assert not any(f"{name}_".startswith("f_") for name in given_names)


def test_an_operator_without_c_is_refused() -> None:
    builder = Builder(("x",))
    graph = builder.finish(builder.call("cube", builder.add(Operation("input", column=0))))
    from distill.firmware.emit import function_text

    with pytest.raises(ExportError, match="does not know the operator `cube`"):
        function_text(graph, "f", "float32", ("x",), Names("f"), static=False)


EVERYTHING = (
    "exp(exp/3)*inv(y0) - -2*t0*y0/7 + max(exp^3 + y0, square(exp)) + min(1, y0^-2.5) + 7/exp^2"
    " + cbrt(t0)*sin(RH)*cos(RH)*tan(RH/2) + asin(t0/3)*acos(t0/3)*atan(RH) + sinh(RH) - cosh(t0)"
    " + tanh(y0) + abs(t0 - RH) + atan2(y0, RH) + log(Pressure) + sqrt(RH)^3 + RH^0.3 - (-t0)*RH"
)


@pytest.mark.parametrize(("arithmetic", "real"), [("float32", "float"), ("double", "double")])
def test_every_operator_compiles_strictly_and_agrees(
    tmp_path: Path, compiler, c_answers, arithmetic, real
) -> None:
    formula = Formula.parse(EVERYTHING, ODD)
    text = emit_function(formula, "f", arithmetic)
    (tmp_path / "f.h").write_text(text.split("\n{")[0] + ";\n")
    (tmp_path / "f.c").write_text(f'#include <math.h>\n#include "f.h"\n{text}')
    dtype = np.float32 if arithmetic == "float32" else np.float64
    x = ODD.sample(20_000).astype(dtype).astype(float)
    got = c_answers(compiler, tmp_path / "f.c", x, real=real)
    bound = rounding_bound(lower(formula, arithmetic), x, arithmetic)
    unit = np.finfo(dtype).eps * np.abs(formula(x))
    assert np.isfinite(bound).all()
    # The reference is itself rounded in float64.
    assert (np.abs(got - formula(x)) <= bound + unit).all()
    assert (bound < 200 * np.finfo(dtype).eps * (1 + np.abs(formula(x)))).mean() > 0.5
