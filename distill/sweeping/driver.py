"""``distill run -m``: finds the jobs, starts those that are not done, and says what came out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from distill.config.schema import StudyConfig, SweepConfig, plain, read_sweep
from distill.errors import ConfigError, DistillError, StorageError
from distill.interrupts import not_lost
from distill.pipeline.opening import check_engine, open_context
from distill.runner import code_fingerprint
from distill.sweeping.budget import Plan, Shares, check
from distill.sweeping.composing import study_of
from distill.sweeping.folder import SweepFolder
from distill.sweeping.jobs import Job, fixed, grid, name_of
from distill.sweeping.kind import GridKind, Kind
from distill.sweeping.launch import launch, rejoin
from distill.sweeping.plan import Planned, expected, parallel_of
from distill.sweeping.record import JobRecord
from distill.sweeping.shows import SweepShow
from distill.sweeping.task import Task
from distill.sweeping.watching import watching

DIED = StorageError.exit_code
"""The exit code where a job died: nothing is known but that this machine ended it."""

NOT_PART = ("root", "tracking", "sweep", "hydra", "experiment")
"""Keys that say where results go and how jobs are shared out, and not what they are."""


@dataclass(frozen=True)
class Sweep:
    """One sweep, with Hydra's part of it."""

    context: HydraContext
    config: DictConfig
    settings: SweepConfig
    overrides: tuple[Override, ...]
    kind: Kind

    @property
    def fixed(self) -> tuple[str, ...]:
        """The words that hold for every job."""
        return fixed(self.overrides)

    def compose(self, job: Job) -> StudyConfig:
        """The study of a job.

        Raises
        ------
        ConfigError : naming the key.
        """
        return study_of(self.context, self.config, [*self.fixed, *job.overrides])


def sweep(context: HydraContext, config: DictConfig, words: Sequence[str], show: SweepShow) -> int:
    """Do every job that the words describe and that is not done; gives the exit code.

    Raises
    ------
    DistillError : for mistakes that concern the whole sweep; nothing has begun then.
    """
    parser = OverridesParser.create(config_loader=context.config_loader)
    overrides = tuple(parser.parse_overrides(list(words)))
    _check_axes(overrides)
    settings = read_sweep(config)
    whole = Sweep(context, config, settings, overrides, _kind(settings, overrides, config))
    identity = _identity(whole)
    name = settings.name or name_of(overrides, identity)
    folder = SweepFolder(Path(config.root).absolute() / "sweeps" / name)
    folder.make(words, whole.kind.listed, identity)
    _forget_unfinished(whole.kind, folder)
    shares, plan = _planned(whole, folder)
    show.planned(plan)
    try:
        with watching(folder, show):
            _launched(whole, folder, shares, show)
    finally:
        show.close()
    return _told(whole, folder, show)


def _kind(settings: SweepConfig, overrides: Sequence[Override], config: DictConfig) -> Kind:
    if settings.kind == "grid":
        return GridKind(tuple(grid(overrides)), settings.jobs_per_task, settings.attempts)
    try:
        from distill.sweeping.adaptive.kind import adaptive_kind
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise ConfigError(
            "adaptive sweeps need Optuna, which is not installed.",
            where="config key `sweep`",
            hint="pip install 'distill[sweep]', or sweep=grid.",
        ) from None
    plain_config = OmegaConf.to_container(config)
    assert isinstance(plain_config, dict)
    return adaptive_kind(settings, overrides, {str(k): v for k, v in plain_config.items()})


def _launched(whole: Sweep, folder: SweepFolder, shares: Shares | None, show: SweepShow) -> None:
    """Start what is not done; again what died, as often as is wanted."""
    rejoin(whole.context, whole.config, folder.path)
    for source, tasks in whole.kind.starts(folder):
        task = Task(
            folder, source, whole.context, whole.config, whole.fixed, shares, whole.kind.count
        )
        try:
            with not_lost():
                launch(whole.context, whole.config, task, tasks, whole.fixed, folder.path)
        except DistillError:
            raise
        except Exception as error:
            # What a launcher raises when a process of it dies says nothing of the others' jobs.
            show.warn(f"the launcher stopped: {type(error).__name__}: {str(error)[:300]}")


def _told(whole: Sweep, folder: SweepFolder, show: SweepShow) -> int:
    """Say what came out; gives the exit code: of the first job that failed, or of one that died."""
    records = [r for number in sorted(folder.ended()) if (r := folder.record(number)) is not None]
    died = whole.kind.died(folder)
    codes = [record.exit_code for record in records if record.exit_code]
    code = codes[0] if codes else DIED if died else 0
    show.finished(
        folder.name,
        records,
        died,
        _steps(whole, folder, records, died),
        code,
        whole.kind.found(folder),
    )
    return code


def _steps(
    whole: Sweep, folder: SweepFolder, records: Sequence[JobRecord], died: Sequence[int]
) -> list[str]:
    """The commands that a sweep suggests when it is over."""
    left = [r for r in records if r.status in {"failed", "left_out"}]
    steps = [f"compare the fronts:      distill compare sweep={folder.name}"]
    if whole.config.tracking.enabled:
        steps.append(
            f"compare in MLflow:       distill ui, filter: tags.`distill.sweep` = '{folder.name}'"
        )
    if left or died:
        steps.append("do what is not done:     the same command again")
    if failed := [r for r in records if r.status == "failed"]:
        steps.append(
            f"why job {failed[0].job.number} failed:        {folder.log_file(failed[0].job.number)}"
        )
    return steps


def _forget_unfinished(kind: Kind, folder: SweepFolder) -> None:
    """Let the jobs be done again that have no result to keep."""
    for number in folder.ended():
        record = folder.record(number)
        if record is None or kind.again(record):
            folder.forget(number)


def _planned(whole: Sweep, folder: SweepFolder) -> tuple[Shares | None, Planned]:
    """The shares of the time where it has a limit, and what to tell beforehand.

    Raises
    ------
    ConfigError : when the time is too short to begin.
    """
    kind, ended = whole.kind, folder.ended()
    todo = [job for job in kind.listed if job.number not in ended]
    left = kind.count - len(ended)
    parallel = parallel_of(whole.config.hydra.launcher, kind.tasks(folder))
    seconds, deadline, shares = {}, None, None
    if whole.settings.hours is not None and left > 0:
        own = {job.number: whole.compose(job).engine.seconds or 0.0 for job in todo}
        weights = tuple(own.get(job.number, 0.0) for job in kind.listed)
        deadline = time.time() + 3600 * whole.settings.hours
        plan = Plan(deadline, parallel, weights)
        seconds = expected(weights, check(plan, left, time.time()))
        shares = Shares(folder.path, plan)
    return shares, Planned(
        folder,
        kind.listed,
        kind.count,
        len(ended),
        parallel,
        seconds,
        deadline,
    )


def _check_axes(overrides: Sequence[Override]) -> None:
    """Refuse to vary what holds for the whole sweep."""
    for override in overrides:
        key = override.get_key_element().lstrip("+~")
        if override.is_sweep_override() and key.partition(".")[0] in {"sweep", "root", "tracking"}:
            raise ConfigError(
                f"`{key}` holds for the whole sweep and cannot be varied in it.",
                where="command line",
                hint=f"give one value: {key}=VALUE.",
            )


def _identity(whole: Sweep) -> str:
    """A hash of all that the jobs are made from, so that a change of it is another sweep.

    The teachers are loaded for it, and the values that are varied are tried: mistakes show before
    anything is started.
    """
    base = whole.config.copy()
    teachers: dict[str, str] = {}
    for job in whole.kind.probes:
        try:
            study = whole.compose(job)
            check_engine(study)
            teacher = json.dumps([plain(study.teacher), plain(study.domain)], sort_keys=True)
            if teacher not in teachers:
                teachers[teacher] = open_context(study).teacher.fingerprint
        except DistillError as error:
            job_words = f"job {job.number} ({' '.join(job.overrides)})"
            where = f"{error.where}, in {job_words}" if error.where else job_words
            raise type(error)(error.what, where=where, hint=error.hint) from error
    content = OmegaConf.to_container(base)
    assert isinstance(content, dict)
    made_from = json.dumps(
        {
            "config": {key: value for key, value in content.items() if key not in NOT_PART},
            "files": _config_files(whole.config),
            "jobs": [job.overrides for job in (*whole.kind.listed, *whole.kind.probes)],
            "kind": dict(whole.kind.told),
            "teachers": teachers,
            "code": code_fingerprint(),
        },
        sort_keys=True,
    )
    return hashlib.sha256(made_from.encode()).hexdigest()


def _config_files(config: DictConfig) -> dict[str, str]:
    """The files that options come from, of distill and of the user (``--config-dir``)."""
    folders = [
        Path(source.path)
        for source in config.hydra.runtime.config_sources
        if source.schema == "file"
    ]
    return {
        str(file): file.read_text(encoding="utf-8")
        for folder in folders
        if folder.is_dir()
        for file in sorted(folder.rglob("*.yaml"))
    }
