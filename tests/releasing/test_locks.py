"""The locks name all that pyproject.toml asks for, each with hashes, and no index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from lock import EXTRAS, OLDER_PYSR, entries
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", *(f"locks/{n}.txt" for n in ("build", "torch", "pysr-1.5", "bench"))]
HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}\s*")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked(*names: str) -> dict[str, str]:
    """The entries of these locks by canonical name."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in names]
    return {canonicalize_name(name): e for text in texts for name, e in entries(text).items()}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_and_has_hashes(lock):
    for name, entry in locked(lock).items():
        # One that differs by marker has several pins.
        pins = re.split(r"^(?=\S)", entry.replace("\\\n", "\n"), flags=re.MULTILINE)[1:]
        assert pins, name
        for pin, *hashes in map(str.splitlines, pins):
            assert re.match(r"[\w.-]+==[\w.!+]+( |$)", pin), name
            assert hashes, name
            assert all(HASH.fullmatch(line) for line in hashes), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|file:", text)


@pytest.mark.parametrize("extra", ["", *EXTRAS, "bench"])
def test_what_the_project_asks_for_is_locked_at_a_version_it_allows(extra):
    asked = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    known = locked(*(name for name in LOCKS if name != "locks/pysr-1.5.txt"))
    for line in asked:
        need = Requirement(line)
        version = re.match(r"[\w.-]+==([\w.!+]+)", known[canonicalize_name(need.name)])
        assert version is not None, line
        assert need.specifier.contains(version[1], prereleases=True), line


def test_the_project_asks_for_nothing_that_no_lock_has():
    assert set(PROJECT["optional-dependencies"]) == {*EXTRAS, "bench"}
    (older,) = locked("locks/pysr-1.5.txt").values()
    assert older.startswith(OLDER_PYSR)


def test_what_builds_others_is_locked_once():
    whole, first = locked("requirements.lock"), locked("locks/build.txt")
    assert {"hatchling", "setuptools"} <= set(first)
    assert {name: whole[name] for name in first} == first


def test_entries_keep_both_versions_of_a_package_that_differs_by_marker():
    older, newer = "a==1 ; x \\\n    --hash=sha256:1\n", "a==2 ; y \\\n    --hash=sha256:2\n"
    text = f"{older}{newer}# said\nb==3 \\\n    --hash=sha256:3\n"
    assert list(entries(text)) == ["a", "b"]
    assert entries(text)["a"] == older + newer
