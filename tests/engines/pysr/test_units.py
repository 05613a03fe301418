"""Units in Julia's words."""

import logging
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.engines.pysr.units import SI, julia_units
from distill.formula.dimension import dimension

from .julia_grammar import read


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("m", "m"),
        ("km/h", "m*s^(-1)"),
        ("degC", "K"),
        ("W/(m^2*K)", "kg*K^(-1)*s^(-3)"),
        ("V", "A^(-1)*m^2*kg*s^(-3)"),
        ("Hz^0.5", "s^(-1//2)"),
        ("mol/l", "m^(-3)*mol"),
        ("lux", "m^(-2)*cd"),
        ("percent", ""),
        ("rad", ""),
        ("1", ""),
    ],
)
def test_a_unit_is_its_base_dimensions(unit, said):
    units, output = julia_units({"x": unit}, unit)
    assert sorted(units[0].split("*")) == sorted(said.split("*"))
    assert output == units[0]


def test_an_output_without_a_unit_may_have_any():
    assert julia_units({"x": "m", "y": "s"}, "") == (["m", "s"], None)


@pytest.mark.parametrize("unknown", ["", "furlongish"])
def test_an_input_without_a_unit_is_never_called_a_pure_number(unknown, caplog):
    caplog.set_level(logging.INFO)
    assert julia_units({"x": "m", "level": unknown}, "m") is None
    assert "that of level is not known" in caplog.text


POWERS = st.dictionaries(
    st.sampled_from(sorted(SI)),
    st.fractions(-3, 3, max_denominator=4).filter(bool),
    max_size=4,
)


@given(POWERS)
def test_every_dimension_is_read_back_the_same(powers):
    """By a reader of Julia's syntax of units: names, ``^`` and ``(p//q)`` joined by ``*``."""
    text = "*".join(f"{SI[name]}^({power})" for name, power in powers.items()) or "1"
    (said,), _ = julia_units({"x": text}, "")
    assert not said or read(said)
    found = {}
    for factor in filter(None, said.split("*")):
        name, power = re.fullmatch(r"(\w+?)(?:\^\(?(-?\d+(?://\d+)?)\)?)?", factor).groups("1")
        found[name] = Fraction(power.replace("//", "/"))
    assert found == {SI[name]: power for name, power in dimension(text).powers}
    assert dict(dimension(text).powers) == powers
