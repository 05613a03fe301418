"""Formulas too long for a search of their own functions call the C library's, and say so."""

from distill.domain import Domain
from distill.firmware.bundle import render_bundle
from distill.firmware.graph import build_graph
from distill.firmware.passes import functions
from distill.firmware.passes.functions import own_functions
from distill.firmware.spec import BundleSpec
from distill.formula import Formula

DOMAIN = Domain.box(x=(0.1, 1), y=(0, 1))
TEXT = "+".join(f"{i}.5*sin({i}.25*x + y)" for i in range(1, 7))


def said_in(files: dict[str, str]) -> str:
    """All text of a bundle on one line, without the frames of comments."""
    return " ".join(" ".join(files.values()).replace(" * ", " ").split())


def test_a_long_formula_keeps_the_librarys_functions(monkeypatch):
    graph = build_graph(Formula.parse(TEXT, DOMAIN))
    assert own_functions(graph, DOMAIN, 1e-3) != graph
    monkeypatch.setattr(functions, "MOST_OPERATIONS", len(graph.operations) - 1)
    assert own_functions(graph, DOMAIN, 1e-3) is graph


def test_its_c_says_so(monkeypatch):
    monkeypatch.setattr(functions, "MOST_OPERATIONS", 20)
    for text, said in ((TEXT, True), ("x + y", False)):
        formula = Formula.parse(text, DOMAIN)
        spec = BundleSpec("f", DOMAIN, formula, None, None, "y", 1.0, 0.5, accuracy=1e-3)
        assert ("too many to look for functions" in said_in(render_bundle(spec))) is said
