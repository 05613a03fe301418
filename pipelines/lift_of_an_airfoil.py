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
from typing import Any

import matplotlib as mpl
import numpy as np
from neural_foil import LIFT, NACA_2412, Polar, coefficient, layers

import distill
from distill.bounds.base import Difference
from distill.bounds.prove import Bound, Limits, prove
from distill.bounds.read import enclosable
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.errors import DistillError
from distill.firmware.bundle import Bundle
from distill.firmware.proven import CERTIFICATE
from distill.voices.terminal import Terminal

mpl.use("Agg")
from matplotlib import pyplot as plt

OUT = Path("build/lift_of_an_airfoil").resolve()
CHIP = "pic32"
TOLERANCE = 0.02
"""Of the lift coefficient. On this domain the smallest network is itself off the largest one of
NeuralFoil by 0.016 (root mean square) and by 0.076 where that is most."""

RATIO = 1.05
"""Proofs of the table go on until the bound is at most so many times the largest error found."""

SHOWN = (2e5, 5e5, 3e6)
"""Reynolds numbers of the figure's curves."""


def lift() -> Polar:
    """The teacher."""
    return Polar("lift", coefficient(layers(), NACA_2412, LIFT))


def searched(teacher: Polar, **wanted: Any) -> distill.Study:
    """Formulas of the lift; the cheapest is chosen whose proven error is within the tolerance."""
    return distill.distill(
        teacher, tolerance=TOLERANCE, bound="certified", root=OUT / "studies",
        progress=Terminal(), **wanted,
    )  # fmt: skip


def proven(teacher: Polar, formula: Expression) -> Bound:
    """How far a formula is from the network at most: anywhere, in real numbers, proven."""
    own = ClosedForm(teacher.chain, teacher.domain)
    apart = Difference(enclosable(formula), enclosable(own))
    return prove(apart, teacher.domain, Limits(ratio=RATIO))


def told(teacher: Polar, study: distill.Study) -> list[str]:
    """The front's formulas, cheapest first: what was found of their errors and what is proven.

    Then the seconds of the proof, and the instructions of a call on the chip.
    """
    rows = [f"{'found':>9} {'proven':>9} {'ratio':>6} {'boxes':>6} {'s':>5} {'instr':>6}  formula"]
    for choice in study.choices:
        if not choice.on_front or isinstance(choice.formula, ClosedForm):
            continue
        start = time.monotonic()
        bound = proven(teacher, choice.formula)
        took = time.monotonic() - start
        instr = f"{choice.cost.instructions:6,.0f}" if choice.cost else " " * 6
        figures = f"{bound.found:9.5f} {bound.bound:9.5f} {bound.ratio:6.3f} {bound.boxes:6,}"
        rows.append(f"{figures} {took:5.2f} {instr}  {choice.formula.readable(4)}")
    return rows


def shipped(study: distill.Study, target: str, **options: Any) -> Bundle:
    """The C of the chosen formula for a target, verified there."""
    bundle = distill.export(study.chosen, target, OUT / "c", options=options, progress=Terminal())
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
    study = searched(teacher, engine="operon", evaluations=300_000, points=1024, target=CHIP)
    print("\n".join(told(teacher, study)))
    chosen = study.chosen
    if chosen is None:
        raise SystemExit(study.selection.reason)
    print(f"chosen: {chosen.formula.readable()}\n  {chosen.proven}")
    bundle = shipped(study, CHIP, verify_points=100_000)
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
