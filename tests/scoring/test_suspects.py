"""Points where least is proven: where a spike hides that a search overlooks."""

import numpy as np

from distill.bounds.read import enclosable
from distill.domain import Domain, Variable
from distill.formula import Formula
from distill.scoring.own_form import OwnForm
from distill.scoring.suspects import suspects

BOX = Domain.box(x=(-1, 1), y=(0, 2))
# 0.001 high but for a spike of 1 at (0.3, 1.1), a fiftieth of the domain wide
SPIKE = "0.001*sin(3*x) + exp(-((x - 0.3)^2 + (y - 1.1)^2)/0.0004)"


def _own(text, domain=BOX):
    formula = Formula.parse(text, domain)
    return OwnForm(formula, enclosable(formula))


def test_the_first_suspect_lies_on_the_spike():
    own, formula = _own(SPIKE), Formula.parse("0", BOX)
    x = suspects([formula], own, BOX, boxes=2000, n=5)
    assert len(x) >= 1
    assert BOX.contains(x).all()
    assert np.abs(x[0] - [0.3, 1.1]).max() < 0.02
    # a design of as many points as the search that joins them to the sample asks at misses it
    assert np.abs(own(BOX.sample(4096, 3))).max() < 0.9 < abs(own(x)[0])
    assert np.array_equal(x, suspects([formula], own, BOX, boxes=2000, n=5))


def test_formulas_take_turns_and_points_keep_a_distance():
    own = _own("x*y")
    formulas = [Formula.parse(t, BOX) for t in ("x*y + x^3", "x*y + (y - 1)^2", "y")]
    x = suspects(formulas, own, BOX, boxes=256, n=6)
    assert 3 <= len(x) <= 6
    u = BOX.to_unit(x)
    apart = np.abs(u[:, None] - u[None]).max(axis=2) + 9 * np.eye(len(u))
    assert apart.min() > 0.5 * 6**-0.5
    assert abs(x[0][0]) == 1.0, "the first is most wrong at x = 1 and -1"
    assert x[1][1] in (0.0, 2.0), "the second along y = 0 and 2"
    assert suspects(formulas, own, BOX, boxes=256, n=0).shape == (0, 2)
    assert suspects([], own, BOX, boxes=256, n=5).shape == (0, 2)


def test_whole_numbers_stay_whole():
    domain = Domain((Variable("k", 0, 9, kind="integer"), Variable("y", 0, 1)))
    own, zero = _own("(k - 3)^2*y", domain), Formula.parse("0", domain)
    x = suspects([zero], own, domain, boxes=300, n=20)
    assert (x[:, 0] == np.round(x[:, 0])).all()
    assert x[0].tolist() == [9.0, 1.0]


def test_what_cannot_be_enclosed_and_what_has_a_pole_is_no_failure():
    own = _own("x*y")
    x = suspects([Formula.parse("1/(x - 0.25)", BOX)], own, BOX, boxes=300, n=3)
    assert len(x) >= 1
    assert BOX.contains(x).all()
