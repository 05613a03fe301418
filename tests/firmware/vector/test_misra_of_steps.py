"""Every kind of step keeps to MISRA C:2012 but for the deviations that are listed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from distill.chain.base import Step
from distill.chain.chain import Chain
from distill.chain.steps.affine import Affine
from distill.chain.steps.columns import Branches, Pick
from distill.chain.steps.trees import Trees
from distill.chain.steps.winner import Winner
from distill.domain import Domain, Variable
from distill.firmware.analysis import REPORT, check_misra
from distill.firmware.chains.dispatch import PRINTERS
from distill.firmware.chains.integers import IntegerTrees
from distill.firmware.passes.functions import machine_costs
from distill.firmware.spec import InterfaceName
from distill.firmware.target import Target
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.vector.verify import vector_subject
from distill.logic.build import logic_steps
from distill.teachers.base import Output
from tests.chain.strategies import EXAMPLES, random_trees

pytestmark = pytest.mark.skipif(shutil.which("cppcheck") is None, reason="no cppcheck here")

TABLE, CONDITIONS = "while (at >= ", "_tree(x)"
"""What tells the two forms of trees in C."""

Refused = Callable[[VectorSpec], str]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """What of a bundle's C is no listed deviation."""

    def check(spec: VectorSpec) -> str:
        subject = vector_subject(spec, write_vector_bundle(spec, tmp_path / "b").directory, None)
        outcome, reports = check_misra(subject, tmp_path)
        text = reports[REPORT].split("Not accepted")[1]
        assert outcome.passed is (text == ": nothing.\n")
        return "" if outcome.passed else text

    return check


def spec_of(chain: Chain, low: float = -4.0, high: float = 4.0) -> VectorSpec:
    """A bundle of a chain."""
    domain = Domain(tuple(Variable(f"a{i}", low, high) for i in range(chain.inputs)))
    outputs = tuple(Output(f"o{i}") for i in range(chain.outputs))
    errors = (1.0,) * len(outputs)
    return VectorSpec("every", domain, outputs, errors, errors, chain=chain)


def side_by_side(steps: Sequence[Step]) -> Chain:
    """All steps over the first of the same inputs, one of them in a branch of a branch.

    Their sum is the only output, so that the self-test stays small.
    """
    inputs = max(step.inputs for step in steps)
    chains = [Chain(inputs, (Pick(inputs, np.arange(step.inputs)), step)) for step in steps]
    nested = Chain(inputs, (Branches((chains[0], Chain(inputs, ()))),))
    branches = Branches((nested, *chains))
    return Chain(inputs, (branches, Affine(np.ones((1, branches.outputs)), np.zeros(1))))


def forests() -> list[Trees]:
    """Trees small enough for conditions, and forests that are tables."""
    sizes = ({"count": 1, "depth": 2}, {"count": 9, "depth": 4})
    return [
        random_trees(9, outputs=k, missing=missing, **size)
        for size, missing, k in product(sizes, (False, True), (1, 3))
    ]


def logic() -> list[Step]:
    """Functions with a cube in common, inverted ones, constants; tables of parts of a byte."""
    bits = Domain(tuple(Variable(f"b{i}", 0, 1, kind="boolean") for i in range(4)))
    words = np.arange(16)
    both, most = (words & 12) == 12, (words % 5) != 3
    shared = np.stack([both | (words == 3), both | (words == 1), most], axis=1).astype(float)
    levels = np.stack([np.where(most, -1.5, 2.5), np.full(16, 7.0), words % 3], axis=1)
    return [step for table in (shared, levels) for step in logic_steps(table, bits)]


STEPS = [example.step for example in EXAMPLES]


def test_the_examples_are_of_every_kind() -> None:
    kinds = {type(step) for step in [*STEPS, *logic()]}
    assert kinds >= set(PRINTERS) - {IntegerTrees}


def test_all_steps_in_float32(refused: Refused) -> None:
    spec = spec_of(side_by_side([*STEPS, *logic(), *forests()]))
    text = spec.content.code("every").text
    assert TABLE in text
    assert CONDITIONS in text
    assert "^ 1u)" in text  # a function that is inverted
    assert "const unsigned c0" in text  # a cube that two functions have in common
    assert refused(spec) == ""


def test_one_step_of_every_kind_in_double(refused: Refused) -> None:
    steps = list({type(step): step for step in STEPS}.values())
    assert refused(replace(spec_of(side_by_side(steps)), arithmetic="double")) == ""


def test_trees_whose_floats_are_compared_by_their_order(
    refused: Refused, target: Callable[[str], Target]
) -> None:
    spec = spec_of(side_by_side(forests()))
    spec = replace(spec, costs=machine_costs(target("cortex_m0plus")))
    text = spec.content.code("every").text
    assert "_key(" in text
    assert TABLE in text
    assert CONDITIONS in text
    assert refused(spec) == ""


@pytest.mark.parametrize(
    ("form", "interface", "size"),
    [
        (TABLE, "float", {"count": 9, "depth": 4}),
        (CONDITIONS, "integer", {"count": 1, "depth": 2}),
    ],
)
def test_trees_in_fixed_point(
    form: str, interface: InterfaceName, size: dict[str, int], refused: Refused
) -> None:
    steps = (Pick(4, np.array([3, 0, 1])), random_trees(9, outputs=3, **size), Winner(3))
    spec = replace(spec_of(Chain(4, steps)), arithmetic="fixed", interface=interface)
    assert form in spec.content.code("every").text
    assert refused(spec) == ""
