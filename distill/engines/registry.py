"""The engines by name, and building one from options in a config file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from distill.engines.base import Engine
from distill.engines.exact import NAME as EXACT
from distill.engines.exact import Exact, ExactOptions
from distill.engines.operon import Operon, OperonOptions
from distill.engines.polynomial import Polynomial, PolynomialOptions
from distill.engines.structure.engine import Structure, StructureOptions
from distill.engines.student import NAME as STUDENT
from distill.engines.student import Student, StudentOptions
from distill.errors import ConfigError


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine on offer: ``factory`` takes an instance of ``options``.

    ``asks`` says that it asks the teacher by itself: the teacher's own error is estimated for it.
    ``fills`` says that it fills in skeletons. ``rounds`` is False where it is asked once and what
    it proposes stays as it is: no constants are refined, no counterexamples join its sample.
    """

    name: str
    description: str
    options: type[Any]
    factory: Callable[[Any], Engine]
    asks: bool = False
    fills: bool = False
    rounds: bool = True


ENGINES: dict[str, EngineEntry] = {
    entry.name: entry
    for entry in (
        EngineEntry(
            "structure",
            "asks the teacher what it is made of, solves the pieces, and lets operon search beside",
            StructureOptions,
            Structure,
            asks=True,
            fills=True,
        ),
        EngineEntry(
            "operon",
            "genetic programming over whole formulas (pyoperon), constants fitted as it goes",
            OperonOptions,
            Operon,
        ),
        EngineEntry(
            "polynomial",
            "sparse polynomials and ratios by least squares: what a search must beat",
            PolynomialOptions,
            Polynomial,
        ),
        EngineEntry(
            STUDENT,
            "smaller networks that learn from the teacher's answers, exported as loops",
            StudentOptions,
            Student,
            rounds=False,
        ),
        EngineEntry(
            EXACT,
            "the teacher's own closed form, where it is known: no search, no error but rounding",
            ExactOptions,
            Exact,
            rounds=False,
        ),
    )
}


def make_engine(name: str, options: Mapping[str, object]) -> Engine:
    """The engine of that name with the given options; others keep their defaults.

    Raises
    ------
    ConfigError : for an unknown engine or option, or a value of the wrong type.
    """
    entry = ENGINES.get(name)
    if entry is None:
        raise ConfigError(
            f"`{name}` is not an engine.",
            where="config key `engine.name`",
            hint=_hint(name, ENGINES),
        )
    defaults = {f.name: f.default for f in fields(entry.options)}
    for key, value in options.items():
        where = f"config key `engine.options.{key}`"
        if key not in defaults:
            raise ConfigError(
                f"the engine `{name}` has no option `{key}`.",
                where=where,
                hint=_hint(key, defaults),
            )
        wanted = type(defaults[key])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise ConfigError(
                f"`{key}` must be of type {wanted.__name__}, not {value!r}.",
                where=where,
                hint=f"its default is {defaults[key]}.",
            )
    return entry.factory(entry.options(**options))


def _hint(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean `{close[0]}`?" if close else f"allowed: {', '.join(known)}."
