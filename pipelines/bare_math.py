"""The bare maths behind machine learning: seven learning rules in plain NumPy, each as C.

    python pipelines/bare_math.py

A line by gradient descent, a network that redraws a logo by backpropagation, Hebb's rule and its
generalisation, winner takes all, winner takes most, and Kohonen's map: the rules are in
`learning_rules.py`. What each has learned is a closed form and a teacher for `distill`; the C of
it is compared with the NumPy of it on every input that there is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import learning_rules as rules
import numpy as np
from in_c import run_in_c
from learning_rules import MAP, SCORES

from distill.arrays import Array
from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.elementwise import Apply, Scale
from distill.chain.steps.prototypes import Distances
from distill.domain import Domain, Variable
from distill.errors import NotDifferentiable
from distill.firmware.vector.spec import VectorSpec
from distill.teachers.base import Output
from distill.teachers.load import load_teacher


@dataclass(frozen=True, eq=False)
class Learned:
    """What a rule has learned, as a teacher: how NumPy answers, and the same as a chain.

    With ``classes`` its outputs are scores, and the label is the number of the largest.
    """

    name: str
    domain: Domain
    outputs: tuple[Output, ...]
    chain: Chain
    answer: Callable[[Array], Array]
    every: Array
    """Every input that there is, (n, d)."""
    fact: str
    """What is to be said of it."""
    classes: tuple[str, ...] = ()
    can_be_asked: bool = True
    validation_error: float | None = None

    @property
    def fingerprint(self) -> str:
        """Hash of its arithmetic at some of its inputs."""
        return hashlib.sha256(self.predict(self.every[:1000]).tobytes()).hexdigest()

    def predict(self, x: Array) -> Array:
        """Answers (n, k) at x (n, d)."""
        return self.answer(x)

    def gradient(self, x: Array) -> Array:
        """Refuse: nothing here needs it."""
        raise NotDifferentiable(f"`{self.name}` has no derivatives.")


def outputs(*names: str) -> tuple[Output, ...]:
    """Outputs without units."""
    return tuple(map(Output, names))


def comic_costume() -> Learned:
    """The line through the three prices."""
    theta1, theta0 = rules.line()
    best = np.polyfit(rules.ISSUES, rules.PRICES, 1)
    return Learned(
        "comic_costume",
        Domain((Variable("issues", 1, 1000, kind="integer"),)),
        outputs("price"),
        Chain(1, (Affine(np.array([[theta1]]), np.array([theta0])),)),
        lambda x: theta1 * x + theta0,
        np.arange(1.0, 1001.0)[:, None],
        f"{theta1:.4f}*issues + {theta0:.2f}, {abs(theta1 / best[0] - 1):.0e} from least squares",
    )


def logo_network(size: int = 32, epochs: int = 800) -> Learned:
    """The network that redraws the logo: 1 where there is ink."""
    x, ink = rules.logo(size)
    layers = rules.backpropagate(x, ink, epochs=epochs)
    steps: list[Step] = []
    for weights, bias in layers:
        steps += [Affine(weights, bias), Apply("sigmoid", len(bias))]
    right = ((rules.forward(layers, x)[-1][:, 0] > 0.5) == (ink > 0.5)).mean()
    return Learned(
        "logo_network",
        Domain.box(across=(-1, 1), down=(-1, 1)),
        outputs("ink"),
        Chain(2, tuple(steps)),
        lambda points: rules.forward(layers, points)[-1],
        x,
        f"{right:.1%} of {len(x)} pixels right",
    )


NAMES = ("intelligence", "strength", "speed", "durability", "energy", "fighting")
TABLE_DOMAIN = Domain(tuple(Variable(name, 1, 7, kind="integer") for name in NAMES))


def every_hero() -> Array:
    """All 7^6 heroes that could be, (117649, 6)."""
    return np.array(list(product(range(1, 8), repeat=6)), dtype=float)


def projection(name: str, w: Array, fact: str) -> Learned:
    """How far a hero is from the mean along each row of w (k, 6)."""
    middle = SCORES.mean(0)
    return Learned(
        name,
        TABLE_DOMAIN,
        outputs(*(f"component_{i}" for i in range(len(w)))),
        Chain(6, (Affine(w, -w @ middle),)),
        lambda x: (x - middle) @ w.T,
        every_hero(),
        fact,
    )


def nearest(name: str, prototypes: Array) -> Learned:
    """Which prototype is nearest: scores are squared distances with a minus."""
    m = len(prototypes)
    alone = rules.distances(SCORES, prototypes)
    return Learned(
        name,
        TABLE_DOMAIN,
        outputs(*(f"unit_{i}" for i in range(m))),
        Chain(6, (Distances(prototypes), Scale(np.zeros(m), -np.ones(m)))),
        lambda x: -rules.distances(x, prototypes),
        every_hero(),
        f"heroes are {np.sqrt(alone.min(1)).mean():.2f} from the nearest of {m} on the mean",
        classes=tuple(f"unit_{i}" for i in range(m)),
    )


def hebbian() -> tuple[Learned, Learned]:
    """Hebb's rule and Sanger's, beside the principal components that they look for."""
    centred = SCORES - SCORES.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    simple, general = rules.hebb(centred), rules.generalised_hebb(centred)
    along = [
        abs(w @ a) / np.linalg.norm(w)
        for w, a in zip([simple, *general], axes[[0, 0, 1]], strict=True)
    ]
    grown = f"|cos| to the first principal component {along[0]:.4f}, grown to length"
    return (
        projection("hebb", simple[None], f"{grown} {np.linalg.norm(simple):.0f}"),
        projection("generalised_hebb", general, f"|cos| to PCA {along[1]:.5f}, {along[2]:.5f}"),
    )


def everything() -> list[Learned]:
    """All seven, trained."""
    return [
        comic_costume(),
        logo_network(),
        *hebbian(),
        nearest("winner_takes_all", rules.compete(SCORES, rules.start(4), rules.winner_takes_all)),
        nearest(
            "winner_takes_most", rules.compete(SCORES, rules.start(4), rules.winner_takes_most)
        ),
        nearest("kohonen_map", rules.compete(SCORES, rules.start(math.prod(MAP)), rules.kohonen)),
    ]


@dataclass(frozen=True)
class Compared:
    """C beside NumPy at every input: the largest difference over the largest answer, and how many
    labels differ.
    """

    c: Array
    apart: float
    labels: int | None


def compare(learned: Learned, folder: Path) -> Compared:
    """Export the chain as C in float32, compile it here, and ask both for everything."""
    teacher = load_teacher(learned)
    expected = teacher.predict(learned.every)
    k = len(teacher.outputs)
    spec = VectorSpec(
        name=teacher.name,
        domain=learned.domain,
        outputs=teacher.outputs,
        tolerance=(1e-5 * np.abs(expected).max(),) * k,
        max_errors=(0.0,) * k,
        chain=teacher.chain,
        classes=teacher.classes,
    )
    answers = run_in_c(spec, folder, learned.every)
    labels = None
    if teacher.classes:
        labels = int((answers[:, k] != expected.argmax(1)).sum())
    apart = np.abs(answers[:, :k] - expected).max() / np.abs(expected).max()
    return Compared(answers, float(apart), labels)


def show_logo(pictures: dict[str, Array], path: Path) -> None:
    """The pictures beside one another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 * len(pictures), 3.2), layout="constrained")
    for axes, (title, ink) in zip(figure.subplots(1, len(pictures)), pictures.items(), strict=True):
        size = round(len(ink) ** 0.5)
        axes.imshow(ink.reshape(size, size), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(path, dpi=120)


def show_map(places: Array, path: Path) -> None:
    """The heroes' names where the map has put them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots()
    rows, columns = MAP
    for cell in range(rows * columns):
        here = [n for n, p in zip(rules.HEROES, places, strict=True) if p == cell]
        row, column = divmod(cell, columns)
        axes.text(column, row, "\n".join(here), ha="center", va="center")
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.set_xticks(np.arange(columns - 1) + 0.5, labels=[])
    axes.set_yticks(np.arange(rows - 1) + 0.5, labels=[])
    axes.grid(color="lightgrey")
    axes.set_title("Kohonen's map of the table of heroes, as the C labels them")
    figure.savefig(path, dpi=120)


def main(folder: Path = Path("build/bare_math")) -> None:
    """Train, export, compare, and draw."""
    print(f"{'rule':18} {'inputs':>8} {'numbers':>8} {'C - NumPy':>10} {'labels':>8}  learned")
    for learned in everything():
        found = compare(learned, folder / learned.name)
        held = sum(step.stored for step in learned.chain.steps)
        labels = "" if found.labels is None else f"{found.labels} differ"
        print(
            f"{learned.name:18} {len(learned.every):8,} {held:8,} {found.apart:10.1e} {labels:>8}"
            f"  {learned.fact}"
        )
        if learned.name == "logo_network":
            drawn = {"the logo": rules.logo()[1], "network": learned.predict(learned.every)}
            show_logo({**drawn, "its C": found.c[:, 0]}, folder / "logo.png")
        if learned.name == "kohonen_map":
            rows = (learned.every[:, None] == SCORES).all(2).argmax(0)
            show_map(found.c[rows, -1], folder / "map.png")
    print(f"C and pictures in {folder}")


if __name__ == "__main__":
    main()
