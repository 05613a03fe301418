"""The command line that composes a study's config again."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from distill.config.folder import conf_directory, options_of, read_option
from distill.config.schema import StudyConfig, plain

_GROUPS = ("teacher", "domain", "sampling", "engine", "score", "select", "target", "export")
_PLAIN = re.compile(r"[A-Za-z_][\w./:-]*|[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"null", "true", "false", "nan", "inf"}

Leaves = dict[str, Any]
"""Values by dotted keys; an empty mapping or a list is a value."""


def command(config: Mapping[str, Any]) -> str:
    """``distill run`` with the overrides that give this config, for a shell.

    Where results are kept and tracked is left out: it changes none of them.
    """
    return " ".join(["distill run", *map(shlex.quote, overrides(config))])


def overrides(config: Mapping[str, Any]) -> list[str]:
    """Hydra's overrides: of each group the option that is nearest, then what differs from it."""
    defaults = _default_options()
    words = []
    for group in _GROUPS:
        wanted = config.get(group)
        if not isinstance(wanted, Mapping):
            continue
        options, leaves = _options(group), _leaves(wanted)
        whole = {name: {**_schema(group), **option} for name, option in options.items()}
        differences = {
            name: {key: value for key, value in leaves.items() if not _same(option, key, value)}
            for name, option in whole.items()
        }
        # Of equally near ones the default; else the one whose name the config bears.
        own = (str(wanted.get("name") or wanted.get("kind") or ""), defaults.get(group, ""))
        name = min(
            differences,
            key=lambda n: (len(differences[n]), own.index(n) if n in own else len(own)),
        )
        if name != defaults.get(group):
            words.append(f"{group}={name}")
        words += _as_words(differences[name], options[name], group)
    if config.get("tolerance") != StudyConfig().tolerance:
        words.append(f"tolerance={_written(config.get('tolerance'))}")
    return words


@functools.cache
def _options(group: str) -> dict[str, Leaves]:
    """The leaves of every option of a group."""
    return {name: _leaves(read_option(group, name)) for name in options_of(group)}


@functools.cache
def _schema(group: str) -> Leaves:
    """What a group's keys hold where no option says so."""
    return _leaves(plain(StudyConfig())[group])


@functools.cache
def _default_options() -> dict[str, str]:
    """The option of each group that ``conf/config.yaml`` names."""
    from omegaconf import OmegaConf

    data = OmegaConf.to_container(OmegaConf.load(conf_directory() / "config.yaml"))
    assert isinstance(data, dict)  # it ships with the package
    rows = [row for row in data["defaults"] if isinstance(row, dict)]
    return {str(group): str(name) for row in rows for group, name in row.items()}


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Leaves:
    found: Leaves = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found |= _leaves(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _same(option: Leaves, key: str, value: Any) -> bool:
    """Whether an option has that value; nothing and an empty mapping are the same."""
    if key not in option:
        return False
    known = option[key]
    return bool(known == value) or (known in (None, {}) and value in (None, {}))


def _as_words(differences: Leaves, option: Leaves, group: str) -> Iterator[str]:
    for key, value in differences.items():
        new = "" if key in option else "+"
        yield f"{new}{group}.{key}={_written(value)}"


def _written(value: Any) -> str:
    """A value in the grammar of Hydra's overrides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        simple = _PLAIN.fullmatch(value) and value[0].isalpha() and value.lower() not in _WORDS
        return value if simple else "'" + value.replace("'", "\\'") + "'"
    return repr(value)
