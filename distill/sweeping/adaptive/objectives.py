"""What Optuna is told of a job: the figures of its choice, and whether it is within the tolerance.

Where nothing is good enough to be chosen, the figures are those of the most accurate formula, and
the trial breaks a constraint by as much as that is beyond the tolerance: the sampler then goes
where the tolerance is kept, and such a trial is on no front.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from distill.comparing.fronts import SMALLEST, hypervolume
from distill.errors import ConfigError
from distill.sweeping.record import JobRecord
from distill.tracking.record import PUBLISHED

REFERENCE = (100, 2.0)
"""Nodes, and decades of error beyond the tolerance, that hypervolumes are measured from."""

LEAST = 0.01
"""By how much a constraint is broken at least where nothing could be chosen."""

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Objective:
    """A figure of a job, from the data of its studies (one for each output) and its seconds."""

    of: Callable[[Sequence[Data], float], float | None]
    direction: Literal["minimize", "maximize"] = "minimize"


@dataclass(frozen=True)
class Outcome:
    """What a job came to.

    ``values`` are the objectives in their order, None where one is not known; ``unknown`` names it.
    ``excess`` is how far it is beyond the tolerance, as a part of it: 0 where every output has its
    choice. ``chosen`` are the formulas, one for each output.
    """

    values: tuple[float, ...] | None
    unknown: str
    excess: float
    chosen: tuple[str, ...]


def outcome(record: JobRecord, objectives: Sequence[str]) -> Outcome:
    """What a job that is done came to, in the order of the objectives."""
    studies: Sequence[Data] = record.result.get("studies") or ()
    values = {name: OBJECTIVES[name].of(studies, record.seconds) for name in objectives}
    unknown = next((name for name, v in values.items() if v is None or not math.isfinite(v)), "")
    return Outcome(
        values=None if unknown else tuple(float(v) for v in values.values() if v is not None),
        unknown=unknown,
        excess=max((_excess(study) for study in studies), default=0.0),
        chosen=tuple(str(c["formula"]) for study in studies if (c := _choice(study)) is not None),
    )


def check_objectives(names: Sequence[str]) -> None:
    """See that every objective is known and given once.

    Raises
    ------
    ConfigError : otherwise; names those that are known.
    """
    for number, name in enumerate(names):
        if name not in OBJECTIVES:
            close = difflib.get_close_matches(name, OBJECTIVES, 1)
            raise ConfigError(
                f"`{name}` is not an objective.",
                where="config key `sweep.objectives`",
                hint=(f"did you mean `{close[0]}`? " if close else "")
                + f"Known: {', '.join(OBJECTIVES)}.",
            )
        if name in names[:number]:
            raise ConfigError(
                f"`{name}` is given twice.",
                where="config key `sweep.objectives`",
                hint="give each objective once.",
            )
    if not names:
        raise ConfigError(
            "there is no objective.",
            where="config key `sweep.objectives`",
            hint="the default is [max_error, instructions].",
        )


def _choice(study: Data) -> Data | None:
    """The chosen candidate, else the most accurate one that was found."""
    if study["chosen"] is not None:
        return study["chosen"]  # type: ignore[no-any-return]
    return min(_found(study), key=lambda c: float(c["max_error"]), default=None)


def _found(study: Data) -> list[Data]:
    """The study's own candidates whose error is known."""
    own = [c for c in study["candidates"] if c["engine"] != PUBLISHED]
    return [c for c in own if c["max_error"] is not None and math.isfinite(c["max_error"])]


def _excess(study: Data) -> float:
    if study["chosen"] is not None:
        return 0.0
    choice = _choice(study)
    return math.inf if choice is None else max(LEAST, _ratio(choice, study) - 1)


def _ratio(candidate: Data, study: Data) -> float:
    return float(candidate["max_error"]) / float(study["tolerance"])


def _of_choices(
    field: str, join: Callable[[Sequence[float]], float]
) -> Callable[[Sequence[Data], float], float | None]:
    """A figure of the choices, joined over the outputs."""

    def figure(studies: Sequence[Data], seconds: float) -> float | None:
        figures = [c.get(field) for c in map(_choice, studies) if c is not None]
        known = [float(each) for each in figures if each is not None]
        return join(known) if known and len(known) == len(studies) else None

    return figure


def _volume(study: Data) -> float:
    """The hypervolume of a study's front, in nodes times decades of error over the tolerance."""
    points = [
        (float(c["complexity"]), math.log10(max(_ratio(c, study), SMALLEST))) for c in _found(study)
    ]
    return hypervolume(points, REFERENCE)


OBJECTIVES: Mapping[str, Objective] = {
    "max_error": Objective(_of_choices("max_error", max)),
    "certified_error": Objective(_of_choices("certified_error", max)),
    "rmse": Objective(_of_choices("rmse", max)),
    "instructions": Objective(_of_choices("instructions", sum)),
    "flash_bytes": Objective(_of_choices("flash_bytes", sum)),
    "complexity": Objective(_of_choices("complexity", sum)),
    "agreement": Objective(_of_choices("agreement", min), "maximize"),
    "hypervolume": Objective(
        lambda studies, _: sum(map(_volume, studies)) if studies else None, "maximize"
    ),
    "seconds": Objective(lambda _, seconds: seconds),
}
"""By name. Over several outputs errors are the largest, costs the sum."""
