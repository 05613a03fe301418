"""``distill reproduce`` in words, and the exit code that follows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from distill.errors import DistillError
from distill.firmware.evidence import Check
from distill.reproducing.again import config_of, do_again
from distill.reproducing.compare import compared
from distill.tracking.fetch import StudyRun, load_study_run
from distill.tracking.store import open_store
from distill.voices.voice import Result, Voice

_MARKS = {True: ("=", "green"), False: ("≠", "red"), None: ("-", "dim")}


class NotReproduced(DistillError):
    """A study came out otherwise than it was logged."""

    exit_code = 4


def reproduce(
    reference: str,
    root: Path,
    uri: str | None,
    overrides: Sequence[str],
    voice: Voice,
    *,
    trust: bool = False,
) -> None:
    """Do a logged study again in a fresh folder, and say what is the same.

    Nothing that is kept is reused, and nothing of it is kept.

    Raises
    ------
    TrackingError : when there is no such study, or it is not logged whole.
    ConfigError : when its config names code, and neither ``trust`` nor an override says so.
    TeacherError : when the teacher is not here, or is another one.
    NotReproduced : when a byte of the results differs.
    """
    run = load_study_run(reference, open_store(root, uri))
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        config = config_of(run, overrides, Path(name), trust=trust)
        done = do_again(run, config, voice)
    checks = (*done.notes, *compared(run.reproduction["results"], done.results))
    differing = [check for check in checks if check.passed is False]
    same = not differing
    voice.result(
        Result(
            show=lambda console: _show(console, run, checks),
            line=f"{run.run_name}: "
            + ("the same bytes" if same else f"differs in {_named(differing)}"),
            data={
                "run": run.run_id,
                "same": same,
                "checks": [asdict(check) for check in checks],
            },
        )
    )
    if differing:
        timed = any(check.name == "limited by time" for check in checks)
        raise NotReproduced(
            f"the study came out otherwise than it was logged: {_named(differing)}.",
            where=f"run {run.run_id}",
            hint="it is limited by time, and so nobody gets the same twice; "
            "engine.seconds=null engine.evaluations=N limits work instead."
            if timed
            else "what of versions and machine differs is told above; docs/reproducibility.md "
            "says what results depend on.",
        )


def _named(checks: Sequence[Check]) -> str:
    return ", ".join(check.name for check in checks)


def _show(console: Console, run: StudyRun, checks: Sequence[Check]) -> None:
    console.print(Text(f"\n  of         {run.run_name}"), soft_wrap=True)
    for check in checks:
        mark, style = _MARKS[check.passed]
        detail = check.detail.replace("\n", "\n      ")
        console.print(
            Text.assemble("  ", (mark, style), f" {check.name}: {detail}"), soft_wrap=True
        )
