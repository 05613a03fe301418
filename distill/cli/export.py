"""``distill export``: the C of a candidate that a person chose."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of, truth_of
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Write the bundle of a candidate that MLflow knows."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "export") as voice:
        own = {"run": "", "root": "studies", "uri": "", "trust": "false"}
        mine = [a for a in arguments if a.partition("=")[0] in own]
        options = arguments_of(mine, own)
        if not options["run"]:
            raise ConfigError(
                "which candidate?",
                where="command line",
                hint="distill export run=RUN_ID (MLflow shows it on the candidate's page), "
                "run=models:/NAME@champion, or run=STUDY for what was chosen in it.",
            )
        from distill.commands import choosing

        choosing.export_run(
            options["run"],
            root=Path(options["root"]),
            uri=options["uri"] or None,
            overrides=[a for a in arguments if a not in mine],
            voice=voice,
            trust=truth_of(options, "trust"),
        )
    return 0
