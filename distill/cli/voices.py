"""``--quiet`` and ``--json``: how a command speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from distill.errors import ConfigError
from distill.voices.voice import Voice

if TYPE_CHECKING:
    from distill.sweeping.shows import SweepShow

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


def voice_of(manner: Manner, command: str) -> Voice:
    """The voice of a command."""
    from distill.voices.json_lines import JsonLines
    from distill.voices.quiet import Quiet
    from distill.voices.terminal import Terminal

    if manner == "json":
        return JsonLines(command)
    return Quiet() if manner == "quiet" else Terminal()


def show_of(manner: Manner) -> SweepShow:
    """How a sweep is shown."""
    from distill.sweeping.shows import JsonShow, QuietShow, TerminalShow

    if manner == "json":
        return JsonShow()
    return QuietShow() if manner == "quiet" else TerminalShow()
