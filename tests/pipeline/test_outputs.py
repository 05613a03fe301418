"""All outputs of a teacher: a study each, one C function together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.config.schema import StudyConfig
from distill.delivery import shipping
from distill.errors import ConfigError, ExportError
from distill.firmware.target import load_target
from distill.pipeline import all_outputs, one_output
from tests.heard import Heard


def whole(config: StudyConfig, heard: Heard):
    studies = all_outputs.search_all(config, heard)
    return studies, shipping.ship_all(studies, load_target(config.target), Path("build"), heard)


@pytest.fixture
def two(quick: StudyConfig) -> StudyConfig:
    """Sum and product of two numbers, both at once."""
    quick.teacher.source = "teachers_for_tests:two_outputs"
    quick.teacher.options = {"outputs": ["total", "area"]}
    quick.teacher.output = "all"
    quick.target = {**quick.target, "native": None}
    quick.export.verify_points = 1000
    quick.tolerance = 0.01
    return quick


def test_two_outputs_become_one_function_that_a_second_run_reuses(two: StudyConfig) -> None:
    studies, shipped = whole(two, Heard())
    assert [s.context.output_of_teacher.name for s in studies.studies] == ["total", "area"]
    assert studies.labels is None
    front = studies.front
    assert list(dict.fromkeys(front["output"])) == ["total", "area"]
    bundle, evidence = shipped.bundle, shipped.evidence
    assert "void two_outputs(const float x[2], float y[2]);" in bundle.header.read_text()
    assert evidence is not None
    assert evidence.passed
    checks = {check.name: check for check in evidence.checks}
    assert checks["host against the teacher"].passed
    assert checks["pic32 against the teacher, wheels"].passed
    # The model in Python is the C to the bit: both outputs, in their order.
    x = bundle.spec.domain.sample(200, seed=4)
    answers = bundle.spec.content.answers(x)
    assert np.abs(answers - np.column_stack([x.sum(axis=1), x.prod(axis=1)])).max() <= two.tolerance
    before = {f: f.read_bytes() for f in bundle.directory.rglob("*") if f.is_file()}
    heard = Heard()
    whole(two, heard)
    assert all(reused for stage, _, reused in heard.ends if stage != "output")
    assert [stage for stage, *_ in heard.ends].count("fit") == 2
    assert before == {f: f.read_bytes() for f in bundle.directory.rglob("*") if f.is_file()}


def test_what_was_found_for_one_output_is_known_in_the_search_for_the_next(
    two: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    real = one_output.fit

    def spy(*arguments):
        given.append(list(arguments[-1]))
        return real(*arguments)

    monkeypatch.setattr(one_output, "fit", spy)
    studies = all_outputs.search_all(two, Heard())
    first = [c.formula for c in studies.studies[0].choices if c.on_front]
    assert given[0] == []
    assert given[1] == first[-all_outputs.HINTS :] != []


def test_of_many_outputs_the_newest_formulas_are_known_and_no_more(
    two: StudyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the search for the hundredth output costs what the second one's does."""
    given = []
    real = one_output.fit

    def spy(*arguments):
        given.append(list(arguments[-1]))
        return real(*arguments)

    monkeypatch.setattr(one_output, "fit", spy)
    monkeypatch.setattr(all_outputs, "MOST_HINTS", 2)
    two.teacher.source = "teachers_for_tests:powers"
    two.teacher.options = {"outputs": [f"y{i}" for i in range(4)]}
    two.score.points = 200
    two.score.starts = 2
    studies = all_outputs.search_all(two, Heard())
    assert [len(hints) for hints in given][2:] == [2, 2]
    newest = [c.formula for c in studies.studies[2].choices if c.on_front][-2:]
    assert given[3] == newest
    assert len({hint.text for hint in given[3]}) == 2


def test_an_output_without_a_formula_is_named(two: StudyConfig) -> None:
    two.teacher.source = "teachers_for_tests:sum_and_period"
    two.teacher.options = {"outputs": ["total", "period"]}
    two.tolerance = 1e-3
    two.engine = replace(two.engine, max_complexity=6)
    with pytest.raises(ExportError, match="the output `period` has no formula") as caught:
        whole(two, Heard())
    assert caught.value.where == "config key `teacher.output`"


def test_an_output_that_there_is_not_is_told_with_those_that_are(two: StudyConfig) -> None:
    two.teacher.output = "volume"
    with pytest.raises(ConfigError, match="no output `volume`") as caught:
        one_output.search(two, Heard())
    assert "total, area" in caught.value.hint
