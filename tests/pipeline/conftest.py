"""A small, quick study for tests that need a whole one."""

from pathlib import Path

import pytest
from quick_study import make_quick

from distill.config import StudyConfig


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    """A config that distills the pendulum with the polynomial engine within seconds."""
    return make_quick(tmp_path, monkeypatch)
