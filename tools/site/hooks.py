"""What mkdocs calls: pages that come from elsewhere in the checkout join those of docs/."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands_page import commands_page
from config_page import config_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from python_page import python_page

ROOT = Path(__file__).resolve().parents[2]

# Files of the checkout that are pages, by their place in it.
COPIED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
GENERATED: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands_page,
    "reference/config.md": config_page,
    "reference/python.md": python_page,
}
# What a link may point to besides, and where the site has it.
ELSEWHERE = {"conf": "reference/config.md", **COPIED}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    for place, page in COPIED.items():
        if (ROOT / place).exists():
            text = (ROOT / place).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=relinked(text, place, page)))
    for page, write in GENERATED.items():
        files.append(File.generated(config, page, content=write()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links that leave docs/ find what the site has of it."""
    if page.file.generated_by:
        return markdown
    return relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def relinked(markdown: str, place: str, page: str) -> str:
    """A page's links, from where it lies in the checkout to where it lies in the site."""

    def link(match: re.Match[str]) -> str:
        target, hash_, anchor = match[2].partition("#")
        if "://" in target or not target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        found = in_site(path)
        if found is None:
            return match[1]
        words = posixpath.relpath(found, posixpath.dirname(page) or ".")
        return f"{match[1]}({words}{hash_}{anchor})"

    return re.sub(r"(!?\[[^\]]*\])\(([^)\s]+)\)", link, markdown)


def in_site(path: str) -> str | None:
    """Where the site has a file of the checkout; None for sources, which it has not."""
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    if path.startswith("conf/"):
        return ELSEWHERE["conf"]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return None if (ROOT / path).exists() else path
