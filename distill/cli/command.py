"""What commands have in common: their description, their ``key=value`` arguments, their voice."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass

from distill.errors import ConfigError
from distill.identifiers import visible


@dataclass(frozen=True)
class Command:
    """One command: what it does, its usage, and the function that does it."""

    summary: str
    usage: str
    run: Callable[[list[str]], int]


def print_text(text: str) -> None:
    """Write to the standard output; controls in it are spelled out."""
    sys.stdout.write(visible(text))
    sys.stdout.flush()


def print_error(text: str) -> None:
    """Write a line to the standard error output; controls in it are spelled out."""
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()


def unknown(what: str, name: str, known: list[str]) -> ConfigError:
    """An error that names what is known, and what was probably meant."""
    close = difflib.get_close_matches(name, known, 1)
    return ConfigError(
        f"`{name}` is not a {what}.",
        where="command line",
        hint=(f"did you mean `{close[0]}`? " if close else "") + f"Known: {', '.join(known)}.",
    )


def arguments_of(arguments: list[str], defaults: dict[str, str]) -> dict[str, str]:
    """The ``key=value`` arguments of a small command, over their defaults.

    Raises
    ------
    ConfigError : for a key that it does not have.
    """
    options = dict(defaults)
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in options:
            raise unknown("key of this command", key, list(defaults))
        options[key] = value
    return options


def truth_of(options: dict[str, str], key: str) -> bool:
    """A switch among the arguments of a small command.

    Raises
    ------
    ConfigError : for anything but true and false.
    """
    if options[key] not in {"true", "false"}:
        raise ConfigError(
            f"`{options[key]}` is neither true nor false.",
            where=f"command line, `{key}`",
            hint=f"{key}=true or {key}=false.",
        )
    return options[key] == "true"
