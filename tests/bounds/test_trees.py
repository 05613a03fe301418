"""Trees over boxes: nothing that a float64 of a box reaches is left out, and cuts end it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.bounds import trees as module
from distill.bounds.trees import Forest
from distill.chain.steps.trees import Trees
from tests.chain.strategies import GOES, random_trees

FORESTS = {
    **{goes: random_trees(3, goes=goes, step=0.5) for goes in GOES},
    "missing": random_trees(4, missing=True, divide=True),
    "many": random_trees(5, count=30, depth=6, inputs=2, outputs=3),
    "negative": replace(random_trees(6, outputs=1), scale=np.array([-2.5])),
}


def boxes(forest, n, width, seed=0):
    """Boxes (d, n) of a width, some with thresholds, or their neighbours, as bounds."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-3, 3, (forest.inputs, n))
    low, high = middle - width / 2, middle + width / 2
    limits = forest.cuts("double")[forest.splits]
    for axis in range(forest.inputs):
        low[axis, ::4] = rng.choice(limits, len(low[axis, ::4]))
        low[axis, 1::4] = np.nextafter(rng.choice(limits, len(low[axis, 1::4])), np.inf)
    return low, np.maximum(high, low)


def points(low, high, n, seed=0):
    """Points (n, d) of one box, its corners among them."""
    rng = np.random.default_rng(seed)
    inside = rng.uniform(low, high, (n, len(low)))
    corners = np.where(rng.random((n, len(low))) < 0.5, low, high)
    return np.vstack([inside, corners])


@pytest.mark.parametrize("name", FORESTS)
@pytest.mark.parametrize("width", [6.0, 1.0, 0.1, 0.0])
def test_every_value_lies_between_the_bounds(name, width):
    trees = FORESTS[name]
    low, high = boxes(trees, 60, width)
    lowest, highest = Forest.of(trees).ranges(low, high)
    for i in range(low.shape[1]):
        y = trees.evaluate(points(low[:, i], high[:, i], 200), "double").T
        assert (y >= lowest[:, i : i + 1]).all()
        assert (y <= highest[:, i : i + 1]).all()


@pytest.mark.parametrize("name", FORESTS)
def test_a_point_is_its_exact_real_sum(name):
    trees = FORESTS[name]
    low, _ = boxes(trees, 40, 0.0)
    lowest, highest = Forest.of(trees).ranges(low, low)
    leaf = replace(trees, leaves=np.eye(len(trees.leaves)), scale=np.ones(len(trees.leaves)),
                   bias=np.zeros(len(trees.leaves)), divide=False)  # fmt: skip
    for i, counts in enumerate(leaf.evaluate(low.T, "double")):
        for k in range(trees.outputs):
            total = sum(
                int(c) * Fraction(v) for c, v in zip(counts, trees.leaves[:, k], strict=True)
            )
            scale = Fraction(trees.scale[k])
            exact = (total / scale if trees.divide else total * scale) + Fraction(trees.bias[k])
            assert Fraction(lowest[k, i]) <= exact <= Fraction(highest[k, i])
            assert highest[k, i] - lowest[k, i] <= 1e-12 * (1 + len(trees.roots))


def decides(trees):
    """Whether every split has both sides left where the splits above it lead to."""
    cells = {int(trees.roots[0]): np.array([[-np.inf, np.inf]] * trees.inputs)}
    limits = trees.cuts("double")
    for node in trees.splits.tolist():
        low, high = cells[node][trees.feature[node]]
        if not low < limits[node] < high:
            return False
        for child, side in ((trees.left[node], 1), (trees.right[node], 0)):
            cells[int(child)] = cells[node].copy()
            cells[int(child)][trees.feature[node], side] = limits[node]
    return True


def test_bounds_of_one_tree_are_reached():
    found = (random_trees(seed, count=1, depth=3, outputs=1) for seed in range(100))
    trees = max(filter(decides, found), key=lambda t: len(t.left))
    assert len(trees.left) > 10
    low, high = boxes(trees, 80, 2.0)
    lowest, highest = Forest.of(trees).ranges(low, high)
    for i in range(low.shape[1]):
        # One point for each cell that the thresholds make of the box.
        limits = trees.cuts("double")[trees.splits]
        axes = [
            np.unique(np.clip([lo, *limits, *np.nextafter(limits, np.inf), hi], lo, hi))
            for lo, hi in zip(low[:, i], high[:, i], strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, trees.inputs)
        y = trees.evaluate(grid, "double")
        assert lowest[0, i] == pytest.approx(y.min(), abs=1e-13)
        assert highest[0, i] == pytest.approx(y.max(), abs=1e-13)


@pytest.mark.parametrize("name", FORESTS)
def test_splitting_at_the_cuts_ends_at_constants(name):
    trees = FORESTS[name]
    forest = Forest.of(trees)
    low, high = (np.full((trees.inputs, 1), v) for v in (-0.7, 0.7))
    done = 0
    for _ in range(4000):
        cuts, weights = forest.cuts(low[:, :1], high[:, :1])
        axis = int(np.argmax(weights[:, 0]))
        if not weights[axis, 0]:
            lowest, highest = forest.ranges(low[:, :1], high[:, :1])
            assert (highest - lowest <= 1e-12 * len(trees.roots)).all()
            assert np.isnan(cuts).all()
            low, high, done = low[:, 1:], high[:, 1:], done + 1
            if not low.shape[1]:
                break
            continue
        cut = cuts[axis, 0]
        assert low[axis, 0] <= cut < high[axis, 0]
        left, right = high[:, :1].copy(), low[:, :1].copy()
        left[axis], right[axis] = cut, np.nextafter(cut, np.inf)
        low = np.concatenate([low[:, 1:], low[:, :1], right], axis=1)
        high = np.concatenate([high[:, 1:], left, high[:, :1]], axis=1)
    assert not low.shape[1]
    assert done > 1


def test_the_cut_that_most_hangs_on_is_taken():
    # A tree that jumps by 10 at 0.25 of the first input, and by 1 at 0.5 of the second.
    trees = Trees(
        2, np.array([0, 3]), np.array([0, 0, 0, 1, 0, 0]), np.array([0.25, 0, 0, 0.5, 0, 0]),
        np.array([1, -1, -1, 4, -1, -1]), np.array([2, 0, 1, 5, 2, 3]),
        np.array([[0.0], [10.0], [0.0], [1.0]]), np.ones(1), np.zeros(1), "at_most",
    )  # fmt: skip
    cuts, weights = Forest.of(trees).cuts(np.array([[0.0, 0.3]] * 2), np.array([[1.0, 1.0]] * 2))
    assert cuts[:, 0].tolist() == [0.25, 0.5]
    assert weights[:, 0].tolist() == [2**30, round(2**30 / 10)]
    assert np.isnan(cuts[0, 1])
    assert weights[0, 1] == 0 < weights[1, 1]


def test_infinite_and_unknown_boxes_reach_everything_they_can():
    trees = random_trees(8, outputs=1)
    wide = np.full((3, 2), np.inf)
    wide[:, 1] = np.nan
    lowest, highest = Forest.of(trees).ranges(-wide, wide)
    y = trees.evaluate(np.random.default_rng(0).uniform(-4, 4, (5000, 3)), "double")
    assert (lowest <= y.min()).all()
    assert (highest >= y.max()).all()
    assert np.isfinite(lowest).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), low=st.floats(-3, 3), width=st.floats(0, 4))
def test_little_room_gives_the_same_bounds(seed, low, width):
    forest = Forest.of(random_trees(seed, count=4))
    box = np.full((3, 5), low) + np.arange(5) / 7
    wanted = forest.ranges(box, box + width)
    kept, module._PAIRS = module._PAIRS, 7
    try:
        found = forest.ranges(box, box + width)
        cuts = forest.cuts(box, box + width)
    finally:
        module._PAIRS = kept
    assert np.array_equal(wanted, found)
    assert np.array_equal(cuts, forest.cuts(box, box + width), equal_nan=True)


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_left_out_is_noticed(monkeypatch, side):
    """The rule of the walk broken: boxes that straddle a cut go one way only."""
    sides = Forest._sides

    def broken(self, low, high, box, node):
        both = sides(self, low, high, box, node)
        middle = both[0] & both[1]
        return tuple(b & ~middle if i == side else b for i, b in enumerate(both))

    monkeypatch.setattr(Forest, "_sides", broken)
    with pytest.raises(AssertionError):
        test_every_value_lies_between_the_bounds("many", 1.0)
