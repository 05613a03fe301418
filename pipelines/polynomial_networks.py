"""Polynomial networks, solved and not trained: ``python pipelines/polynomial_networks.py``.

The squared loss of such a network is a polynomial in its weights. Here all its real critical points
are found by exact algebra, on exclusive or with two inputs of 0 and 1: the network of two linear
nodes cannot do better than 4/3, with a proof; once a node squares what it reads, the loss is 0.
Gradient descent from 1,000 starts finds nothing better. Writes the solved network as a formula and
as C, and a figure, into build/polynomial_networks/. Takes some ten seconds.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from pathlib import Path

import matplotlib as mpl
import numpy as np

from distill.critical.bound import lower_bound
from distill.critical.descent import Descent, descend
from distill.critical.network import XOR, Node, PolynomialNetwork, squared_loss
from distill.critical.points import CriticalPoint, CriticalSet, critical_set
from distill.critical.solved import network_formula
from distill.domain import Domain
from distill.firmware.emit import emit_function

mpl.use("Agg")
from matplotlib import pyplot as plt

OUT = Path("build/polynomial_networks")
DOMAIN = Domain.box(x1=(0, 1), x2=(0, 1))
STARTS, STEPS, ORDERS = 1000, 1500, 12

NETWORKS = {
    "two linear nodes": PolynomialNetwork(2, (Node("linear"), Node("linear"))),
    "one square": PolynomialNetwork(2, (Node("square", Fraction(1)),)),
    "a linear node and a square": PolynomialNetwork(2, (Node("linear"), Node("square"))),
}


def same(a: CriticalSet, b: CriticalSet) -> bool:
    """Whether two solutions have the same values, and the same points where these are isolated."""
    return len(a.values) == len(b.values) and all(
        v.equation == w.equation
        and v.value.meets(w.value)
        and v.dimension == w.dimension
        and (not v.complete or points_meet(v.points, w.points))
        for v, w in zip(a.values, b.values, strict=True)
    )


def points_meet(a: tuple[CriticalPoint, ...], b: tuple[CriticalPoint, ...]) -> bool:
    """Whether the enclosures of two lists of points meet, one by one."""
    return len(a) == len(b) and all(
        e.meets(f)
        for p, q in zip(a, b, strict=True)
        for (_, e), (_, f) in zip(p.weights, q.weights, strict=True)
    )


def show(found: CriticalSet) -> None:
    """The critical values, the best first, and the points."""
    for value in found.values:
        held = "isolated" if value.complete else f"in a set of dimension {value.dimension}; such as"
        print(f"  loss {value.value}: {len(value.points)} real, {held}")
        for point in value.points:
            weights = ", ".join(f"{name} = {e}" for name, e in point.weights)
            proof = "alone in its box by interval Newton" if point.newton else "by algebra"
            print(f"    {weights}   ({point.kind}; {proof})")


def figure(descents: dict[str, Descent], found: dict[str, CriticalSet]) -> None:
    """Where gradient descent ends, beside the certified critical values."""
    _, axes = plt.subplots(1, len(descents), figsize=(12, 3.6), sharey=True)
    for axis, (name, descent) in zip(axes, descents.items(), strict=True):
        axis.hist(descent.losses, bins=np.arange(-0.075, 2.15, 0.05), color="tab:blue")
        for value in found[name].values:
            axis.axvline(value.value.middle, color="tab:red", linestyle="--", linewidth=1)
            axis.text(value.value.middle, 1.01, str(value.value), color="tab:red", ha="center",
                      transform=axis.get_xaxis_transform())  # fmt: skip
        axis.set(title=name + "\n", xlabel="loss after descent")
    axes[0].set_ylabel(f"of {STARTS:,} starts")
    plt.tight_layout()
    plt.savefig(OUT / "losses.png", dpi=120)


def main() -> None:
    """Solve the networks, prove the bound, compare with descent, write formula, C and figure."""
    OUT.mkdir(parents=True, exist_ok=True)
    found: dict[str, CriticalSet] = {}
    descents: dict[str, Descent] = {}
    for name, network in NETWORKS.items():
        loss = squared_loss(network, XOR)
        found[name] = critical_set(loss)
        bound = lower_bound(network, XOR)
        print(f"\n{name}: {len(network.weights)} weights, {len(loss)} terms")
        show(found[name])
        pivots = ", ".join(map(str, bound.pivots))
        print(f"  whatever the weights, the loss is at least {bound.value} (pivots {pivots})")
        print(f"  every real critical point has one of these losses: {found[name].complete}")

        orders = list(permutations(network.weights))
        tried = [
            orders[i] for i in np.linspace(0, len(orders) - 1, min(ORDERS, len(orders)), dtype=int)
        ]
        agree = sum(same(found[name], critical_set(squared_loss(network, XOR, o))) for o in tried)
        print(f"  the same in {agree} of {len(tried)} orders of the weights")

        descents[name] = descend(loss, STARTS, steps=STEPS, seed=0)
        best = descents[name].losses.min()
        print(f"  gradient descent from {STARTS:,} starts: best loss {best:.12g}, "
              f"the bound is {float(bound.value):.12g}")  # fmt: skip

    solved = found["one square"].values[0].points[-1]
    formula = network_formula(NETWORKS["one square"], solved, DOMAIN)
    corners = DOMAIN.corners()
    text = emit_function(formula, "exclusive_or", "float32")
    (OUT / "exclusive_or.c").write_text(f"#include <math.h>\n\n{text}")
    answers = dict(zip(map(tuple, corners.tolist()), formula(corners).tolist(), strict=True))
    print(f"\nexclusive or = {formula.readable()}: {answers}")
    print(text)
    figure(descents, found)
    print(f"wrote {OUT / 'exclusive_or.c'} and {OUT / 'losses.png'}")


if __name__ == "__main__":
    main()
