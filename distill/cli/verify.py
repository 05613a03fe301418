"""``distill verify``: a bundle held against what it states."""

from __future__ import annotations

from pathlib import Path

from distill.cli.command import arguments_of
from distill.cli.voices import manner_of, voice_of
from distill.errors import ConfigError


def run(arguments: list[str]) -> int:
    """Check a bundle's files, write it again, compile it, run it, and compare."""
    manner, arguments = manner_of(arguments)
    with voice_of(manner, "verify") as voice:
        folders = [a for a in arguments if "=" not in a]
        if len(folders) != 1:
            raise ConfigError(
                "which bundle?" if not folders else f"{len(folders)} folders are given, not one.",
                where="command line",
                hint="distill verify build/wet_bulb/pic32",
            )
        words = [a for a in arguments if a.startswith(("target=", "target."))]
        rest = [a for a in arguments if "=" in a and a not in words]
        options = arguments_of(rest, {"teacher": "", "points": ""})
        points = options["points"]
        if points and not (points.isdecimal() and 0 < int(points) < 10**9):
            raise ConfigError(f"`{points}` is no count.", where="points", hint="1 or more.")

        from distill.verifying.command import verify_command

        verify_command(
            Path(folders[0]), options["teacher"], words, int(points) if points else None, voice
        )
    return 0
