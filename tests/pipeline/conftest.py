"""A small, quick study for tests that need a whole one."""

from pathlib import Path

import pytest

from distill.config import StudyConfig, read_option

HERE = Path(__file__).parent


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyConfig:
    """A config that distills the pendulum with the polynomial engine within seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    config = StudyConfig(target=read_option("target", "pic32"), root=str(tmp_path / "studies"))
    config.teacher.source = "teachers_for_tests:pendulum"
    config.domain.variables = {
        "length": {"low": 0.1, "high": 2.0, "unit": "m"},
        "gravity": {"low": 1.5, "high": 12.0, "unit": "m/s^2"},
    }
    config.tolerance = 0.2
    config.sampling.points = 256
    config.engine.name = "polynomial"
    config.engine.evaluations = 100_000
    config.engine.operators = ["add", "sub", "mul", "div", "square", "sqrt"]
    config.engine.options = {"max_terms": 5, "max_degree": 3}
    config.score.points = 2_000
    config.score.starts = 8
    config.export.verify_points = 5_000
    config.tracking.enabled = False
    return config
