"""Trees in C: every way of writing them, every way of comparing, at every threshold."""

from __future__ import annotations

import time
import tracemalloc
from types import ModuleType

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.trees import Trees
from distill.firmware.chains.code import chain_code
from distill.firmware.chains.forest import real_forest

GOES = ("float32_at_most", "float32_below", "at_most", "below")
REALS = {"float32": np.float32, "double": np.float64}


def kinds(examples: ModuleType) -> dict[str, Trees]:
    """Forests that differ in how they decide, sum and end."""
    make = examples.random_trees
    found = {goes: make(4, 3, 4, 2, seed=i, goes=goes) for i, goes in enumerate(GOES)}
    found |= {f"{goes}_missing": make(4, 2, 4, 1, seed=i, goes=goes, missing=True, digits=3)
              for i, goes in enumerate(GOES)}  # fmt: skip
    found["one"] = make(4, 1, 5, 1, digits=4)
    found["one_row"] = make(4, 1, 3, 3, scale=np.array([-1.0, 0.3, 7.0]), bias=np.ones(3) / 3)
    found["boosted"] = make(4, 9, 3, 1, scale=np.array([0.1]), bias=np.array([-0.7]))
    found["divided"] = make(4, 7, 2, 3, scale=np.array([7.0, 7.0, 7.0]), divide=True)
    found["negative"] = make(4, 4, 2, 2, scale=np.array([-0.25, 0.5]), bias=np.array([0.0, 2.0]))
    found["leaf"] = make(4, 3, 0, 2)
    found["endless"] = _with_thresholds(make(4, 2, 3, 1, missing=True), np.inf)
    found["huge"] = _with_thresholds(make(4, 2, 3, 1), 3.402823466e38)
    return found


def _with_thresholds(trees: Trees, value: float) -> Trees:
    """Every third threshold replaced."""
    threshold = trees.threshold.copy()
    threshold[::3] = value
    return Trees(
        trees.inputs, trees.roots, trees.feature, threshold, trees.left, trees.right, trees.leaves,
        trees.scale, trees.bias, trees.goes, trees.missing,
    )  # fmt: skip


@pytest.mark.parametrize("arithmetic", REALS)
def test_every_form_decides_as_the_trees_do(
    arithmetic: str, examples: ModuleType, build, compilers
) -> None:
    codes, chains = {}, []
    for kind, trees in kinds(examples).items():
        for form in ("table", "conditions"):
            for soft in (False, True):
                name = f"{kind}_{form}_{'soft' if soft else 'hard'}"
                chain = Chain(4, (trees,))
                codes[name] = chain_code(chain, name, arithmetic, form=form, soft_float=soft)
                chains.append(chain)
    program = build(codes, chains, compilers["zig"])
    wrong = {}
    for name, chain in zip(codes, chains, strict=True):
        x = examples.points(chain).astype(REALS[arithmetic]).astype(float)
        found, wanted = program(name, x), chain.evaluate(x, arithmetic)
        if len(rows := np.flatnonzero((found != wanted).any(axis=1))):
            wrong[name] = (len(rows), x[rows[0]], found[rows[0]], wanted[rows[0]])
        assert codes[name].exact
    assert wrong == {}


def test_soft_float_compares_integers(examples: ModuleType) -> None:
    chain = Chain(4, (examples.random_trees(4, 3, 4, 2),))
    hard, soft = (chain_code(chain, "f", "float32", soft_float=s) for s in (False, True))
    assert "f_key(x[" in soft.functions
    assert "f_key" not in hard.functions
    assert {a.name: a.ctype for a in soft.arrays}["f_cuts1"] == "int32_t"
    assert {a.name: a.ctype for a in hard.arrays}["f_cuts1"] == "float"


def test_splits_that_decide_nothing_are_left_out(examples: ModuleType) -> None:
    trees = examples.random_trees(4, 1, 6, 1)
    right = np.where(trees.left < 0, 3, trees.right)
    same = Trees(
        4, trees.roots, trees.feature, trees.threshold, trees.left, right, trees.leaves,
        trees.scale, trees.bias,
    )  # fmt: skip
    forest = real_forest(same, "float32", ordered=False)
    assert (forest.splits, forest.rows, forest.roots.tolist()) == (0, 1, [0])
    assert real_forest(trees, "float32", ordered=False).splits > 30


def test_tests_that_splits_share_are_stored_once(examples: ModuleType) -> None:
    few = Chain(4, (examples.random_trees(4, 20, 6, 1, digits=0),))
    many = Chain(4, (examples.random_trees(4, 20, 6, 1, digits=5),))
    sizes = {}
    for name, chain in (("few", few), ("many", many)):
        code = chain_code(chain, "f", "float32", form="table")
        sizes[name] = {array.name: array.count for array in code.arrays}
    assert sizes["few"]["f_cuts1"] < 4 * 9 < 1000 < sizes["few"]["f_tests1"]
    assert sizes["many"]["f_cuts1"] > 1000
    assert "f_tests1" not in sizes["many"]


def test_the_smaller_form_is_taken(examples: ModuleType) -> None:
    small = Chain(4, (examples.random_trees(4, 1, 2, 1),))
    large = Chain(4, (examples.random_trees(4, 10, 7, 1),))
    assert chain_code(small, "f", "float32").arrays == ()
    assert "f_after1" in [array.name for array in chain_code(large, "f", "float32").arrays]
    assert "while" not in chain_code(large, "f", "float32", form="conditions").functions


def test_conditions_deeper_than_compilers_take_become_a_table() -> None:
    depth = 80
    nodes = 2 * depth + 1
    inner = np.arange(nodes) % 2 == 0
    inner[-1] = False
    left = np.where(inner, np.arange(nodes) + 2, -1)
    right = np.where(inner, np.arange(nodes) + 1, np.arange(nodes) // 2 % 2)
    threshold = np.linspace(1, 0, nodes)
    rows = np.array([[1.0], [2.0]])
    trees = Trees(
        1, np.zeros(1, int), np.zeros(nodes, int), threshold, left, right, rows, np.ones(1),
        np.zeros(1),
    )  # fmt: skip
    code = chain_code(Chain(1, (trees,)), "f", "float32", form="conditions")
    assert "while" in code.functions


def test_time_and_memory_grow_with_the_forest_and_no_faster(examples: ModuleType) -> None:
    """A hundred trees of depth 12 take ten times what ten of them take here: below 500 MB."""
    taken = []
    for count in (5, 10):
        chain = Chain(16, (examples.random_trees(16, count, 12, 3, digits=9),))
        started = time.process_time()
        chain_code(chain, "f", "float32")
        seconds = time.process_time() - started
        tracemalloc.start()
        code = chain_code(chain, "f", "float32")
        taken.append((seconds, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
        assert {array.name: array.count for array in code.arrays}["f_after1"] > 6_000 * count
    (first, few), (second, many) = taken
    assert second < 4 * first
    assert many < 2.2 * few
    assert many < 50e6
