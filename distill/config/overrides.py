"""Changing a recorded config: the same words as on the command line, without composing anew."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from distill.config.folder import conf_directory, read_option
from distill.errors import ConfigError


def apply_overrides(config: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The config with ``group=option`` and ``key.path=value`` applied in order.

    Raises
    ------
    ConfigError : for what is no override, no key or no option.
    """
    # A study has its sweep's name alone, and nothing of Hydra's.
    groups = {f.name for f in conf_directory().iterdir() if f.is_dir()} - {"sweep", "hydra"}
    result: dict[str, Any] = copy.deepcopy(dict(config))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"`{override}` is no override.",
                where="command line",
                hint="overrides look like group=option or key.path=value.",
            )
        if key in groups:
            result[key] = read_option(key, text)
        else:
            _assign(result, key, _value(override, text))
    return result


def _value(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # a date that is none; lists in lists
        raise ConfigError(
            f"the value of `{override}` cannot be read.",
            where="command line",
            hint="quote values with special characters, as in YAML.",
        ) from None


def _assign(config: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    place: Any = config
    for part in path:
        place = place.get(part) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        known = keys_of(config)
        close = difflib.get_close_matches(key, known, 1)
        raise ConfigError(
            f"`{key}` is not a key of the config.",
            where="command line",
            hint=f"did you mean `{close[0]}`?" if close else "`distill run --help` lists the keys.",
        )
    place[last] = value


def keys_of(config: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Every key of a nested config as a dotted path."""
    found: list[str] = []
    for key, value in config.items():
        found.append(f"{prefix}{key}")
        if isinstance(value, Mapping):
            found += keys_of(value, f"{prefix}{key}.")
    return found
