"""The end of a run on the terminal: what comes from outside is text, and many outputs fit."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

import distill
from distill.commands import summary
from distill.commands.results import run_line
from distill.commands.running import next_steps
from distill.config.schema import StudyConfig
from distill.formula import Formula
from distill.study.study_set import StudySet


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return distill.distill(
        lambda x: 2 * x[:, 0] + x[:, 1],
        distill.Domain.box(a=(0, 1), b=(0, 1)),
        tolerance=0.1,
        engine="polynomial",
        root=tmp_path_factory.mktemp("studies"),
    )


def told(show, *arguments):
    file = io.StringIO()
    show(Console(width=160, file=file), *arguments)
    return file.getvalue()


def test_names_of_published_formulas_are_no_markup(study):
    names = ["[1] Stull", "[/b]", "[link=x]y[/link]"]
    published = tuple(
        replace(study.choices[0], candidate=replace(study.choices[0].candidate,
                                                    engine="published", origin=name))
        for name in names
    )  # fmt: skip
    shown = told(summary.show, replace(study, choices=study.choices + published), None, [])
    for name in names:
        assert name in shown


def test_a_formula_of_several_lines_is_told_whole(study):
    terms = [f"{n}.125*sin({n}*a)*b" for n in range(1, 60)]
    formula = Formula.parse(" + ".join(terms), study.context.domain)
    candidate = replace(study.chosen.candidate, formula=formula)
    selection = replace(study.selection, id=candidate.id)
    choices = (replace(study.chosen, candidate=candidate),)
    shown = told(summary.show, replace(study, choices=choices, selection=selection), None, [])
    assert len(formula.readable()) > 900
    assert " ".join(formula.readable().split()) in " ".join(shown.split())


def test_a_thousand_outputs_fit_a_screen_or_two(study):
    nothing = replace(study, selection=replace(study.selection, id=None, reason="nothing fits"))
    whole = StudySet((*(study,) * 999, nothing))
    lines = told(summary.show_all, whole, None, []).splitlines()
    assert len(lines) < 60
    assert "1,000 outputs, 1 without a formula within the tolerance" in lines[1]
    assert "nothing fits" in lines[3]
    assert lines[-2].startswith("and 960 more")
    line = run_line(whole.studies, None, [{"run": "0123abcd"}] * 1000)
    assert line == "999 of 1,000 outputs have a formula within the tolerance; 1,000 MLflow runs"


@pytest.mark.parametrize(
    ("enabled", "commands"), [(True, ["ui", "export"]), (False, ["sync", "ui", "export"])]
)
def test_what_is_not_logged_yet_is_logged_before_it_is_compared(enabled, commands):
    config = StudyConfig(root="elsewhere")
    config.tracking.enabled = enabled
    config.tracking.uri = "http://here"
    steps = [line.partition(":")[2].split() for line in next_steps(config)]
    assert [words[1] for words in steps] == commands
    assert all(words[-2:] == ["root=elsewhere", "uri=http://here"] for words in steps)
