"""Proofs on the whole way: in scores and choices, on the terminal, in MLflow and in reports."""

import io

import numpy as np
import pytest
from rich.console import Console

from distill.commands import summary
from distill.config.rules import check_config
from distill.config.schema import SelectConfig, StudyConfig
from distill.domain import Domain
from distill.errors import ConfigError
from distill.formula import Formula
from distill.pipeline import one_output
from distill.progress import Silent
from distill.scoring.certify import OVER
from distill.stages.measure import Costs
from distill.stages.score import Scored
from distill.stages.select import select
from distill.teachers.load import load_teacher
from distill.tracking.entries import candidate_metrics, candidate_tags
from distill.tracking.front_table import front_table
from distill.tracking.record_folder import load_record, save_record
from distill.tracking.report import Figures, candidate_report, study_report

BOX = Domain.box(x=(-1, 2), y=(0.5, 3))
TAUGHT = Formula.parse("x*y + 0.3*x^2 + 0.02*sin(3*x)", BOX)


def only_asked(x):
    """The same as a function of which nothing else is known."""
    return TAUGHT(x)


def distilled(
    function, root, *, domain=BOX, bound="found", proof_seconds=None, progress=None, **demands
):
    """A study of few points by few formulas, within seconds."""
    config = StudyConfig(root=str(root), tolerance=0.05)
    config.teacher.source = "taught"
    config.sampling.points = 128
    config.engine.name, config.engine.evaluations, config.engine.keep = "polynomial", 2_000, 6
    config.engine.counterexamples = 8
    config.engine.operators = ["add", "sub", "mul", "square"]
    config.engine.options = {"max_terms": 5, "max_degree": 2}
    config.engine.constraints = demands
    config.score.points, config.score.starts = 2_000, 4
    config.score.proof_seconds, config.select.bound = proof_seconds, bound
    teacher = load_teacher(function, domain=domain, name="taught")
    return one_output.search(config, progress or Silent(), teacher, domain)


def told(study):
    file = io.StringIO()
    summary.show(Console(width=160, file=file), study, None, [])
    return " ".join(file.getvalue().split())


@pytest.fixture(scope="module")
def proven(tmp_path_factory):
    """A study of a teacher that is a formula."""
    return distilled(TAUGHT, tmp_path_factory.mktemp("proven"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The same of a function that can be asked only."""
    return distilled(only_asked, tmp_path_factory.mktemp("asked"))


def test_the_front_is_proven_and_no_point_refutes_it(proven):
    x = np.vstack([BOX.sample(100_000, 77), BOX.corners()])
    assert len(proven.front) >= 3
    for choice in proven.choices:
        if not choice.on_front:
            continue
        score = choice.score
        dense = np.abs(choice.formula(x) - TAUGHT(x)).max()
        assert dense <= score.certified_error * (1 + 1e-12)
        assert score.proof.ratio <= 1.1 or score.certified_error <= 0.01 * 0.05
        assert choice.finite
    assert (proven.front["certified_error"] >= proven.front["max_error"]).all()
    assert (proven.front["proof_ratio"] >= 1).all()
    assert proven.unproven == ""
    text = told(proven)
    assert "Proven: off by at most" in text
    assert "anywhere on the domain (found" in text
    assert "no error is proven" not in text


def test_what_can_only_be_asked_gets_a_statement_and_the_reason_once(asked):
    score = asked.chosen.score
    assert score.certified_error is None
    assert score.statement.size == score.max_error
    assert score.statement.points == 2_000
    x = BOX.sample(100_000, 78)
    off = np.abs(asked.chosen.formula(x) - TAUGHT(x)) > score.statement.size
    assert off.mean() <= score.statement.fraction
    text = told(asked)
    assert text.count("no error is proven:") == 1
    assert "Not proven, but with 99 % confidence" in text
    assert "roven: off" not in text
    assert asked.front["certified_error"].isna().all()


def test_records_metrics_and_reports_show_it(proven, asked, tmp_path):
    for study, is_proven in ((proven, True), (asked, False)):
        record = study.record("ab" * 32)
        folder = tmp_path / str(is_proven)
        save_record(record, folder)
        back = load_record(folder)
        assert back.unproven == study.unproven
        chosen = back.chosen
        assert chosen.score == study.chosen.score
        metrics = candidate_metrics(chosen)
        assert ("accuracy/certified_error" in metrics) == is_proven
        assert ("accuracy/unsure_fraction" in metrics) != is_proven
        if is_proven:
            assert metrics["accuracy/certified_error"] == chosen.score.certified_error
            assert metrics["accuracy/proof_ratio"] == chosen.score.proof.ratio >= 1
        assert ("certified_error" in front_table(back)) == is_proven
        note = candidate_tags(back, chosen)["mlflow.note.content"]
        assert ("Proven: off by at most" in note) == is_proven
        assert ("with 99 % confidence" in note) != is_proven
        page = candidate_report(back, chosen, "run", Figures(back, together=1))
        whole = study_report(back)
        for text in (page, whole):
            assert ('anywhere on the domain","known":"proven"' in text) == is_proven
            assert ('"known":"statistical"' in text) != is_proven
        assert ('button">proven bound<' in whole) == is_proven


def test_choosing_by_the_proven_bound(proven, asked, tmp_path):
    chosen = distilled(TAUGHT, tmp_path, bound="certified")
    assert chosen.chosen.score.certified_error <= 0.05
    assert "proven to be off by at most" in chosen.selection.reason
    nothing = distilled(only_asked, tmp_path, bound="certified")
    assert nothing.chosen is None
    assert "No candidate has a proven bound" in nothing.selection.reason
    assert "asked only" in nothing.selection.reason


def test_demands_are_told_as_proven(tmp_path):
    box = Domain.box(x=(0.1, 2), y=(0.5, 3))
    study = distilled(
        only_asked, tmp_path, domain=box, monotone={"y": "increasing"}, bounds=[-5.0, 9.0]
    )
    assert study.chosen.kept == (
        "increasing in y: proven everywhere on the domain",
        "at least -5 and at most 9: proven everywhere on the domain",
    )


def test_no_proof_is_made_where_none_is_asked_for():
    config = StudyConfig()
    config.engine.evaluations = 1
    config.score.prove, config.select.bound = False, "certified"
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    assert "select.bound" in caught.value.where
    assert "score.prove=true" in caught.value.hint
    config.select.bound = "found"
    check_config(config)
    config.score.confidence = 1.0
    with pytest.raises(ConfigError, match="above 0 and below 1"):
        check_config(config)


def test_a_candidate_without_a_bound_cannot_be_named_where_bounds_are_wanted(proven, asked):
    def chosen(study, name, unproven=""):
        scored = Scored(
            tuple(c.candidate for c in study.choices),
            {c.candidate.id: c.score for c in study.choices},
            (),
            *study.points,
            unproven,
        )
        config = SelectConfig(rule="by_id", candidate=name, bound="certified")
        return select(config, 0.05, "m", scored, Costs(), None)

    good = proven.chosen.candidate.id
    assert chosen(proven, good).id == good
    name = asked.chosen.candidate.id
    with pytest.raises(ConfigError) as caught:
        chosen(asked, name, asked.unproven)
    assert f"`{name}` has no proven bound: the arithmetic" in caught.value.what
    assert "select.bound=found" in caught.value.hint


def test_a_second_is_kept_to_and_what_was_not_proven_says_so(tmp_path):
    heard = []

    class Heard(Silent):
        def advance(self, fraction, text):
            heard.append((fraction, text))

    study = distilled(TAUGHT, tmp_path, proof_seconds=1e-6, progress=Heard())
    late = [c.score for c in study.choices if c.on_front]
    assert {score.unproven for score in late} == {OVER}
    assert all(score.statement is not None for score in late)
    assert OVER in told(study)
    parts = [fraction for fraction, text in heard if "judging" in text or "proving" in text]
    assert parts == sorted(parts)
