"""The run of a study that is still being searched for, or was when its process died.

It exists before the study's own key is known, so it is found by what the search is made from: the
teacher, the output and the config. Logging the study takes it over, whoever made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from distill.tracking.entries import ENGINE, KEY, KIND, LONGEST_VALUE, STUDY, SWEEP, shorten
from distill.tracking.origin import Origin
from distill.tracking.record import StudyRecord, digest

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

SEARCH = "distill.search"
"""The tag with the key of the search."""

_ELSEWHERE = ("root", "tracking")
"""Keys of the config that say where results go, and not what they are."""


@dataclass(frozen=True)
class Search:
    """What a study of one output is made from; ``config`` is the whole config as plain data.

    ``outputs`` is how many the teacher has, ``overrides`` what a sweep varied, ``origin`` the job
    that searches, where it is one of a sweep.
    """

    teacher_name: str
    teacher_fingerprint: str
    output_name: str
    config: Mapping[str, Any]
    overrides: tuple[str, ...] = ()
    outputs: int = 1
    origin: Origin | None = None

    @classmethod
    def of(cls, record: StudyRecord) -> Search:
        """The search that a finished study comes from."""
        return cls(
            record.teacher_name,
            record.teacher_fingerprint,
            record.output_name,
            record.config,
            record.overrides,
            record.outputs,
        )

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits, the same for the same search."""
        config = {key: value for key, value in self.config.items() if key not in _ELSEWHERE}
        return digest(self.teacher_fingerprint, self.output_name, config)

    @property
    def name(self) -> str:
        """What people call the run until the study has its name."""
        output = [self.output_name] if self.outputs > 1 else []
        named = [self._named(group) for group in ("engine", "target")]
        return " ".join([*output, *filter(None, named), *self.overrides])

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the run; those of the finished study come over them."""
        sweep = self.config.get("sweep")
        return {
            KIND: STUDY,
            SEARCH: self.key,
            ENGINE: self._named("engine"),
            "distill.target": self._named("target"),
            "distill.teacher": self.teacher_name,
            "distill.output": self.output_name,
            "distill.overrides": shorten(" ".join(self.overrides), LONGEST_VALUE),
            **({SWEEP: str(sweep)} if sweep else {}),
            **(self.origin.tags if self.origin else {}),
        }

    def _named(self, group: str) -> str:
        return str(self.config.get(group, {}).get("name", ""))


def unfinished_runs(client: MlflowClient, experiment: str, search: Search) -> list[Run]:
    """The runs that were begun for the search and belong to no study yet.

    One is the rule. Where an answer of the server was lost there may be more: the one that holds
    news comes first, then the newest.
    """
    runs = client.search_runs(
        [experiment],
        f"tags.`{SEARCH}` = '{search.key}'",
        order_by=["attributes.start_time DESC"],
    )
    return sorted((run for run in runs if KEY not in run.data.tags), key=_is_empty)


def _is_empty(run: Run) -> bool:
    return not run.data.metrics
