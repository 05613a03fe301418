"""Folded chains decide as before at every float32; merged ones answer within rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.chain.chain import Chain
from distill.chain.fold import folded, merged
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Apply, Scale, Stretch
from distill.chain.steps.trees import Trees

from .strategies import GOES, random_trees

RNG = np.random.default_rng(3)


def unscaled_edges(scaler, trees):
    """float32 points at which a split turns, a few ulp around each, and far ones."""
    rows = []
    for node in trees.splits:
        j, t = trees.feature[node], trees.threshold[node]
        if isinstance(scaler, Scale):
            middle = t * scaler.divisor[j] + scaler.shift[j]
        else:
            middle = (t - scaler.offset[j]) / scaler.factor[j]
        value = np.float32(middle)
        for _ in range(4):
            value = np.nextafter(value, np.float32(-np.inf))
        values = []
        for _ in range(9):
            values.append(value)
            value = np.nextafter(value, np.float32(np.inf))
        for v in [*values, np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, -0.0]:
            row = RNG.uniform(-3, 3, trees.inputs).astype(np.float32)
            row[j] = v
            rows.append(row)
    return np.array(rows).astype(float)


scalers = st.tuples(st.floats(-50, 50), st.floats(0.01, 300), st.booleans(), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    parts=st.tuples(scalers, scalers, scalers),
    goes=st.sampled_from(GOES),
    seed=st.integers(0, 1000),
    missing=st.booleans(),
)
def test_trees_behind_a_scaler_decide_every_float32_alike(parts, goes, seed, missing):
    trees = random_trees(seed, goes=goes, depth=3, missing=missing, step=0.25)
    shift = np.array([p[0] for p in parts])
    slope = np.array([-p[1] if p[2] else p[1] for p in parts])
    scaler = Scale(shift, slope) if parts[0][3] else Stretch(slope, shift)
    chain = Chain(3, (scaler, trees))
    short = folded(chain)
    x = unscaled_edges(scaler, trees)
    assert [type(step) for step in short.steps] == [Trees]
    assert np.array_equal(short.evaluate(x), chain.evaluate(x))
    # In float32 the scaler's rounding is gone: leaves are the same, only sums are rounded.
    wanted = summed_in_float32(trees, scaler.evaluate(x, "double"))
    assert np.array_equal(short.evaluate(x, "float32"), wanted)


def summed_in_float32(trees, y):
    """The trees' answers at points y (n, 3) that are decided in double."""
    cut = trees.cuts("double")
    sums = np.zeros((len(y), trees.outputs), dtype=np.float32)
    for i, row in enumerate(y):
        for root in trees.roots:
            at = root
            while trees.left[at] >= 0:
                v = row[trees.feature[at]]
                left = trees.missing[at] if np.isnan(v) else v <= cut[at]
                at = trees.left[at] if left else trees.right[at]
            sums[i] += trees.leaves[trees.right[at]].astype(np.float32)
    scaled = sums * trees.scale.astype(np.float32) + trees.bias.astype(np.float32)
    return scaled.astype(float)


def test_scaling_by_nothing_is_not_folded():
    chain = Chain(3, (Stretch(np.array([1.0, 0, 2]), np.zeros(3)), random_trees(1)))
    assert len(folded(chain).steps) == 2


def test_a_scaler_that_rounds_everything_together_still_folds():
    # float64 loses every difference between inputs of size 1 behind a shift of 1e20.
    trees = random_trees(5, depth=2)
    chain = Chain(3, (Scale(np.array([1e20, -1e20, 0]), np.array([1e20, 1e20, 1e30])), trees))
    x = RNG.uniform(-1e21, 1e21, (500, 3)).astype(np.float32).astype(float)
    assert np.array_equal(folded(chain).evaluate(x), chain.evaluate(x))


def test_choices_of_columns_and_identities_go():
    trees = random_trees(9, inputs=2)
    chain = Chain(
        4,
        (
            Apply("identity", 4),
            Scale(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 8])),
            Pick(4, np.array([3, 1, 0])),
            Pick(3, np.array([0, 2])),
            Scale(np.zeros(2), np.ones(2)),
            trees,
        ),
    )
    short = folded(chain)
    x = RNG.uniform(-30, 30, (5000, 4)).astype(np.float32).astype(float)
    assert [type(step) for step in short.steps] == [Trees]
    assert short.inputs == 4
    assert short.stored == trees.stored
    assert np.array_equal(short.evaluate(x), chain.evaluate(x))


def test_chosen_columns_are_scaled_alone():
    chain = Chain(3, (Scale(np.ones(3), np.full(3, 2.0)), Pick(3, np.array([2])), Apply("tanh", 1)))
    short = folded(chain)
    assert [type(step) for step in short.steps] == [Pick, Scale, Apply]
    assert short.steps[1].inputs == 1
    x = RNG.normal(size=(50, 3))
    for real in ("float32", "double"):
        assert np.array_equal(short.evaluate(x, real), chain.evaluate(x, real))


def test_branches_are_folded_inside_and_single_ones_opened():
    inner = Chain(3, (Scale(np.ones(3), np.full(3, 2.0)), random_trees(1)))
    chain = Chain(3, (Branches((Chain(3, (Branches((inner,)),)), Chain(3, ()))),))
    short = folded(chain)
    assert [type(s) for s in short.steps[0].chains[0].steps] == [Trees]
    assert folded(Chain(3, (Branches((inner,)),))).steps[0].goes == "float32_at_most"
    x = RNG.normal(size=(50, 3)).astype(np.float32).astype(float)
    assert np.array_equal(short.evaluate(x), chain.evaluate(x))


def affine(k, d):
    return Affine(RNG.normal(size=(k, d)), RNG.normal(size=k))


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ((Scale(np.ones(4), np.full(4, 3.0)), affine(3, 4), affine(2, 3)), 1),
        ((affine(4, 4), Stretch(np.full(4, 3.0), np.ones(4))), 1),
        ((Pick(4, np.array([2, 0, 1, 3])), affine(3, 4)), 1),
        ((Pick(4, np.array([2, 0, 1, 3, 2])), affine(3, 5)), 1),
        ((affine(4, 4), Pick(4, np.array([2]))), 1),
        # A narrow waist between: one matrix would hold more numbers than the two.
        ((affine(1, 4), affine(9, 1)), 2),
        ((affine(3, 4), Apply("relu", 3), affine(2, 3)), 3),
    ],
)
def test_merged_chains_answer_within_rounding(steps, left):
    chain = Chain(4, steps)
    short = merged(chain)
    assert len(short.steps) == left
    assert short.stored <= chain.stored
    x = RNG.normal(size=(200, 4))
    assert np.allclose(short.evaluate(x), chain.evaluate(x), rtol=1e-12, atol=1e-12)


def test_what_folding_would_round_differently_stays():
    chain = Chain(4, (Scale(np.ones(4), np.full(4, 3.0)), affine(3, 4), affine(2, 3)))
    assert folded(chain).steps == chain.steps


@pytest.mark.parametrize("picked", [False, True])
def test_scalers_in_a_row_are_taken_in_together(picked):
    """What the first one gives is no float32: taken in one by one, some inputs go another way."""
    rng = np.random.default_rng(0)
    middle = (Pick(1, np.array([0, 0])),) if picked else ()
    for threshold in rng.uniform(-1, 1, 300):
        tree = Trees(
            1 + picked, np.array([0]), np.full(3, int(picked)), np.array([threshold, 0, 0]),
            np.array([1, -1, -1]), np.array([2, 0, 1]), np.array([[0.0], [1.0]]),
            np.ones(1), np.zeros(1),
        )  # fmt: skip
        stretch = Stretch(np.full(1 + picked, 1.3), np.full(1 + picked, 0.25))
        scale = Scale(np.array([0.1]), np.array([1.7]))
        chain = Chain(1, (scale, *middle, stretch, tree))
        short = folded(chain)
        assert [type(step) for step in short.steps] == [Trees]
        cut = np.float32(short.steps[0].threshold[0])
        x = np.array([[cut], [np.nextafter(cut, np.float32(9))]], dtype=float)
        assert np.array_equal(short.evaluate(x), chain.evaluate(x))


def test_scalers_of_what_was_computed_stay():
    trees = random_trees(1, inputs=2)
    scaler = Scale(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    behind_a_sum = folded(Chain(3, (affine(2, 3), scaler, trees)))
    assert [type(step) for step in behind_a_sum.steps] == [Affine, Scale, Trees]
    inner = Branches((Chain(2, (scaler, trees)), Chain(2, (Pick(2, np.array([1])),))))
    outer = folded(Chain(2, (Stretch(np.array([1.1, 1.2]), np.ones(2)), inner)))
    assert [type(step) for step in outer.steps[-1].chains[0].steps] == [Scale, Trees]
