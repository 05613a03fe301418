"""Every block of the documentation has a verdict, and every command it shows is one."""

from __future__ import annotations

import ast
import importlib.util
import re

import pytest

from tests.docs import verdicts
from tests.docs.blocks import (
    COMMANDS,
    MARK,
    NEEDS,
    PAGES,
    ROOT,
    RUN,
    SHOWN,
    Block,
    blocks_of,
    commands_of,
    programs_of,
)

BLOCKS = [block for page in PAGES if page.exists() for block in blocks_of(page)]
MARKS = ("output", "file ", "part of ", "needs ", "with ")


def named(block: Block) -> str:
    return block.where


@pytest.mark.parametrize("block", BLOCKS, ids=named)
def test_every_block_has_a_verdict(block: Block):
    assert block.language in RUN | SHOWN, f"{block.where}: fence it, and say its language"
    assert not block.mark or block.mark.startswith(MARKS), f"{block.where}: {block.mark}?"
    if block.mark.startswith("needs "):
        assert block.mark.removeprefix("needs ") in NEEDS, f"{block.where}: why not?"
    if block.mark.startswith("part of "):
        assert (ROOT / block.mark.removeprefix("part of ")).exists(), block.where
    if block.language in SHOWN - {"bash"} and not block.mark:
        hidden = [line for line in block.text.splitlines() if COMMANDS.match(line)]
        assert not hidden or _is_usage(block), f"{block.where}: commands are `sh`: {hidden[0]}"


def _is_usage(block: Block) -> bool:
    return bool(re.search(r"[A-Z_]{3,}=?|\[", block.text))


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=named)
def test_every_command_is_one(block: Block):
    made = {
        other.mark.removeprefix("file ")
        for other in blocks_of(block.page)
        if other.mark.startswith("file ")
    }
    if block.mark == "needs your files":
        return
    unseen = block.mark.startswith(("needs ", "with "))
    for command in commands_of(block):
        for words in programs_of(command):
            if unseen and not verdicts.known(words):
                continue
            try:
                verdicts.check(words, made)
            except Exception as error:
                pytest.fail(f"{block.where}: {' '.join(words)}\n{error}", pytrace=False)


@pytest.mark.parametrize(
    "block",
    [b for b in BLOCKS if b.language == "python" and not b.mark.startswith("part of")],
    ids=named,
)
def test_python_compiles_and_its_imports_exist(block: Block):
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                assert importlib.util.find_spec(alias.name), f"{block.where}: {alias.name}?"
        elif isinstance(node, ast.ImportFrom) and node.module and _installed(node.module):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.util.find_spec(
                    f"{node.module}.{alias.name}"
                ), f"{block.where}: {node.module} has no {alias.name}"


def _installed(module: str) -> bool:
    """Whether it is ours: other libraries are looked at when the page is run."""
    return module.partition(".")[0] == "distill"


def test_no_mark_stands_alone():
    """A mark above what is no block would be a block that escapes."""
    for page in (page for page in PAGES if page.exists()):
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            mark = MARK.match(line)
            if mark and mark[1] != "in full":
                follows = lines[number + 1] if number + 1 < len(lines) else ""
                assert follows.lstrip().startswith("```"), f"{page.name}:{number + 1}"


def test_files_that_pages_name_exist():
    """`code` that looks like a path of the checkout is one."""
    tops = ("distill/", "conf/", "tests/", "benchmarks/", "pipelines/", "tools/", "docs/")
    # What a reader is about to add, and what only the wheel has.
    added = re.compile(
        r"^distill/conf$|parallel-writers|stm32l4|spline|plane|squares|to_basic|KIND|NAME|test_blocks"
    )
    missing = []
    for page in (page for page in PAGES if page.exists()):
        for name in re.findall(r"`([\w./-]+)`", page.read_text(encoding="utf-8")):
            if name.startswith(tops) and not (ROOT / name).exists() and not added.search(name):
                missing.append(f"{page.name}: {name}")
    assert not missing
