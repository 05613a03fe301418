"""What the commands do: the pipeline with a terminal in front of it and MLflow behind it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from distill.config import StudyConfig, plain, read_config
from distill.delivery import Shipped, export_directory, ship, ship_all
from distill.engines.base import Candidate
from distill.errors import DistillError, ExportError, ToolchainError, TrackingError
from distill.files import write_whole
from distill.firmware.target import load_target
from distill.opening import open_context
from distill.outputs import ALL, search_all
from distill.pipeline import search, study_root
from distill.progress import Progress
from distill.runner import key_of
from distill.study import Study
from distill.study_set import StudySet


def track(folder: Path, root: Path, uri: str | None, progress: Progress) -> dict[str, Any]:
    """Log a recorded study to MLflow unless this store has it; gives where it is there.

    Raises
    ------
    TrackingError : when the store cannot be reached; ``distill log`` does it later.
    """
    from distill.tracking.log import log_study
    from distill.tracking.record import load_record
    from distill.tracking.store import open_store

    progress.begin("log", "to MLflow")
    store = open_store(root, uri)
    logged = log_study(load_record(folder), store, progress)
    place = {
        "uri": store.uri,
        "experiment": logged.experiment_id,
        "run": logged.parent_run_id,
        "candidates": dict(logged.run_ids),
    }
    write_whole(folder / LOGGED, json.dumps(place, indent=1))
    progress.end("log", f"{len(logged.run_ids)} candidates in MLflow", reused=False)
    return place


LOGGED = "logged.json"


def log_left(root: Path, uri: str | None, progress: Progress) -> int:
    """Log every recorded study below ``root`` that is not in MLflow yet; gives how many.

    Raises
    ------
    TrackingError : when the store cannot be reached.
    """
    left = [f.parent for f in sorted(root.glob("*/study/*/study.json")) if not _is_logged(f.parent)]
    for folder in left:
        track(folder, root, uri, progress)
    return len(left)


def _is_logged(folder: Path) -> bool:
    """Whether the study is in a store that is still there, as far as a look at the disk tells."""
    try:
        place = json.loads((folder / LOGGED).read_text(encoding="utf-8"))
        uri = str(place["uri"])
    except (OSError, ValueError, KeyError):
        return False
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()


def run_and_show(config: StudyConfig, overrides: Sequence[str] = ()) -> None:
    """Distill, export, verify, log, and say on the terminal what came out: ``distill run``.

    ``overrides`` are what a sweep varied; they name the study in MLflow.

    Raises
    ------
    DistillError : for everything that a user can do something about. Where no C can be made, or
        MLflow cannot be reached, this comes last: all results are on disk then.
    """
    from distill.summary import show, show_all
    from distill.terminal import Terminal

    target = load_target(config.target)
    whole: StudySet | None = None
    shipped: Shipped | None = None
    unshipped: DistillError | None = None
    with Terminal() as progress:
        if config.teacher.output == ALL:
            whole = search_all(config, progress)
            studies = whole.studies
        else:
            studies = (search(config, progress),)
        study, chosen = studies[0], studies[0].chosen
        directory = export_directory(config, study.context.teacher, target)
        try:
            if whole is not None:
                shipped = ship_all(whole, target, directory, progress)
            else:
                shipped = ship(
                    study.context,
                    chosen.candidate if chosen else None,
                    chosen.score.max_error if chosen else None,
                    target,
                    directory,
                    progress,
                )
        except (ExportError, ToolchainError) as error:
            unshipped = error  # what was found is kept and shown all the same
        folders = [record_once(study, shipped, overrides, whole) for study in studies]
        problem: TrackingError | None = None
        for folder in folders if config.tracking.enabled else ():
            if problem is not None or _is_logged(folder):
                continue
            try:
                track(folder, Path(config.root), config.tracking.uri, progress)
            except TrackingError as error:
                problem = error
    if whole is not None:
        show_all(Console(), whole, shipped, next_steps(config))
    else:
        show(Console(), study, shipped, next_steps(config))
    if unshipped is not None:
        raise unshipped
    if problem is not None:
        raise TrackingError(
            f"the study is complete, but not in MLflow: {problem.what}",
            where=problem.where,
            hint=f"everything is kept in {folders[0].parent}; "
            f"`distill log{_where(config)}` logs it later.",
        )


def record_once(
    study: Study, shipped: Shipped | None, overrides: Sequence[str], whole: StudySet | None = None
) -> Path:
    """The folder of the study's record, written when it is new; without C where none was made.

    ``whole`` are the studies of all outputs where their C was made together.
    """
    config = study.context.config
    own: dict[str, object] = {"export": plain(config.export), "sweep": config.sweep}
    if shipped is None:
        own["exported"] = False
    together = [] if whole is None else ["together", *(each.key for each in whole.studies)]
    key = key_of("study", own, [study.key, *together])
    folder = study_root(config, study.context.teacher) / "study" / key[:16]
    if not (folder / "study.json").exists():
        from distill.tracking.record import save_record

        save_record(
            study.record(
                key,
                bundle=shipped.bundle if shipped else None,
                evidence=shipped.evidence if shipped else None,
                alternatives=shipped.alternatives if shipped else (),
                overrides=overrides,
                labels=None if whole is None else whole.labels,
            ),
            folder,
        )
    return folder


def next_steps(config: StudyConfig) -> list[str]:
    """The commands that a finished study suggests."""
    return [
        f"compare the candidates:  {_program()} ui{_where(config)}",
        f"export another one:      {_program()} export run=RUN_ID{_where(config)}",
    ]


def _where(config: StudyConfig) -> str:
    """Arguments that lead the small commands to where this study was kept."""
    root = "" if config.root == StudyConfig().root else f" root={config.root}"
    return root + (f" uri={config.tracking.uri}" if config.tracking.uri else "")


def _program() -> str:
    """How this program is called: as a path when it is not on the search path."""
    program = Path(sys.executable).with_name("distill")
    if shutil.which("distill") or not program.exists():
        return "distill"
    try:
        return str(program.relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def export_run(run_id: str, root: Path, uri: str | None, overrides: list[str]) -> None:
    """Export the candidate of an MLflow run, by its study's config: ``distill export``.

    Raises
    ------
    TrackingError : when there is no such run.
    ExportError, ToolchainError : as for :func:`ship`.
    """
    from distill.overrides import apply_overrides
    from distill.summary import show_shipped
    from distill.terminal import Terminal
    from distill.tracking.fetch import load_candidate_run
    from distill.tracking.store import open_store

    with Terminal() as progress:
        run = load_candidate_run(run_id, open_store(root, uri))
        changed = apply_overrides(run.config, overrides)
        config = read_config(OmegaConf.create(changed))
        context = open_context(config, domain=run.candidate.formula.domain)
        target = load_target(config.target)
        candidate = Candidate.from_data(run.candidate.candidate_data)
        shipped = ship(
            context,
            candidate,
            run.candidate.score.max_error,
            target,
            export_directory(config, context.teacher, target),
            progress,
        )
    show_shipped(Console(), shipped)


def open_ui(root: Path, uri: str | None, port: int, *, browser: bool) -> None:
    """Serve MLflow until Ctrl-C: ``distill ui``."""
    from distill.tracking.store import open_store
    from distill.tracking.ui import serve

    serve(open_store(root, uri), port, open_browser=browser)
