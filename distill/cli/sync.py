"""``distill sync``: what is on disk and not in MLflow yet."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of
from distill.cli.voices import manner_of, voice_of


def run(arguments: list[str]) -> int:
    """Log every study that is on disk but not in MLflow, once; with ``study=`` that one anew."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "sync") as voice:
        options = arguments_of(arguments, {"study": "", "root": "studies", "uri": ""})
        from distill.commands import running

        running.sync_all(
            Path(options["root"]), options["uri"] or None, voice, study=options["study"]
        )
    return 0
