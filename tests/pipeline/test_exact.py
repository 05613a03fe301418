"""The teacher's own closed form: alone, beside a search, and where there is none."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor
from sklearn.tree import DecisionTreeRegressor

from distill.chain.closed_form import ClosedForm
from distill.config.folder import read_option
from distill.config.schema import EngineConfig, StudyConfig
from distill.delivery import shipping
from distill.domain import Domain
from distill.errors import ConfigError
from distill.firmware.target import load_target
from distill.formula import Formula
from distill.pipeline import one_output
from distill.progress import Silent
from distill.teachers.load import load_teacher
from tests.heard import Heard

DOMAIN = Domain.box(a=(0, 1), b=(0, 1))


@pytest.fixture
def exact(quick: StudyConfig) -> StudyConfig:
    """A study by the engine ``exact``, with one toolchain of the chip."""
    quick.engine = EngineConfig(**read_option("engine", "exact"))
    quick.target = {**quick.target, "native": None}
    quick.export.verify_points = 1000
    quick.tolerance = 1e-3
    return quick


def data() -> tuple[np.ndarray, np.ndarray]:
    x = DOMAIN.sample(300, seed=1)
    return x, np.sin(4 * x[:, 0]) + x[:, 1] ** 2


def network() -> MLPRegressor:
    model = MLPRegressor(hidden_layer_sizes=(8, 8), activation="tanh", max_iter=9, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # it need not be good
        return model.fit(*data())


def ship(config: StudyConfig, study):
    chosen = study.chosen
    return shipping.ship(
        study.context, chosen.candidate, chosen.score.max_error,
        load_target(config.target), Path("build"), Silent(),
    )  # fmt: skip


def test_a_deep_tree_is_its_own_formula_to_the_bit(exact: StudyConfig) -> None:
    model = DecisionTreeRegressor(max_depth=8, random_state=0).fit(*data())
    teacher = load_teacher(model, domain=DOMAIN, name="steps_of")
    study = one_output.search(exact, Silent(), teacher, DOMAIN)
    chosen = study.chosen
    assert chosen is not None
    assert isinstance(chosen.formula, ClosedForm)
    assert chosen.score.max_error == 0.0
    assert chosen.formula.readable().startswith("tree of ")
    assert chosen.cost.instructions > 0
    shipped = ship(exact, study)
    assert shipped.content == "closed"
    assert shipped.evidence.passed
    checks = {check.name: check for check in shipped.evidence.checks}
    assert "at most 0 " in checks["host against Python"].detail
    assert "<p>tree of " in study._repr_html_()


def test_what_no_c_can_be_made_of_is_not_chosen(exact: StudyConfig) -> None:
    exact.export.arithmetic = "fixed"
    exact.export.verify = False
    exact.tolerance = 0.01
    teacher = load_teacher(network(), domain=DOMAIN, name="network_of")
    heard = Heard()
    study = one_output.search(exact, heard, teacher, DOMAIN)
    assert study.chosen is None
    reason = study.selection.reason
    assert "Of 1 formula that is within it, the simplest cannot be exported: " in reason
    assert "in fixed point" in reason
    (left_out,) = [warning for warning in heard.warnings if "left out" in warning]
    assert study.choices[0].candidate.id in left_out
    shipped = shipping.ship(
        study.context, None, None, load_target(exact.target), Path("build"), Silent()
    )
    assert shipped.content == "table"
    assert shipped.bundle.spec.max_error <= exact.tolerance


def test_a_network_is_exported_as_loops_within_rounding(exact: StudyConfig) -> None:
    exact.export.verify = False
    teacher = load_teacher(network(), domain=DOMAIN, name="network_of")
    study = one_output.search(exact, Silent(), teacher, DOMAIN)
    assert study.chosen.score.max_error < 1e-12
    shipped = ship(exact, study)
    (error,) = shipped.bundle.spec.max_errors
    assert 0 < error < 1e-5
    told = {way.name: way.why_not for way in shipped.alternatives}
    assert told["closed form in float32"] == told["closed form in double"] == ""
    assert "decision trees" in told["closed form in fixed point"]


def test_booleans_have_exact_logic_whatever_the_teacher_is(exact: StudyConfig) -> None:
    exact.teacher.source = "teachers_for_tests:majority"
    exact.domain.variables = {
        name: {"low": 0, "high": 1, "kind": "boolean"} for name in ("a", "b", "c")
    }
    exact.sampling.design = "exhaustive"
    study = one_output.search(exact, Silent())
    assert {c.candidate.origin for c in study.choices} == {"minimised logic"}
    assert {type(c.formula) for c in study.choices} == {Formula, ClosedForm}
    assert all(c.score.max_error == 0 for c in study.choices)
    assert ship(exact, study).evidence.passed


def test_the_closed_form_stands_beside_what_was_searched_for(quick: StudyConfig) -> None:
    teacher = load_teacher(network(), domain=DOMAIN, name="network_of")
    quick.tolerance = 0.2
    quick.engine.keep = 4
    study = one_output.search(quick, Silent(), teacher, DOMAIN)
    front = study.front
    assert front["engine"].iloc[-1] == "exact"
    assert front["engine"].iloc[0] == "polynomial"
    # The price of exactness, in instructions and in bytes.
    last = front.iloc[-1]
    assert last["max_error"] < 1e-12
    assert last["instructions"] > 5 * front["instructions"].iloc[:-1].max()
    assert last["flash_bytes"] > front["flash_bytes"].iloc[:-1].max()
    assert study.chosen.candidate.engine == "polynomial"


def test_what_was_asked_of_formulas_leaves_the_closed_form_out(quick: StudyConfig) -> None:
    teacher = load_teacher(network(), domain=DOMAIN, name="network_of")
    quick.target = {}
    quick.engine = replace(quick.engine, constraints={"bounds": [-5, 5]})
    study = one_output.search(quick, Silent(), teacher, DOMAIN)
    assert study.choices
    assert {c.candidate.engine for c in study.choices} == {"polynomial"}


def test_a_black_box_has_no_exact_formula(exact: StudyConfig) -> None:
    with pytest.raises(ConfigError, match="own arithmetic is not known") as caught:
        one_output.search(exact, Silent())
    assert "engine=structure" in caught.value.hint
