"""The security page names tests that exist, and each file of hostile tests is named on it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def _tests_of(file):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_named_test_exists():
    assert len(NAMED) > 40
    for file, name in NAMED:
        assert (ROOT / file).is_file(), file
        assert not name or name in _tests_of(file), f"{file}::{name}"
        assert any(test.startswith("test_") for test in _tests_of(file)), file


def test_every_statement_has_a_test():
    for row in PAGE.partition("## What holds")[2].splitlines():
        if row.startswith("|") and not re.match(r"\| ?(statement|---)|\|---", row):
            assert "`tests/" in row.rpartition(" | ")[2], row


def test_every_file_of_hostile_tests_is_named():
    files = {file for file, _ in NAMED}
    ours = {f"tests/security/{p.name}" for p in Path(__file__).parent.glob("test_*.py")}
    assert ours - files == {"tests/security/test_page.py"}


def test_the_named_places_exist():
    for path in re.findall(r"`(distill/[\w/]+\.py)`", PAGE):
        assert (ROOT / path).is_file()
