"""Steps of chains with a running error, in float32 and against exact fractions in double."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.packed import Packed
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner
from distill.domain import Domain, Variable
from distill.firmware.proof.chains.claim import chain_claim
from distill.firmware.proof.chains.running import Machine, Running
from distill.firmware.proof.chains.steps import STEPS, NotAnalysed, run_chain, why_not
from distill.formula import Formula

BOX = Domain.box(a=(-1, 2), b=(0.5, 3))


def network(sizes: tuple[int, ...], function: str, seed: int = 0) -> Chain:
    rng = np.random.default_rng(seed)
    steps: list[Step] = []
    for d, k in pairwise(sizes):
        steps.append(Affine(rng.normal(size=(k, d)) / np.sqrt(d), rng.normal(size=k) / 3))
        steps.append(Apply(function, k))
    return Chain(sizes[0], tuple(steps[:-1]))


def stump() -> Trees:
    return Trees(
        inputs=2, roots=np.array([0]), feature=np.array([1, 0, 0]),
        threshold=np.array([1.7, 0, 0]), left=np.array([1, -1, -1]), right=np.array([2, 0, 1]),
        leaves=np.array([[0.1], [0.7]]), scale=np.ones(1), bias=np.zeros(1),
    )  # fmt: skip


CURVE = Each(Formula.parse("exp(t/3)*t - square(t)/7", Domain.box(t=(-3, 3))), 2)

IMAGE = Domain(tuple(Variable(f"p{i}", 0, 1) for i in range(72)))
_WEIGHTS = np.random.default_rng(6).normal(size=(4, 2, 3, 3))
IMAGES = {
    "convolution": (
        Convolution((2, 6, 6), _WEIGHTS, np.arange(4) / 7, padding=(1, 1, 0, 0)),
        Apply("relu", 100),
        Pool((4, 5, 5), "max", (2, 2), (2, 2)),
    ),
    "mean": (
        Pool((2, 6, 6), "mean", (3, 3), (2, 2), (1, 1, 1, 1)),
        Convolution((2, 3, 3), _WEIGHTS, np.ones(4), groups=1),
    ),
    "groups": (Convolution((2, 6, 6), _WEIGHTS[:, :1], np.zeros(4), (2, 2), groups=2),),
}

CHAINS = {
    "relu": network((2, 12, 8, 3), "relu"),
    "tanh": network((2, 12, 8, 3), "tanh"),
    "silu": network((2, 12, 3), "silu"),
    "scaled": Chain(2, (Scale(np.array([0.1, 0.2]), np.array([1.5, 0.7])), Apply("sigmoid", 2))),
    "stretched": Chain(2, (Stretch(np.array([0.3, 7.1]), np.array([0.1, -3.3])), Apply("exp", 2))),
    "curve": Chain(2, (CURVE, *network((2, 6, 2), "tanh").steps)),
    "shares": Chain(2, (*network((2, 6, 5), "relu").steps, Softmax(5))),
    "chosen": Chain(2, (Pick(2, np.array([1, 0, 1])), *network((3, 6, 2), "gelu").steps)),
    "both": Chain(2, (Branches((network((2, 4, 1), "relu"), Chain(2, (stump(),)))),)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_no_point_in_float32_is_further_off(name: str) -> None:
    chain = CHAINS[name]
    claim = chain_claim(chain, BOX, "float32", library=True)
    x = np.vstack([BOX.sample(20_000, seed=5), BOX.corners()]).astype(np.float32).astype(float)
    found = np.abs(chain.evaluate(x, "float32") - chain.evaluate(x, "double")).max(axis=0)
    assert claim.why == ""
    assert (found <= claim.bounds).all()
    # Library functions are allowed more than NumPy's lose; many layers never err all alike.
    assert (claim.bounds <= 100 * found).all()


@pytest.mark.parametrize("name", IMAGES)
def test_no_image_is_further_off(name: str) -> None:
    chain = Chain(72, IMAGES[name])
    claim = chain_claim(chain, IMAGE, "float32", library=False)
    x = IMAGE.sample(5000, seed=5).astype(np.float32).astype(float)
    found = np.abs(chain.evaluate(x, "float32") - chain.evaluate(x, "double")).max(axis=0)
    assert (found <= claim.bounds).all()
    assert (claim.bounds <= 30 * found).all()


def test_images_too_large_for_a_matrix_are_told() -> None:
    step = Pool((1, 80, 80), "mean", (2, 2), (1, 1))
    domain = Domain(tuple(Variable(f"p{i}", 0, 1) for i in range(6400)))
    claim = chain_claim(Chain(6400, (step,)), domain, "float32", library=False)
    assert np.isinf(claim.bounds).all()
    assert "`Pool`" in claim.why


def test_tables_of_whole_numbers_round_each_answer_once() -> None:
    domain = Domain(tuple(Variable(n, 0, 3, kind="integer") for n in "ab"))
    codes = np.arange(16)[:, None] % 3
    step = Packed(np.zeros(2, dtype=int), np.full(2, 3), codes, (np.array([0.1, 0.25, 7.3]),))
    claim = chain_claim(Chain(2, (step,)), domain, "float32", library=False)
    off = np.abs(np.float32([0.1, 0.25, 7.3]).astype(float) - [0.1, 0.25, 7.3]).max()
    assert claim.bounds.tolist() == [off]
    assert chain_claim(Chain(2, (step,)), domain, "double", library=False).bounds.tolist() == [0]
    half = Stretch(np.full(2, 1 / 3), np.zeros(2))
    computed = chain_claim(Chain(2, (half, step)), domain, "float32", library=False)
    assert "whole numbers" in computed.why


def exactly(chain: Chain, point: list[float]) -> list[Fraction]:
    """The answers of products, scalers and relu in fractions."""
    row = [Fraction(value) for value in point]
    for step in chain.steps:
        if isinstance(step, Affine):
            row = [
                Fraction(bias) + sum(Fraction(w) * v for w, v in zip(weights, row, strict=True))
                for weights, bias in zip(step.weights.tolist(), step.bias.tolist(), strict=True)
            ]
        elif isinstance(step, Scale):
            rows = zip(row, step.shift.tolist(), step.divisor.tolist(), strict=True)
            row = [(v - Fraction(s)) / Fraction(d) for v, s, d in rows]
        else:
            assert isinstance(step, Apply)
            assert step.function == "relu"
            row = [max(v, Fraction(0)) for v in row]
    return row


def test_no_point_in_double_is_further_off_than_fractions_say() -> None:
    scaler = Scale(np.array([0.1, 0.2]), np.array([1.5, 0.7]))
    chain = Chain(2, (scaler, *network((2, 12, 8, 3), "relu", seed=3).steps))
    claim = chain_claim(chain, BOX, "double", library=False)
    x = np.vstack([BOX.sample(200, seed=5), BOX.corners()])
    answers = chain.evaluate(x, "double")
    worst = np.zeros(3)
    for point, answer in zip(x.tolist(), answers.tolist(), strict=True):
        for k, (a, b) in enumerate(zip(answer, exactly(chain, point), strict=True)):
            worst[k] = max(worst[k], float(abs(Fraction(a) - b)))
    assert (worst <= claim.bounds).all()
    assert (worst > claim.bounds / 100).all()
    assert (claim.bounds < 1e-13).all()


def test_what_a_compiler_fuses_stays_within_the_bound() -> None:
    # A fused sum rounds once: product and sum in double, the result to float32.
    rng = np.random.default_rng(2)
    step = Affine(rng.normal(size=(3, 9)), rng.normal(size=3))
    domain = Domain(tuple(Variable(f"x{i}", -2, 3) for i in range(9)))
    claim = chain_claim(Chain(9, (step,)), domain, "float32", library=False)
    x = domain.sample(3000, seed=1).astype(np.float32)
    weights, bias = step.weights.astype(np.float32), step.bias.astype(np.float32)
    sums = np.repeat(bias[None], len(x), axis=0).astype(float)
    for j in range(9):
        sums = (sums + weights[:, j].astype(float) * x[:, j : j + 1]).astype(np.float32)
        sums = sums.astype(float)
    off = np.abs(sums - step.evaluate(x.astype(float), "double")).max(axis=0)
    assert (off <= claim.bounds).all()
    assert (off > 0).all()


def test_exact_numbers_are_compared_exactly() -> None:
    machine = Machine("float32")
    x = Running.exact(np.array([[0.1, 0.3]]), np.array([[0.2, 0.4]]))
    above = run_chain(Chain(1, (Above(np.array([0.25])),)), x, machine)
    assert above.error.tolist() == [[0.0, 0.0]]
    assert (above.low.tolist(), above.high.tolist()) == ([[0.0, 1.0]], [[0.0, 1.0]])
    doubtful = Running(x.low, x.high, np.array([[0.1, 0.01]]))
    assert run_chain(Chain(1, (Above(np.array([0.25])),)), doubtful, machine).error.tolist() == [
        [1.0, 0.0]
    ]


def test_a_category_that_float32_cannot_hold_is_doubtful() -> None:
    x = Running.exact(np.zeros((1, 2)), np.full((1, 2), 2.0))
    whole, other = (OneHot((np.array(values),)) for values in ([0.0, 1.0, 2.0], [0.1, 1.0]))
    machine = Machine("float32")
    assert not run_chain(Chain(1, (whole,)), x, machine).error.any()
    assert run_chain(Chain(1, (other,)), x, machine).error.all()


def test_a_winner_is_known_where_it_is_ahead() -> None:
    low, high = np.array([[1.0, 1.0], [0.0, 0.9]]), np.array([[1.2, 1.2], [0.5, 1.1]])
    step = Chain(2, (Winner(2),))
    doubtful = Running(low, high, np.full((2, 2), 0.01))
    assert run_chain(step, doubtful, Machine("float32")).error.tolist() == [[0.0, 1.0]]
    exact = Running.exact(low, high)
    assert run_chain(step, exact, Machine("float32")).error.tolist() == [[0.0, 0.0]]


def test_trees_behind_computed_numbers_are_not_analysed() -> None:
    chain = Chain(2, (*network((2, 2), "relu").steps, stump()))
    claim = chain_claim(chain, BOX, "float32", library=False)
    assert np.isinf(claim.bounds).all()
    assert "computed numbers" in claim.why
    with pytest.raises(NotAnalysed):
        run_chain(chain, Running.exact(BOX.low[:, None], BOX.high[:, None]), Machine("float32"))


def test_a_step_without_an_analysis_is_named() -> None:
    assert Normalise not in STEPS
    inside = Branches((Chain(2, (Normalise(2),)), network((2, 3, 1), "relu")))
    for chain in (Chain(2, (Normalise(2),)), Chain(2, (inside,))):
        assert "`Normalise`" in why_not(chain)
        claim = chain_claim(chain, BOX, "float32", library=False)
        assert np.isinf(claim.bounds).all()
        assert "`Normalise`" in claim.why
    assert why_not(network((2, 3, 1), "relu")) == ""


@pytest.mark.parametrize(
    "behind", [network((2, 6, 1), "tanh"), Chain(2, (Pick(2, np.array([1])),))]
)
def test_a_scaler_that_does_nothing_costs_no_proof(behind: Chain) -> None:
    """What folding drops there turns no decision: there is none."""
    nothing = Scale(np.zeros(2), np.ones(2))
    chain = Chain(2, (nothing, *behind.steps))
    claim = chain_claim(chain, BOX, "float32", library=False)
    assert (
        claim.bounds.tolist() == chain_claim(behind, BOX, "float32", library=False).bounds.tolist()
    )
    assert np.isfinite(claim.bounds).all(), claim.why
    both = Chain(2, (Branches((chain, Chain(2, (stump(),)))),))
    assert np.isfinite(chain_claim(both, BOX, "float32", library=False).bounds).all()


def test_what_has_no_bound_says_where() -> None:
    chain = Chain(2, (Apply("log", 2),))
    claim = chain_claim(chain, BOX, "float32", library=True)
    assert np.isinf(claim.bounds[0])
    assert "a in [" in claim.why
    assert np.isfinite(chain_claim(Chain(2, (Pick(2, np.array([1])), Apply("log", 1))), BOX,
                                   "float32", library=True).bounds).all()  # fmt: skip


def test_hundreds_of_inputs_are_bounded_in_few_boxes() -> None:
    chain = network((784, 32, 10), "relu")
    domain = Domain(tuple(Variable(f"p{i}", 0, 1) for i in range(784)))
    claim = chain_claim(chain, domain, "float32", library=False)
    x = domain.sample(500, seed=2).astype(np.float32).astype(float)
    found = np.abs(chain.evaluate(x, "float32") - chain.evaluate(x, "double")).max(axis=0)
    assert (found <= claim.bounds).all()
    assert (claim.bounds < 0.01).all()
