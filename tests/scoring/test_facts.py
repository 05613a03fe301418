"""What is proven of a formula itself: never of one that does not keep to it."""

import numpy as np
import pytest

from distill.bounds.boxes import Boxes
from distill.domain import Domain, Variable
from distill.formula import Formula
from distill.scoring.facts import FINITE, Demands, facts_of
from distill.scoring.halving import divisible, halves, widest

BOX = Domain.box(x=(-1, 2), y=(0.5, 3))


def _facts(text, domain=BOX, boxes=4000, **demands):
    facts = facts_of(Formula.parse(text, domain), Demands(**demands), domain, boxes)
    return {fact.says: fact.proven for fact in facts}


@pytest.mark.parametrize(
    ("text", "finite"),
    [
        ("x*y + 3", True),
        ("log(y) + 1/y", True),
        ("1/(x*x + 0.01)", True),
        ("sqrt(x*x - 2*x + 1.5)", True),
        ("1/x", False),
        ("log(x)", False),
        ("sqrt(x)", False),
        ("1/(y - 0.7)", False),
    ],
)
def test_finite(text, finite):
    assert _facts(text) == {FINITE: finite}


def test_the_range_is_proven_up_to_its_very_ends_but_for_a_little():
    # x*x - x over [-1, 2]: from -0.25 to 2
    says = "at least -0.2501 and at most 2.0001"
    assert _facts("x*x - x", low=-0.2501, high=2.0001)[says]
    assert not _facts("x*x - x", low=-0.2499, high=9)["at least -0.2499 and at most 9"]
    assert not _facts("x*x - x", high=1.9999)["at most 1.9999"]
    assert _facts("x*x - x", low=-0.3)["at least -0.3"]


def test_monotone_by_slopes():
    rising = {"monotone": {"x": "increasing", "y": "decreasing"}}
    assert _facts("tanh(x) - y^3", **rising) == {
        FINITE: True, "increasing in x": True, "decreasing in y": True
    }  # fmt: skip
    # it turns at x = 1.5
    facts = _facts("3*x - x*x - y", **rising)
    assert not facts["increasing in x"]
    assert facts["decreasing in y"]


def test_what_takes_more_boxes_than_there_are_is_not_proven():
    text = "x*x - x + 0.001*sin(40*x)*y"
    assert _facts(text, low=-0.2525, boxes=5)["at least -0.2525"] is False
    assert _facts(text, low=-0.2525)["at least -0.2525"] is True


def test_nothing_is_proven_that_points_refute():
    rng = np.random.default_rng(4)
    x = BOX.sample(4000, seed=1)
    proven = 0
    for _ in range(15):
        a, b, c = rng.normal(size=3).round(2)
        formula = Formula.parse(f"{a}*x*x + {b}*sin(x*y) + {c}*exp(y/2)", BOX)
        values = formula(x)
        low, high = values.min() + 0.1 * rng.normal(), values.max() + 0.1 * rng.normal()
        facts = {
            f.says: f.proven
            for f in facts_of(formula, Demands(low, high, {"y": "increasing"}), BOX, 500)
        }
        held = bool((values >= low).all() and (values <= high).all())
        rises = bool((formula.gradient(x)[:, 1] >= 0).all())
        (in_range,) = (v for k, v in facts.items() if k.startswith("at least"))
        assert held or not in_range
        assert rises or not facts["increasing in y"]
        proven += in_range + facts["increasing in y"]
    assert proven >= 2


def test_halves_hold_every_point_and_whole_numbers_once():
    domain = Domain((*BOX.variables, Variable("k", 0, 5, kind="integer")))
    boxes = Boxes.of(domain)
    for axis in (0, 1, 2):
        two = halves(boxes, np.array([axis]), domain)
        assert two.count == 2
        assert two.low[:, 0].tolist() == domain.low.tolist()
        assert two.high[:, 1].tolist() == domain.high.tolist()
        gap = two.low[axis, 1] - two.high[axis, 0]
        assert gap == (1.0 if axis == 2 else 0.0)
    point = Boxes(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [3.0]]))
    assert not divisible(point).any()
    assert divisible(Boxes(point.low, point.high + np.array([[0], [0], [1]]))).all()
    assert widest(Boxes(point.low, point.high + np.array([[0], [0.1], [1]])), domain).tolist() == [
        2
    ]
