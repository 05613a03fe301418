"""What the commands do: the pipeline with a terminal in front of it and MLflow behind it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from distill.commands.results import run_line, shipped_data, study_data
from distill.commands.summary import show, show_all
from distill.config.schema import StudyConfig, plain
from distill.delivery.shipping import Shipped, export_directory, ship, ship_all
from distill.errors import (
    DistillError,
    ExportError,
    StorageError,
    ToolchainError,
    TrackingError,
)
from distill.files import remove
from distill.firmware.target import load_target
from distill.limits import MemoryWatch
from distill.manifest import damage
from distill.pipeline.all_outputs import ALL, search_all, with_output
from distill.pipeline.one_output import search, study_root
from distill.pipeline.opening import check_engine, open_context
from distill.progress import Progress
from distill.runner import key_of
from distill.study.choice import StudyContext
from distill.study.slicing import draw
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.voices.several import Several
from distill.voices.terminal import Terminal
from distill.voices.voice import Result, Voice

if TYPE_CHECKING:
    from distill.tracking.origin import Origin
    from distill.tracking.sync import Place


def sync_all(root: Path, uri: str | None, voice: Voice, study: str = "") -> None:
    """Log every recorded study below ``root`` that is not in MLflow yet: ``distill sync``.

    With ``study`` only that one, and once more where it is there.

    Raises
    ------
    TrackingError : when the store cannot be reached, or fails on the way.
    ConfigError : when there is no such study.
    StorageError : when a record cannot be read; all others are logged then.
    """
    from distill.tracking.sync import log_again, sync

    done = log_again(study, root, uri, voice) if study else sync(root, uri, voice)
    count = len(done.places)
    line = f"{count} {'study' if count == 1 else 'studies'} logged."
    studies = [{"folder": str(f), "mlflow": dict(place)} for f, place in done.places.items()]
    voice.result(Result(lambda console: console.print(line), line, {"studies": studies}))
    if done.unreadable:
        first = done.unreadable[0]
        raise StorageError(
            f"{len(done.unreadable)} of the recorded studies cannot be read, among them one: "
            f"{first.what}",
            where=first.where,
            hint=first.hint,
        )


def run_and_show(
    config: StudyConfig,
    overrides: Sequence[str] = (),
    voice: Voice | None = None,
    origin: Origin | None = None,
) -> None:
    """Distill, export, verify, log, and say what came out: ``distill run``.

    ``overrides`` are what a sweep varied; they name the study in MLflow. ``origin`` is the job of
    the sweep. Without a ``voice`` the terminal speaks.

    Raises
    ------
    DistillError : for everything that a user can do something about. Where no C can be made, or
        MLflow cannot be reached, this comes last: all results are on disk then.
    """
    if voice is None:
        with Terminal() as terminal:
            return run_and_show(config, overrides, terminal, origin)
    if config.limits.memory is None:
        return _run_and_show(config, overrides, voice, origin)
    with MemoryWatch(config.limits.memory) as watch:
        return _run_and_show(config, overrides, Several(voice, watch), origin)


def _run_and_show(
    config: StudyConfig, overrides: Sequence[str], voice: Voice, origin: Origin | None
) -> None:
    target = load_target(config.target)
    shipped: Shipped | None = None
    unshipped: DistillError | None = None
    with _opened(config, overrides, voice, origin) as opened:
        progress, teacher, domain = opened.progress, opened.first.teacher, opened.first.domain
        whole: StudySet | None = None
        if config.teacher.output == ALL:
            whole = search_all(config, progress, teacher, domain)
            studies = whole.studies
        else:
            studies = (search(config, progress, teacher, domain),)
        study, chosen = studies[0], studies[0].chosen
        directory = export_directory(config, teacher, target)
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
    places, problem = _logged(config, folders, voice, origin, again=opened.begun())
    steps = next_steps(config)
    voice.result(
        Result(
            show=lambda console: (
                show(console, study, shipped, steps)
                if whole is None
                else show_all(console, whole, shipped, steps)
            ),
            line=run_line(studies, shipped, places),
            data={
                "studies": list(map(study_data, studies, folders, places)),
                "export": shipped_data(shipped),
            },
        )
    )
    if unshipped is not None:
        raise unshipped
    if problem is not None:
        raise TrackingError(
            f"the study is complete, but not in MLflow: {problem.what}",
            where=problem.where,
            hint=f"everything is kept in {folders[0].parent}; "
            f"`distill sync{_where(config)}` logs it later.",
        )


class _Opened(NamedTuple):
    """What a search reports to, its (first) output, and whether a run was begun in MLflow."""

    progress: Progress
    first: StudyContext
    begun: Callable[[], bool]


@contextmanager
def _opened(
    config: StudyConfig, overrides: Sequence[str], voice: Voice, origin: Origin | None
) -> Iterator[_Opened]:
    """The teacher loaded, and the search shown in MLflow where that is wanted."""
    check_engine(config)
    outputs = config.teacher.output == ALL
    first = open_context(with_output(config, 0) if outputs else config)
    if not (config.tracking.enabled and config.tracking.live):
        yield _Opened(voice, first, lambda: False)
        return
    from distill.tracking.live import live
    from distill.tracking.unfinished import Search

    teacher = first.teacher
    searches = [
        Search(
            teacher.name,
            teacher.fingerprint,
            teacher.outputs[number].name,
            plain(with_output(config, number) if outputs else config),
            tuple(overrides),
            len(teacher.outputs),
            origin,
        )
        for number in (range(len(teacher.outputs)) if outputs else [first.output])
    ]
    with live(searches, Path(config.root), config.tracking.uri, voice) as progress:
        yield _Opened(progress, first, lambda: progress.began)


def _logged(
    config: StudyConfig,
    folders: Sequence[Path],
    progress: Progress,
    origin: Origin | None,
    *,
    again: bool,
) -> tuple[list[Place | None], TrackingError | None]:
    """Where the studies are in MLflow, and what kept it from taking them."""
    places: list[Place | None] = [None] * len(folders)
    if not config.tracking.enabled:
        return places, None
    from distill.tracking.origin import attach
    from distill.tracking.store import open_store
    from distill.tracking.sync import track

    root, uri = Path(config.root), config.tracking.uri
    for i, folder in enumerate(folders):
        try:
            place = places[i] = track(folder, root, uri, progress, again=again)
            if origin is not None:
                attach(origin, place, open_store(root, uri))
        except TrackingError as error:
            return places, error
    return places, None


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
    if damage(folder):
        from distill.tracking.record_folder import save_record
        from distill.tracking.sync import alone

        bundle = shipped.bundle if shipped else None
        record = study.record(
            key,
            bundle=bundle,
            evidence=shipped.evidence if shipped else None,
            alternatives=shipped.alternatives if shipped else (),
            overrides=overrides,
            labels=None if whole is None else whole.labels,
        )
        drawn = draw(study, bundle)
        with alone(folder):
            if damage(folder):  # else another process has just written it
                if folder.is_file():
                    remove(folder)
                save_record(replace(record, slices=drawn.slices, guard=drawn.guard), folder)
    return folder


def next_steps(config: StudyConfig) -> list[str]:
    """The commands that a finished study suggests."""
    logging = [f"log the candidates:      {_program()} sync{_where(config)}"]
    return [
        *([] if config.tracking.enabled else logging),
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


def open_ui(root: Path, uri: str | None, port: int, *, browser: bool) -> None:
    """Serve MLflow until Ctrl-C: ``distill ui``."""
    from distill.tracking.store import open_store
    from distill.tracking.ui import serve

    serve(open_store(root, uri), port, open_browser=browser)
