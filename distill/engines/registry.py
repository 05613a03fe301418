"""The engines by name, and building one from options in a config file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from distill.engines import options
from distill.engines.base import Engine
from distill.engines.exact import NAME as EXACT
from distill.engines.exact import Exact, ExactOptions
from distill.engines.operon import Operon, OperonOptions
from distill.engines.polynomial import Polynomial, PolynomialOptions
from distill.engines.portfolio.engine import Offer, Portfolio
from distill.engines.portfolio.options import MEMBERS, PortfolioOptions
from distill.engines.portfolio.options import read_options as read_portfolio
from distill.engines.pysr import installed
from distill.engines.pysr.engine import Pysr
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.options import read_options as read_pysr
from distill.engines.pysr.request import NAME as PYSR
from distill.engines.structure.engine import Structure, StructureOptions
from distill.engines.student import NAME as STUDENT
from distill.engines.student import Student, StudentOptions
from distill.errors import ConfigError


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine on offer: ``factory`` takes an instance of ``options``.

    ``read`` makes that instance of what a config says, where :func:`distill.engines.options.read`
    does not know enough for it.
    ``asks`` says that it asks the teacher by itself: the teacher's own error is estimated for it.
    ``fills`` says that it fills in skeletons. ``rounds`` is False where it is asked once and what
    it proposes stays as it is: no constants are refined, no counterexamples join its sample.
    ``lacks`` says why it cannot run here at once, and what to do; nothing where it can.
    """

    name: str
    description: str
    options: type[Any]
    factory: Callable[[Any], Engine]
    asks: bool = False
    fills: bool = False
    rounds: bool = True
    read: Callable[[Mapping[str, object]], Any] | None = None
    lacks: Callable[[], str] = lambda: ""


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
            PYSR,
            "PySR's evolutionary search in Julia, told all that is known of the problem",
            PysrOptions,
            Pysr,
            fills=True,
            read=lambda data: read_pysr(data, installed.find()),
            lacks=installed.lacks,
        ),
        EngineEntry(
            "portfolio",
            "structure, operon and pysr side by side, each starting from what all have found",
            PortfolioOptions,
            lambda chosen: Portfolio(chosen, _offers()),
            asks=True,
            fills=True,
            read=read_portfolio,
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


def make_engine(name: str, data: Mapping[str, object]) -> Engine:
    """The engine of that name with the options of ``data``; others keep their defaults.

    Raises
    ------
    ConfigError : for an unknown engine or option, or a value of the wrong type.
    """
    entry = ENGINES.get(name)
    if entry is None:
        raise ConfigError(
            f"`{name}` is not an engine.",
            where="config key `engine.name`",
            hint=options.did_you_mean(name, ENGINES) or f"allowed: {', '.join(ENGINES)}.",
        )
    read = entry.read or partial(options.read, entry.options, engine=name)
    return entry.factory(read(data))


def _offers() -> dict[str, Offer]:
    """The engines that may run in a portfolio."""
    entries = [ENGINES[name] for name in MEMBERS]
    return {e.name: Offer(partial(make_engine, e.name), e.asks, e.fills, e.lacks) for e in entries}
