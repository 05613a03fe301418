"""Trees decide exactly as their library does: at thresholds, beside them, at NaN and infinity."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from distill.chain.cuts import cuts
from distill.chain.steps.trees import Trees
from distill.errors import FormulaError

from .reference import goes_left, reference
from .strategies import GOES, random_trees

LARGEST = float(np.finfo(np.float32).max)
EDGES = [0.0, -0.0, 1e-50, -1e-50, 1e-45, 1e-40, LARGEST, -LARGEST, 1e300, -1e300, np.inf, 0.1, 0.5]
thresholds = st.one_of(
    st.sampled_from(EDGES),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-4, 4),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)


def beside(t):
    """Numbers around t: float32 and float64 neighbours, and the middles where rounding turns."""
    with np.errstate(over="ignore"):
        near = np.float32(t)
        float32 = [near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, -near)]
        float32 += [np.nextafter(near, np.float32(-np.inf)), np.float32(0), np.float32(np.inf)]
    double = [float(v) for v in float32]
    finite = [np.clip(v, -(2.0**128), 2.0**128) for v in double]
    double += [(a + b) / 2 for a in finite for b in finite]
    double += [t, -np.inf]
    with np.errstate(over="ignore"):
        double += [np.nextafter(v, s) for v in double for s in (-np.inf, np.inf)]
    return np.array(double), np.array([*float32, -np.float32(np.inf)])


@settings(max_examples=400, deadline=None)
@given(t=thresholds, goes=st.sampled_from(GOES))
def test_cuts_decide_as_the_rule(t, goes):
    assume(goes != "float32_below" or t >= -LARGEST)
    double, float32 = beside(t)
    limit = cuts(np.array([t]), goes, "double")[0]
    assert [x <= limit for x in double] == [bool(goes_left(goes, x, t)) for x in double]
    rounded = cuts(np.array([t]), goes, "float32")[0]
    assert rounded.dtype == np.float32
    wanted = [bool(goes_left(goes, float(x), t)) for x in float32]
    assert [bool(x <= rounded) for x in float32] == wanted


@pytest.mark.parametrize("goes", GOES)
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("real", ["float32", "double"])
def test_every_threshold_and_one_ulp_to_each_side(goes, missing, real):
    trees = random_trees(7, goes=goes, missing=missing, depth=5, step=0.1)
    kind = np.float32 if real == "float32" else np.float64
    rng = np.random.default_rng(1)
    rows = []
    for node in trees.splits:
        t = kind(trees.threshold[node])
        ulps = [t, np.nextafter(t, kind(9)), np.nextafter(t, kind(-9)), kind(np.float32(t))]
        for value in [*ulps, np.nan, np.inf, -np.inf]:
            row = rng.uniform(-3, 3, 3)
            row[trees.feature[node]] = value
            rows.append(row.astype(kind).astype(float))
    x = np.array(rows)
    wanted = np.array([reference(trees, row, kind) for row in x.astype(kind)], dtype=float)
    assert len(x) > 100
    assert np.array_equal(trees.evaluate(x, real), wanted)


def test_nan_goes_right_unless_told():
    stump = one_split()
    nan = np.array([[np.nan]])
    assert stump.evaluate(nan, "double")[0, 0] == 2.0
    told = one_split(missing=np.array([True, False, False]))
    assert told.evaluate(nan, "float32")[0, 0] == 1.0


def one_split(**changes):
    data = {
        "inputs": 1,
        "roots": [0],
        "feature": [0, 5, -2],
        "threshold": [0.5, np.nan, -2.0],
        "left": [1, -1, -1],
        "right": [2, 0, 1],
        "leaves": [[1.0], [2.0]],
        "scale": [1.0],
        "bias": [0.0],
    }
    return Trees(
        **{k: v if k in ("inputs", "goes") else np.array(v) for k, v in (data | changes).items()}
    )


def test_what_stands_at_leaves_means_nothing():
    assert one_split().threshold.tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"left": [0, -1, -1]}, "before its parent"),
        ({"left": [3, -1, -1]}, "before its parent"),
        ({"left": [2, -1, -1]}, "child of two"),
        ({"roots": [0, 1]}, "child of two"),
        ({"roots": [7]}, "roots"),
        ({"roots": np.zeros(0, dtype=int)}, "no tree"),
        ({"feature": [1, 0, 0]}, "outside 0 to 0"),
        ({"right": [2, 0, 2]}, "last row"),
        ({"right": [2, -1, 1]}, "right"),
        ({"threshold": [np.nan, 0, 0]}, "not finite"),
        ({"threshold": [-np.inf, 0, 0]}, "minus infinity"),
        ({"threshold": [-1e300, 0, 0], "goes": "float32_below"}, "minus infinity"),
        ({"threshold": [0.5, 0]}, "shape"),
        ({"leaves": [[1.0], [np.inf]]}, "not finite"),
        ({"scale": [1.0, 2.0]}, "shape"),
        ({"scale": [0.0], "divide": np.True_}, "divides"),
        ({"missing": [1, 0, 0]}, "missing"),
    ],
)
def test_arrays_that_are_no_trees_are_refused(changes, says):
    with pytest.raises(FormulaError, match=says):
        one_split(**changes)


def test_arrays_cannot_be_changed_afterwards():
    given_leaves = np.array([[1.0], [2.0]])
    stump = one_split(leaves=given_leaves)
    given_leaves[:] = 9
    assert stump.leaves.tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="read-only"):
        stump.leaves[0] = 3


def test_depths_are_those_of_the_longest_paths():
    trees = random_trees(2, count=5, depth=6)

    def depth(at):
        if trees.left[at] < 0:
            return 0
        return 1 + max(depth(trees.left[at]), depth(trees.right[at]))

    assert trees.depths.tolist() == [depth(root) for root in trees.roots]


def test_an_infinite_threshold_takes_all_numbers_and_needs_no_condition():
    from distill.formula.tree import Number, Symbol

    stump = one_split(threshold=[np.inf, 0, 0])
    for real in ("float32", "double"):
        y = stump.evaluate(np.array([[1e300], [np.inf], [-np.inf], [np.nan]]), real)
        assert y[:, 0].tolist() == [1.0, 1.0, 1.0, 2.0]
    assert stump.expand([Symbol("x")]) == [Number(1.0)]
