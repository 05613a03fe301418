"""What Hydra calls for ``distill run -m``. Its plugins must lie here; all work is in distill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext
from omegaconf import DictConfig


class Sweeping(Protocol):
    """The task function of who can sweep."""

    def __call__(self, composed: DictConfig) -> None:
        """Do the study that the config describes."""

    def sweep(self, context: HydraContext, config: DictConfig, arguments: list[str]) -> None:
        """Do every job that the arguments describe."""


class DistillSweeper(Sweeper):
    """Hands the arguments to the task function's own ``sweep``."""

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: Callable[[DictConfig], Any],
        config: DictConfig,
    ) -> None:
        """Keep what Hydra gives."""
        self._context, self._config = hydra_context, config
        self._task_function = cast("Sweeping", task_function)

    def sweep(self, arguments: list[str]) -> None:
        """Do every job that the arguments describe."""
        self._task_function.sweep(self._context, self._config, arguments)
