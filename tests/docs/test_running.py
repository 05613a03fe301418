"""The commands of every page are run, in its order, in a folder of its own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import (
    PAGES,
    PREPARED,
    ROOT,
    Block,
    blocks_of,
    commands_of,
    in_full,
    programs_of,
)

CHECKOUT = {"make", "git", "pip", "pytest", "apt"}
"""Programs that belong to the checkout: other tests run what they start."""
NAMES_ITS_OWN = re.compile(r"\.\.\.|<|\b[A-Z_]{4,}\b|wet_bulb/|5a5a|sweep=wet_bulb")
"""Words that stand for what only the reader has."""
SMALL = [
    "engine.seconds=null",
    "engine.evaluations=3000",
    "engine.rounds=1",
    "score=quick",
    "score.points=1000",
    "score.starts=2",
    "score.proof_boxes=500",
    "export.verify_points=1000",
    "export.proof_boxes=5000",
]
"""Budgets for pages whose figures are nobody's; what is compared with a page runs as it stands."""
EXAMPLES = ("how-to", "teachers.md", "tutorial.md")


def runnable() -> list[Path]:
    """The pages whose commands make sense in an empty folder."""
    return [page for page in PAGES if page.exists() and any(e in str(page) for e in EXAMPLES)]


@pytest.mark.slow
@pytest.mark.parametrize("page", runnable(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_does_what_it_says(page: Path, tmp_path: Path):
    blocks = blocks_of(page)
    if page != PREPARED and page.parent == PREPARED.parent:
        blocks = [blocks_of(PREPARED)[0], *blocks]
    session = Session(tmp_path, in_full(page))
    for block in blocks:
        session.take(block)


class Session:
    """What one page has done so far: its folder, its Python, and what was printed last."""

    def __init__(self, folder: Path, full: bool) -> None:
        self.folder, self.full = folder, full
        self.python: list[str] = []
        self.printed = ""

    def take(self, block: Block) -> None:
        """Run a block, write it to its file, or compare it with what was printed."""
        if block.mark == "output":
            self.compare(block)
        elif block.mark.startswith("file "):
            file = self.folder / block.mark.removeprefix("file ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text + "\n", encoding="utf-8")
        elif block.mark.startswith(("needs ", "part of ")):
            return
        elif block.language == "python":
            self.ask_python(block)
        elif block.language == "sh" and self.has(block):
            said = [self.start(block, command) for command in commands_of(block)]
            self.printed = "".join(said)

    def has(self, block: Block) -> bool:
        """Whether the programs that a block is run with are there."""
        if not block.mark.startswith("with "):
            return True
        missing = [p for p in block.mark.split()[1:] if shutil.which(p) is None]
        if missing and os.environ.get("DISTILL_NATIVE") == "required":
            pytest.fail(f"{block.where}: {missing} should be there")
        return not missing

    def start(self, block: Block, command: str) -> str:
        """Run one line of shell; gives what it printed."""
        (words, *_) = programs_of(command) or [[]]
        name = Path(words[0]).name if words else ""
        if name in CHECKOUT or NAMES_ITS_OWN.search(command) or not words:
            return ""
        if name == "mkdir":
            return ""
        line = " && ".join(shlex.join(self.small(each)) for each in programs_of(command))
        if "|" in command.replace("||", "") or ">" in command:
            line = shlex.join(self.small(words))
        done = self.call(["bash", "-c", line])
        assert done.returncode == 0, (
            f"{block.where}: {line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
        return done.stdout

    def small(self, words: list[str]) -> list[str]:
        """The words with small budgets, where the page leaves them open to it."""
        if self.full or words[:2] != ["distill", "run"]:
            return words
        swept = {word.partition("=")[0] for word in words}
        table = ["score=quick"] if "sampling=data" not in words else []
        added = [
            w
            for w in SMALL
            if w.partition("=")[0] not in swept - {"engine.seconds", "engine.evaluations"}
        ]
        return [*words, *table, *(w for w in added if w != "score=quick")]

    def ask_python(self, block: Block) -> None:
        """Run a block after those before it."""
        script = "\n".join([*self.python, "print('\\0', end='', flush=True)", block.text])
        (self.folder / "page.py").write_text(script + "\n", encoding="utf-8")
        done = self.call([sys.executable, "page.py"])
        assert done.returncode == 0, f"{block.where}\n{done.stderr[-3000:]}"
        self.python.append(block.text)
        self.printed = done.stdout.partition("\0")[2]

    def call(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {
            **os.environ,
            "PATH": path,
            "COLUMNS": "100",
            "PYTHONPATH": f"{ROOT}{os.pathsep}.",
        }
        return subprocess.run(
            words,
            cwd=self.folder,
            env=environment,
            text=True,
            capture_output=True,
            timeout=1800,
            check=False,
        )

    def compare(self, block: Block) -> None:
        """Every line that a page shows was printed, in that order."""
        printed = iter([line.strip() for line in self.printed.splitlines()])
        for line in (line.strip() for line in block.text.splitlines() if line.strip()):
            assert line in printed, f"{block.where}: not printed: {line}\n{self.printed}"
