"""What an engine finds out reaches the people who asked: the study, the terminal, the record."""

import io

import pytest
from rich.console import Console

import distill
from distill.commands import summary
from distill.domain import Domain
from distill.engines import registry
from distill.engines.base import Candidate
from distill.engines.findings import Finding
from distill.formula import Formula

LINE = Finding("f(a)", "a line [bold]", "solved", 1e-9, "2*a")
CURVE = Finding("f(b)", "looked like a square", "rejected", 0.5)
FOUND = Finding("f(a, b)", "a product", "believed", 1e-3, parts=(LINE, CURVE))


class Explaining:
    """Says what it found out and proposes one formula."""

    name = "operon"

    def __init__(self, options):
        pass

    def search(self, problem):
        problem.explain(FOUND)
        yield Candidate(Formula.parse("2*a + b", problem.sample.domain), "operon")


def printed(finding):
    file = io.StringIO()
    Console(width=100, file=file).print(summary.findings_tree(finding))
    return file.getvalue()


@pytest.fixture
def study(monkeypatch, tmp_path):
    monkeypatch.setitem(
        registry.ENGINES,
        "operon",
        registry.EngineEntry("operon", "for tests", registry.OperonOptions, Explaining, asks=True),
    )
    return distill.distill(
        lambda x: 2 * x[:, 0] + x[:, 1],
        Domain.box(a=(0, 1), b=(0, 1)),
        tolerance=0.1,
        engine="operon",
        evaluations=10,
        points=64,
        root=tmp_path,
    )


def test_the_study_keeps_them_and_its_record_and_notebook_show_them(study):
    assert study.findings == FOUND
    assert study.record("0" * 64).findings == FOUND
    assert "looked like a square" in study._repr_html_()


def test_the_terminal_shows_them_as_a_tree(study):
    text = printed(study.findings)
    assert text.index("· f(a, b): a product") < text.index("✓ f(a) = 2*a: a line [bold]")
    assert "✗ f(b): looked like a square (within 0.5)" in text


def test_what_lies_deep_is_counted_only():
    deep = LINE
    for number in range(12):
        deep = Finding(f"f{number}", "a sum", "believed", 0.1, parts=(deep, deep))
    text = printed(deep)
    assert "… 2 more" in text
    assert "f0:" not in text
    assert len(text.splitlines()) < 150
