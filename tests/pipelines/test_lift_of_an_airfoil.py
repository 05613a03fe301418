"""The network is NeuralFoil's, the formula's bound is proven, and the C states and keeps it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import lift_of_an_airfoil as story
import neural_foil
import numpy as np
import pytest
from neural_foil import DOMAIN, DRAG, LIFT, NACA_2412, Airfoil, coefficient, layers

from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.chain.closed_form import ClosedForm
from distill.errors import TeacherError
from distill.firmware.proven import CERTIFICATE

HOLLOW = Airfoil(
    "hollow",
    upper=(0.1, 0.3, 0.15, 0.25, 0.2, 0.3, 0.1, 0.2),
    lower=(-0.2, -0.02, -0.1, 0.1, 0.05, 0.12, 0.2, 0.1),
    leading_edge=-0.4,
    trailing_edge=0.008,
)


RECORDED = json.loads((Path(__file__).parent / "neural_foil_answers.json").read_text())
"""What NeuralFoil's own Python answers, and the shape that AeroSandbox fits; it says with which
versions. AeroSandbox is too large to be installed for that."""


@pytest.mark.parametrize("airfoil", [NACA_2412, HOLLOW], ids=lambda a: a.name)
def test_the_chain_is_what_neural_foil_computes(airfoil: Airfoil) -> None:
    x = np.array(RECORDED["x"])
    for output, name in ((LIFT, "CL"), (DRAG, "CD")):
        chain = coefficient(layers(), airfoil, output)
        # Both in float64; sums are in another order.
        assert np.abs(chain.evaluate(x)[:, 0] - RECORDED[airfoil.name][name]).max() < 1e-12


def test_the_shape_is_the_one_that_aero_sandbox_fits() -> None:
    shape = RECORDED["shape"]
    np.testing.assert_allclose(NACA_2412.upper, shape["upper_weights"], atol=6e-5)
    np.testing.assert_allclose(NACA_2412.lower, shape["lower_weights"], atol=6e-5)
    assert NACA_2412.leading_edge == pytest.approx(shape["leading_edge_weight"], abs=6e-5)
    assert NACA_2412.trailing_edge == pytest.approx(shape["TE_thickness"], abs=6e-6)


def test_a_symmetric_section_lifts_as_much_upside_down() -> None:
    thick = (0.17, 0.15, 0.18, 0.13, 0.16, 0.13, 0.15, 0.14)
    even = Airfoil("even", thick, tuple(-w for w in thick), 0.0, 0.002)
    lift = coefficient(layers(), even, LIFT)
    x = DOMAIN.sample(200)
    mirrored = x * [-1, 1]
    np.testing.assert_allclose(lift.evaluate(mirrored), -lift.evaluate(x), atol=1e-13)
    assert lift.evaluate(np.array([[5.0, 1e6]]))[0, 0] > 0.4


@pytest.mark.parametrize("output", [LIFT, DRAG], ids=["lift", "drag"])
def test_no_input_is_forgotten_by_a_proof(output: int) -> None:
    """A logarithm over a wide box is known by its range alone: the angle seems to be to blame."""
    form = ClosedForm(coefficient(layers(), NACA_2412, output), DOMAIN)
    assert prove(enclosable(form), DOMAIN, Limits(1.05, boxes=2000)).ratio <= 1.05


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural_foil, "find_spec", lambda name: None)
    with pytest.raises(TeacherError, match="not installed") as caught:
        layers()
    assert "--no-deps" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"\x80\x04N."])
def test_weights_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    package = tmp_path / "neuralfoil"
    (package / "nn_weights_and_biases").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('it is not to be imported')\n")
    file = package / "nn_weights_and_biases" / "nn-xxsmall.npz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.delitem(sys.modules, "neuralfoil", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TeacherError, match="xxsmall") as caught:
        layers()
    assert caught.value.where == str(file)


@pytest.mark.slow
def test_the_lift_in_c_is_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "OUT", tmp_path)
    monkeypatch.setattr(story, "TOLERANCE", 0.1)
    teacher = story.lift()
    few = {"max_degree": 1, "max_terms": 3, "functions": False, "ratios": False}
    study = story.searched(teacher, engine="polynomial", points=256, options=few)
    chosen = study.chosen
    assert chosen is not None
    proof = chosen.score.proof
    assert proof is not None
    assert proof.method == "boxes"
    assert proof.found <= proof.bound <= min(story.TOLERANCE, 1.101 * proof.found)
    closer = story.proven(teacher, chosen.formula)
    assert closer.found <= closer.bound <= story.RATIO * closer.found
    assert closer.found == pytest.approx(proof.found, rel=0.02)
    lines = story.told(teacher, study)
    assert len(lines) == 1 + sum(
        c.on_front and c.candidate.engine != "exact" for c in study.choices
    )

    bundle = story.shipped(study, "host", arithmetic="float32", verify=False)
    proven = bundle.spec.proof
    assert proven is not None
    x = np.vstack([DOMAIN.sample(20_000, seed=5), DOMAIN.corners()])
    x = x.astype(np.float32).astype(float)  # what the chip reads
    apart = np.abs(bundle.model(x) - teacher.predict(x)[:, 0]).max()
    assert 0.8 * proof.found < apart <= proven.bound <= story.TOLERANCE
    stated = re.search(r"at most ([0-9.e-]+) off the teacher", bundle.header.read_text())
    assert stated is not None
    assert proven.bound <= float(stated[1]) <= 1.001 * proven.bound
    assert (bundle.directory / CERTIFICATE).stat().st_size > 10_000
    story.figure(teacher, bundle)
    assert (tmp_path / "lift.png").read_bytes()[:4] == b"\x89PNG"
