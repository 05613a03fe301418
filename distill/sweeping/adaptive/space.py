"""Where an adaptive sweep looks: Hydra's sweep grammar as Optuna's distributions.

a,b or choice(a,b)      one of these, whatever they are: options of a group, numbers, lists
range(10,40)            the numbers that Hydra would list; 40 is none of them
interval(0.1,2)         any number between, both ends included; whole ones for a key that holds such
tag(log,interval(1,8))  the same on a logarithmic scale
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, NoReturn, cast, get_args, get_type_hints

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from distill.config.schema import StudyConfig
from distill.errors import ConfigError

LOG = "log"
"""The tag of what is drawn on a logarithmic scale; there is no other."""


@dataclass(frozen=True)
class Space:
    """The keys that vary, as on the command line, and what each may be."""

    axes: Mapping[str, BaseDistribution]

    @property
    def size(self) -> float:
        """How many different jobs there are; infinite where a number is drawn freely."""
        return math.prod(map(_size, self.axes.values()))

    def ends(self) -> list[dict[str, Any]]:
        """Values that hold between them every choice, and the ends of all numbers."""
        options = {key: _ends(distribution) for key, distribution in self.axes.items()}
        longest = max(map(len, options.values()))
        return [{key: o[n % len(o)] for key, o in options.items()} for n in range(longest)]

    def overrides(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """One job's words for Hydra, from what was drawn for each key."""
        return tuple(f"{key}={_text(values[key])}" for key in self.axes)


def space_of(overrides: Sequence[Override], config: Mapping[str, Any]) -> Space:
    """The space of the overrides that vary; the others have no part in it.

    ``config`` is the composed config as plain data: what is beneath a key of free options tells
    whether it is a whole number.

    Raises
    ------
    ConfigError : when nothing varies, and for what cannot be drawn from.
    """
    varied = [o for o in overrides if o.is_sweep_override()]
    if not varied:
        raise ConfigError(
            "there is nothing to choose: no key has more than one value.",
            where="command line",
            hint="say where to look, as in engine=operon,structure "
            "or 'sampling.points=tag(log,interval(256,4096))'.",
        )
    axes: dict[str, BaseDistribution] = {}
    for override in varied:
        if override.get_key_element() in axes:
            _refuse(override, "its key has a space already", "give each key once.")
        axes[override.get_key_element()] = _distribution(override, config)
    return Space(axes)


def holds_integers(key: str, config: Mapping[str, Any]) -> bool:
    """Whether a config key holds whole numbers: as the schema says, or as its value shows.

    >>> holds_integers("sampling.points", {}), holds_integers("engine.seconds", {})
    (True, False)
    """
    hint: Any = StudyConfig
    value: Any = config
    for part in key.lstrip("+").split("."):
        hint = get_type_hints(hint).get(part) if is_dataclass(hint) else None
        value = value.get(part) if isinstance(value, Mapping) else None
    return type(value) is int if hint is None else int in (hint, *get_args(hint))


def _distribution(override: Override, config: Mapping[str, Any]) -> BaseDistribution:
    value = override.value()
    unknown: set[str] = getattr(value, "tags", set()) - {LOG}
    if unknown:
        _refuse(override, f"`{min(unknown)}` is not a tag", "tag(log,...) is the only one.")
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _range(override, value)
    if isinstance(value, IntervalSweep):
        return _interval(override, value, holds_integers(override.get_key_element(), config))
    choices = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not choices:
        _refuse(override, "it has no values", "give at least one.")
    return CategoricalDistribution(choices)


def _range(override: Override, sweep: RangeSweep) -> BaseDistribution:
    values = list(sweep.range()) if sweep.step else []
    if not values:
        _refuse(override, "the range is empty", "its end is none of its values.")
    low, high, step, log = min(values), max(values), abs(sweep.step), LOG in sweep.tags
    if log:
        _check_log(override, low)
        if step != 1:
            _refuse(
                override, "a logarithmic range has steps of 1", "leave the step out, or the tag."
            )
    if all(isinstance(v, int) for v in values):
        return IntDistribution(int(low), int(high), log=log, step=int(step))
    return FloatDistribution(low, high, log=log, step=None if log else float(step))


def _interval(override: Override, sweep: IntervalSweep, integers: bool) -> BaseDistribution:
    start, end, log = cast(float, sweep.start), cast(float, sweep.end), LOG in sweep.tags
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        _refuse(override, "the interval is empty or not finite", "give its lower end first.")
    if log:
        _check_log(override, start)
    # int(interval(1,8)) has made its ends whole.
    if not integers and not isinstance(start, int):
        return FloatDistribution(start, end, log=log)
    low, high = math.ceil(start), math.floor(end)
    if low > high:
        _refuse(override, "there is no whole number in the interval", "make it wider.")
    return IntDistribution(low, high, log=log)


def _check_log(override: Override, low: float) -> None:
    if low <= 0:
        _refuse(override, "a logarithmic scale has no place for 0", "begin above 0.")


def _refuse(override: Override, what: str, hint: str) -> NoReturn:
    raise ConfigError(
        f"`{override.input_line}` cannot be searched: {what}.", where="command line", hint=hint
    )


def _text(value: Any) -> str:
    """A value as Hydra reads it; those of choices are Hydra's own text already."""
    return value if isinstance(value, str) else repr(value)


def _ends(distribution: BaseDistribution) -> tuple[Any, ...]:
    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return (distribution.low, distribution.high)


def _size(distribution: BaseDistribution) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    assert isinstance(distribution, FloatDistribution)
    if distribution.step is None:
        return 1 if distribution.single() else math.inf
    return round((distribution.high - distribution.low) / distribution.step) + 1
