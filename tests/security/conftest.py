"""A canary: the file that every payload here would create if it ever ran."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from distill import cli


@dataclass(frozen=True)
class Canary:
    """A place outside of the working folder that only a payload writes to."""

    path: Path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        """Pickled it is a payload, and unpickled it runs."""
        return os.system, (f"touch '{self.path}'",)

    @property
    def code(self) -> str:
        """Python that creates the file."""
        return f"open({str(self.path)!r}, 'w').close()"


@pytest.fixture
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canary]:
    """A canary that must be unharmed when the test is over."""
    one = Canary(tmp_path_factory.mktemp("outside") / "canary")
    yield one
    assert not one.path.exists(), "the payload ran"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def refused(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Call the command line, which must refuse with exit code 2; gives what it says."""

    def call(*words: str) -> str:
        before = {path: path.stat().st_size for path in place.rglob("*")}
        assert cli.main(list(words)) == 2
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert {path: path.stat().st_size for path in place.rglob("*")} == before
        return said.err

    return call
