"""A small chain for every kind of step, and for steps that work together."""

from __future__ import annotations

import numpy as np

from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner

EXACT_FUNCTIONS = (
    "identity", "abs", "sqrt", "square", "inv", "relu", "leaky_relu", "softsign", "hardtanh",
    "relu6", "hardsigmoid", "hardswish", "sign",
)  # fmt: skip
LIBRARY_FUNCTIONS = (
    "tanh", "sigmoid", "elu", "gelu", "silu", "softplus", "sin", "exp", "log", "expm1", "log1p",
    "erf", "cos", "selu", "mish",
)  # fmt: skip


def numbers(*shape: int, seed: int = 1) -> np.ndarray:
    """Normal numbers that no binary fraction is."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def random_trees(
    inputs: int,
    trees: int,
    depth: int,
    k: int,
    *,
    seed: int = 0,
    goes: str = "float32_at_most",
    missing: bool = False,
    digits: int = 1,
    **given: object,
) -> Trees:
    """Full trees with thresholds of few digits, so that tests share them and equal leaves occur."""
    rng = np.random.default_rng(seed)
    inner, leaves = 2**depth - 1, 2**depth
    nodes = inner + leaves
    own = np.arange(nodes)
    left = np.where(own < inner, 2 * own + 1, -1)
    rows = np.round(rng.normal(size=(min(8, leaves), k)), 2)
    right = [
        np.where(own < inner, 2 * own + 2 + nodes * t, rng.integers(0, len(rows), nodes))
        for t in range(trees)
    ]
    starts = nodes * np.arange(trees)
    return Trees(
        inputs,
        starts,
        rng.integers(0, inputs, nodes * trees),
        np.round(rng.normal(size=nodes * trees), digits),
        np.concatenate([np.where(left < 0, -1, left + s) for s in starts]),
        np.concatenate(right),
        rows,
        given.get("scale", np.full(k, 1 / trees)),
        given.get("bias", np.zeros(k)),
        goes,
        rng.random(nodes * trees) < 0.3 if missing else np.zeros(0, dtype=bool),
        bool(given.get("divide", False)),
    )


def exact_chains() -> dict[str, Chain]:
    """Chains without functions of the C library, all of four inputs."""
    affine = Affine(numbers(3, 4), numbers(3))
    network = (
        Affine(numbers(8, 4), numbers(8)), Apply("relu", 8), Affine(numbers(5, 8), numbers(5)),
        Apply("leaky_relu", 5, 0.1), Affine(numbers(3, 5), numbers(3)), Winner(3),
    )  # fmt: skip
    categories = (
        np.array([0.0, 1.0, np.nan]), np.array([2.0, 3.0]), np.array([np.nan]),
        np.array([0.5, np.nan, 1.0]),
    )  # fmt: skip
    branches = Branches(
        (
            Chain(4, ()),
            Chain(4, (Pick(4, np.array([1])),)),
            Chain(4, (affine, Apply("square", 3), Affine(numbers(2, 3), numbers(2)))),
            Chain(4, (random_trees(4, 1, 2, 2),)),
        )
    )
    image = (Pick(4, np.arange(48) % 4), Stretch(numbers(48), numbers(48)))
    found = {
        "nothing": (),
        "affine": (affine,),
        "network": network,
        "one_hot": (OneHot(categories),),
        "pick": (Pick(4, np.array([2, 0, 0])),),
        "scale": (Scale(numbers(4), numbers(4) + 5), Stretch(numbers(4), numbers(4))),
        "above": (Above(numbers(4)),),
        "naive_bayes": (Gaussians(numbers(3, 4), numbers(3, 4), numbers(3)), Winner(3)),
        "quadratic": (Gaussians(numbers(3, 4), numbers(3, 2, 4), numbers(3)),),
        "monomials": (
            Monomials(np.array([[0, 0, 0, 0], [1, 2, 0, 0], [0, 0, 3, 1]])),
            Monomials(np.array([[0, 1, 1], [1, 2, 0]])),
        ),
        "constant": (Monomials(np.zeros((1, 4), dtype=int)),),
        "branches": (branches, Winner(9, largest=False)),
        "polynomial_kernel": (Kernel(numbers(5, 4), "poly", 0.3, 1.5, 3),),
        "linear_kernel": (Kernel(numbers(5, 4), "poly", 0.3, 1.5, 1),),
        "no_kernel": (Kernel(numbers(5, 4), "poly", 0.3, 1.5, 0),),
        "votes": (Affine(numbers(6, 4), numbers(6)), OneVsOne(4), Winner(4)),
        "margins": (Affine(numbers(6, 4), numbers(6)), OneVsOne(4, "margins")),
        "convolution": (
            *image,
            Convolution((2, 4, 6), numbers(3, 2, 2, 3), numbers(3)),
            Apply("relu", 36),
            Pool((3, 3, 4), "max", (2, 2), (1, 2)),
        ),
        "strided": (
            *image,
            Convolution(
                (4, 3, 4), numbers(4, 2, 3, 2), numbers(4), (2, 1), (2, 1, 1, 0), (1, 2), 2
            ),
            Pool((4, 2, 3), "mean", (2, 2), (2, 2), (1, 0, 0, 1)),
        ),
        "padded_largest": (*image, Pool((2, 4, 6), "max", (3, 3), (2, 2), (1, 1, 1, 1))),
        "plain_mean": (*image, Pool((2, 4, 6), "mean", (2, 3), (2, 3))),
    }  # fmt: skip
    for name in EXACT_FUNCTIONS:
        found[name] = (Apply(name, 4, 0.25),)
    for norm in ("l1", "l2", "max"):
        found[f"normalise_{norm}"] = (Normalise(4, norm),)
    for metric in ("squared", "euclidean", "manhattan", "chebyshev"):
        found[f"distances_{metric}"] = (Distances(_grid(7), metric), Winner(7, largest=False))
        for weights in ("uniform", "distance"):
            found[f"nearest_{metric}_{weights}"] = (
                Nearest(_grid(20), numbers(20, 2), 4, metric, weights),
            )
    found["the_nearest"] = (Nearest(_grid(20), numbers(20, 1), 1),)
    return {name: Chain(4, steps) for name, steps in found.items()}


def _grid(count: int) -> np.ndarray:
    """Prototypes on a coarse grid, so that points are as near to several, and on them."""
    return np.round(numbers(count, 4) * 2) / 2


def library_chains() -> dict[str, Chain]:
    """Chains with functions of the C library, all of four inputs."""
    found = {name: (Apply(name, 4, 0.75),) for name in LIBRARY_FUNCTIONS}
    found["softmax"] = (Softmax(4),)
    found["radial"] = (Kernel(numbers(5, 4), "rbf", 0.3), Affine(numbers(2, 5), numbers(2)))
    found["sigmoid_kernel"] = (Kernel(numbers(5, 4), "sigmoid", 0.3, -0.5),)
    return {name: Chain(4, steps) for name, steps in found.items()}


def points(chain: Chain) -> np.ndarray:
    """Points of four inputs: at random, on a grid with every threshold, one ulp beside, and odd."""
    rng = np.random.default_rng(5)
    drawn = rng.normal(size=(1500, 4)) * 3
    grid = np.round(rng.normal(size=(1500, 4)) * 2) / 2
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e-45, -1e-45, 3.4e38])
    rows = [drawn, grid, rng.choice(odd, size=(300, 4))]
    for step in chain.steps:
        held = getattr(step, "threshold", None)
        if held is not None:
            cuts = np.concatenate([held, step.cuts("float32"), step.cuts("double")]).astype(float)
            cuts = np.unique(cuts[np.abs(cuts) < 3e38])
            single = cuts.astype(np.float32)
            around = [np.nextafter(single, np.float32(to)) for to in (np.inf, -np.inf)]
            around += [np.nextafter(cuts, to) for to in (np.inf, -np.inf)]
            rows.append(rng.choice(np.concatenate([cuts, single, *around]), size=(2000, 4)))
    return np.concatenate(rows)
