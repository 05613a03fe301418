"""Cuts at a chain's own thresholds: exact where inputs come unchanged, slivers behind scalers."""

import numpy as np
import pytest

from distill.bounds.boxes import Boxes
from distill.bounds.read import enclosable
from distill.bounds.steps.cells import tree_of
from distill.bounds.steps.splits import chain_splits
from distill.chain.chain import Chain
from distill.chain.closed_form import ClosedForm
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, OneHot, Pick
from distill.chain.steps.elementwise import Above, Scale, Stretch
from distill.domain import Domain
from tests.chain.strategies import EXAMPLES, random_trees

TREES = random_trees(3, count=3, depth=4, inputs=2, outputs=1)
SCALER = Scale(np.array([0.3, -1.0]), np.array([0.7, -3.0]))
STRETCH = Stretch(np.array([-1.7, 0.3]), np.array([0.1, 2.0]))


def pieces(chain, low, high, most=5000):
    """Boxes left when each is cut wherever the chain says."""
    splits = chain_splits(chain)
    waiting = [(np.array(low, dtype=float), np.array(high, dtype=float))]
    done = []
    while waiting:
        a, b = waiting.pop()
        cuts = splits(Boxes(a[:, None], b[:, None]))[:, 0]
        axes = np.flatnonzero(~np.isnan(cuts))
        if not len(axes):
            done.append((a, b))
            continue
        axis = axes[0]
        assert a[axis] <= cuts[axis] < b[axis]
        left, right = b.copy(), a.copy()
        left[axis], right[axis] = cuts[axis], np.nextafter(cuts[axis], np.inf)
        waiting += [(a, left), (right, b)]
        assert len(done) + len(waiting) < most
    return np.array([a for a, _ in done]).T, np.array([b for _, b in done]).T


def widths(chain, low, high):
    """The chain's ranges over boxes, and how wide the boxes are."""
    domain = Domain.box(**{f"x{i}": (-9, 9) for i in range(chain.inputs)})
    least, most = enclosable(ClosedForm(chain, domain, 0)).enclose(Boxes(low, high)).range()
    return most - least


@pytest.mark.parametrize(
    "before", [(), (Pick(2, np.array([1, 0])),)], ids=["alone", "behind a choice"]
)
def test_cut_boxes_of_trees_are_constant(before):
    chain = Chain(2, (*before, TREES))
    low, high = pieces(chain, [-4, -4], [4, 4])
    assert low.shape[1] > 10
    assert widths(chain, low, high).max() < 1e-12


@pytest.mark.parametrize("scaler", [SCALER, STRETCH], ids=["scale", "stretch"])
def test_behind_scalers_slivers_alone_are_open(scaler):
    chain = Chain(2, (scaler, TREES))
    low, high = pieces(chain, [-4, -4], [4, 4])
    open_ = widths(chain, low, high) > 1e-12
    assert (~open_).sum() > 10
    assert ((high - low)[:, open_].min(axis=0) < 1e-11).all()


def test_branches_and_steps_are_asked_too():
    chain = Chain(2, (Branches((Chain(2, (TREES,)), Chain(2, (SCALER, Above(np.array([0.0, 0.5])),
                                                              Affine(np.ones((1, 2)), np.zeros(1))))
                                )), Affine(np.ones((1, 2)), np.zeros(1))))  # fmt: skip
    low, high = pieces(chain, [-4, -4], [4, 4])
    open_ = widths(chain, low, high) > 1e-12
    assert ((high - low)[:, open_].min(axis=0, initial=1) < 1e-11).all()


def test_categories_are_cut_out():
    chain = Chain(
        1, (OneHot((np.array([1.0, 2.0, np.nan]),)), Affine(np.ones((1, 3)), np.zeros(1)))
    )
    low, high = pieces(chain, [0], [3])
    assert widths(chain, low, high).max() < 1e-12
    assert sorted(zip(low[0], high[0], strict=True))[1] == (1.0, 1.0)
    assert low.shape[1] == 5


def test_chains_without_thresholds_say_nothing():
    chain = Chain(2, (Affine(np.ones((1, 2)), np.zeros(1)), Above(np.zeros(1))))
    assert chain_splits(chain)(Boxes(np.zeros((2, 1)), np.ones((2, 1)))) is None


@pytest.mark.parametrize("name", ["logic", "packed"])
def test_trees_of_whole_numbers_answer_as_they(name):
    step = next(e.step for e in EXAMPLES if e.name == name)
    axes = [np.arange(a - 2, b + 2.25, 0.25) for a, b in zip(step.lows, step.highs, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, step.inputs)
    tree = tree_of(step)
    assert np.array_equal(tree.evaluate(grid, "double"), step.evaluate(grid, "double"))
    assert len(tree.left) < 2 * np.prod(step.highs - step.lows + 1)
