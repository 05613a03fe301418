"""What runs in a portfolio, and with which options of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from distill.engines.options import defaults, did_you_mean, key_of, value_of
from distill.errors import ConfigError

MEMBERS = ("structure", "operon", "pysr")
"""Engines that a portfolio may run, in the order of their turns."""


@dataclass(frozen=True)
class PortfolioOptions:
    """What runs in a portfolio. ``of`` has the options of each engine, by its name."""

    engines: tuple[str, ...] = ()  # none named: structure, operon, and pysr where Julia is ready
    slices: int = 3  # how often operon and pysr start anew from what all have found
    of: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.engines:
            if name not in MEMBERS:
                raise ConfigError(
                    f"`{name}` cannot run in a portfolio.",
                    where=key_of("engines"),
                    hint=did_you_mean(name, MEMBERS) or f"allowed: {', '.join(MEMBERS)}.",
                )
        if len(set(self.engines)) < len(self.engines):
            raise ConfigError(
                f"an engine is named twice in {', '.join(self.engines)}.",
                where=key_of("engines"),
                hint="name each once.",
            )
        if self.slices < 1:
            raise ConfigError(
                f"`slices` is {self.slices}.",
                where=key_of("slices"),
                hint="give a whole number of at least 1.",
            )


def read_options(data: Mapping[str, object]) -> PortfolioOptions:
    """The options of a config: our own, and under an engine's name those of that engine.

    Raises
    ------
    ConfigError : naming the option that does not exist or cannot be so.
    """
    own = defaults(PortfolioOptions)
    ours: dict[str, object] = {}
    of: dict[str, Mapping[str, object]] = {}
    for key, value in data.items():
        if key in own:
            ours[key] = value_of(PortfolioOptions, key, value)
        elif key not in MEMBERS:
            known = [*own, *MEMBERS]
            raise ConfigError(
                f"the engine `portfolio` has no option `{key}`.",
                where=key_of(key),
                hint=did_you_mean(key, known) or f"allowed: {', '.join(known)}.",
            )
        elif isinstance(value, Mapping):
            of[key] = value
        else:
            raise ConfigError(
                f"`{key}` holds the options of that engine, not {value!r}.",
                where=key_of(key),
                hint=f"write them as in conf/engine/{key}.yaml, or leave `{key}` out.",
            )
    return PortfolioOptions(**ours, of=of)  # type: ignore[arg-type]
