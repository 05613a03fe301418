"""Trees with a running error: exact decisions, sums of leaves, integers, scalers taken in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.chain.fold import folded
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Scale, Stretch
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.domain import Domain
from distill.firmware.chains.integers import integer_trees
from distill.firmware.fixed.formats import input_formats
from distill.firmware.proof.chains.claim import chain_claim
from distill.firmware.proof.chains.running import Machine
from distill.firmware.proof.chains.trees import owners, same_decisions, tree_sums

BOX = Domain.box(a=(-2, 3), b=(0, 1))


def forest(trees: int, leaves: np.ndarray, seed: int = 0, **others: object) -> Trees:
    """Trees of three splits each; leaves (4*trees, k)."""
    rng = np.random.default_rng(seed)
    feature, threshold, left, right = [], [], [], []
    for t in range(trees):
        at, row = 7 * t, 4 * t
        feature += [*rng.integers(0, 2, 3), 0, 0, 0, 0]
        threshold += [*rng.uniform(-1, 1.5, 3), 0, 0, 0, 0]
        left += [at + 1, at + 3, at + 5, -1, -1, -1, -1]
        right += [at + 2, at + 4, at + 6, row, row + 1, row + 2, row + 3]
    k = leaves.shape[1]
    given = {"scale": np.ones(k), "bias": np.zeros(k), **others}
    return Trees(
        inputs=2, roots=7 * np.arange(trees), feature=np.array(feature),
        threshold=np.array(threshold), left=np.array(left), right=np.array(right),
        leaves=leaves, **given,
    )  # fmt: skip


def rough(trees: int, k: int = 2, **others: object) -> Trees:
    return forest(trees, np.random.default_rng(1).normal(size=(4 * trees, k)), **others)


def exact_answers(step: Trees, x: np.ndarray) -> list[list[Fraction]]:
    """The answers in fractions."""
    cuts = step.cuts("double")
    answers = []
    for point in x.tolist():
        sums = [Fraction(0)] * step.outputs
        for root in step.roots.tolist():
            at = root
            while step.left[at] >= 0:
                goes = point[step.feature[at]] <= cuts[at]
                at = int((step.left if goes else step.right)[at])
            leaf = step.leaves[step.right[at]].tolist()
            sums = [s + Fraction(v) for s, v in zip(sums, leaf, strict=True)]
        scale = [1 / Fraction(s) if step.divide else Fraction(s) for s in step.scale.tolist()]
        rows = zip(sums, scale, step.bias.tolist(), strict=True)
        answers.append([s * f + Fraction(b) for s, f, b in rows])
    return answers


STEPS = {
    "sum": rough(20),
    "mean": rough(15, scale=np.full(2, 15.0), divide=True),
    "scaled": rough(9, scale=np.array([0.1, -3.0]), bias=np.array([0.7, 1e-3])),
    "one": rough(1),
}


@pytest.mark.parametrize("arithmetic", ["float32", "double", "fixed"])
@pytest.mark.parametrize("name", STEPS)
def test_no_point_is_further_off_than_fractions_say(name: str, arithmetic: str) -> None:
    step = STEPS[name]
    claim = chain_claim(Chain(2, (step,)), BOX, arithmetic, library=False, floats=False)
    x = BOX.sample(300, seed=4).astype(np.float32).astype(float)
    if arithmetic == "fixed":
        forms = input_formats(BOX)
        held = np.column_stack([f.integers(x[:, i]) for i, f in enumerate(forms)])
        x = np.column_stack([f.reals(held[:, i]) for i, f in enumerate(forms)])
        whole, form = integer_trees(Chain(2, (step,)), forms)
        answers = form.reals(whole.evaluate(held.astype(float), "double").astype(np.int64))
    else:
        answers = step.evaluate(x, arithmetic)
    worst = np.zeros(2)
    for answer, exact in zip(answers.tolist(), exact_answers(step, x), strict=True):
        off = [float(abs(Fraction(a) - b)) for a, b in zip(answer, exact, strict=True)]
        worst = np.maximum(worst, off)
    assert (worst <= claim.bounds).all()
    if arithmetic == "fixed" or name != "one":
        assert (claim.bounds <= 30 * worst).all()


def test_sums_of_fractions_of_two_are_exact() -> None:
    leaves = np.random.default_rng(3).integers(-512, 512, size=(40, 2)) / 64
    step = forest(10, leaves.astype(float))
    sums = tree_sums(step, Machine("float32"))
    assert sums.error.tolist() == [[0.0], [0.0]]
    assert chain_claim(Chain(2, (step,)), BOX, "fixed", library=False).bounds.tolist() == [0, 0]
    # One leaf that is finer than all sums can hold makes them inexact.
    finer = leaves.copy()
    finer[3, 0] += 2.0**-30
    assert tree_sums(forest(10, finer), Machine("float32")).error[0, 0] > 0


def test_ranges_hold_all_sums() -> None:
    step = STEPS["scaled"]
    sums = tree_sums(step, Machine("double"))
    answers = step.evaluate(BOX.sample(5000, seed=2), "double")
    assert (sums.low[:, 0] <= answers.min(axis=0)).all()
    assert (answers.max(axis=0) <= sums.high[:, 0]).all()


def test_nodes_belong_to_their_trees() -> None:
    step = STEPS["sum"]
    assert owners(step).tolist() == [t for t in range(20) for _ in range(7)]


SCALERS = {
    "scale": (Scale(np.array([0.3, 0.1]), np.array([1.7, 0.03])),),
    "turned": (Stretch(-np.sqrt([0.14, 4.4]), np.sqrt([0.04, 0.8])),),
    "picked": (
        Pick(2, np.array([1, 0])),
        Scale(np.sqrt([0.02, 0.1]), -np.sqrt([0.1, 2.9])),
    ),
}


@pytest.mark.parametrize("name", SCALERS)
def test_a_scaler_taken_into_trees_decides_as_before(name: str) -> None:
    chain = Chain(2, (*SCALERS[name], STEPS["sum"]))
    short = folded(chain)
    assert len(short.steps) == 1
    assert same_decisions(chain, short, BOX)
    claim = chain_claim(chain, BOX, "float32", library=False)
    assert np.isfinite(claim.bounds).all()
    beside = chain_claim(Chain(2, (Branches((chain, chain)),)), BOX, "float32", library=False)
    assert beside.bounds.tolist() == [*claim.bounds, *claim.bounds]


def test_a_scaler_whose_rounding_decides_a_float_is_not_proven() -> None:
    # 2.1 * x - 0.9 falls next to a threshold at one float32, and double rounds it onto it.
    chain = Chain(2, (Stretch(np.array([-0.37, 2.1]), np.array([0.2, -0.9])), STEPS["sum"]))
    assert not same_decisions(chain, folded(chain), BOX)
    claim = chain_claim(chain, BOX, "float32", library=False)
    assert np.isinf(claim.bounds).all()
    assert "real numbers" in claim.why


@pytest.mark.parametrize("name", SCALERS)
def test_a_threshold_moved_by_one_float_is_seen(name: str) -> None:
    chain = Chain(2, (*SCALERS[name], STEPS["sum"]))
    (step,) = folded(chain).steps
    assert isinstance(step, Trees)
    low, high = BOX.low[step.feature], BOX.high[step.feature]
    within = (step.left >= 0) & (step.threshold > low) & (step.threshold < high)
    at = int(np.flatnonzero(within)[2])
    for side in (np.inf, -np.inf):
        moved = step.threshold.copy()
        moved[at] = np.nextafter(np.float32(moved[at]), np.float32(side))
        assert not same_decisions(chain, Chain(2, (replace(step, threshold=moved),)), BOX)
    swapped = step.left.copy(), step.right.copy()
    swapped[0][at], swapped[1][at] = step.right[at], step.left[at]
    other = replace(step, left=swapped[0], right=swapped[1])
    assert not same_decisions(chain, Chain(2, (other,)), BOX)


def test_a_scaler_between_trees_is_not_proven() -> None:
    whole = forest(4, np.arange(32.0).reshape(16, 2))
    chain = Chain(2, (*SCALERS["scale"], whole, *SCALERS["scale"], STEPS["sum"]))
    assert [type(step) for step in folded(chain).steps] == [Trees, Scale, Trees]
    assert np.isinf(chain_claim(chain, BOX, "float32", library=False).bounds).all()


def test_a_scaler_before_trees_in_double_is_not_proven() -> None:
    chain = Chain(2, (*SCALERS["scale"], STEPS["sum"]))
    claim = chain_claim(chain, BOX, "double", library=False)
    assert np.isinf(claim.bounds).all()
    assert "decisions" in claim.why


def test_linear_steps_behind_trees_count_in_integers() -> None:
    mixed = Affine(np.array([[0.5, -1.25], [0.1, 0.2], [1.0, 0.0]]), np.array([0.1, 0.0, -2.0]))
    chain = Chain(2, (STEPS["mean"], mixed, Pick(3, np.array([2, 0, 1]))))
    claim = chain_claim(chain, BOX, "fixed", library=False, floats=False)
    forms = input_formats(BOX)
    whole, form = integer_trees(chain, forms)
    x = BOX.sample(3000, seed=8)
    held = np.column_stack([f.integers(x[:, i]) for i, f in enumerate(forms)])
    reals = np.column_stack([f.reals(held[:, i]) for i, f in enumerate(forms)])
    answers = form.reals(whole.evaluate(held.astype(float), "double").astype(np.int64))
    found = np.abs(answers - chain.evaluate(reals, "double")).max(axis=0)
    assert (found <= claim.bounds).all()
    assert (claim.bounds <= 30 * found).all()
    # As a float32 the result may lose half a unit more.
    wider = chain_claim(chain, BOX, "fixed", library=False, floats=True)
    assert (wider.bounds > claim.bounds).all()


def test_a_winner_among_rounded_leaves_is_not_proven() -> None:
    claim = chain_claim(Chain(2, (STEPS["sum"], Winner(2))), BOX, "fixed", library=False)
    assert np.isinf(claim.bounds).all()
    assert "wins" in claim.why
