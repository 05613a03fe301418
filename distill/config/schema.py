"""The schema of ``conf/``: what every key may hold, and errors that name the key.

The YAML files say what each key means; the dataclasses here say its type. ``read_config`` turns a
composed Hydra config into them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from distill.config.rules import check_config, check_sweep
from distill.domain import Domain
from distill.errors import ConfigError


@dataclass
class TeacherConfig:
    """``conf/teacher``."""

    source: str = MISSING
    kind: str | None = None
    output: int | str = 0
    options: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    published: dict[str, str] | None = None


@dataclass
class DomainConfig:
    """``conf/domain``."""

    variables: dict[str, dict[str, Any]] | None = None


@dataclass
class SamplingConfig:
    """``conf/sampling``."""

    design: str = "sobol"
    points: int = 2048
    seed: int = 0
    held_out: float = 0.2
    jobs: int = 1
    ahead: str = "none"


@dataclass
class EngineConfig:
    """``conf/engine``."""

    name: str = "structure"
    seconds: float | None = None
    evaluations: int | None = None
    seed: int = 0
    rounds: int = 1
    counterexamples: int = 32
    questions: int | None = None
    teacher_error: float | None = None
    max_complexity: int = 40
    keep: int = 100
    operators: list[str] = field(default_factory=list)
    costs: str = "target"
    units: str = "off"
    constraints: dict[str, Any] = field(default_factory=dict)
    skeleton: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # YAML reads a bare `off` as false.
        self.units = "off" if self.units == "False" else self.units


@dataclass
class ScoreConfig:
    """``conf/score``."""

    points: int = 100_000
    starts: int = 32
    seed: int = 1000
    prove: bool = True
    proof_ratio: float = 1.1
    proof_boxes: int = 10_000
    proof_seconds: float | None = None
    proof_workers: int = 1
    proof_candidates: int = 48
    confidence: float = 0.99


@dataclass
class SelectConfig:
    """``conf/select``."""

    rule: str = "cheapest"
    max_complexity: int | None = None
    max_instructions: float | None = None
    candidate: str | None = None
    min_agreement: float | None = None
    margin: float = 0.01
    bound: str = "found"


@dataclass
class ExportConfig:
    """``conf/export``."""

    arithmetic: str = "float32"
    interface: str = "float"
    functions: str = "cheapest"
    label_above: float | None = None
    directory: str | None = None
    out_of_domain: str = "clamp"
    nan_input: str = "propagate"
    table_bytes: int = 65_536
    table_prefers: str = "auto"
    prove: bool = True
    proof_boxes: int = 200_000
    proof_seconds: float | None = None
    proof_workers: int = 1
    verify: bool = True
    verify_points: int = 1_000_000


@dataclass
class TrackingConfig:
    """``conf/tracking``."""

    enabled: bool = True
    uri: str | None = None
    live: bool = True


@dataclass
class LimitsConfig:
    """``limits``: what a run of a study may use."""

    memory: float | None = None
    questions: int | None = None


@dataclass
class PruningConfig:
    """``sweep.pruning``."""

    rule: str = "median"
    trials: int = 5
    fraction: float = 0.5


@dataclass
class SweepConfig:
    """``conf/sweep``: how the jobs of a sweep are chosen and shared out; no part of a study."""

    kind: str = "grid"
    name: str | None = None
    hours: float | None = None
    attempts: int = 2
    jobs_per_task: int = 1
    trials: int = 50
    workers: int = 1
    objectives: list[str] = field(default_factory=lambda: ["max_error", "instructions"])
    seed: int = 0
    storage: str | None = None
    pruning: PruningConfig = field(default_factory=PruningConfig)


@dataclass
class StudyConfig:
    """``conf/config.yaml``: everything one study needs."""

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    domain: DomainConfig = field(default_factory=DomainConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    select: SelectConfig = field(default_factory=SelectConfig)
    target: dict[str, Any] = field(default_factory=dict)
    export: ExportConfig = field(default_factory=ExportConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    tolerance: float = 0.1
    root: str = "studies"
    sweep: str | None = None


def read_config(composed: DictConfig) -> StudyConfig:
    """The study that a composed config describes, checked against the schema.

    Of ``sweep`` a study has the name alone, which is all that a recorded config has of it.

    Raises
    ------
    ConfigError : naming the key, what it holds and what it may hold.
    """
    known = _known(composed)
    if OmegaConf.is_dict(composed.get("sweep")):
        known["sweep"] = read_sweep(composed).name
    config = cast(StudyConfig, _read(known, StudyConfig))
    check_config(config)
    return config


def read_sweep(composed: DictConfig) -> SweepConfig:
    """How a composed config wants the jobs of a sweep chosen and shared out.

    Raises
    ------
    ConfigError : naming the key, what it holds and what it may hold.
    """
    config = cast(SweepConfig, _read(composed["sweep"], SweepConfig, "sweep."))
    check_sweep(config)
    return config


def _read(composed: DictConfig, schema: type, prefix: str = "") -> object:
    """Plain config as the dataclass of its schema."""
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), composed))
    except MissingMandatoryValue as error:
        raise ConfigError(
            f"`{error.full_key}` must be given.",
            where=f"config key `{prefix}{error.full_key}`",
            hint=f"add {prefix}{error.full_key}=VALUE to the command.",
        ) from None
    except OmegaConfBaseException as error:
        key = f"{prefix}{error.full_key or '?'}"
        reason = str(error.msg or error).splitlines()[0]
        raise ConfigError(f"{reason}.", where=f"config key `{key}`") from None


def _known(composed: DictConfig) -> DictConfig:
    """The keys of the schema; what Hydra and the experiment files keep beside them is left out."""
    names = {f.name for f in fields(StudyConfig)}
    unknown = [str(k) for k in composed if k not in names and k not in {"hydra", "experiment"}]
    if unknown:
        close = difflib.get_close_matches(unknown[0], names, 1)
        raise ConfigError(
            f"`{unknown[0]}` is not a key of the config.",
            where=f"config key `{unknown[0]}`",
            hint=f"did you mean `{close[0]}`?" if close else f"keys: {', '.join(sorted(names))}.",
        )
    return OmegaConf.masked_copy(composed, [k for k in composed if k in names])


def domain_from(variables: Mapping[str, Mapping[str, Any]]) -> Domain:
    """The domain that ``domain.variables`` describes.

    Raises
    ------
    DomainError : naming the variable and what is wrong with it.
    """
    rows: Sequence[dict[str, Any]] = [{"name": name, **row} for name, row in variables.items()]
    return Domain.from_data({"version": 1, "variables": list(rows)})


def plain(config: object) -> dict[str, Any]:
    """A dataclass as plain JSON data, for keys and records."""
    if not is_dataclass(config):
        raise TypeError(f"{config!r} is no dataclass")
    return cast("dict[str, Any]", OmegaConf.to_container(OmegaConf.structured(config)))
