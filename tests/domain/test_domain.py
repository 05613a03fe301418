"""The box: its points, its round trips, and every way a domain can be refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain, Variable
from distill.errors import DomainError

MIXED = Domain(
    (
        Variable("f", 20.0, 20_000.0, "Hz", scale="log"),
        Variable("n", -3, 12, kind="integer"),
        Variable("on", 0, 1, kind="boolean"),
        Variable("t", -10.0, 50.0, "°C"),
    )
)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("double", "a word of the C or C++ language"),
        ("while", "a word of the C or C++ language"),
        ("class", "a word of the C or C++ language"),
        ("NAN", "a word of the C or C++ language"),
        ("lambda", "a word of the Python language"),
        ("None", "a word of the Python language"),
        ("größe", "a name starts with an ASCII letter"),
        ("x²", "a name starts with an ASCII letter"),
        ("ｘ", "a name starts with an ASCII letter"),
        ("2nd", "a name starts with an ASCII letter"),
        ("_x", "a name starts with an ASCII letter"),
        ("a b", "a name starts with an ASCII letter"),
        ("a-b", "a name starts with an ASCII letter"),
        ("x\n", "a name starts with an ASCII letter"),
        ("", "a name starts with an ASCII letter"),
        ("x" * 64, "63 characters at most"),
    ],
)
def test_names_that_c_cannot_hold(name, why):
    with pytest.raises(DomainError) as caught:
        Variable(name, 0, 1)
    assert why in caught.value.what
    assert f"`{name}`" in caught.value.where
    assert "rename it" in caught.value.hint


@pytest.mark.parametrize("name", ["x", "T", "x" * 63, "rel_hum_2", "doubles", "E", "y0"])
def test_names_that_can_stand(name):
    assert Domain.box(**{name: (0, 1)}).names == (name,)


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        ({"low": 5, "high": 5}, "low < high, but low = 5 and high = 5", "swap or correct"),
        ({"low": 9, "high": 5}, "low < high, but low = 9 and high = 5", "swap or correct"),
        ({"low": -math.inf, "high": 5}, "not finite: [-inf, 5.0]", "range that can occur"),
        ({"low": 0, "high": math.inf}, "not finite: [0.0, inf]", "range that can occur"),
        ({"low": math.nan, "high": 5}, "not finite: [nan, 5.0]", "range that can occur"),
        ({"low": -1e308, "high": 1e308}, "not finite: [-1e+308, 1e+308]", "range that can occur"),
        ({"low": "cold", "high": 5}, "`low` of `x` is not a number: 'cold'", "give `low` as"),
        ({"low": 0, "high": None}, "`high` of `x` is not a number: None", "give `high` as"),
        ({"low": 0, "high": [1]}, "`high` of `x` is not a number: [1]", "give `high` as"),
        ({"low": 0, "high": 1, "scale": "log2"}, "`log2` is not a scale", "linear, log"),
        ({"low": 0, "high": 1, "scale": "log"}, "scale=log but starts at 0", "positive low"),
        ({"low": -2, "high": 1, "scale": "log"}, "scale=log but starts at -2", "positive low"),
        ({"low": 0, "high": 1, "kind": "text"}, "`text` is not a kind", "continuous, integer"),
        ({"low": 0, "high": 2, "kind": "boolean"}, "must have bounds 0 and 1", "high: 1"),
        ({"low": 0, "high": 2.5, "kind": "integer"}, "not whole numbers", "whole bounds"),
        ({"low": 0, "high": 1, "unit": "m\x1b[2J"}, r"'m\x1b[2J' is no unit: it holds", "one line"),
        ({"low": 0, "high": 1, "unit": "m\n*/"}, r"control character '\n'", "one line"),
        ({"low": 0, "high": 1, "unit": "m\u202e"}, r"control character '\u202e'", "one line"),
        ({"low": 0, "high": 1, "unit": "m\x9b"}, r"control character '\x9b'", "one line"),
    ],
)
def test_variables_that_are_refused(options, what, hint):
    with pytest.raises(DomainError) as caught:
        Variable("x", **options)
    assert what in caught.value.what
    assert caught.value.where == "domain variable `x`"
    assert hint in caught.value.hint


def test_domains_that_are_refused():
    with pytest.raises(DomainError, match="at least one variable"):
        Domain(())
    with pytest.raises(DomainError, match="two variables are called `x`"):
        Domain((Variable("x", 0, 1), Variable("x", 0, 2)))
    with pytest.raises(DomainError, match="must differ in more than their case"):
        Domain((Variable("x", 0, 1), Variable("X", 0, 2)))
    with pytest.raises(DomainError, match=r"`x` needs \(low, high\)"):
        Domain.box(x=(1,))
    with pytest.raises(DomainError, match=r"`x` needs \(low, high\)"):
        Domain.box(x=(1, 2, "m", 4))
    with pytest.raises(DomainError, match="cannot draw 0 points"):
        MIXED.sample(0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "not a domain"),
        ("[]", "not a domain of version 1"),
        ('{"version": 2, "variables": []}', "not a domain of version 1"),
        ('{"version": 1}', "needs name, low and high"),
        ('{"version": 1, "variables": {}}', "needs name, low and high"),
        ('{"version": 1, "variables": [{"name": "x", "low": 0}]}', "needs name, low and high"),
        (
            '{"version": 1, "variables": [{"name": "x", "low": 0, "high": 1, "q": 2}]}',
            "needs name, low and high",
        ),
        ('{"version": 1, "variables": []}', "at least one variable"),
        ('{"version": 1, "variables": [{"name": "if", "low": 0, "high": 1}]}', "cannot name"),
        ('{"version": 1, "variables": [{"name": 3, "low": 0, "high": 1}]}', "cannot name"),
        (
            '{"version": 1, "variables": [{"name": "x", "low": 0, "high": 1, "scale": []}]}',
            "is not a scale",
        ),
    ],
)
def test_stored_domains_that_are_refused(text, what):
    with pytest.raises(DomainError) as caught:
        Domain.from_json(text)
    assert what in caught.value.what


def test_a_domain_survives_json_with_its_unicode_units():
    text = MIXED.to_json()
    assert Domain.from_json(text) == MIXED
    assert json.loads(text)["variables"][3]["unit"] == "°C"
    assert Domain.from_json(text).to_json() == text


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_any_bounds_survive_json_to_the_bit(a, b):
    low, high = sorted((a, b))
    if low == high:
        return
    domain = Domain.box(x=(low, high, "V"))
    again = Domain.from_json(domain.to_json())
    assert (again.low[0], again.high[0]) == (low, high)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**63))
def test_samples_lie_inside_and_repeat(n, seed):
    x = MIXED.sample(n, seed)
    assert x.shape == (n, 4)
    assert MIXED.contains(x).all()
    assert (x[:, 1:3] == np.round(x[:, 1:3])).all()
    assert x.tobytes() == MIXED.sample(n, seed).tobytes()


def test_a_sample_is_spread_by_scale_and_kind():
    x = MIXED.sample(4096, 7)
    # three decades of frequency get a third of the points each
    assert np.histogram(x[:, 0], [20, 200, 2000, 20_000])[0] == pytest.approx([1365] * 3, abs=8)
    counts = np.unique(x[:, 1], return_counts=True)
    assert counts[0].tolist() == list(range(-3, 13))
    assert counts[1] == pytest.approx([256] * 16, abs=8)
    assert x[:, 2].mean() == pytest.approx(0.5, abs=0.01)
    assert x[:, 3].mean() == pytest.approx(20.0, abs=0.05)


def test_unit_coordinates_and_back():
    x = MIXED.sample(500, 3)
    again = MIXED.from_unit(MIXED.to_unit(x))
    assert again == pytest.approx(x, rel=1e-12)
    assert again[:, 1:3].tolist() == x[:, 1:3].tolist()
    ends = MIXED.from_unit(np.array([[0.0] * 4, [1.0] * 4]))
    assert ends == pytest.approx(np.array([MIXED.low, MIXED.high]), rel=1e-12)
    assert MIXED.contains(ends).all()


def test_clip_and_contains():
    x = np.array([[10.0, 2.6, 0.3, 99.0], [30.0, 13.0, 1.0, 0.0], [20.0, -3.0, 0.0, 50.0]])
    assert MIXED.contains(x).tolist() == [False, False, True]
    assert MIXED.clip(x).tolist() == [[20.0, 3.0, 0.0, 50.0], [30.0, 12.0, 1.0, 0.0], [*x[2]]]
    assert not MIXED.contains(np.array([[np.nan, 0, 0, 0]])).any()


def test_corners():
    corners = Domain.box(a=(1, 2), b=(-3, 4), c=(5, 6)).corners()
    assert len({tuple(c) for c in corners}) == 8
    assert {*corners[:, 1]} == {-3.0, 4.0}
    many = Domain(tuple(Variable(f"x{i}", 0, 1) for i in range(70))).corners()
    assert many.shape == (4096, 70)
    assert np.isin(many, (0.0, 1.0)).all()


def test_a_box_is_discrete_only_when_all_of_it_is():
    assert not MIXED.discrete
    assert Domain(MIXED.variables[1:3]).discrete
    assert len(MIXED) == 4
