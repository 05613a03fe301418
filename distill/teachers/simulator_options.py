"""The options of simulators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distill.domain import Domain
from distill.errors import ConfigError
from distill.teachers.base import Output
from distill.teachers.options import (
    Options,
    identifier,
    outputs_option,
    positive_option,
    truth_option,
)
from distill.teachers.simulator import SlowTeacher, load_slow
from distill.teachers.simulator_cache import answers_folder
from distill.teachers.simulator_ode import METHODS, Settings

EQUATIONS = (
    "method", "rtol", "atol", "t_end", "initial", "answer", "components", "samples", "steps",
)  # fmt: skip
"""Options that only equations have."""

_HERE = "distill.teachers.simulator_ode"


def load_simulator(
    path: str, domain: Domain | None, name: str | None, options: Options
) -> SlowTeacher:
    """A simulator by import path: equations where ``t_end`` is stated, else a slow function.

    Raises
    ------
    ConfigError : for options that do not fit.
    TeacherError : when it cannot be imported.
    """
    name = name or identifier(path.rpartition(":")[2].rpartition(".")[2])
    equations = [key for key in EQUATIONS if key in options]
    if equations and "t_end" not in options:
        raise _wrong(equations[0], "is for equations, which need `t_end`, where integration ends")
    if equations and "vectorized" in options:
        raise _wrong("vectorized", "is for functions; equations are solved point by point")
    settings = _settings(options) if equations else None
    components = 1 if settings is None else len(settings.components)
    if components == 1 or (settings and settings.answer not in {"final", "max", "min", "mean"}):
        names: tuple[Output, ...] = (Output(name),)
    else:
        assert settings is not None
        names = tuple(Output(f"{name[:50]}_{i}") for i in settings.components)
    return load_slow(
        path,
        name,
        outputs_option(options) or names,
        **slow_options(options, cache=True),
        timeout=positive_option(options, "timeout", 60.0),
        vectorized=truth_option(options, "vectorized", False),
        around=f"{_HERE}:integrating" if settings else f"{_HERE}:plain",
        settings=asdict(settings) if settings else {},
    )


def slow_options(options: Options, *, cache: bool) -> dict[str, Any]:
    """Where answers are kept, how many processes there are, and how many calls."""
    kept = options.get("cache", cache)
    if not isinstance(kept, bool | str | Path) or kept == "":
        raise _wrong("cache", f"must be true, false or a folder, not {kept!r}")
    folder = answers_folder() if kept is True else Path(kept).expanduser() if kept else None
    calls = options.get("calls")
    return {
        "folder": folder,
        "processes": _count(options, "processes", 1, 256),
        "calls": None if calls is None else _count(options, "calls", 1, 10**12),
    }


def _settings(options: Options) -> Settings:
    method = options.get("method", "RK45")
    if method not in METHODS:
        raise _wrong("method", f"is none of {', '.join(METHODS)}: {method!r}")
    initial = options.get("initial")
    if initial is not None and not isinstance(initial, str):
        values = list(initial) if isinstance(initial, Sequence) else [initial]
        if not values or any(type(v) not in {int, float} for v in values):
            raise _wrong("initial", f"must be numbers or the name of a function, not {initial!r}")
        initial = tuple(float(v) for v in values)
    answer = options.get("answer", "final")
    if not isinstance(answer, str) or not answer:
        raise _wrong("answer", f"must be final, max, min, mean or a function, not {answer!r}")
    components = options.get("components", 0)
    components = tuple(components) if isinstance(components, Sequence) else (components,)
    if not components or any(type(c) is not int or c < 0 for c in components):
        raise _wrong("components", f"must number parts of the state from 0, not {components!r}")
    return Settings(
        t_end=_positive(options, "t_end", 1.0),
        method=method,
        rtol=_positive(options, "rtol", 1e-6),
        atol=_positive(options, "atol", 1e-9),
        answer=answer,
        components=components,
        samples=_count(options, "samples", 201, 1_000_000, low=3),
        steps=_count(options, "steps", 100_000, 10**9),
        initial=initial,
    )


def _count(options: Options, key: str, default: int, most: int, low: int = 1) -> int:
    value = options.get(key, default)
    if type(value) is not int or not low <= value <= most:
        raise _wrong(key, f"must be a whole number from {low:,} to {most:,}, not {value!r}")
    return int(value)


def _positive(options: Options, key: str, default: float) -> float:
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e300:
        raise _wrong(key, f"must be a positive number, not {value!r}")
    return float(value)


def _wrong(key: str, what: str) -> ConfigError:
    return ConfigError(f"`{key}` {what}.", where=f"config key `teacher.options.{key}`")
