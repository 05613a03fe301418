"""``--quiet`` and ``--json``: how a command speaks."""

from __future__ import annotations

from typing import Literal, TypeAlias

from distill.errors import ConfigError
from distill.voices.voice import Voice

Manner: TypeAlias = Literal["terminal", "quiet", "json"]

_FLAGS: dict[str, Manner] = {"--quiet": "quiet", "--json": "json"}


def manner_of(arguments: list[str]) -> tuple[Manner, list[str]]:
    """How the arguments ask to speak, and the arguments without that.

    Raises
    ------
    ConfigError : when they ask for both.
    """
    asked = {_FLAGS[a] for a in arguments if a in _FLAGS}
    if len(asked) > 1:
        raise ConfigError(
            "--quiet and --json exclude each other.", where="command line", hint="give one of them."
        )
    return next(iter(asked), "terminal"), [a for a in arguments if a not in _FLAGS]


def voice_of(manner: Manner, command: str, job: int | None = None) -> Voice:
    """The voice of a command; ``job`` is its number in a sweep."""
    from distill.voices.json_lines import JsonLines
    from distill.voices.quiet import Quiet
    from distill.voices.terminal import Terminal

    if manner == "json":
        return JsonLines(command, job)
    return Quiet() if manner == "quiet" else Terminal()
