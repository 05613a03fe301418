"""Units, constraints and skeletons: kept by what comes out, told to people, checked early."""

import io

import numpy as np
import pytest
from rich.console import Console

import distill
from distill.commands import summary
from distill.config.schema import StudyConfig
from distill.domain import Domain
from distill.engines.constraints import broken_operators
from distill.errors import ConfigError, DomainError
from distill.pipeline import one_output
from distill.progress import Silent
from distill.tracking.entries import candidate_params, candidate_tags, study_tags
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.report import Figures, candidate_report
from tests.heard import Heard

BOX = Domain.box(x=(0.2, 3), y=(1, 5))
GAS = Domain.box(
    amount=(0.1, 5, "mol"), temperature=(-20, 80, "degC"), volume=(0.01, 0.1, "m^3")
)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    """Distill a function within seconds."""

    def start(function, domain=BOX, *, unit="", heard=None, **settings):
        teacher = distill.load_teacher(
            function, domain=domain, name="taught", outputs=[{"name": "answer", "unit": unit}]
        )
        given = {"evaluations": 40_000, "points": 256, "tolerance": 0.01, "root": tmp_path}
        return distill.distill(teacher, domain, progress=heard, **{**given, **settings})

    return start


def pressure(x):
    return 8.314462618 * x[:, 0] * (x[:, 1] + 273.15) / x[:, 2]


def test_units_are_told_with_those_of_constants(study, tmp_path):
    found = study(pressure, GAS, unit="Pa", tolerance=1.0, units="check")
    fit, *constants = found.chosen.kept
    assert fit == "units fit"
    assert "  273.15 degC" in constants
    assert any(c.endswith("Pa*m^3/(degC*mol)") and "8.31" in c for c in constants)

    file = io.StringIO()
    Console(width=200, file=file).print(summary._choice(found))
    assert "273.15 degC" in file.getvalue()

    record = found.record("0" * 64)
    save_record(record, tmp_path / "record")
    back = load_record(tmp_path / "record").chosen
    assert back.kept == found.chosen.kept
    assert "273.15 degC" in candidate_params(back)["units and constraints"]
    assert "273.15 degC" in candidate_tags(record, back)["mlflow.note.content"]
    assert "273.15 degC" in study_tags(record)["mlflow.note.content"]
    page = candidate_report(record, back, "run", Figures(record, together=1))
    assert "273.15 degC" in page


def test_what_does_not_fit_in_units_is_dropped_and_the_reason_told(study):
    metres = Domain.box(x=(0.2, 3, "m"), y=(1, 5, "s"))

    def added(x):
        return x[:, 0] + x[:, 1]

    assert study(added, metres, engine="polynomial").chosen is not None
    heard = Heard()
    found = study(added, metres, unit="m", engine="polynomial", units="check", heard=heard)
    assert all(c.kept[0].startswith("units fit") for c in found.choices)
    exact = [c for c in found.choices if c.score.max_error < 1e-9]
    assert not [c for c in exact if c.formula.complexity <= 3]


def test_monotone_and_bounded_formulas_of_a_teacher_that_is_neither(study):
    def wavy(x):
        return np.tanh(x[:, 0]) + 0.2 * x[:, 1] + 0.05 * np.sin(9 * x[:, 0])

    demands = {"monotone": {"x": "increasing", "y": "increasing"}, "bounds": [None, 2.0]}
    small = {"max_degree": 3, "max_terms": 6}
    found = study(wavy, engine="polynomial", tolerance=0.5, constraints=demands, options=small)
    assert found.choices
    x = BOX.sample(2000, seed=9)
    for choice in found.choices:
        assert (choice.formula(x) <= 2.0 + 1e-9).all()
        assert (choice.formula.gradient(x) >= -1e-9).all()
    told = found.chosen.kept
    says = [line.split(": ") for line in told]
    assert [what for what, _ in says] == ["increasing in x", "increasing in y", "at most 2"]
    assert {how.split(",")[0] for _, how in says} <= {"proven everywhere on the domain", "holds"}
    assert "increasing in x: proven everywhere on the domain" in told
    assert all("checked at" in how for _, how in says if how.startswith("holds"))


def test_nothing_that_keeps_to_the_constraints_is_no_crash_and_says_where(study):
    heard = Heard()
    demands = {"bounds": [5.0, 6.0]}
    found = study(
        lambda x: x[:, 0] * x[:, 1] / 10, engine="polynomial", constraints=demands, heard=heard
    )
    assert found.choices == ()
    assert found.chosen is None
    warning = next(w for w in heard.warnings if "no formula keeps to the rules" in w)
    assert "should stay within [5, 6]" in warning
    assert "at x = " in warning
    assert "keeps to what the engine was told" in found.selection.reason
    assert found.record("0" * 64).chosen is None
    assert found.front.empty


def test_operators_by_variable(study):
    def growth(x):
        return np.exp(0.4 * x[:, 0]) * x[:, 1]

    allowed = {"x": ["add", "mul", "div"]}
    demands = {"operators_of": allowed}
    quick = {"efforts": 1, "operon": False}
    found = study(growth, constraints=demands, tolerance=2.0, options=quick)
    assert found.chosen.kept == ("only add, div, mul on x: holds",)
    assert not [c for c in found.choices if broken_operators(c.formula.tree, allowed)]


def test_a_skeleton_gives_the_form_and_its_constants_stay_tied(study):
    found = study(
        lambda x: np.exp(-0.3 * x[:, 0] ** 1.7) * (2 + x[:, 1]), skeleton="exp(-f(x))*g(y)"
    )
    assert found.chosen.score.max_error < 1e-9
    a, b, c, d = (np.array([p]) for p in ([0.5, 2.0], [2.5, 2.0], [0.5, 4.0], [2.5, 4.0]))
    for choice in found.choices:
        ratio = choice.formula(a) * choice.formula(d) - choice.formula(b) * choice.formula(c)
        assert np.abs(ratio).max() < 1e-9

    same = study(lambda x: x[:, 0] ** 1.6 + x[:, 1] ** 1.6 + 0.1 * x[:, 0], skeleton="f(x) + f(y)")
    at = np.linspace(1, 3, 9)
    for choice in same.choices:
        swapped = choice.formula(np.column_stack([at, at[::-1]]))
        assert np.allclose(swapped, swapped[::-1], rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "key", "says"),
    [
        ({"units": "maybe"}, "engine.units", "maybe"),
        ({"units": "check"}, "engine.units", "no units"),
        ({"constraints": {"monoton": {}}}, "engine.constraints.monoton", "did you mean"),
        ({"constraints": {"monotone": {"z": "increasing"}}}, "monotone.z", "not a variable"),
        ({"constraints": {"bounds": [2, 1]}}, "engine.constraints.bounds", "lower first"),
        ({"constraints": {"operators_of": {"x": ["ad"]}}}, "operators_of.x", "did you mean"),
        ({"skeleton": "f(z)"}, "engine.skeleton", "not a variable"),
        ({"skeleton": "f(x)", "engine": "operon"}, "engine.skeleton", "engine=structure"),
    ],
)
def test_mistakes_are_told_before_the_teacher_is_asked(study, settings, key, says):
    def asked(x):
        raise AssertionError("asked")

    with pytest.raises(ConfigError) as caught:
        study(asked, **settings)
    assert key in caught.value.where
    assert says in str(caught.value)


def test_a_unit_nobody_knows_is_named(study):
    with pytest.raises(DomainError, match="furlogs"):
        study(pressure, GAS, unit="furlogs", units="check")


def test_the_unit_of_the_output_is_part_of_the_key(quick: StudyConfig):
    quick.engine.units, quick.engine.rounds, quick.engine.keep = "check", 1, 3
    quick.target = {}
    for unit, fits in (("s", True), ("kg", False)):
        quick.teacher.options = {"outputs": [{"name": "period", "unit": unit}]}
        found = one_output.search(quick, Silent())
        lines = {c.kept[0] for c in found.choices}
        assert lines == {"units fit"} or lines == {"units fit if round constants carry units too"}
        assert any("kg" in line for c in found.choices for line in c.kept) != fits
