"""What a person does with a candidate in MLflow: ``distill export`` and ``distill choose``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf
from rich.console import Console
from rich.text import Text

from distill.commands.results import shipped_data, shipped_line
from distill.commands.shipped import show_shipped
from distill.config.consent import check_consent
from distill.config.overrides import apply_overrides
from distill.config.schema import StudyConfig, plain, read_config
from distill.delivery.shipping import Shipped, export_directory, ship
from distill.engines.base import Candidate
from distill.errors import DistillError
from distill.files import is_inside
from distill.firmware.target import load_target
from distill.pipeline.opening import open_context
from distill.progress import Progress
from distill.voices.voice import Result, Voice

if TYPE_CHECKING:
    from distill.tracking.choose import Chosen
    from distill.tracking.fetch import CandidateRun


def export_run(
    reference: str,
    root: Path,
    uri: str | None,
    overrides: Sequence[str],
    voice: Voice,
    *,
    trust: bool = False,
) -> None:
    """Export a candidate that MLflow knows, by its study's config: ``distill export``.

    ``reference`` is a run's id, a version of a registered model or a study; ``trust`` says that
    code which the logged config names may run.

    Raises
    ------
    ConfigError : when it names code, and neither ``trust`` nor an override says so.
    TrackingError : when there is no such candidate.
    ExportError, ToolchainError : as for :func:`ship`.
    """
    from distill.tracking.fetch import load_candidate_run
    from distill.tracking.store import open_store

    run = load_candidate_run(reference, open_store(root, uri))
    config = _config_of(run, overrides, trust)
    if "export.directory" not in _keys(overrides):
        _keep_inside(config, root, voice)
    shipped = _shipped(run, config, root, None, voice)
    voice.result(
        Result(
            show=lambda console: _show_export(console, run, shipped),
            line=shipped_line(shipped),
            data={"run": run.run_id, "export": shipped_data(shipped)},
        )
    )


def choose_run(
    reference: str, root: Path, uri: str | None, *, c: bool, voice: Voice, trust: bool = False
) -> None:
    """Make a candidate the champion of its teacher's output: ``distill choose``.

    ``c`` says whether a new version of the registered model gets its C, which is made for the
    target of the study and verified. Where it cannot be made the choice stands without it.
    ``trust`` is as for :func:`export_run`.

    Raises
    ------
    ConfigError : when the C is wanted and needs code that the logged config names.
    TrackingError : when there is no such candidate, or the store fails.
    """
    from distill.tracking.choose import champion_of_run, choose_candidate, is_registered
    from distill.tracking.fetch import load_candidate_run
    from distill.tracking.store import open_store

    store = open_store(root, uri)
    run = load_candidate_run(reference, store)
    with tempfile.TemporaryDirectory() as folder:
        bundle = None
        if c and not is_registered(run, store):
            config = _config_of(run, (), trust)
            bundle = _made(run, config, root, Path(folder) / "c", voice)
        chosen = choose_candidate(champion_of_run(run, bundle), run, store)
    voice.result(
        Result(
            show=lambda console: _show_choice(console, run, chosen),
            line=f"{chosen.model} version {chosen.version}: {run.run_name}",
            data={
                "run": run.run_id,
                "model": chosen.model,
                "version": chosen.version,
                "before": chosen.before,
            },
        )
    )


def _keys(overrides: Sequence[str]) -> list[str]:
    return [override.partition("=")[0] for override in overrides]


def _config_of(run: CandidateRun, overrides: Sequence[str], trust: bool) -> StudyConfig:
    """The config that was logged, with the overrides; anybody may have written it."""
    config = read_config(OmegaConf.create(apply_overrides(run.config, overrides)))
    check_consent(plain(config), _keys(overrides), trust=trust, search=False)
    return config


def _keep_inside(config: StudyConfig, root: Path, progress: Progress) -> None:
    """Leave a directory that was logged only where it lies in this folder or in ``root``."""
    logged = config.export.directory
    if logged and not is_inside(Path(logged), Path.cwd(), root):
        progress.warn(
            f"the study's C went to {logged}, outside of this folder, and goes to build/ now; "
            "export.directory=FOLDER says where else."
        )
        config.export.directory = None


def _made(
    run: CandidateRun, config: StudyConfig, root: Path, directory: Path, progress: Progress
) -> Path | None:
    """The C of a candidate in a folder; None with a warning where none can be made."""
    try:
        return _shipped(run, config, root, directory, progress).bundle.directory
    except DistillError as error:
        progress.warn(f"the registered model has no C: {error.what}")
        return None


def _shipped(
    run: CandidateRun, config: StudyConfig, root: Path, directory: Path | None, progress: Progress
) -> Shipped:
    """The C of a candidate, in the config's directory where none is given.

    What is kept of it goes below the user's ``root``, whatever root was logged.
    """
    config.root = str(root)
    context = open_context(config, domain=run.candidate.formula.domain)
    target = load_target(config.target)
    return ship(
        context,
        Candidate.from_data(run.candidate.candidate_data),
        run.candidate.score.max_error,
        target,
        directory or export_directory(config, context.teacher, target),
        progress,
    )


def _show_export(console: Console, run: CandidateRun, shipped: Shipped) -> None:
    console.print(Text(f"\n  of       {run.run_name}"), soft_wrap=True)
    show_shipped(console, shipped)


def _show_choice(console: Console, run: CandidateRun, chosen: Chosen) -> None:
    """What changed, and what follows from it."""
    name = f"models:/{chosen.model}@champion"
    lines = [f"  chosen   {run.run_name}"]
    if chosen.version == chosen.before:
        lines.append(f"  model    {name} was version {chosen.version} already")
    elif chosen.before is None:
        lines.append(f"  model    {name} is version {chosen.version} now")
    else:
        lines.append(
            f"  model    {name} is version {chosen.version} now and was version {chosen.before}"
        )
    lines += [f"  before   {other}: no longer chosen" for other in chosen.unmarked]
    lines += [f"  next     distill export run={name}"]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
