"""Decision trees as formulas decide as scikit-learn's do, at every threshold."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distill.domain import Domain, Variable
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula.program import compile_tree
from distill.formula.trees import DecisionTree, boundaries, ensemble_formula, tree_formula

DOMAIN = Domain.box(a=(-3.0, 3.0), b=(-3.0, 3.0), c=(-3.0, 3.0))
LARGEST = float(np.finfo(np.float32).max)


def arrays(tree, column=0):
    value = tree.value[:, 0, column]
    return DecisionTree(
        tree.feature, tree.threshold, tree.children_left, tree.children_right, value
    )


def data(seed, n=400, step=0.0):
    """Points (n, 3) of float32, on a grid of ``step`` if given, and a target with jumps."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (n, 3))
    x = (np.round(x / step) * step if step else x).astype(np.float32)
    y = np.where(x[:, 0] * x[:, 1] > 0.5, 2.0, np.sin(x[:, 2])) + 0.1 * rng.standard_normal(n)
    return x, y


def around(x, thresholds, feature):
    """Points at each threshold of a tree and next to it: in float32, and in float64 between."""
    rows = []
    for i, t in zip(feature, thresholds, strict=True):
        if i < 0:
            continue
        near = np.float32(t)
        up, down = np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))
        middles = [(float(near) + float(up)) / 2, (float(near) + float(down)) / 2]
        beside = [np.nextafter(m, s) for m in middles for s in (-9, 9)]
        for value in (t, near, up, down, *middles, *beside, np.nextafter(t, 9)):
            row = x[len(rows) % len(x)].astype(float)
            row[i] = value
            rows.append(row)
    return np.array(rows)


@settings(max_examples=300, deadline=None)
@given(
    st.floats(-LARGEST, LARGEST, exclude_min=True, exclude_max=True)
    | st.floats(-4, 4, width=32)
    | st.floats(-1e-44, 1e-44)
    | st.tuples(st.floats(-4, 4, width=32), st.floats(-4, 4, width=32)).map(lambda t: sum(t) / 2),
    st.floats(-4, 4),
)
def test_the_boundary_decides_as_the_threshold_does_on_float32(t, other):
    (c,) = boundaries(np.array([t]))
    near, largest = np.float32(t), np.float32(LARGEST)
    up, down = np.nextafter(near, largest), np.nextafter(near, -largest)
    beyond = np.nextafter(up, largest), np.nextafter(down, -largest)
    for x in (near, up, down, *beyond, np.float32(other)):
        assert (c < float(x)) == (float(x) > t)
        assert (np.float32(c) < x) == (float(x) > t)  # the same with all arithmetic in float32
    # any float64 is decided as its rounding to float32 is
    for x in (c, np.nextafter(c, np.inf), np.nextafter(c, -np.inf), t, other):
        with np.errstate(over="ignore"):
            assert (c < x) == (float(np.float32(x)) > t)


@pytest.mark.parametrize("step", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("depth", [1, 4, 12, None])
def test_a_tree_answers_as_scikit_learn_does(depth, step):
    x, y = data(depth or 0, step=step)
    model = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(x, y)
    formula = tree_formula(arrays(model.tree_), DOMAIN)
    edge = around(x, model.tree_.threshold, model.tree_.feature)
    for where in (x.astype(float), DOMAIN.sample(512), edge, edge.astype(np.float32).astype(float)):
        assert formula(where).tolist() == model.predict(where).tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from([0.0, 0.25, 1.0]))
def test_any_tree_grown_leaf_by_leaf(seed, leaves, step):
    x, y = data(seed, 80, step)
    model = DecisionTreeRegressor(max_leaf_nodes=leaves, splitter="random", random_state=seed)
    tree = model.fit(x, y).tree_
    formula = tree_formula(arrays(tree), DOMAIN)
    edge = around(x, tree.threshold, tree.feature)
    assert formula(edge).tolist() == model.predict(edge).tolist()
    assert Formula.from_data(formula.to_data()) == formula


def test_a_classifier_gives_shares_of_a_class_or_the_winner():
    x, y = data(3)
    labels = np.digitize(y, [-0.5, 0.8])
    model = DecisionTreeClassifier(max_depth=5, random_state=0).fit(x, labels)
    points = DOMAIN.sample(256)
    for k in range(3):
        share = tree_formula(arrays(model.tree_, k), DOMAIN)
        assert share(points).tolist() == model.predict_proba(points)[:, k].tolist()
    t = model.tree_
    winner = t.value[:, 0, :].argmax(axis=1).astype(float)
    tree = DecisionTree(t.feature, t.threshold, t.children_left, t.children_right, winner)
    formula = tree_formula(tree, DOMAIN)
    assert formula(points).tolist() == model.predict(points).tolist()
    splits = int((t.feature >= 0).sum())
    # leaves beside each other with the same winner became one
    assert formula.text.count("ifless") < splits


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_a_forest_is_the_average_of_its_trees(kind):
    x, y = data(5)
    model = kind(20, max_depth=6, random_state=0).fit(x, y)
    trees = [arrays(e.tree_) for e in model.estimators_]
    formula = ensemble_formula(trees, DOMAIN, scale=1 / 20)
    points = np.vstack([DOMAIN.sample(256), x])
    assert formula(points) == pytest.approx(model.predict(points), rel=1e-13, abs=1e-13)
    # one node for each sum beside the trees', and sums as deep as the logarithm of their number
    nodes = sum(tree_formula(tree, DOMAIN).complexity for tree in trees)
    assert formula.complexity == nodes + 19
    assert formula.tree.depth <= 7 + 5


def test_a_forest_of_classifiers_and_boosted_trees():
    x, y = data(6)
    points = DOMAIN.sample(256)
    forest = RandomForestClassifier(9, max_depth=4, random_state=0).fit(x, y > 0.5)
    share = ensemble_formula([arrays(e.tree_, 1) for e in forest.estimators_], DOMAIN, scale=1 / 9)
    assert share(points) == pytest.approx(forest.predict_proba(points)[:, 1], abs=1e-13)
    boosted = GradientBoostingRegressor(n_estimators=30, learning_rate=0.2, random_state=0).fit(
        x, y
    )
    formula = ensemble_formula(
        [arrays(e.tree_) for e in boosted.estimators_[:, 0]],
        DOMAIN,
        scale=0.2,
        bias=float(boosted.init_.constant_[0, 0]),
    )
    assert formula(points) == pytest.approx(boosted.predict(points), rel=1e-12, abs=1e-12)


def test_thresholds_of_whole_numbers_are_whole():
    domain = Domain((Variable("n", 0, 9, kind="integer"), Variable("on", 0, 1, kind="boolean")))
    x = domain.sample(64, seed=1)
    model = DecisionTreeRegressor(random_state=0).fit(x, 3 * x[:, 0] - 5 * x[:, 1])
    formula = tree_formula(arrays(model.tree_), domain)
    every = np.array([[n, on] for n in range(10) for on in range(2)], dtype=float)
    assert formula(every).tolist() == model.predict(every).tolist()
    assert "ifless(0, on, " in formula.text
    assert all(c.is_integer() for c in formula.program.constants)


def test_leaves_and_small_trees_as_text():
    def tree(threshold, value):
        n = np.array([0, -2, -2])
        left, right = np.array([1, -1, -1]), np.array([2, -1, -1])
        return DecisionTree(n, np.array([threshold, -2, -2]), left, right, np.array(value))

    domain = Domain.box(x=(0, 9))
    # 0.5 + half the distance to the next float32, which is rounded to 0.5
    assert (
        tree_formula(tree(0.5, [2, 1.0, 3.0]), domain).text == "ifless(0.5000000298023224, x, 3, 1)"
    )
    assert tree_formula(tree(0.5, [1, 1.0, 1.0]), domain).text == "1"
    formula = ensemble_formula([tree(0.5, [2, 1.0, 3.0])] * 2, domain, scale=0.5, bias=7)
    assert formula(np.array([[0.5], [0.6]])).tolist() == [8.0, 10.0]


def test_large_trees_are_evaluated_within_bounds():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (3000, 3))
    model = DecisionTreeRegressor(max_depth=8, random_state=0).fit(x, np.sin(x).sum(axis=1))
    formula = tree_formula(arrays(model.tree_), DOMAIN)
    assert formula.text.count("ifless") > 240
    # input, threshold, the two children: four nodes a split beside the leaves
    assert formula.complexity == 4 * formula.text.count("ifless") + 1
    points = rng.uniform(-3, 3, (300_000, 3))
    formula(points[:2])
    tracemalloc.start()
    values = formula(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values.tolist() == model.predict(points).tolist()
    # the answer, and a few columns of one block: not one of every node's
    assert peak < 8 * len(points) + 4e6
    assert compile_tree(formula.tree, DOMAIN.names)(points).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"value": np.zeros(2)}, "have the shapes"),
        ({"left": np.array([0, -1, -1])}, "`left`"),
        ({"right": np.array([3, -1, -1])}, "`right`"),
        ({"right": np.array([-1, -1, -1])}, "`right`"),
        ({"threshold": np.array([1e300, 0, 0])}, "outside float32"),
        ({"threshold": np.array([np.nan, 0, 0])}, "outside float32"),
        ({"feature": np.array([3, -2, -2])}, "asks for its input 3; the domain has 3"),
        ({"value": np.array([0, np.inf, 1])}, "cannot hold the constant"),
    ],
)
def test_what_is_no_tree_is_refused(change, what):
    given = {
        "feature": np.array([0, -2, -2]),
        "threshold": np.array([0.5, -2.0, -2.0]),
        "left": np.array([1, -1, -1]),
        "right": np.array([2, -1, -1]),
        "value": np.array([0.0, 1.0, 2.0]),
    }
    with pytest.raises(FormulaError, match=what):
        tree_formula(DecisionTree(**(given | change)), DOMAIN)


def test_a_tree_deeper_than_formulas_is_refused():
    n = 120  # a chain: each even node a split, each odd one its leaf
    left = np.array([i + 1 if i % 2 == 0 else -1 for i in range(2 * n)] + [-1])
    right = np.where(left >= 0, left + 1, -1)
    size = len(left)
    tree = DecisionTree(
        np.where(left >= 0, 0, -2), np.arange(size) / 64, left, right, np.arange(float(size))
    )
    with pytest.raises(FormulaError, match="deeper than 100 levels"):
        tree_formula(tree, DOMAIN)
