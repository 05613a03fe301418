"""NeuralFoil's smallest network for one airfoil, as a chain; `lift_of_an_airfoil.py` distills it.

NeuralFoil (Sharpe and Hansman, 2025, arXiv:2503.16323, MIT licence) learned some eight million runs
of XFoil. Its networks take 25 numbers: the airfoil in 18, the angle of attack in 3, the logarithm
of the Reynolds number, and 3 about transition. Each is asked twice, the second time with the
airfoil upside down, and both answers count half. With all but angle and Reynolds number fixed the
numbers that do not change go into the first layer's bias. The arithmetic is that of version 0.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.closed_form import chain_hash
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.elementwise import Apply, Function, Stretch
from distill.domain import Domain, Variable
from distill.errors import NotDifferentiable, TeacherError
from distill.teachers.base import Output

DOMAIN = Domain(
    (
        Variable("angle", -5, 10, unit="degree"),
        Variable("reynolds", 2e5, 3e6, scale="log"),
    )
)

SHAPE = slice(0, 18)
ANGLES_AND_REYNOLDS = slice(18, 22)
TRANSITION = slice(22, 25)
"""Which of the network's inputs are what."""

LIFT, DRAG = 1, 2
"""Which of the network's outputs are what."""


@dataclass(frozen=True)
class Airfoil:
    """A shape by Kulfan's class-shape transformation: 8 weights a side from the leading edge on,
    the weight of the leading edge's own term, and the thickness of the trailing edge over chord.
    """

    name: str
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    leading_edge: float
    trailing_edge: float

    def inputs(self, *, mirrored: bool) -> Array:
        """The network's first inputs (18,), upside down if wanted."""
        side = -1.0 if mirrored else 1.0
        above, below = (self.lower, self.upper) if mirrored else (self.upper, self.lower)
        sides = side * np.array([*above, *below, self.leading_edge])
        return np.append(sides, 50 * self.trailing_edge)


NACA_2412 = Airfoil(
    "naca_2412",
    upper=(0.1769, 0.1832, 0.2263, 0.1896, 0.2013, 0.2003, 0.2013, 0.2085),
    lower=(-0.1701, -0.1208, -0.1204, -0.0659, -0.1285, -0.0523, -0.0909, -0.0704),
    leading_edge=0.0489,
    trailing_edge=0.00255,
)
"""As AeroSandbox fits it, to four digits."""

Layers = Sequence[tuple[Array, Array]]


def layers(size: str = "xxsmall") -> Layers:
    """Weights (k, d) and biases (k,) of a network in the installed package, read as plain arrays.

    The package itself is not imported, and what it depends on need not be there.

    Raises
    ------
    TeacherError : when it is not installed, or holds no such network.
    """
    found = find_spec("neuralfoil")
    if found is None or found.origin is None:
        raise TeacherError(
            "NeuralFoil, whose network is distilled here, is not installed.",
            where="python package `neuralfoil`",
            hint="pip install 'distill[airfoil]', or its weights alone, which are enough here: "
            "pip install --no-deps 'neuralfoil>=0.3.3,<0.4'.",
        )
    file = Path(found.origin).parent / "nn_weights_and_biases" / f"nn-{size}.npz"
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name].astype(np.float64) for name in stored.files}
        numbers = sorted({int(name.split(".")[1]) for name in arrays})
        return [(arrays[f"net.{i}.weight"], arrays[f"net.{i}.bias"]) for i in numbers]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile) as error:
        raise TeacherError(
            f"the network `{size}` cannot be read: {error}.",
            where=str(file),
            hint="this reads the files of neuralfoil>=0.3.3,<0.4; install it again.",
        ) from None


def features() -> Branches:
    """Sin 2a, cos a, 1 - cos(a)^2 = sin(a)^2 and ln Re, of an angle a in degrees and of Re."""

    def column(number: int, factor: float, *functions: Function) -> Chain:
        pick = Pick(len(DOMAIN), np.array([number]))
        stretch = Stretch(np.array([factor]), np.zeros(1))
        return Chain(len(DOMAIN), (pick, stretch, *(Apply(name, 1) for name in functions)))

    degree = math.pi / 180
    return Branches(
        (
            column(0, 2 * degree, "sin"),
            column(0, degree, "cos"),
            column(0, degree, "sin", "square"),
            column(1, 1.0, "log"),
        )
    )


def one_side(network: Layers, airfoil: Airfoil, output: int, *, mirrored: bool) -> Chain:
    """The network from :func:`features` to one of its outputs, before it is scaled."""
    weights, bias = network[0]
    fixed = airfoil.inputs(mirrored=mirrored)
    # The critical amplification factor is 9, which is given as 0; both sides trip at x/c = 1.
    bias = bias + weights[:, SHAPE] @ fixed + weights[:, TRANSITION] @ [0.0, 1.0, 1.0]
    flowing = weights[:, ANGLES_AND_REYNOLDS].copy()
    if mirrored:
        flowing[:, 0] *= -1
    # ln Re is given as (ln Re - 12.5) / 3.5.
    flowing[:, 3] /= 3.5
    bias = bias - 12.5 * flowing[:, 3]
    last, offset = network[-1]
    taken = [
        (flowing, bias),
        *network[1:-1],
        (last[output : output + 1], offset[output : output + 1]),
    ]
    steps: list[Step] = [Affine(*taken[0])]
    for (_, before), after in pairwise(taken):
        steps += [Apply("silu", len(before)), Affine(*after)]
    return Chain(4, tuple(steps))


def coefficient(network: Layers, airfoil: Airfoil, output: int) -> Chain:
    """Lift or drag coefficient of an angle of attack in degrees and a Reynolds number."""
    sides = [one_side(network, airfoil, output, mirrored=mirrored) for mirrored in (False, True)]
    # What is turned upside down lifts downwards. Lift is half of what the network says, drag is
    # exp(2*(what it says - 2)).
    joined: tuple[Step, ...] = (
        (Affine(np.array([[0.25, -0.25]]), np.zeros(1)),)
        if output == LIFT
        else (Affine(np.ones((1, 2)), np.array([-4.0])), Apply("exp", 1))
    )
    return Chain(len(DOMAIN), (features(), Branches(tuple(sides)), *joined))


@dataclass(frozen=True, eq=False)
class Polar:
    """One coefficient of an airfoil as a teacher whose own arithmetic is known."""

    name: str
    chain: Chain
    domain: Domain = DOMAIN
    outputs: tuple[Output, ...] = (Output("coefficient"),)
    can_be_asked: bool = True
    validation_error: float | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the chain."""
        return chain_hash(self.chain)

    def predict(self, x: Array) -> Array:
        """The coefficient (n, 1) at x (n, 2)."""
        return self.chain.evaluate(x, "double")

    def gradient(self, x: Array) -> Array:
        """Refuse: nothing here needs it."""
        raise NotDifferentiable(f"`{self.name}` has no derivatives.")
