"""The study done again, in a fresh folder, from the config that was logged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

import distill
from distill.commands.running import record_once
from distill.config.consent import check_consent
from distill.config.overrides import apply_overrides
from distill.config.schema import StudyConfig, plain, read_config
from distill.delivery.shipping import Shipped, ship, ship_all
from distill.errors import ExportError, TeacherError, ToolchainError
from distill.firmware.evidence import Check
from distill.firmware.target import Target, load_target
from distill.pipeline.all_outputs import search_all
from distill.pipeline.one_output import search
from distill.pipeline.opening import open_context
from distill.progress import Progress
from distill.study.choice import Choice, StudyContext
from distill.study.study import versions
from distill.study.study_set import StudySet
from distill.tracking.fetch import StudyRun
from distill.tracking.record_folder import load_record
from distill.tracking.reproduction import results


@dataclass(frozen=True)
class Reproduced:
    """What was not as it was before anything was compared, and what came out."""

    notes: tuple[Check, ...]
    results: Mapping[str, Any]


def config_of(run: StudyRun, overrides: Sequence[str], root: Path, *, trust: bool) -> StudyConfig:
    """The logged config with the user's overrides, its results below ``root``.

    Raises
    ------
    ConfigError : for an override that cannot be used, and for code that the config names where
        neither ``trust`` nor an override says that it may run.
    """
    config = read_config(OmegaConf.create(apply_overrides(run.config, overrides)))
    said = [override.partition("=")[0] for override in overrides]
    check_consent(plain(config), said, trust=trust, search=True)
    return replace(
        config,
        root=str(root / "studies"),
        export=replace(config.export, directory=str(root / "c")),
        tracking=replace(config.tracking, enabled=False),
    )


def check_teacher_file(run: StudyRun, config: StudyConfig) -> None:
    """Refuse to begin without the file that the teacher was read from.

    Raises
    ------
    TeacherError : when it is not there, or is another one; says its name and hash.
    """
    wanted = run.reproduction["teacher"]["file"]
    if not wanted:
        return
    path = Path(str(config.teacher.source))
    told = f"`{wanted['name']}`, SHA-256 {wanted['sha256']}"
    if not path.is_file():
        raise TeacherError(
            f"the teacher's file is not here: {told}.",
            where=str(path),
            hint="say where it is: teacher.source=FILE.",
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted["sha256"]:
        raise TeacherError(
            f"this is not the file that the study was made from, {told}.",
            where=f"{path}, SHA-256 {found}",
            hint="give that one: teacher.source=FILE.",
        )


def do_again(run: StudyRun, config: StudyConfig, progress: Progress) -> Reproduced:
    """Search, export and verify as ``distill run`` does, in the folder of the config.

    Raises
    ------
    TeacherError : when the teacher is another one.
    DistillError : whatever the study ends with.
    """
    check_teacher_file(run, config)
    context = open_context(config)
    teacher, wanted = context.teacher, run.reproduction["teacher"]
    if teacher.fingerprint != wanted["fingerprint"]:
        raise TeacherError(
            f"`{config.teacher.source}` is another teacher than the study's `{wanted['name']}`.",
            where=f"fingerprint {teacher.fingerprint[:16]}..., "
            f"logged {str(wanted['fingerprint'])[:16]}...",
            hint="give the model as it was: teacher.source=FILE.",
        )
    logged, target = run.reproduction["results"], load_target(config.target)
    directory = Path(str(config.export.directory))
    whole: StudySet | None = None
    if logged["outputs"] > 1:
        whole = search_all(config, progress, teacher, context.domain)
        study = whole.studies[context.output]
    else:
        study = search(config, progress, teacher, context.domain)
    chosen, shipped = study.chosen, None
    try:
        shipped = _shipped(study.context, chosen, whole, target, directory, progress)
    except (ExportError, ToolchainError) as error:
        progress.warn(f"no C: {error.what}")
    record = load_record(record_once(study, shipped, (), whole))
    return Reproduced(tuple(notes(run, config)), results(record))


def _shipped(
    context: StudyContext,
    chosen: Choice | None,
    whole: StudySet | None,
    target: Target,
    folder: Path,
    news: Progress,
) -> Shipped:
    if whole is not None:
        return ship_all(whole, target, folder, news)
    candidate = chosen.candidate if chosen else None
    error = chosen.score.max_error if chosen else None
    return ship(context, candidate, error, target, folder, news)


def notes(run: StudyRun, config: StudyConfig) -> list[Check]:
    """Why results may differ: limits in seconds, other versions, another machine."""
    found = []
    limits = {
        "engine.seconds": config.engine.seconds,
        "score.proof_seconds": config.score.proof_seconds,
        "export.proof_seconds": config.export.proof_seconds,
    }
    timed = [f"{key}={value:g}" for key, value in limits.items() if value is not None]
    if timed:
        told = f"{', '.join(timed)}: what a machine reaches in that time differs every time"
        found.append(Check("limited by time", None, told))
    before = dict(run.reproduction["versions"])
    now = {"distill": distill.__version__, **versions()}
    told_lines = [
        f"{name} {before.get(name, 'not there')} then, {now.get(name, 'not there')} now"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if told_lines:
        found.append(Check("versions", None, "\n".join(told_lines)))
    return found
