"""Gappa as a second opinion: its scripts, and its bounds where it is installed."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.graph import build_graph
from distill.firmware.passes import lower
from distill.firmware.proof import claim, rounding_claim
from distill.firmware.proof.gappa import fusings, gappa_bound, script, suits
from distill.formula import Formula

PLANE = Domain.box(x=(1, 3), y=(-2, 2))


def _graph(text: str):
    return lower(Formula.parse(text, PLANE), "float32")


@pytest.fixture
def gappa() -> None:
    """Skips where Gappa is missing."""
    if shutil.which("gappa") is None:
        pytest.skip("no gappa on this machine: it comes with Debian's package `gappa`")


def test_every_way_of_fusing_is_a_script_of_its_own():
    graph = build_graph(Formula.parse("(x*y - x*x) + y*y", PLANE))
    ways = list(fusings(graph))
    assert len(ways) == len({tuple(sorted(way.items())) for way in ways}) == 6
    taken = [script(graph, PLANE, way) for way in ways]
    assert len(set(taken)) == 6
    assert [len(re.findall(r"single\(.*u\d", text)) for text in taken] == [*map(len, ways)]


def test_constants_are_rounded_as_the_c_rounds_them():
    graph = _graph("x*0.1 + y")
    at = next(i for i, o in enumerate(graph.operations) if o.name == "constant")
    text = script(graph, PLANE, {})
    values = {}
    for side in "ce":
        whole, power = re.findall(rf"^{side}{at} = (\d+)b(-?\d+);", text, re.MULTILINE)[0]
        values[side] = float(int(whole) * 2.0 ** int(power))
    assert values == {"c": float(np.float32(0.1)), "e": 0.1}


@pytest.mark.parametrize("text", ["sin(x)", "ifless(x, 2, y, 1)", "min(x, y)", "x^2.5*exp(y)"])
def test_what_gappa_does_not_know_is_left_to_the_boxes(text):
    assert not suits(_graph(text)) or text == "x^2.5*exp(y)"
    assert gappa_bound(_graph(text), PLANE) is None


@pytest.mark.usefixtures("gappa")
@pytest.mark.parametrize("text", ["x*x + y", "(x + y)*(x - 0.3)/x", "sqrt(x)*y - 0.7"])
def test_gappa_and_the_boxes_agree(make, found, text):
    spec = make(text, PLANE)
    bound = gappa_bound(spec.implementation.graph, PLANE)
    assert bound is not None
    assert found(spec) <= bound
    boxes = claim._floats(
        spec.implementation.graph, "float32", PLANE,
        claim.Regions(PLANE.low[:, None], PLANE.high[:, None]),
    ).bound  # fmt: skip
    assert 0.3 * bound <= boxes <= 3 * bound


@pytest.mark.usefixtures("gappa")
def test_the_smaller_bound_counts_and_is_named(make, monkeypatch):
    spec = make("x*x + y", PLANE)
    monkeypatch.setattr(claim, "gappa_bound", lambda graph, domain: 1e-9)
    smaller = rounding_claim(spec)
    assert smaller.bound == pytest.approx(1e-9, rel=1e-6)
    assert any("Gappa" in line for line in smaller.rests_on)
    monkeypatch.setattr(claim, "gappa_bound", lambda graph, domain: 1.0)
    larger = rounding_claim(spec)
    assert larger.bound < 1e-5
    assert not any("Gappa" in line for line in larger.rests_on)


def test_without_gappa_there_is_no_second_opinion(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert gappa_bound(_graph("x*x + y"), PLANE) is None
