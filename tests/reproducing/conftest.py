"""A small study of a table of measurements, logged to a store of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from distill.commands.running import run_and_show
from distill.config.folder import read_option
from distill.config.schema import StudyConfig
from distill.voices.voice import Result, Unheeding


class Kept(Unheeding):
    """Keeps what a command came to."""

    def __init__(self) -> None:
        self.found: Result | None = None
        self.warnings: list[str] = []

    def result(self, result: Result) -> None:
        """Keep it."""
        self.found = result

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)


@dataclass(frozen=True)
class Logged:
    """A study in MLflow: the folder of its results, its run, and the table it was made from."""

    root: Path
    run: str
    candidate: str
    table: Path


@pytest.fixture(scope="session")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """Distill a table of 120 rows by least squares."""
    folder = tmp_path_factory.mktemp("logged")
    x = np.random.default_rng(3).uniform((0, 1), (4, 3), (120, 2))
    rows = np.column_stack([x, x[:, 0] * x[:, 1] + 0.1 * x[:, 0] ** 2])
    table = folder / "rows.csv"
    lines = ["load,speed,heat", *(",".join(map(repr, row)) for row in rows.tolist())]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = StudyConfig(target=read_option("target", "pic32"), root=str(folder / "studies"))
    config.teacher.source = str(table)
    config.sampling.design = "data"
    config.tolerance = 0.05
    config.engine.name = "polynomial"
    config.engine.evaluations = 100_000
    config.engine.operators = ["add", "sub", "mul", "square"]
    config.engine.options = {"max_terms": 3, "max_degree": 2}
    config.engine.keep = 3
    config.score.points, config.score.starts = 500, 2
    config.export.verify = False
    config.export.directory = str(folder / "c")
    config.tracking.live = False
    voice = Kept()
    run_and_show(config, (), voice)
    assert voice.found is not None
    (study,) = voice.found.data["studies"]
    place = study["mlflow"]
    return Logged(folder / "studies", place["run"], next(iter(place["candidates"].values())), table)
