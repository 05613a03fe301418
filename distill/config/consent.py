"""What a config names that runs code, so that a config that others may have written is asked about.

The config that a user writes is trusted. One that is read back from MLflow or from a study's record
is not: it could name any function, pickle or compiler of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from distill.config.folder import options_of, read_option
from distill.errors import ConfigError

_CODE_KINDS = ("function", "simulator")
_IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*\Z")
_RUNNING_OPTIONS = {
    "module": "Python code",
    "trust_pickle": "a pickle",
    "trust_torchscript": "a TorchScript program",
    "trusted": "Python types",
}
"""Options of a teacher, and what they let run."""


def check_consent(
    config: Mapping[str, Any], said: Collection[str], *, trust: bool, search: bool
) -> None:
    """Refuse a recorded config that names code, unless the user said so.

    Parameters
    ----------
    config : as it was recorded, with the user's overrides applied.
    said : keys that the user gave in this command; ``target`` stands for all below it.
    trust : whether the user trusts whoever recorded it.
    search : whether the search runs again, or the teacher and the compilers alone.

    Raises
    ------
    ConfigError : naming each key, its value and what would run.
    """
    if trust:
        return
    asked = [
        f"{key}={value} ({what})"
        for key, value, what in code_named(config, search=search)
        if not any(key == one or key.startswith(f"{one}.") for one in said)
    ]
    if asked:
        raise ConfigError(
            "the recorded config names code that would run here:\n    " + "\n    ".join(asked),
            where="the config that was logged with the study",
            hint="if you trust who logged it, repeat the command with trust=true.",
        )


def code_named(config: Mapping[str, Any], *, search: bool) -> Iterator[tuple[str, object, str]]:
    """The keys of a config that name code, with their values and what runs."""
    teacher = _mapping(config.get("teacher"))
    source, reference = teacher.get("source"), teacher.get("reference")
    if teacher.get("kind") in _CODE_KINDS or _IMPORT_PATH.match(str(source)):
        yield "teacher.source", source, "a Python function"
    for key, what in _RUNNING_OPTIONS.items():
        if value := _mapping(teacher.get("options")).get(key):
            yield f"teacher.options.{key}", value, what
    target = _mapping(config.get("target"))
    shipped = _shipped_target(target.get("name"))
    for key in ("wheels", "native"):
        if target.get(key) != shipped.get(key):
            yield f"target.{key}", target.get(key), "a compiler with these flags"
    if not search:
        return
    if reference is not None:
        yield "teacher.reference", reference, "a Python function"
    for key, value in _julia_of(_mapping(config.get("engine"))):
        yield f"engine.options.{key}", value, "text that PySR gives to Julia"


def _julia_of(engine: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Options of PySR that are more than a number or a switch: it evaluates such text in Julia."""
    options = _mapping(engine.get("options"))
    given = {"pysr": options, "portfolio": _mapping(options.get("pysr"))}
    prefix = "pysr." if engine.get("name") == "portfolio" else ""
    for key, value in given.get(str(engine.get("name")), {}).items():
        if not isinstance(value, bool | int | float | None):
            yield f"{prefix}{key}", value


def _shipped_target(name: object) -> Mapping[str, Any]:
    return read_option("target", str(name)) if name in options_of("target") else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
