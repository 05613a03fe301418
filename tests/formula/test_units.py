"""Units: formulas that make sense are accepted, others refused with the place and the reason."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.errors import DomainError
from distill.formula.dimension import Dimension, Unit, powers_text, read_unit
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import Call, Number, Symbol, constants, with_constants
from distill.formula.unit_equations import looks_pure
from distill.formula.units import (
    check_units,
    describe,
    dimension,
    possible_pair,
    require_units,
)

from .strategies import trees

UNITS = {"a": "m", "b": "s", "c": "kg", "d": "degC", "p": "percent", "q": "m/s"}


def check(text, output, **units):
    return check_units(parse(text, list(units)), units, output)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("m/s", Dimension.of(length=1, time=-1)),
        ("km/h", Dimension.of(length=1, time=-1)),
        ("m s-1", Dimension.of(length=1, time=-1)),
        ("W/(m2 K)", Dimension.of(mass=1, time=-3, temperature=-1)),
        ("degC", Dimension.of(temperature=1)),
        ("°C", Dimension.of(temperature=1)),
        ("degF", Dimension.of(temperature=1)),
        ("1/degC", Dimension.of(temperature=-1)),
        ("Pa^0.5", Dimension.of(mass=0.5, length=-0.5, time=-1)),
        ("percent", Dimension()),
        ("%", Dimension()),
        ("1", Dimension()),
        ("dimensionless", Dimension()),
        ("rad", Dimension()),
        ("", None),
        ("  ", None),
        ("foo", None),
        ("m**", None),
        ("10 m", None),
        ("$", None),
        ("m**1e400", None),
        ("m" * 200, None),
    ],
)
def test_dimensions_of_units(unit, expected):
    assert dimension(unit) == expected


def test_a_unit_is_printed_as_its_user_spelled_it():
    assert str(read_unit("percent/degC")) == "percent/degC"
    assert str(read_unit("W/(m2 K)")) == "W/(K*m^2)"
    assert str(read_unit("1/degC")) == "1/degC"
    assert powers_text((("m", Fraction(1, 2)),)) == "m^(1/2)"


def test_a_unit_that_is_not_understood_is_refused_only_where_asked_for():
    assert check("x + y", "K", x="K", y="wibble").consistent
    with pytest.raises(DomainError, match="wibble") as caught:
        require_units({"x": "K", "y": "wibble"})
    assert "`y`" in caught.value.where
    require_units({"x": "K", "y": ""})


FITTING = [
    ("0.0573*t + 3.1", "percent", {"t": "degC"}),
    ("m*v^2/2", "J", {"m": "kg", "v": "m/s"}),
    ("sqrt(2*h*9.81)", "m/s", {"h": "m"}),
    ("44330*(1 - (p/1013.25)^0.1903)", "m", {"p": "hPa"}),
    ("100*sqrt(1 + 0.0039*t - 5.775e-7*t^2)", "ohm", {"t": "degC"}),
    ("exp(8.17 - 1731.4/(t + 233.4))", "hPa", {"t": "degC"}),
    ("10^(8.17 - 1731.4/(t + 233.4))", "hPa", {"t": "degC"}),
    ("exp(0.5*log(x))", "m^0.5", {"x": "m"}),
    ("2.3*log(p) + 4.1", "K", {"p": "Pa"}),
    ("log(x) - log(y)", "1", {"x": "m", "y": "km"}),
    ("log(x/y)*z", "K", {"x": "m", "y": "km", "z": "K"}),
    ("atan2(x, y)", "rad", {"x": "m", "y": "m"}),
    ("ifless(x, 3.7, y, 2.9*z)", "K", {"x": "m", "y": "K", "z": "s"}),
    ("max(x, 3.7) + abs(x)", "m", {"x": "m"}),
    ("x + a*y", "m", {"x": "m", "y": "s", "a": ""}),
    ("x + y", "", {"x": "m", "y": ""}),
    ("sin(p)", "1", {"p": "percent"}),
]


@pytest.mark.parametrize(("text", "output", "units"), FITTING)
def test_consistent_without_units_on_round_constants(text, output, units):
    report = check(text, output, **units)
    assert (report.consistent, report.pure, report.bare) == (True, True, False), report.reason


LAMBDA = {"length": 1.7, "time": 0.6, "mass": 2.3, "temperature": 1.3, "current": 0.8}


def factor(measured):
    """By what a number grows when all base units shrink by these factors."""
    return np.prod([LAMBDA[name] ** float(e) for name, e in measured.powers])


@pytest.mark.parametrize(("text", "output", "units"), FITTING)
def test_in_other_units_the_formula_says_the_same(text, output, units):
    tree = parse(text, list(units))
    report = check_units(tree, units, output)
    if "" in units.values() or report.free or any(c.logarithm for c in report.constants):
        return
    x = np.random.default_rng(0).uniform(0.5, 1.0, (20, len(units)))
    y = compile_tree(tree, list(units))(x)
    scaled = x * [factor(dimension(unit)) for unit in units.values()]
    values = [c.value * factor(c.unit.dimension) for c in report.constants]
    again = compile_tree(with_constants(tree, values), list(units))(scaled)
    np.testing.assert_allclose(again, y * factor(dimension(output)), rtol=1e-9)


@settings(max_examples=150, deadline=None)
@given(trees(), st.sampled_from(["", "m", "1", "wibble"]), st.sampled_from(["", "m", "degC"]))
def test_any_formula_gets_a_report(tree, output, unit):
    report = check_units(tree, {"x": unit, "y": "s", "z_1": ""}, output)
    assert describe(report)
    assert len(report.constants) == (len(constants(tree)) if report.consistent else 0)


@pytest.mark.parametrize(
    ("text", "output", "units", "place"),
    [
        ("x + y", "m", {"x": "m", "y": "s"}, "x + y"),
        ("x*y", "m", {"x": "m", "y": "s"}, "x*y"),
        ("sin(x)", "1", {"x": "m"}, "sin(x)"),
        ("exp(x)", "m", {"x": "m"}, "exp(x)"),
        ("x^y", "1", {"x": "1", "y": "m"}, "x^y"),
        ("x^y", "1", {"x": "m", "y": "1"}, "x^y"),
        ("3.7*max(x, y)", "m", {"x": "m", "y": "s"}, "max(x, y)"),
        ("atan2(x, y)", "1", {"x": "m", "y": "s"}, "atan2(x, y)"),
        ("a + x + a*y", "", {"x": "m", "a": "", "y": "m"}, "a + x + a*y"),
        ("ifless(x, y, 1.7, 2.9)", "", {"x": "m", "y": "s"}, "ifless(x, y, 1.7, 2.9)"),
    ],
)
def test_inconsistent_with_the_place(text, output, units, place):
    report = check(text, output, **units)
    assert not report.consistent
    assert report.node == parse(place, list(units))
    assert report.reason
    assert report.constants == ()
    assert describe(report) == [f"units do not fit: {report.reason}"]


def test_the_reason_names_both_sides():
    assert check("t + h", "degC", t="degC", h="percent").reason == (
        "`t` (degC) and `h` (percent) are added"
    )


def test_a_formula_in_the_wrong_power_needs_a_unit_on_a_round_constant():
    report = check("m*v^3/2", "J", m="kg", v="m/s")
    assert report.consistent
    assert not report.pure
    assert str(report.constants[1].unit) == "kg*m^3/(J*s^3)"


@pytest.mark.parametrize(
    "text", ["1/(0.00113 + 0.000234*log(r) + 8.7e-8*log(r)^3)", "sin(1e-8*log(r))", "r*log(r)"]
)
def test_logarithms_of_bare_numbers_are_said(text):
    report = check(text, "", r="ohm")
    assert report.consistent
    assert report.bare
    assert "bare" in describe(report)[0]


def test_the_units_of_constants():
    report = check("0.0573*t + 3.1", "percent", t="degC")
    assert [str(c) for c in report.constants] == ["0.0573 percent/degC", "3.1 percent"]
    report = check("44330*(1 - (p/1013.25)^0.1903)", "m", p="hPa")
    assert [str(c) for c in report.constants] == ["44330 m", "1", "1013.2 hPa", "0.1903"]
    report = check("2.31*log(p) + 4.17", "K", p="Pa")
    assert [c.logarithm for c in report.constants] == [False, True]


def test_a_unit_that_cannot_be_determined_is_said():
    report = check("1.7*x + 2.9*y", "", x="m", y="s")
    assert report.free == (0, 1)
    report = check("1.7*(2.9*x)", "m", x="m")
    assert report.free == (0, 1)
    assert "cannot be determined" in describe(report)[1]


def test_pairs():
    assert possible_pair("sub", "degC", "degF")
    assert not possible_pair("add", "degC", "percent")
    assert possible_pair("add", "degC", "")
    assert possible_pair("div", "degC", "percent")
    assert possible_pair("mul", "m", "s")


@pytest.mark.parametrize(
    "value", [0.0, 1.0, -2.0, 0.5, 2 / 3, 3.141592653589793, 1.5707963267948966]
)
def test_pure_numbers(value):
    assert looks_pure(value)


@pytest.mark.parametrize("value", [3.1, 0.0573, 1013.25, 273.15, 1e-300])
def test_measured_numbers(value):
    assert not looks_pure(value)


exponents = st.integers(-3, 3)
powers = st.fixed_dictionaries(dict.fromkeys(UNITS, exponents))


def product(chosen):
    tree = Number(1.0)
    for name, exponent in chosen.items():
        if exponent:
            tree = Call("mul", (tree, Call("pow", (Symbol(name), Number(float(exponent))))))
    return tree


def unit_of(chosen):
    unit = Unit((), Dimension())
    for name, exponent in chosen.items():
        unit = unit * read_unit(UNITS[name]) ** exponent
    return unit


@settings(max_examples=60, deadline=None)
@given(powers)
def test_products_of_powers_have_the_unit_of_their_factors(chosen):
    unit = unit_of(chosen)
    assert check_units(product(chosen), UNITS, str(unit)).pure
    assert dimension(str(unit)) == unit.dimension


@settings(max_examples=60, deadline=None)
@given(powers, st.sampled_from(["a", "b", "c", "d", "q"]), st.sampled_from([-1, 1, 2]))
def test_one_exponent_changed_is_not_the_same_unit(chosen, name, change):
    wrong = {**chosen, name: chosen[name] + change}
    report = check_units(product(wrong), UNITS, str(unit_of(chosen)))
    assert not report.pure


@st.composite
def consistent(draw, wanted, depth=3):
    """A random tree without constants with the dimension of ``wanted`` (powers of variables)."""
    kind = draw(st.sampled_from(["leaf", "sum", "product", "root", "function", "branch"]))
    if depth == 0 or kind == "leaf":
        return product(wanted)
    inner = consistent(wanted, depth - 1)
    if kind == "sum":
        operator = draw(st.sampled_from(["add", "sub", "min", "max"]))
        return Call(operator, (draw(inner), draw(inner)))
    if kind == "product":
        part = draw(powers)
        rest = {name: wanted[name] - part[name] for name in wanted}
        return Call("mul", (draw(consistent(part, depth - 1)), draw(consistent(rest, depth - 1))))
    if kind == "root":
        return Call("sqrt", (Call("square", (draw(inner),)),))
    nothing = dict.fromkeys(wanted, 0)
    if kind == "function":
        function = draw(st.sampled_from(["sin", "exp", "tanh", "log"]))
        number = Call(function, (draw(consistent(nothing, depth - 1)),))
        return Call("mul", (number, draw(inner)))
    a = draw(powers)
    return Call(
        "ifless", (draw(consistent(a, 1)), draw(consistent(a, 1)), draw(inner), draw(inner))
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), powers, st.sampled_from(["a", "b", "c", "d"]))
def test_random_consistent_formulas_are_accepted_and_no_longer_with_another_output(
    data, wanted, name
):
    tree = data.draw(consistent(wanted))
    unit = unit_of(wanted)
    report = check_units(tree, UNITS, str(unit))
    assert report.pure, report.reason
    other = unit * read_unit(UNITS[name])
    assert not check_units(tree, UNITS, str(other)).pure


@settings(max_examples=60, deadline=None)
@given(st.data(), powers)
def test_fitted_factors_may_carry_any_unit(data, wanted):
    tree = Call("mul", (Number(0.7213), data.draw(consistent(wanted))))
    report = check_units(tree, UNITS, "mol")
    assert report.consistent
    unit = report.constants[0].unit
    # Another constant of the tree may take the unit as well: then neither is determined.
    assert (unit is None) == (0 in report.free)
    if unit is not None:
        assert unit.dimension == Dimension.of(substance=1) / unit_of(wanted).dimension
