"""A task on the node of a cluster: what submitit calls there."""

from __future__ import annotations

import pickle
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from distill.interrupts import interrupt

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from submitit.core.utils import DelayedSubmission

TIME_UP = signal.SIGUSR2
"""What Slurm sends some time before an element's limit; submitit then has it queued again."""


@dataclass(frozen=True)
class Shared:
    """What all tasks of a launch have in common: Hydra's state, and the function they call."""

    singletons: dict[type, Any]
    context: Any
    config: Any
    function: Any

    def write(self, file: Path) -> None:
        """Write it for the nodes, once for all of them."""
        import cloudpickle

        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(cloudpickle.dumps(self))


@dataclass(frozen=True)
class Call:
    """One task.

    Attributes
    ----------
    shared : file that the launcher has written, in the sweep's own folder.
    """

    shared: Path
    overrides: Sequence[str]
    number: int

    def __call__(self) -> None:
        """Set Hydra up as the driver has it, and call the task's function."""
        _end_in_order()
        shared: Shared = pickle.loads(self.shared.read_bytes())
        _run(shared, self.overrides, self.number).return_value  # noqa: B018 - raises what failed

    def checkpoint(self) -> DelayedSubmission:
        """What is queued again: the same, because stages and finished jobs are kept on disk."""
        from submitit.core.utils import DelayedSubmission

        return DelayedSubmission(self)


def _run(shared: Shared, overrides: Sequence[str], number: int) -> JobReturn:
    """What every launcher of Hydra does in its process."""
    from hydra.core.singleton import Singleton
    from hydra.core.utils import run_job, setup_globals
    from omegaconf import open_dict

    from distill.sweeping.record import launcher_job

    Singleton.set_state(shared.singletons)
    setup_globals()
    config = shared.context.config_loader.load_sweep_config(shared.config, list(overrides))
    with open_dict(config):
        config.hydra.job.id = launcher_job()
        config.hydra.job.num = number
    return run_job(
        hydra_context=shared.context,
        task_function=shared.function,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )


def _end_in_order() -> None:
    """Have the element end as with Ctrl-C: engines clean up, and MLflow is told.

    submitit's own handlers would let SIGTERM pass, and end the process from within a handler.
    """
    queue_again = signal.getsignal(TIME_UP)

    def end(number: int, frame: FrameType | None) -> None:
        for each in (TIME_UP, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        if number == TIME_UP and callable(queue_again):
            # It leaves with SystemExit, or says that it was queued often enough.
            with suppress(SystemExit, Exception):
                queue_again(number, frame)
        interrupt(number, frame)

    for each in (TIME_UP, signal.SIGTERM):
        signal.signal(each, end)
