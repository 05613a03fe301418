"""Each technique alone does what it is for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.engines.structure.curves import allowed, exponentials, rational
from distill.engines.structure.curves.atoms import Atom, Dictionary, Target
from distill.engines.structure.curves.families import (
    HYPERBOLIC,
    LINEAR,
    MANY,
    ONE,
    modulated,
    nice_products,
)
from distill.engines.structure.curves.projection import (
    pairs,
    pruned,
    refined,
    singles,
    solved,
    straight,
    subsets,
)
from distill.engines.structure.curves.views import COORDINATES, LINKS, View
from distill.formula.parse import parse
from distill.formula.program import compile_tree
from distill.formula.tree import Symbol


def by_name(families, name):
    return next(f for f in families if f.name == name)


def test_a_ratio_is_found_with_no_more_coefficients_than_it_has(make_target):
    target = make_target(lambda u: (1 + 2 * u) / (3 + u**2), -1, 2)
    best = min(rational.ratios(target, 1e-12), key=lambda r: (r.error > 1e-12, r.parameters))
    assert (best.up, best.down) == ((0, 1), (0, 2))
    assert best.p / best.q[1] == pytest.approx([1, 2])


def test_a_ratio_with_a_pole_inside(make_target):
    target = make_target(lambda u: 1 / (u - 0.303), -1, 2)
    assert min(r.error for r in rational.ratios(target, 1e-10)) < 1e-10


def test_a_polynomial_loses_its_idle_terms(make_target):
    target = make_target(lambda u: 2 * u**5 - u, -1, 1)
    *_, last = rational.polynomials(target, 1e-12)
    assert last.up == (1, 5)


def test_a_ratio_is_divided_out_where_that_is_shorter(make_target):
    target = make_target(lambda u: 2 + 1 / (1 + u**3), 0, 3)
    *_, last = rational.ratios(target, 1e-12)
    tree = last.trees(Symbol("x"))[0]
    values = compile_tree(tree, ("x",))(target.u[:, None])
    assert values == pytest.approx(target.v, rel=1e-9)


def test_rates_of_exponentials():
    u = np.linspace(0, 4, 129)
    found = exponentials.rates(1.2 * np.exp(-0.5 * u) + 0.7 * np.exp(-3.1 * u), u[1], 2)
    assert sorted(found.real) == pytest.approx([-3.1, -0.5])


def test_frequencies_of_waves():
    u = np.linspace(0, 7, 129)
    v = np.sin(2.1 * u) + 0.4 * np.cos(5.3 * u)
    found = exponentials.rates(v, u[1], 4)
    assert sorted(found.imag) == pytest.approx([-5.3, -2.1, 2.1, 5.3])


def test_samples_without_a_decomposition_have_no_rates():
    assert np.isnan(exponentials.rates(np.full(129, np.nan), 0.1, 2)).all()


def test_uneven_samples_have_no_rates():
    assert not list(exponentials.sums(np.array([0, 1, 3, 4, 5, 6, 7, 8, 10.0]), np.ones(9)))


@pytest.mark.parametrize("family", ONE, ids=lambda f: f.name)
def test_a_single_form_is_found_from_the_grid(family, make_target):
    low, high = 0.5, 3.0
    starts = family.starts(low, high)
    theta = np.sqrt(np.abs(starts[:, 6] * starts[:, 7])) * np.sign(starts[:, 6])
    target = make_target(lambda u: 2 - 3 * family.columns(u, theta[:, None])[:, 0], low, high)
    found = singles(Dictionary.of([family], target.u), target, 1)
    assert min(f.error for f in found) < 1e-6 * target.size


@settings(max_examples=25, deadline=None)
# Below a frequency of 1 the wave is a line on this range, and its frequency undetermined.
@given(st.floats(-8, -0.5), st.floats(1, 6), st.floats(0.5, 4))
def test_members_of_two_parameter_families_are_refined(k, w, slope):
    u = np.linspace(0, 2, 65)
    damped = by_name(MANY, "exp(k*u)*sin(w*u)")
    v = 1 + slope * damped.columns(u, np.array([[k], [w]]))[:, 0]
    target = Target(u, v, np.ones(65))
    start = (Atom(damped, (0.93 * k, 1.06 * w)),)
    assert refined(start, target, 40).error < 1e-7 * target.size


def test_two_forms_are_found_together(make_target):
    target = make_target(lambda u: 1 + 2 * np.log(u + 1.7) + 0.3 * np.exp(1.1 * u), 0, 2)
    dictionary = Dictionary.of([by_name(ONE, "log(u + a)"), by_name(ONE, "exp(k*u)")], target.u)
    assert min(f.error for f in pairs(dictionary, target, 4)) < 1e-6 * target.size


def test_a_form_times_a_line(make_target):
    target = make_target(lambda u: (1 + 0.5 * u) * np.exp(-0.3 * u**2), -2, 3)
    dictionary = Dictionary.of([by_name(ONE, "exp(-(k*square(u)))")], target.u)
    assert min(f.error for f in straight(dictionary, target, 1)) < 1e-8 * target.size


def test_four_of_the_forms_without_parameters(make_target):
    target = make_target(lambda u: 1 / u - u + np.log(u) - 2 * np.log(1 - u), 0.05, 0.95)
    dictionary = Dictionary.of(LINEAR, target.u)
    best = min(subsets(dictionary, target, 4, 8), key=lambda f: f.error)
    assert {a.family.name for a in best.atoms} == {"inv(u)", "u", "log(u)", "log(1 - u)"}


def test_what_is_not_needed_is_left_out(make_target):
    target = make_target(lambda u: 2 * u**2, -1, 3)
    atoms = tuple(Atom(f, ()) for f in LINEAR[:3])
    lean = pruned(solved(atoms, target), target, 1e-10)
    assert [a.family.name for a in lean.atoms] == ["square(u)"]
    assert lean.coefficients == pytest.approx([0, 2])


@pytest.mark.parametrize(
    "family", [*LINEAR, *ONE, *HYPERBOLIC, *MANY, *modulated()], ids=lambda f: f.name
)
def test_columns_and_trees_agree(family):
    u = np.linspace(0.2, 0.9, 9)
    theta = family.starts(0.2, 0.9)[:, 0]
    with np.errstate(all="ignore"):
        values = compile_tree(family.at(Symbol("x"), theta), ("x",))(u[:, None])
        assert values == pytest.approx(family.columns(u, theta[:, None])[:, 0], nan_ok=True)


def test_products_are_distinct():
    names = [f.name for f in nice_products()]
    assert len(set(names)) == len(names) > 1000


@pytest.mark.parametrize("link", LINKS.values(), ids=lambda link: link.name)
def test_links_are_undone(link):
    y = np.linspace(0.1, 0.9, 7) * (-1 if link.high == 0.0 else 1)
    look = View(0, link, COORDINATES["x"])
    values = compile_tree(look.tree(Symbol("x")), ("x",))(link.forward(y)[:, None])
    assert values == pytest.approx(y)


@pytest.mark.parametrize(
    ("text", "operators"),
    [
        ("tanh(x)", ["exp"]),
        ("cosh(x)", ["exp"]),
        ("tan(x)", ["sin", "cos"]),
        ("x^2.5", ["sqrt"]),
        ("x^-3", []),
        ("x^0.3", ["exp", "log"]),
        ("acos(x)", ["asin"]),
        ("abs(x)", ["sqrt"]),
    ],
)
def test_other_ways_to_write(text, operators):
    x = np.linspace(0.1, 0.9, 9)[:, None]
    tree = parse(text, ["x"])
    other = allowed.written(tree, operators)
    assert other is not None
    assert allowed.within(other, operators)
    assert compile_tree(other, ("x",))(x) == pytest.approx(compile_tree(tree, ("x",))(x))


def test_what_cannot_be_written():
    assert allowed.written(parse("log(x)", ["x"]), ["exp"]) is None
