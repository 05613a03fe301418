"""Trees in fixed point: every integer goes where the real number that it stands for goes."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Pick
from distill.chain.steps.elementwise import Scale, Stretch
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.errors import ExportError
from distill.firmware.chains.code import chain_code
from distill.firmware.chains.integers import integer_trees
from distill.firmware.fixed.formats import LARGEST, QFormat

FORMATS = (QFormat(0), QFormat(7), QFormat(28), QFormat(-3))


def integers(trees: Trees, formats: tuple[QFormat, ...]) -> np.ndarray:
    """Points (n, d) as integers: at random, and around every cut."""
    rng = np.random.default_rng(3)
    scale = [2.0**form.fraction for form in formats]
    drawn = rng.normal(size=(3000, len(formats))) * 2 * scale
    near = rng.choice(trees.threshold, size=(3000, len(formats))) * scale
    near += rng.integers(-1, 2, near.shape)
    return np.clip(np.floor(np.concatenate([drawn, near])), -(2**30), 2**30)


def leaves(chain: Chain, q: np.ndarray, formats: tuple[QFormat, ...]) -> np.ndarray:
    """What the real trees answer at the real numbers that integers stand for."""
    reals = np.ldexp(q, [-form.fraction for form in formats])
    return chain.evaluate(reals, "double")


@pytest.mark.parametrize("goes", ["float32_at_most", "float32_below", "at_most", "below"])
@pytest.mark.parametrize("form", ["table", "conditions"])
def test_integers_decide_as_the_reals_they_stand_for(
    goes: str, form: str, examples: ModuleType, build, compilers
) -> None:
    trees = examples.random_trees(
        4, 5, 4, 2, seed=2, goes=goes, digits=4, scale=np.array([0.1, -3.0]),
        bias=np.array([0.25, 1e-3]),
    )  # fmt: skip
    chain = Chain(4, (trees,))
    code = chain_code(chain, "f", "fixed", formats=FORMATS, form=form)
    whole, output = integer_trees(chain, FORMATS)
    assert code.output == output
    assert code.exact
    assert code.real == "int32_t"
    q = integers(trees, FORMATS)
    found = build({"f": code}, [chain], compilers["zig"])("f", q)
    assert np.array_equal(found, whole.evaluate(q, "double"))
    # No leaf is off by more than half a step; another leaf would be off by a hundredth.
    off = np.abs(output.reals(found) - leaves(chain, q, FORMATS))
    assert off.max() <= (5 + 1) / 2 * output.step < 1e-6


def test_exact_leaves_stay_exact(examples: ModuleType) -> None:
    trees = examples.random_trees(4, 4, 3, 1, scale=np.array([0.25]))
    halves = Trees(
        4, trees.roots, trees.feature, trees.threshold, trees.left, trees.right,
        np.round(trees.leaves * 2) / 2, trees.scale, trees.bias,
    )  # fmt: skip
    chain = Chain(4, (halves,))
    whole, output = integer_trees(chain, FORMATS)
    q = integers(halves, FORMATS)
    assert output == QFormat(3)
    assert np.array_equal(output.reals(whole.evaluate(q)), leaves(chain, q, FORMATS))
    code = chain_code(chain, "f", "fixed", formats=FORMATS, form="table")
    assert {array.name: array.ctype for array in code.arrays}["f_leaves1"] == "int8_t"


def test_no_sum_overflows(examples: ModuleType) -> None:
    trees = examples.random_trees(
        4, 200, 2, 1, scale=np.array([1e6 / 3]), bias=np.array([-1e7 / 3])
    )
    chain = Chain(4, (trees,))
    whole, output = integer_trees(chain, FORMATS)
    step = whole.steps[0]
    assert isinstance(step.bias, np.ndarray)
    most = abs(int(step.bias[0])) + 200 * int(np.abs(step.forest.leaves).max())
    assert LARGEST / 4 < most <= LARGEST
    assert output.fraction == 5


def test_inputs_are_picked_and_winners_found(examples: ModuleType, build, compilers) -> None:
    trees = examples.random_trees(4, 6, 3, 3)
    picked = np.array([3, 0, 1, 2])
    chain = Chain(4, (Pick(4, picked), trees, Winner(3)))
    code = chain_code(chain, "f", "fixed", formats=FORMATS)
    assert code.output == QFormat(0)
    q = integers(trees, tuple(FORMATS[i] for i in picked))[:, np.argsort(picked)]
    found = build({"f": code}, [chain], compilers["zig"])("f", q)
    assert np.array_equal(found, leaves(chain, q, FORMATS))
    assert set(found.ravel()) == {0.0, 1.0, 2.0}


@pytest.mark.parametrize("divide", [False, True])
def test_linear_steps_behind_trees_go_into_the_leaves(divide: bool, examples: ModuleType) -> None:
    trees = examples.random_trees(
        4, 5, 3, 3, scale=np.array([0.5, -3.0, 7.0]), bias=np.array([1.0, 0.1, 2.0]), divide=divide
    )
    steps = (
        trees,
        Scale(np.array([0.5, 0.0, -1.0]), np.array([5.0, 0.7, -2.0])),
        Stretch(np.array([1.0, -2.0, 0.1]), np.array([0.0, 1.0, 3.0])),
        Pick(3, np.array([2, 0, 1, 2])),
        Affine(examples.numbers(2, 4), examples.numbers(2)),
    )
    chain = Chain(4, steps)
    whole, output = integer_trees(chain, FORMATS)
    assert len(whole.steps) == 1
    q = integers(trees, FORMATS)
    # Another leaf anywhere would be off by far more than the rounding of five leaves and a bias.
    off = np.abs(output.reals(whole.evaluate(q)) - leaves(chain, q, FORMATS))
    assert off.max() <= (5 + 1) / 2 * output.step < 1e-6


def test_small_integers_have_small_cuts(examples: ModuleType) -> None:
    chain = Chain(4, (examples.random_trees(4, 5, 5, 1),))
    code = chain_code(chain, "f", "fixed", formats=(QFormat(0),) * 4, form="table")
    assert {array.name: array.ctype for array in code.arrays}["f_cuts1"] == "int8_t"


@pytest.mark.parametrize("steps", [(), (Affine(np.ones((2, 4)), np.ones(2)),), (Winner(4),)])
def test_other_steps_are_refused_by_name(steps: tuple[object, ...]) -> None:
    with pytest.raises(ExportError) as caught:
        chain_code(Chain(4, steps), "f", "fixed", formats=FORMATS)
    kind = type(steps[0]).__name__ if steps else "none"
    assert f"`{kind}`" in caught.value.what
    assert caught.value.where == "export.arithmetic"
    assert "float32" in caught.value.hint


def test_every_input_needs_its_format(examples: ModuleType) -> None:
    chain = Chain(4, (examples.random_trees(4, 1, 2, 1),))
    with pytest.raises(ExportError, match="3 number formats for 4 inputs"):
        chain_code(chain, "f", "fixed", formats=FORMATS[:3])
