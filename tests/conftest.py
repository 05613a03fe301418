"""Options of the whole test run."""

from __future__ import annotations

import difflib
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.servers.fixtures"]

# The same examples every time, so that a failure belongs to the change that is tested; `make
# test-all` draws new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("new", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


TOGETHER = {
    "tests/cluster/": "a Slurm of one node",
    "tests/servers/": "PostgreSQL and MLflow",
    "tests/tracking/test_references.py": "PostgreSQL and MLflow",
}
"""Tests of one worker, by how their path begins: what they share takes long to start."""


class TogetherOrByFile(LoadFileScheduling):
    """A worker gets a whole file, so that what a file's tests share is made once.

    Marks (``xdist_group``) would not do: pytest 9.2 takes no notice of the names that pytest-xdist
    3.8 makes of them, and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((what for start, what in TOGETHER.items() if file.startswith(start)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """The order in which two workers share the tests."""
    return TogetherOrByFile(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write the golden files anew, then look at git diff",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file byte for byte, or write the file with --rewrite-golden."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        stored = path.read_bytes().decode() if path.exists() else ""
        if stored != text:
            diff = difflib.unified_diff(
                stored.splitlines(), text.splitlines(), str(path), "generated now", lineterm=""
            )
            pytest.fail("\n".join(["pytest --rewrite-golden accepts this:", *diff]), pytrace=False)

    return compare


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach the programs that tests start, also where a shell runs the tests behind `&`.

    Such a shell has them ignore it, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all tools were installed on purpose, a test that skips has missed one: it fails."""
    report = yield
    if report.skipped and os.environ.get("DISTILL_NATIVE") == "required":
        report.outcome = "failed"
    return report
