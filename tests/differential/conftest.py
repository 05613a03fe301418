"""The benchmarks are programs beside the package: their folder is not importable by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def compilers():
    """The compilers of this machine."""
    from distill.firmware.toolchains import host_compilers

    found = host_compilers()
    if not found:
        pytest.skip("no C compiler is installed")
    return found
