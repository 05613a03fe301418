"""The jobs of a grid, from the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from distill.errors import ConfigError

LONGEST_NAME = 60
"""Characters of the readable part of a sweep's name."""


@dataclass(frozen=True)
class Job:
    """One study of a sweep: its number, and what it sets differently than the others."""

    number: int
    overrides: tuple[str, ...]


def fixed(overrides: Sequence[Override]) -> tuple[str, ...]:
    """The words that hold for every job, as they were given."""
    return tuple(o.input_line or "" for o in overrides if not o.is_sweep_override())


def grid(overrides: Sequence[Override]) -> list[Job]:
    """Every combination of the values that are listed.

    Raises
    ------
    ConfigError : for an interval, which has no list of values.
    """
    varied = [o for o in overrides if o.is_sweep_override()]
    try:
        (batch,) = BasicSweeper.split_arguments(varied, None)
    except HydraException:
        intervals = [o.input_line for o in varied if not o.is_discrete_sweep()]
        raise ConfigError(
            f"`{intervals[0]}` is no list of values.",
            where="command line",
            hint="give values (a,b or range(1,5)), or let Optuna choose: sweep=adaptive.",
        ) from None
    return [Job(number, tuple(words)) for number, words in enumerate(batch)]


def name_of(overrides: Sequence[Override], identity: str) -> str:
    """What a sweep is called: the keys that vary, and what its jobs are made from."""
    keys = [o.get_key_element().lstrip("+~") for o in overrides if o.is_sweep_override()]
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", "-".join(keys))[:LONGEST_NAME] or "one"
    return f"{readable}-{identity[:8]}"
