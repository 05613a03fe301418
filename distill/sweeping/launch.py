"""Starting processes of our own over the launcher that Hydra's config names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict


def launch(
    context: HydraContext,
    config: DictConfig,
    task: Callable[[DictConfig], None],
    tasks: int,
    overrides: Sequence[str],
    folder: Path,
) -> None:
    """Run ``task`` so many times, and wait until none runs any more.

    Each gets the config that the overrides compose to, and finds its number, counted from 0, in
    ``HydraConfig.get().job.num``. ``folder`` is where the launcher keeps its own files. What a task
    came to is to be read from what it left on disk: a process that dies says nothing.
    """
    launcher = _launcher(context, config, task, folder)
    launcher.launch([list(overrides)] * tasks, initial_job_idx=0)


def rejoin(context: HydraContext, config: DictConfig, folder: Path) -> None:
    """Wait for what an earlier process has launched for the same folder and still runs.

    Only a launcher whose tasks outlive it can have left some: it has a method of this name.
    """
    launcher = _launcher(context, config, None, folder)
    if wait := getattr(launcher, "rejoin", None):
        wait()


def _launcher(context: HydraContext, config: DictConfig, task: Any, folder: Path) -> Launcher:
    with open_dict(config):
        config.hydra.sweep.dir = str(folder)
    return Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=task, config=config
    )
