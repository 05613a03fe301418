"""Tasks as elements of Slurm's job arrays, submitted with submitit."""

from __future__ import annotations

import logging
import math
import shlex
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from distill.errors import ClusterError, ConfigError
from distill.sweeping.slurm_call import TIME_UP, Call, Shared
from distill.sweeping.slurm_queue import Queue, largest_array

if TYPE_CHECKING:
    from submitit import SlurmExecutor

log = logging.getLogger(__name__)

LARGER_THAN_0 = ("cpus_per_task", "mem_gb", "timeout_min", "array_parallelism", "array_size")


@dataclass
class SlurmConfig:
    """``conf/hydra/launcher/slurm.yaml``."""

    submitit_folder: str
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    cpus_per_task: int = 1
    mem_gb: float | None = None
    timeout_min: int = 60
    signal_delay_s: int = 120
    max_num_timeout: int = 10
    array_parallelism: int = 256
    array_size: int | None = None
    setup: list[str] = field(default_factory=list)
    additional_parameters: dict[str, Any] = field(default_factory=dict)


def read_slurm(given: Mapping[str, Any]) -> SlurmConfig:
    """The launcher's keys, checked.

    Raises
    ------
    ConfigError : naming the key.
    """
    try:
        schema = OmegaConf.structured(SlurmConfig)
        config = cast(SlurmConfig, OmegaConf.to_object(OmegaConf.merge(schema, dict(given))))
    except OmegaConfBaseException as error:
        key = f"hydra.launcher.{error.full_key or '?'}"
        reason = str(error.msg or error).splitlines()[0]
        raise ConfigError(f"{reason}.", where=f"config key `{key}`") from None
    for name in LARGER_THAN_0:
        value = getattr(config, name)
        if value is not None and not value > 0:
            key = f"hydra.launcher.{name}"
            raise ConfigError(
                f"`{key}` is {value}, but must be larger than 0.", where=f"config key `{key}`"
            )
    if not 0 <= config.signal_delay_s < 60 * config.timeout_min:
        raise ConfigError(
            f"`hydra.launcher.signal_delay_s` is {config.signal_delay_s}, "
            f"but must be within the {60 * config.timeout_min} s that an element has.",
            where="config key `hydra.launcher.signal_delay_s`",
            hint="give a larger hydra.launcher.timeout_min.",
        )
    return config


def run_all(
    config: SlurmConfig, tasks: Sequence[Sequence[str]], first: int, shared: Shared
) -> None:
    """Run each task as an element of an array, and wait until none is active any more.

    Ctrl-C cancels them; a killed driver leaves them running, and the next one rejoins them.

    Raises
    ------
    ClusterError : when Slurm cannot be asked, or takes none of them.
    """
    folder = Path(config.submitit_folder).absolute()
    queue, file = Queue(folder), folder / f"{uuid.uuid4().hex}.shared.pkl"
    shared.write(file)
    with queue.cancelled_by_ctrl_c():
        _submit(config, [Call(file, t, n) for n, t in enumerate(tasks, first)], queue)
        queue.wait()
    file.unlink()
    if deaths := queue.deaths():
        log.warning("Slurm ended %s; what they wrote is in %s.", deaths, folder)


def rejoin(folder: Path) -> None:
    """Wait for what an earlier driver has started; Ctrl-C cancels it.

    Raises
    ------
    ClusterError : when there is no Slurm here, or it does not answer.
    """
    queue = Queue(folder)
    if active := queue.active():
        log.warning("waiting for what runs already: %s", ", ".join(e.name for e in active))
        with queue.cancelled_by_ctrl_c():
            queue.wait()


def _submit(config: SlurmConfig, calls: Sequence[Call], queue: Queue) -> None:
    """Submit arrays as large as the cluster takes them."""
    size = min(config.array_size or sys.maxsize, largest_array())
    parts = [calls[at : at + size] for at in range(0, len(calls), size)]
    # Together they run no more at a time than one would.
    executor = _executor(config, max(1, config.array_parallelism // len(parts)))
    from submitit.core.utils import FailedJobError

    for part in parts:
        while True:
            try:
                executor.submit_array(part)
            except FailedJobError as error:
                # A user may have only so much in the queue: room comes when the first have ended.
                if queue.active():
                    queue.wait()
                    continue
                raise ClusterError(
                    f"sbatch takes no array of {len(part)} elements: {error}",
                    where="hydra/launcher=slurm",
                    hint="see the keys hydra.launcher.*; fewer elements: sweep.jobs_per_task, "
                    "smaller arrays: hydra.launcher.array_size.",
                ) from error
            break


def _executor(config: SlurmConfig, parallel: int) -> SlurmExecutor:
    try:
        from submitit import SlurmExecutor
    except ImportError:
        raise ConfigError(
            "the Python package submitit is not installed.",
            where="hydra/launcher=slurm",
            hint="pip install 'distill[sweep]'",
        ) from None

    # The interpreter takes the place of the batch script's shell, so that it gets the signal, and
    # no step is needed: `srun` would cost a round trip, and would not hand on cpus_per_task.
    executor = SlurmExecutor(
        config.submitit_folder,
        config.max_num_timeout,
        python=f"exec {shlex.quote(sys.executable)} -P",
    )
    given = {
        "job_name": "distill",
        "partition": config.partition,
        "account": config.account,
        "qos": config.qos,
        "constraint": config.constraint,
        "cpus_per_task": config.cpus_per_task,
        "mem": None if config.mem_gb is None else f"{math.ceil(1024 * config.mem_gb)}M",
        "time": config.timeout_min,
        "array_parallelism": parallel,
        "setup": config.setup,
        "use_srun": False,
        "additional_parameters": {
            "signal": f"B:{TIME_UP.name.removeprefix('SIG')}@{config.signal_delay_s}",
            "requeue": True,
            **config.additional_parameters,
        },
    }
    executor.update_parameters(**{key: value for key, value in given.items() if value is not None})
    return executor
