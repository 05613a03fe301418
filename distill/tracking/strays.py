"""Runs that a server made when nobody waited for its answer any longer.

A request that takes too long is given up, or sent again, and the server may do its part all the
same. Such a run has the tags of its study and nothing else, and stays running for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from distill.tracking.entries import DIGEST, KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def delete_strays(client: MlflowClient, experiment: str, key: str, kept: Collection[str]) -> None:
    """Delete the runs of a study, by its key, that are still running and none of the kept ids."""
    for run in _running(client, [experiment], f"= '{key}'"):
        if run.info.run_id not in kept:
            client.delete_run(run.info.run_id)


def delete_late(client: MlflowClient, experiments: Sequence[str], whole: Collection[str]) -> None:
    """Delete the runs that were made after their study was whole.

    ``whole`` has the first 16 digits of the keys of such studies.
    """
    for run in _running(client, experiments, "LIKE '%'"):
        # What was complete before and is now being logged again has a digest.
        if run.data.tags[KEY][:16] in whole and DIGEST not in run.data.tags:
            client.delete_run(run.info.run_id)


def _running(client: MlflowClient, experiments: Sequence[str], key: str) -> list[Run]:
    """The first thousand, which are plenty."""
    if not experiments:
        return []
    wanted = f"tags.`{KEY}` {key} and attributes.status = 'RUNNING'"
    return list(client.search_runs(list(experiments), wanted, max_results=1000))
