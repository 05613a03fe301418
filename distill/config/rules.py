"""What the values of a config may be, where their types leave it open."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distill.errors import ConfigError
from distill.identifiers import why_not_file_name

if TYPE_CHECKING:
    from distill.config.schema import StudyConfig, SweepConfig

# Keys whose values come from a closed list.
ALLOWED: dict[str, tuple[str, ...]] = {
    "sampling.design": ("sobol", "lhs", "grid", "exhaustive", "data"),
    "sampling.ahead": ("none", "score"),
    "select.rule": ("cheapest", "knee", "most_accurate", "agrees", "by_id"),
    "select.bound": ("found", "certified"),
    "engine.costs": ("target", "uniform"),
    "engine.units": ("off", "check"),
    "export.arithmetic": ("float32", "double", "fixed", "auto"),
    "export.interface": ("float", "integer"),
    "export.functions": ("cheapest", "library"),
    "export.table_prefers": ("auto", "bytes", "instructions"),
    "export.out_of_domain": ("clamp", "nan", "unchecked"),
    "export.nan_input": ("propagate", "low"),
}

# Keys that must be larger than a bound.
LARGER_THAN: dict[str, float] = {
    "tolerance": 0,
    "sampling.points": 0,
    "sampling.seed": -1,
    "sampling.jobs": 0,
    "engine.seconds": 0,
    "engine.evaluations": 0,
    "engine.seed": -1,
    "engine.rounds": 0,
    "engine.counterexamples": -1,
    "engine.questions": 0,
    "engine.max_complexity": 0,
    "engine.keep": 0,
    "score.points": 0,
    "score.starts": 0,
    "score.seed": -1,
    "score.proof_ratio": 1,
    "score.proof_boxes": 0,
    "score.proof_seconds": 0,
    "score.proof_workers": 0,
    "score.proof_candidates": 0,
    "select.max_complexity": 0,
    "select.max_instructions": 0,
    "export.table_bytes": 0,
    "export.proof_boxes": 0,
    "export.proof_seconds": 0,
    "export.proof_workers": 0,
    "export.verify_points": 0,
    "limits.memory": 0,
    "limits.questions": 0,
}

SWEEP_ALLOWED: dict[str, tuple[str, ...]] = {
    "kind": ("grid", "adaptive"),
    "pruning.rule": ("median", "none"),
}

SWEEP_LARGER_THAN: dict[str, float] = {
    "hours": 0,
    "attempts": 0,
    "jobs_per_task": 0,
    "trials": 0,
    "workers": 0,
    "seed": -1,
    "pruning.trials": -1,
}


def check_config(config: StudyConfig) -> None:
    """Check the values that the types leave open.

    Raises
    ------
    ConfigError : naming the key and the allowed values.
    """
    _check_values(config, ALLOWED, LARGER_THAN)
    for key in ("sampling.held_out", "select.margin"):
        if not 0 <= _value(config, key) < 1:
            raise ConfigError(
                f"`{key}` is {_value(config, key)}, but must be a part: at least 0, below 1.",
                where=f"config key `{key}`",
            )
    if not 0 < config.score.confidence < 1:
        raise ConfigError(
            f"`score.confidence` is {config.score.confidence}, but must lie above 0 and below 1.",
            where="config key `score.confidence`",
        )
    if config.select.bound == "certified" and not config.score.prove:
        raise ConfigError(
            "`certified` cannot be used: no bounds are proven with score.prove=false.",
            where="config key `select.bound`",
            hint="set score.prove=true, or select.bound=found.",
        )
    agreement = config.select.min_agreement
    if agreement is not None and not 0 < agreement <= 1:
        raise ConfigError(
            f"`select.min_agreement` is {agreement}, but must be a part: above 0, at most 1.",
            where="config key `select.min_agreement`",
        )
    stated = config.engine.teacher_error
    if stated is not None and not 0 <= stated < float("inf"):
        raise ConfigError(
            f"`engine.teacher_error` is {stated}, but must be a finite number of at least 0.",
            where="config key `engine.teacher_error`",
            hint="0 says that the answers are exact, null lets distill estimate their error.",
        )
    if config.export.interface == "integer":
        needed = {"arithmetic": ("fixed", "auto"), "out_of_domain": ("clamp", "unchecked")}
        for key, fit in needed.items():
            if (value := getattr(config.export, key)) not in fit:
                raise ConfigError(
                    f"with integers at the function's door `{value}` cannot be used.",
                    where=f"config key `export.{key}`",
                    hint=f"allowed with export.interface=integer: {', '.join(fit)}.",
                )
    if (config.engine.seconds is None) == (config.engine.evaluations is None):
        raise ConfigError(
            "the search needs exactly one budget.",
            where="config keys `engine.seconds` and `engine.evaluations`",
            hint="give one of them and set the other to null; "
            "evaluations make the result reproducible to the bit.",
        )


def check_sweep(config: SweepConfig) -> None:
    """Check the values of ``sweep`` that the types leave open.

    Raises
    ------
    ConfigError : naming the key and the allowed values.
    """
    _check_values(config, SWEEP_ALLOWED, SWEEP_LARGER_THAN, "sweep.")
    if config.name is not None and (why := why_not_file_name(config.name)):
        raise ConfigError(
            f"{config.name!a} cannot name a sweep: {why}.",
            where="config key `sweep.name`",
            hint="its folder lies in ROOT/sweeps; root=FOLDER says where that is.",
        )
    if not 0 <= config.pruning.fraction < 1:
        raise ConfigError(
            f"`sweep.pruning.fraction` is {config.pruning.fraction}, "
            "but must be a part: at least 0, below 1.",
            where="config key `sweep.pruning.fraction`",
        )


def _check_values(
    config: object,
    allowed_of: Mapping[str, tuple[str, ...]],
    larger_than: Mapping[str, float],
    prefix: str = "",
) -> None:
    """Check what comes from a closed list, and what must be larger than a bound."""
    for key, allowed in allowed_of.items():
        value = _value(config, key)
        if value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, 1)
            raise ConfigError(
                f"`{value}` cannot be used.",
                where=f"config key `{prefix}{key}`",
                hint=(f"did you mean `{close[0]}`? " if close else "")
                + f"Allowed: {', '.join(allowed)}.",
            )
    for key, bound in larger_than.items():
        value = _value(config, key)
        if value is not None and not bound < value < float("inf"):
            raise ConfigError(
                f"`{prefix}{key}` is {value}, but must be a finite number larger than {bound:g}.",
                where=f"config key `{prefix}{key}`",
                hint="state the largest error you accept, in the output's unit."
                if key == "tolerance"
                else "",
            )


def _value(config: object, key: str) -> Any:
    for part in key.split("."):
        config = getattr(config, part)
    return config
