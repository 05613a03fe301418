"""Text of users in Markdown: shown as it is by a renderer, whatever it holds."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from distill.tracking.markdown import cell, code, prose

SIGNS = [*"ab<>&*_`[]()!#-+=|~\\1.) \n\t", "---", "===", "1.", "<script>"]
TEXTS = st.lists(st.sampled_from(SIGNS), max_size=24).map("".join)


def rendered(source: str) -> tuple[str, set[str]]:
    """The text that a reader sees, and the tags around it."""
    page = MarkdownIt("commonmark").enable("table").enable("strikethrough").render(source)
    return html.unescape(re.sub("<[^>]*>", "", page)), set(re.findall(r"<(\w+)", page))


def words(text: str) -> str:
    return "".join(text.split())


@given(TEXTS)
def test_a_sentence_has_no_markup_of_its_own(text):
    seen, tags = rendered(f"It is {prose(text)} here.")
    assert words(seen) == words(f"It is {text} here.")
    assert tags <= {"p", "br", "pre", "code"}  # blank lines and deep indents are harmless


@given(TEXTS)
def test_a_cell_stays_one_cell(text):
    seen, tags = rendered(f"| a | b |\n|---|---|\n| {cell(text)} | end |")
    assert words(seen) == words(f"ab{text}end")
    assert tags == {"table", "thead", "tbody", "tr", "th", "td"}


@given(TEXTS.filter(str.strip))
def test_code_shows_every_sign(text):
    seen, tags = rendered(f"It is {code(text)} here.")
    assert words(seen) == words(f"It is {text} here.")
    assert tags == {"p", "code"}


@pytest.mark.parametrize("line", ["- a", "+ a", "> a", "1. a", "2) a", "---", "===", "# a", "-"])
def test_no_line_becomes_a_list_a_rule_or_a_heading(line):
    seen, tags = rendered(prose(f"a\n{line}"))
    assert words(seen) == words(f"a{line}")
    assert tags == {"p"}
