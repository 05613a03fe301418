"""Where the files of ``conf/`` are, and what they hold."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf

from distill.errors import ConfigError


def conf_directory() -> Path:
    """Where the config files are: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "conf", package / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise ConfigError(
        "the config files of distill cannot be found.",
        where=str(package),
        hint="install distill again; the wheel carries them in distill/conf.",
    )


def options_of(group: str) -> list[str]:
    """The options of a config group, by name."""
    return sorted(file.stem for file in (conf_directory() / group).glob("*.yaml"))


def read_option(group: str, name: str) -> dict[str, Any]:
    """One option of a config group as plain data.

    Raises
    ------
    ConfigError : when there is no such option; names those that are.
    """
    file = conf_directory() / group / f"{name}.yaml"
    if name not in options_of(group):
        close = difflib.get_close_matches(name, options_of(group), 1)
        raise ConfigError(
            f"there is no {group} called `{name}`.",
            where=group,
            hint=(f"did you mean `{close[0]}`? " if close else "")
            + f"Allowed: {', '.join(options_of(group))}.",
        )
    return cast("dict[str, Any]", OmegaConf.to_container(OmegaConf.load(file)))
