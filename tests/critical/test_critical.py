"""Exact critical points of polynomial networks."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import flint
import numpy as np
import pytest

from distill.critical.bound import lower_bound
from distill.critical.descent import descend
from distill.critical.ideal import Ideal, TooHardError
from distill.critical.network import XOR, Node, PolynomialNetwork, data_set, squared_loss
from distill.critical.points import critical_set
from distill.critical.solve import real_solutions
from distill.critical.solved import network_formula
from distill.domain import Domain
from distill.errors import ConfigError

ONE = Fraction(1)
LINEAR = PolynomialNetwork(2, (Node("linear"), Node("linear")))
SQUARE = PolynomialNetwork(2, (Node("square", ONE),))
BOTH = PolynomialNetwork(2, (Node("linear"), Node("square")))


def ring(*names: str) -> tuple[flint.fmpq_mpoly, ...]:
    return flint.fmpq_mpoly_ctx.get(names, flint.Ordering.degrevlex).gens()


def values(network: PolynomialNetwork, order: tuple[str, ...] | None = None) -> list[Fraction]:
    found = critical_set(squared_loss(network, XOR, order))
    assert found.complete
    assert all(v.value.exact for v in found.values)
    return [v.value.low for v in found.values]


def test_linear_network_cannot_beat_four_thirds() -> None:
    assert values(LINEAR) == [Fraction(4, 3), Fraction(2)]
    bound = lower_bound(LINEAR, XOR)
    assert bound.value == Fraction(4, 3)
    assert bound.best == (Fraction(1, 3), Fraction(1, 3))
    assert all(p > 0 for p in bound.pivots)


def test_critical_sets_of_positive_dimension_are_told() -> None:
    found = critical_set(squared_loss(LINEAR, XOR))
    assert [v.dimension for v in found.values] == [4, 2]
    assert not found.isolated
    loss = squared_loss(LINEAR, XOR)
    for value in found.values:
        weights = dict(value.points[0].weights)
        at = np.array([[weights[name].middle for name in loss.context().names()]])
        gradient = [slope(loss.derivative(i), at[0]) for i in range(6)]
        assert np.abs(gradient).max() < 1e-12


def slope(polynomial: flint.fmpq_mpoly, at: np.ndarray) -> float:
    return sum(
        float(int(c.p) / int(c.q)) * float(np.prod(at ** np.array(m, dtype=float)))
        for m, c in polynomial.to_dict().items()
    )


def test_square_solves_exclusive_or() -> None:
    found = critical_set(squared_loss(SQUARE, XOR))
    assert found.isolated
    assert [v.value.low for v in found.values] == [0, Fraction(16, 9), 2]
    assert [len(v.points) for v in found.values] == [2, 2, 1]
    assert [p.kind for p in found.points] == ["minimum"] * 2 + ["saddle"] * 2 + ["maximum"]
    assert [p.newton for p in found.points] == [True] * 5
    best = dict(found.values[0].points[1].weights)
    assert best["w1_1"].low <= 1 <= best["w1_1"].high
    assert best["w1_2"].low <= -1 <= best["w1_2"].high
    assert best["w1_1"].high - best["w1_1"].low < Fraction(1, 10**39)


@pytest.mark.parametrize("network", [LINEAR, SQUARE, BOTH])
def test_order_of_weights_does_not_matter(network: PolynomialNetwork) -> None:
    orders = list(permutations(network.weights))
    first = values(network)
    for order in orders[:: max(1, len(orders) // 6)]:
        assert values(network, order) == first


def test_enclosures_meet_in_both_orders() -> None:
    both = [critical_set(squared_loss(SQUARE, XOR, o)) for o in permutations(SQUARE.weights)]
    for p, q in zip(*(found.points for found in both), strict=True):
        assert p.kind == q.kind
        assert all(a.meets(b) for (_, a), (_, b) in zip(p.weights, q.weights, strict=True))


def test_irrational_points_are_enclosed() -> None:
    (x,) = ring("x")
    found = critical_set(x**4 - 4 * x**2 + x**0)  # at 0 and at both roots of 2
    roots = [p.weights[0][1] for p in found.points]
    assert [v.value.low for v in found.values] == [-3, 1]
    assert [p.kind for p in found.points] == ["minimum", "minimum", "maximum"]
    assert roots[1].low ** 2 < 2 < roots[1].high ** 2
    assert not roots[1].exact


def test_solutions_with_multiplicity_and_complex_ones() -> None:
    x, y = ring("x", "y")
    ideal = Ideal([(x - 1) ** 2 * (x * x + 1), (y - x) ** 3])
    assert len(ideal.standard) == 12
    (solution,) = real_solutions(ideal)
    assert [float(c) for c in solution] == [1.0, 1.0]


def test_no_real_points_at_a_real_value() -> None:
    x, y = ring("x", "y")
    # Slopes vanish at 0 alone among real points; a line of complex ones has another value.
    found = critical_set(x**2 * y**2 + x**2 + y**2)
    assert [v.value.low for v in found.values] == [0]
    assert len(found.points) == 1


def test_network_without_critical_points() -> None:
    (x,) = ring("x")
    found = critical_set(x**3 + x)
    assert found.values == ()
    assert found.complete


def test_descent_finds_nothing_better() -> None:
    for network, least in ((LINEAR, 4 / 3), (SQUARE, 0.0), (BOTH, 0.0)):
        ended = descend(squared_loss(network, XOR), 1000, steps=300, seed=1)
        assert ended.losses.shape == (1000,)
        assert least - 1e-12 < ended.losses.min() < least + 1e-3


def test_bound_with_dependent_monomials() -> None:
    twice = data_set([[1, 1], [2, 2]], [1, 3])
    bound = lower_bound(LINEAR, twice)
    assert bound.monomials == ((0,),)
    assert bound.best == (Fraction(7, 5),)
    assert bound.value == Fraction(1, 5)


def test_solved_network_is_a_formula() -> None:
    found = critical_set(squared_loss(SQUARE, XOR))
    domain = Domain.box(p=(0, 1), q=(0, 1))
    formula = network_formula(SQUARE, found.points[0], domain)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    assert formula(x).tolist() == [0, 1, 1, 0]
    product = PolynomialNetwork(2, (Node("linear", ONE), Node("product")))
    (only,) = critical_set(squared_loss(product, XOR)).points
    assert network_formula(product, only, domain)(x).tolist() == [0, 1, 1, 0]


def test_too_many_weights_say_the_limit() -> None:
    with pytest.raises(ConfigError, match="12 weights; 1 to 8") as caught:
        PolynomialNetwork(3, (Node("linear"), Node("linear"), Node("linear")))
    assert "fewer nodes" in caught.value.hint


def test_too_many_solutions_are_refused() -> None:
    x, y = ring("x", "y")
    with pytest.raises(TooHardError, match="120 complex"):
        critical_set(x**13 + y**13 + x * y)


@pytest.mark.parametrize(
    ("order", "message"), [(("w1_1",), "does not name"), (("w1_1", "w1_1"), "does not name")]
)
def test_wrong_order_is_refused(order: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        squared_loss(SQUARE, XOR, order)


def test_rows_must_fit() -> None:
    with pytest.raises(ConfigError, match="3 inputs, the network 2"):
        squared_loss(SQUARE, data_set([[1, 2, 3]], [1]))
    with pytest.raises(ConfigError, match="rows of one length"):
        data_set([[1], [1, 2]], [1, 2])
    with pytest.raises(ConfigError, match="reads inputs"):
        PolynomialNetwork(2, (Node("product", inputs=(0, 2)),))
