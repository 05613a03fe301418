"""The code blocks of the documentation, each with what its page says of testing it.

A comment above a block says what to do with it, unseen by readers:

    <!-- test: output -->            lines that the block before it printed
    <!-- test: file NAME -->         is written to that file
    <!-- test: part of FILE -->      an excerpt of a file of the checkout
    <!-- test: needs WHAT -->        cannot be run by a test; see NEEDS
    <!-- test: with PROGRAM ... -->  is run where these are installed
    <!-- test: in full -->           at the top of a page: nothing on it is run with smaller budgets
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

NEEDS = {
    "a board": "a chip, its programmer or the makers' tools",
    "a browser": "waits for a person",
    "a cluster": "Slurm, and somebody's account on it",
    "a network": "downloads",
    "a server": "a database or an MLflow server somewhere else",
    "Docker": "builds or runs an image",
    "hours": "a benchmark, or all tests",
    "Julia": "PySR with a real Julia",
    "root": "installs system packages",
    "your files": "names what only the reader has",
}
"""What a test has not, and why."""

RUN = {"sh", "python"}
SHOWN = {"bash", "c", "cmake", "cpp", "csv", "ini", "json", "toml", "text", "yaml"}
"""Languages of blocks that are nothing to run; batch scripts are `bash`."""

MARK = re.compile(r"^\s*<!-- test: (.+?) -->\s*$")
COMMANDS = re.compile(r"^\s*(?:\$ |(?:distill|make|pip|python|apt)\s+[\w'./-]+)")


@dataclass(frozen=True)
class Block:
    """One block of a page; ``mark`` is what the comment above it says."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every block of a page, fenced or indented; an indented one has no language."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    number, blank, mark, in_list = 0, True, "", False
    while number < len(lines):
        line = lines[number]
        fence = re.match(r"^( *)(`{3,}|~{3,})(.*)$", line)
        if fence:
            end = number + 1
            while end < len(lines) and lines[end].strip() != fence[2]:
                end += 1
            cut = len(fence[1])
            text = "\n".join(one[cut:] for one in lines[number + 1 : end])
            language = fence[3].strip().partition(" ")[0]
            found.append(Block(page, number + 1, language, text, mark))
            number, blank, mark = end + 1, False, ""
            continue
        if line.startswith("    ") and blank and line.strip() and not in_list:
            found.append(Block(page, number + 1, "", line, mark))
        if line.strip():
            mark = named[1] if (named := MARK.match(line)) else ""
            in_list = bool(re.match(r"\s*([-*+]|\d+\.) ", line)) or (
                in_list and line.startswith(" ")
            )
        blank = not line.strip()
        number += 1
    return found


def in_full(page: Path) -> bool:
    """Whether a page's own figures are to come out, with its own budgets."""
    return "<!-- test: in full -->" in page.read_text(encoding="utf-8")


def commands_of(block: Block) -> list[str]:
    """The commands of a block of shell, each as one line without its comment."""
    joined = re.sub(r"\\\n\s*", "", block.text)
    return [bare for line in joined.splitlines() if (bare := without_comment(line))]


def without_comment(line: str) -> str:
    """A line up to a # that no quotes are around."""
    quote = ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place].strip()
    return line.strip()


def programs_of(command: str) -> list[list[str]]:
    """The words of each program that a line starts, without variables before and files after."""
    lexer = shlex.shlex(_known(command), posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    programs: list[list[str]] = [[]]
    into = False
    for word in lexer:
        if word and set(word) <= set("|&;"):
            programs.append([])
        elif word == ">":
            into = True
            continue
        elif not into:
            programs[-1].append(word)
        into = False
    return [words for words in map(_without_variables, programs) if words]


def _known(command: str) -> str:
    """A command with the variables that the pages set once filled in."""
    for name, value in VARIABLES.items():
        command = command.replace(f'"${name}"', shlex.quote(value))
    return command


def _without_variables(words: list[str]) -> list[str]:
    """What is left when NAME=VALUE at the beginning is gone."""
    first = (i for i, word in enumerate(words) if not re.match(r"^[A-Z_]+=", word))
    return words[next(first, len(words)) :]


def _variables(page: Path) -> dict[str, str]:
    lines = [
        line for block in blocks_of(page) if block.language == "sh" for line in commands_of(block)
    ]
    return {
        words[0].partition("=")[0]: words[0].partition("=")[2]
        for line in lines
        if re.match(r"^[A-Z]+=\S", line) and len(words := shlex.split(line)) == 1
    }


PREPARED = ROOT / "docs" / "how-to" / "index.md"
"""The page whose first block makes the files, and sets the variables, that examples use."""
VARIABLES = _variables(PREPARED)
