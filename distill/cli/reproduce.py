"""``distill reproduce``: a study of MLflow done again, and what differs."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, truth_of
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Do a logged study again from its run alone, and compare."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "reproduce") as voice:
        own = {"run": "", "root": "studies", "uri": "", "trust": "false"}
        named = [f"run={a}" for a in arguments if "=" not in a]
        mine = [a for a in arguments if a.partition("=")[0] in own]
        options = arguments_of([*named, *mine], own)
        if not options["run"] or len(named) > 1:
            raise ConfigError(
                "which study?" if not options["run"] else f"{len(named)} studies are given.",
                where="command line",
                hint="distill reproduce RUN_ID (MLflow shows it on the study's page) or the "
                "study's name.",
            )
        from distill.reproducing.command import reproduce

        reproduce(
            options["run"],
            root=Path(options["root"]),
            uri=options["uri"] or None,
            overrides=[a for a in arguments if "=" in a and a not in mine],
            voice=voice,
            trust=truth_of(options, "trust"),
        )
    return 0
