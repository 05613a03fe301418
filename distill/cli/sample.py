"""``distill sample``: a slow teacher is asked ahead, in parts that any launcher of Hydra runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distill.cli.run import Run, under_hydra
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError, DistillError
from distill.interrupts import not_lost

if TYPE_CHECKING:
    from hydra.types import HydraContext
    from omegaconf import DictConfig


def run(arguments: list[str]) -> int:
    """Ask the teacher at the points of the design, so that ``distill run`` finds the answers."""
    manner, arguments = manner_of(arguments)
    # Hydra gives its launchers to a sweeper alone.
    return under_hydra(_Sample(manner), "sample", [*arguments, "hydra.mode=MULTIRUN"])


@dataclass
class _Sample(Run):
    """What Hydra's sweeper hands over to."""

    def sweep(self, context: HydraContext, config: DictConfig, arguments: list[str]) -> None:
        """Ask all points."""
        from distill.config.schema import read_config
        from distill.gathering.gather import gather
        from distill.gathering.telling import result_of
        from distill.sweeping.launch import launch

        def over_launcher(task: Callable[[DictConfig], None], tasks: int, logs: Path) -> None:
            launch(context, config, task, tasks, arguments, logs)

        try:
            with voice_of(self.manner, "sample") as voice, not_lost():
                _check_single(arguments)
                voice.result(result_of(gather(read_config(config), over_launcher, voice)))
        except DistillError as error:
            self.leave(error)
        except Exception:
            self.leave_with_bug()
        self.exit_code = 0


def _check_single(arguments: list[str]) -> None:
    """Refuse what stands for several values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    for override in OverridesParser.create().parse_overrides(arguments):
        if override.is_sweep_override():
            raise ConfigError(
                f"`{override.input_line}` stands for several values.",
                where=f"config key `{override.key_or_group}`",
                hint="distill sample asks one design; call it once for each.",
            )
