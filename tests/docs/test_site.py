"""The site builds without a warning, loads nothing from elsewhere, and lacks no reference."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import distill
from distill.cli.table import COMMANDS
from distill.config.folder import conf_directory
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Loaded(HTMLParser):
    """What a browser fetches of itself for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        fetched = {"script": "src", "img": "src", "iframe": "src", "source": "src"}.get(tag)
        if tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload"}:
            fetched = "href"
        self.places += [place for place in [given.get(fetched or "")] if place]


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.places
        elsewhere = [place for place in loaded.places if re.match(r"(https?:)?//", place)]
        assert not elsewhere, page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text()), sheet


def test_every_public_name_every_command_and_every_key_has_its_place(site):
    python = (site / "reference/python.html").read_text(encoding="utf-8")
    for name in distill.__all__:
        if not name.startswith("_"):
            assert re.search(rf'id="distill\.[\w.]*\b{name}"', python), name
    commands = (site / "reference/commands.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"distill {name}" in commands
    config = (site / "reference/config.html").read_text(encoding="utf-8")
    for file in conf_directory().rglob("*.yaml"):
        for key in re.findall(r"^(\w+):", file.read_text(encoding="utf-8"), re.M):
            assert key in {"defaults", "hydra"} or key in config, f"{file.name}: {key}"
