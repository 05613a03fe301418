"""Words of the command line and YAML of a user, through overrides and schema."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from distill.config.folder import conf_directory, options_of
from distill.config.overrides import apply_overrides, keys_of
from distill.config.schema import StudyConfig, domain_from, read_config
from distill.firmware.target import load_target
from fuzz.target import Target


@cache
def base() -> dict[str, Any]:
    """The config without any word."""
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        composed = compose("config")
    found: dict[str, Any] = OmegaConf.to_container(composed)  # type: ignore[assignment]
    return found


def once(data: bytes) -> None:
    """Lines are words; what follows a line of dashes is YAML over the config."""
    text = data.decode("utf-8", errors="replace")
    lines, _, document = text.partition("\n---\n")
    words = [line for line in lines.split("\n") if line]
    read(apply_overrides(base(), words))
    if not document:
        return
    try:
        parsed = yaml.safe_load(document)
    except (yaml.YAMLError, ValueError, RecursionError):
        return  # Hydra's own reader refuses it before we see it
    if isinstance(parsed, dict) and all(isinstance(key, str) for key in parsed):
        read({**base(), **parsed})


def read(config: dict[str, Any]) -> StudyConfig | None:
    """The checked config, with all that is made of it without a teacher."""
    try:
        composed = OmegaConf.create(config)
    except Exception:  # what is no config to OmegaConf never leaves Hydra
        return None
    found = read_config(composed)
    load_target(found.target)
    if found.domain.variables is not None:
        domain_from(found.domain.variables)
    return found


def seeds() -> list[bytes]:
    """Each option of each group, each key with a value, and a document."""
    groups = [p.name for p in conf_directory().iterdir() if p.is_dir()]
    groups = [g for g in groups if g not in ("sweep", "hydra", "experiment")]
    words = [f"{group}={option}" for group in groups for option in options_of(group)]
    words += [f"{key}={{}}".format("0.5") for key in keys_of(base())]
    document = "tolerance=0.2\n---\n" + yaml.safe_dump({"domain": {"variables": {
        "a": {"low": 0, "high": 1, "unit": "m", "scale": "linear", "kind": "continuous"}
    }}})  # fmt: skip
    return [word.encode() for word in words] + [document.encode()]


def known_words() -> tuple[str, ...]:
    """Keys and options."""
    return tuple(keys_of(base()))


TARGET = Target("config words and YAML", once, seeds, words=known_words())
