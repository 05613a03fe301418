"""The lift of a wing's section on a chip, with a proof: ``python pipelines/lift_of_an_airfoil.py``.

NeuralFoil's smallest network says what lift a NACA 2412 has at an angle of attack of -5 to 10
degrees and a Reynolds number of 0.2 to 3 million. Its own arithmetic is known (`neural_foil.py`),
so how far a formula is from it is no question of samples: branch and bound over boxes proves it for
every angle and every Reynolds number. The cheapest formula within the tolerance by proof, and not
by what was found, becomes C for a PIC32, whose header states one proven bound, rounding included.
Writes C, the certificate of the proof, a table and a figure into build/lift_of_an_airfoil/. Takes
under three minutes on two cores; ``distill check`` of the certificate, which trusts no prover and
goes through all boxes in exact balls, takes some minutes more.

The weights come with NeuralFoil: ``pip install 'distill[airfoil]'``, or
``pip install --no-deps 'neuralfoil>=0.3.3,<0.4'``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
from neural_foil import LIFT, NACA_2412, Polar, coefficient, layers

import distill
from distill.errors import DistillError
from distill.firmware.bundle import Bundle
from distill.firmware.proven import CERTIFICATE
from distill.study import Choice
from distill.terminal import Terminal

mpl.use("Agg")
from matplotlib import pyplot as plt

OUT = Path("build/lift_of_an_airfoil").resolve()
CHIP = "pic32"
TOLERANCE = 0.02
"""Of the lift coefficient: what the smallest network is itself off by, more or less, from the
largest of NeuralFoil (0.016 on the mean, 0.076 at most on this domain)."""

SHOWN = (2e5, 5e5, 3e6)
"""Reynolds numbers of the figure's curves."""


def lift() -> Polar:
    """The teacher."""
    return Polar("lift", coefficient(layers(), NACA_2412, LIFT))


def searched(teacher: Polar, *, evaluations: int, points: int, target: str | None) -> distill.Study:
    """Formulas of the lift; the cheapest is chosen whose proven error is within the tolerance."""
    return distill.distill(
        teacher, tolerance=TOLERANCE, bound="certified", engine="operon", points=points,
        evaluations=evaluations, target=target, root=OUT / "studies", progress=Terminal(),
    )  # fmt: skip


def told(choices: tuple[Choice, ...]) -> str:
    """A table of formulas: what was found of their errors, and what is proven."""
    rows = [f"{'found':>9} {'proven':>9} {'ratio':>6} {'boxes':>7} {'calls':>6}  formula"]
    for choice in choices:
        proof, cost = choice.score.proof, choice.cost
        proven = f"{proof.bound:9.5f} {proof.ratio:6.3f} {proof.boxes:7,}" if proof else " " * 24
        calls = f"{cost.instructions:6,.0f}" if cost and cost.instructions else " " * 6
        rows.append(f"{choice.score.max_error:9.5f} {proven} {calls}  {choice.formula.readable(4)}")
    return "\n".join(rows)


def shipped(study: distill.Study, *, points: int, target: str) -> Bundle:
    """The C of the chosen formula for a target, verified at so many points."""
    bundle = distill.export(
        study.chosen, target, OUT / "c", options={"verify_points": points}, progress=Terminal()
    )
    assert isinstance(bundle, Bundle)
    return bundle


def figure(teacher: Polar, bundle: Bundle) -> None:
    """Lift over angle of network and C, and how far they are apart beside what is proven."""
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    angles = np.linspace(teacher.domain.low[0], teacher.domain.high[0], 400)
    for reynolds in SHOWN:
        x = np.column_stack([angles, np.full_like(angles, reynolds)])
        network, chip = teacher.predict(x)[:, 0], bundle.model(x)
        left.plot(angles, chip, label=f"Re {reynolds:,.0f}")
        left.plot(angles, network, "k:", linewidth=1)
        right.plot(angles, chip - network)
    for side in (-1, 1):
        right.axhline(side * bundle.spec.max_error, color="k", linestyle="--", linewidth=1)
    left.set(
        xlabel="angle of attack in degrees", ylabel="lift coefficient", title="C (dots: network)"
    )
    right.set(xlabel="angle of attack in degrees", title="C - network (dashed: proven)")
    left.legend()
    plt.tight_layout()
    plt.savefig(OUT / "lift.png", dpi=120)
    plt.close()


def main() -> None:
    """Search, prove, export, verify the proof, draw."""
    start = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    teacher = lift()
    stored, operations = teacher.chain.stored, teacher.chain.operations
    print(f"the network, asked twice: {stored:,} numbers, {operations:,} operations a call")
    study = searched(teacher, evaluations=300_000, points=1024, target=CHIP)
    print(told(tuple(choice for choice in study.choices if choice.on_front)))
    chosen = study.chosen
    if chosen is None:
        raise SystemExit(study.selection.reason)
    print(f"chosen: {chosen.formula.readable()}\n  {chosen.proven}")
    bundle = shipped(study, points=100_000, target=CHIP)
    for line in bundle.spec.proof.lines("") if bundle.spec.proof else ():
        print(f"  {line}")
    figure(teacher, bundle)
    (OUT / "front.csv").write_text(study.front.to_csv(index=False))
    print(f"wrote {OUT} in {time.monotonic() - start:.0f} s; verify the proof with")
    print(f"  distill check {bundle.directory / CERTIFICATE}")


if __name__ == "__main__":
    try:
        main()
    except DistillError as error:
        sys.exit(str(error))
