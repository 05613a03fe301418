"""MathML: well-formed for any tree, and read as a person would write it."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from distill.domain import Domain
from distill.errors import FormulaError
from distill.formula import Formula
from distill.formula import to_mathml as printer
from distill.formula.operators import OPERATORS
from distill.formula.to_mathml import to_mathml
from distill.formula.tree import symbols
from tests.formula.strategies import trees

BOX = Domain.box(x=(0.1, 1), yy=(0.1, 1))


def read(text):
    """The markup as a line: fractions and powers in braces, functions with their signs."""
    root = ET.fromstring(to_mathml(Formula.parse(text, BOX).tree))

    def line(node):
        tag = node.tag.rpartition("}")[2]
        parts = [line(child) for child in node]
        if tag == "mfrac":
            return f"{{{parts[0]}/{parts[1]}}}"
        if tag == "msup":
            return f"{parts[0]}^{{{parts[1]}}}"
        if tag == "msqrt":
            return f"√{{{parts[0]}}}"
        return "".join(parts) or re.sub("[\u2061\u2062]", "", node.text or "")

    return line(root)


@pytest.mark.parametrize(("text", "said"), [
    ("x + -2*yy", "x−2yy"),
    ("x - (yy - 1)", "x−(yy−1)"),
    ("x - -3", "x+3"),
    ("-2*x*-3", "2x·3"),
    ("-(x + 1)", "−(x+1)"),
    ("2*(x + 1)/yy", "{2(x+1)/yy}"),
    ("-x/yy", "−{x/yy}"),
    ("(x/yy)^2", "({x/yy})^{2}"),
    ("(-2)^x", "(−2)^{x}"),
    ("x^-0.5", "x^{−0.5}"),
    ("1.5e-7*x", "1.5·10^{−7}x"),
    ("exp(-x)", "e^{−x}"),
    ("sqrt(x + 1)*sin(yy)", "√{x+1}sin(yy)"),
    ("abs(x - 1)", "|x−1|"),
    ("max(x, -yy)", "max(x,−yy)"),
])  # fmt: skip
def test_formulas_are_set_as_people_write_them(text, said):
    assert read(text) == said


@given(trees())
@settings(max_examples=60, deadline=None)
def test_every_tree_gives_well_formed_markup_with_all_its_names(tree):
    root = ET.fromstring(to_mathml(tree))
    assert root.tag.endswith("math")
    assert set(symbols(tree)) <= {node.text for node in root.iter() if node.tag.endswith("}mi")}


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_has_a_notation(name):
    assert name in printer._TABLE


def test_an_operator_without_one_is_told(monkeypatch):
    monkeypatch.delitem(printer._TABLE, "sin")
    with pytest.raises(FormulaError, match="`sin` has no notation in MathML"):
        to_mathml(Formula.parse("sin(x)", BOX).tree)
