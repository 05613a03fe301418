"""What Hydra calls for ``hydra/launcher=slurm``. Its plugins lie here; all work is in distill."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SlurmLauncher(Launcher):
    """Runs tasks as elements of job arrays."""

    def __init__(self, **given: Any) -> None:
        self._given = given

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra gives, and check the launcher's own keys."""
        from distill.sweeping.slurm import read_slurm

        self._context, self._function, self._config = hydra_context, task_function, config
        self._slurm = read_slurm(self._given)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Return when no task is active any more; nothing, because tasks leave it on disk."""
        from hydra.core.singleton import Singleton

        from distill.sweeping.slurm import run_all
        from distill.sweeping.slurm_call import Shared

        shared = Shared(Singleton.get_state(), self._context, self._config, self._function)
        run_all(self._slurm, job_overrides, initial_job_idx, shared)
        return []

    def rejoin(self) -> None:
        """Wait for what an earlier process has launched for the same sweep."""
        from distill.sweeping.slurm import rejoin

        rejoin(Path(self._slurm.submitit_folder))
