"""``distill choose``: a person makes a candidate the champion."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Make a candidate the champion of its teacher: the registered model's alias moves to it."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "choose") as voice:
        options = arguments_of(arguments, {"run": "", "c": "true", "root": "studies", "uri": ""})
        if not options["run"]:
            raise ConfigError(
                "which candidate?",
                where="command line",
                hint="distill choose run=RUN_ID; MLflow shows the id on the candidate's page.",
            )
        if options["c"] not in {"true", "false"}:
            raise ConfigError(
                f"`{options['c']}` is neither true nor false.",
                where="c",
                hint="c=false registers the formula without its C.",
            )
        from distill import choosing

        choosing.choose_run(
            options["run"],
            root=Path(options["root"]),
            uri=options["uri"] or None,
            c=options["c"] == "true",
            voice=voice,
        )
    return 0
