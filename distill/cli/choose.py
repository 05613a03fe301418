"""``distill choose``: a person makes a candidate the champion."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, truth_of
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Make a candidate the champion of its teacher: the registered model's alias moves to it."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "choose") as voice:
        own = {"run": "", "c": "true", "root": "studies", "uri": "", "trust": "false"}
        options = arguments_of(arguments, own)
        if not options["run"]:
            raise ConfigError(
                "which candidate?",
                where="command line",
                hint="distill choose run=RUN_ID; MLflow shows the id on the candidate's page.",
            )
        from distill.commands import choosing

        choosing.choose_run(
            options["run"],
            root=Path(options["root"]),
            uri=options["uri"] or None,
            c=truth_of(options, "c"),
            voice=voice,
            trust=truth_of(options, "trust"),
        )
    return 0
