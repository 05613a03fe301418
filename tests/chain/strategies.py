"""An example of every step, and points at which it is worth asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from hypothesis import strategies as st

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.cuts import Goes
from distill.chain.functions import FUNCTIONS
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Normalise, OneHot, Pick
from distill.chain.steps.elementwise import Above, Apply, Scale, Stretch
from distill.chain.steps.formula import Each
from distill.chain.steps.gaussians import Gaussians
from distill.chain.steps.images import Convolution, Pool
from distill.chain.steps.kernels import Kernel, OneVsOne
from distill.chain.steps.polynomials import Monomials
from distill.chain.steps.prototypes import Distances, Nearest
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Softmax, Winner
from distill.domain import Domain
from distill.formula import Formula
from distill.logic.build import logic_chain

RNG = np.random.default_rng(5)
GOES = get_args(Goes)


@dataclass(frozen=True)
class Example:
    """A step, a range of inputs where it is at home, and what is to be known of it.

    ``calls``: it calls the C library. ``whole``: its formula is right at whole numbers.
    ``fewer``: its formula may have fewer nodes than ``growth`` says, where equal parts meet.
    """

    name: str
    step: Step
    low: float = -4.0
    high: float = 4.0
    calls: bool = False
    expands: bool = True
    whole: bool = False
    fewer: bool = False

    def points(self, n: int = 64, seed: int = 0) -> np.ndarray:
        """Points (n, d) of the range: spread, on a coarse grid with ties, at the ends, equal."""
        rng = np.random.default_rng(seed)
        x = rng.uniform(self.low, self.high, (n, self.step.inputs))
        rough = slice(None) if self.whole else slice(1, None, 3)
        x[rough] = np.round(x[rough])
        x[2] = self.low
        x[3] = self.high
        return np.clip(x, self.low, self.high).astype(np.float32).astype(float)


def random_trees(
    seed: int,
    *,
    goes: Goes = "float32_at_most",
    count: int = 3,
    depth: int = 4,
    inputs: int = 3,
    outputs: int = 2,
    missing: bool = False,
    divide: bool = False,
    step: float = 0.0,
) -> Trees:
    """Random trees; thresholds on a grid of ``step`` where one is given."""
    rng = np.random.default_rng(seed)
    roots, feature, threshold, left, right, leaves = [], [], [], [], [], []

    def node() -> int:
        for values in (feature, threshold, left, right):
            values.append(0)
        return len(left) - 1

    for _ in range(count):
        root = node()
        roots.append(root)
        waiting = [(root, depth)]
        while waiting:
            at, more = waiting.pop()
            if not more or (more < depth and rng.random() < 0.2):
                left[at], right[at] = -1, len(leaves)
                leaves.append(rng.normal(size=outputs))
                continue
            feature[at] = int(rng.integers(inputs))
            t = rng.uniform(-3, 3)
            threshold[at] = round(t / step) * step if step else t
            left[at], right[at] = node(), node()
            waiting += [(left[at], more - 1), (right[at], more - 1)]
    return Trees(
        inputs,
        np.array(roots),
        np.array(feature),
        np.array(threshold, dtype=float),
        np.array(left),
        np.array(right),
        np.array(leaves),
        rng.uniform(0.5, 3, outputs),
        rng.normal(size=outputs),
        goes,
        rng.random(len(left)) < 0.5 if missing else np.zeros(0, dtype=bool),
        divide,
    )


def _logic() -> Step:
    domain = Domain.box(a=(0, 7), b=(0, 1))
    domain = Domain(tuple(_whole(v) for v in domain.variables))
    a, b = (axis.reshape(-1) for axis in np.meshgrid(np.arange(8), np.arange(2), indexing="ij"))
    return logic_chain(np.stack([(a ^ (3 * b)) & 5, a == 3], axis=1).astype(float), domain).steps[0]


def _packed() -> Step:
    domain = Domain(tuple(_whole(v) for v in Domain.box(a=(-3, 4), b=(0, 6)).variables))
    table = np.random.default_rng(2).integers(0, 50, (56, 2)).astype(float)
    return logic_chain(table, domain).steps[0]


def _whole(variable):
    from dataclasses import replace

    return replace(variable, kind="integer")


def _apply() -> list[Example]:
    exact = {"identity", "relu", "leaky_relu", "square", "abs", "inv", "sqrt", "sign", "hardtanh",
             "relu6", "hardsigmoid", "hardswish", "softsign"}  # fmt: skip
    domains = {"log": (0.1, 9.0), "sqrt": (0.0, 9.0), "inv": (0.25, 8.0), "log1p": (-0.5, 9.0)}
    parameters = {"leaky_relu": 0.01, "elu": 1.5}
    return [
        Example(
            name,
            Apply(name, 3, parameters.get(name, 0.0)),
            *domains.get(name, (-9.0, 9.0)),
            calls=name not in exact,
            expands=FUNCTIONS[name].tree is not None,
        )
        for name in FUNCTIONS
    ]


def _square(n: int, d: int) -> np.ndarray:
    return RNG.normal(size=(n, d))


EXAMPLES: list[Example] = [
    Example("affine", Affine(_square(4, 5), RNG.normal(size=4))),
    Example("affine_sparse", Affine(np.array([[0, 1, -2.5], [0, 0, 0]]), np.array([0, 3.5]))),
    *_apply(),
    Example("scale", Scale(np.array([0.0, 1.3, -2]), np.array([1, 3.0, -0.7]))),
    Example("stretch", Stretch(np.array([1, 3.0, -0.7]), np.array([0.0, 1.3, -2]))),
    Example("above", Above(np.array([0.1, -1.0, 2.0]))),
    Example("pick", Pick(4, np.array([3, 0, 0]))),
    Example("one_hot", OneHot((np.array([1.0, 2.0, np.nan]), np.array([-1.0, 0.0])))),
    Example(
        "branches",
        Branches((Chain(3, ()), Chain(3, (Affine(_square(2, 3), np.zeros(2)), Apply("relu", 2))))),
    ),
    *(Example(f"normalise_{n}", Normalise(3, n)) for n in ("l1", "l2", "max")),
    Example("each", Each(Formula.parse("3*x - abs(x)", Domain.box(x=(-4, 4))), 3)),
    Example("gaussians", Gaussians(_square(3, 4), _square(3, 4), RNG.normal(size=3))),
    Example(
        "gaussians_full",
        Gaussians(_square(2, 3), RNG.normal(size=(2, 3, 3)), RNG.normal(size=2)),
    ),
    Example(
        "convolution",
        Convolution((2, 4, 5), RNG.normal(size=(3, 2, 3, 2)), RNG.normal(size=3)),
    ),
    Example(
        "convolution_strided",
        Convolution(
            (4, 5, 6), RNG.normal(size=(4, 2, 3, 2)), RNG.normal(size=4), (2, 3), (1, 1, 2, 0),
            (2, 1), 2,
        ),
    ),
    Example("pool_max", Pool((2, 5, 4), "max", (2, 2), (2, 2))),
    Example("pool_max_padded", Pool((1, 5, 4), "max", (3, 3), (2, 2), (1, 1, 1, 1))),
    Example("pool_mean", Pool((2, 4, 5), "mean", (3, 2), (2, 1), (1, 0, 0, 1))),
    *(
        Example(f"kernel_{k}", Kernel(_square(3, 2), k, 0.3, 0.5, 3), calls=k != "poly")
        for k in ("rbf", "poly", "sigmoid")
    ),
    Example("kernel_poly_5", Kernel(_square(3, 2), "poly", 0.3, -0.5, 5)),
    Example("kernel_poly_0", Kernel(_square(3, 2), "poly", 0.3, -0.5, 0)),
    Example("one_vs_one", OneVsOne(4)),
    Example("one_vs_one_margins", OneVsOne(3, "margins")),
    Example("logic", _logic(), 0, 1, whole=True, fewer=True),
    Example("packed", _packed(), 0, 4, whole=True, fewer=True),
    Example("monomials", Monomials(np.array([[0, 0], [1, 0], [2, 1], [0, 3], [5, 0]]))),
    *(
        Example(f"distances_{m}", Distances(np.round(_square(4, 3)), m))
        for m in ("squared", "euclidean", "manhattan", "chebyshev")
    ),
    Example("nearest", Nearest(np.round(_square(6, 2) * 2), _square(6, 2), 1)),
    Example("nearest_3", Nearest(np.round(_square(6, 2) * 2), _square(6, 2), 3, "manhattan")),
    Example("nearest_all", Nearest(_square(3, 2), _square(3, 2), 3, "euclidean")),
    Example(
        "nearest_weighed",
        Nearest(np.round(_square(6, 2) * 2), _square(6, 2), 3, "euclidean", "distance"),
        expands=False,
    ),
    *(Example(f"trees_{g}", random_trees(3, goes=g, step=0.5), fewer=True) for g in GOES),
    Example("trees_missing", random_trees(4, missing=True, divide=True), fewer=True),
    Example("softmax", Softmax(4), calls=True),
    Example("softmax_2", Softmax(2), calls=True),
    Example("softmax_1", Softmax(1), calls=True),
    Example("winner", Winner(4)),
    Example("winner_smallest", Winner(3, largest=False)),
]  # fmt: skip
"""Every step at least once, those of several ways once for each."""


def by_name(example: Example) -> str:
    """What pytest calls it."""
    return example.name


examples = st.sampled_from(EXAMPLES)
"""One of the examples."""

extremes = st.sampled_from(
    [0.0, -0.0, 1e-45, -1e-38, 1e38, -3.4028234663852886e38, np.inf, -np.inf, np.nan, 1.0, -1.0]
)
"""Numbers at which arithmetic is not what it is elsewhere."""
