"""Where a study was made: the job of its sweep, the machine, and the log of it.

The tags are on the study's run from its beginning, so that the log of a job that died is found too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.tracking.store import Store, tracking_errors

LOG = "log"
"""The folder of a run's files that has the log."""


@dataclass(frozen=True)
class Origin:
    """The job that makes a study.

    ``launcher_job`` is the scheduler's number of it, empty where none started it.
    """

    job: int
    log: Path
    host: str
    launcher_job: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the study's run."""
        tags = {
            "distill.job": str(self.job),
            "distill.host": self.host,
            "distill.log": str(self.log.absolute()),
            "distill.launcher_job": self.launcher_job,
        }
        return {name: value for name, value in tags.items() if value}


def attach(origin: Origin, place: Mapping[str, Any], store: Store) -> None:
    """Put the tags and the log to a logged study's run.

    Raises
    ------
    TrackingError : when the store cannot be reached.
    """
    from mlflow.entities import RunTag

    run = str(place["run"])
    with tracking_errors(store):
        client = store.client()
        client.log_batch(run, tags=[RunTag(name, value) for name, value in origin.tags.items()])
        if origin.log.is_file():
            client.log_artifact(run, str(origin.log), LOG)
