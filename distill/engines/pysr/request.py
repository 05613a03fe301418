"""What PySR is asked: everything that is known of a problem, in PySR's words.

Its inputs are called ``x0``, ``x1``, ... whatever their names here, because PySR and sympy refuse
many (``N``, ``beta``, ``re``). PySR 2 takes known formulas as guesses; to 1.5 they are further
inputs, each as complex as the formula that it stands for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from distill.arrays import Array
from distill.engines.base import Problem
from distill.engines.pysr.custom import Custom, read_custom
from distill.engines.pysr.equations import read_equation
from distill.engines.pysr.installed import Installed
from distill.engines.pysr.judgement import judgement
from distill.engines.pysr.julia import to_julia
from distill.engines.pysr.operators import Offer, offered
from distill.engines.pysr.options import PysrOptions
from distill.engines.pysr.rows import Rows, chosen
from distill.engines.pysr.template import Template, supported
from distill.engines.pysr.units import julia_units
from distill.engines.skeleton import Skeleton
from distill.errors import ConfigError, FormulaError
from distill.formula import Formula
from distill.formula.tree import Node, Symbol

log = logging.getLogger(__name__)

NAME = "pysr"

NITERATIONS = 10_000_000
"""The budget ends a search, never the number of iterations."""

POPULATIONS, FOR_EACH_THREAD = 31, 3
"""PySR's own number of populations, and how many keep a thread busy (https://ai.damtp.cam.ac.uk/pysr/tuning)."""

SMALLEST = 7
"""PySR takes no smaller limit of complexity."""

MOST_GUESSES, MOST_INPUTS = 20, 3
"""So many known formulas go in at most, as guesses or as inputs."""


@dataclass(frozen=True)
class Request:
    """All that the worker is told, and how to read what comes back.

    Attributes
    ----------
    parameters : of PySRRegressor, plain data.
    fit : arguments of its ``fit`` besides the rows, plain data.
    rows : with further columns of x (n, k) where known formulas are inputs.
    inputs : known formulas that are inputs beside the variables.
    guessing : whether this PySR takes guesses, which those from 2.0 on do.
    custom : operators of the user.
    functions : names of the operators that are defined and not known to PySR.
    """

    problem: Problem
    parameters: Mapping[str, object]
    fit: Mapping[str, object]
    rows: Rows
    inputs: tuple[Formula, ...]
    custom: tuple[Custom, ...]
    functions: tuple[str, ...]
    template: Template | None
    guessing: bool
    origin: str

    @property
    def names(self) -> dict[str, Node]:
        """What each of PySR's names stands for."""
        variables = map(Symbol, self.problem.sample.domain.names)
        columns = (*variables, *(formula.tree for formula in self.inputs))
        return dict(zip(input_names(len(columns)), columns, strict=True))

    def formula(self, equation: str) -> Formula:
        """What PySR's text says.

        Raises
        ------
        FormulaError : when it says nothing that can be said here.
        """
        domain, skeleton = self.problem.sample.domain, self.problem.rules.skeleton
        if skeleton is None:
            return Formula(read_equation(equation, self.names, self.custom), domain)
        return Formula(skeleton.fill(*self.filling(equation)), domain)

    def filling(self, equation: str) -> tuple[dict[str, Node], dict[str, float]]:
        """The free parts and constants that PySR's text puts into the template.

        Raises
        ------
        FormulaError : when it says nothing that can be said here.
        """
        assert self.template is not None
        return self.template.read(equation, self.custom)


def make_request(
    problem: Problem,
    options: PysrOptions,
    installed: Installed,
    threads: int,
    inputs: tuple[Formula, ...] | None = None,
) -> Request:
    """Say a problem in PySR's words.

    ``inputs`` are the known formulas that a search that goes on has as inputs already.

    Raises
    ------
    ConfigError : for a custom operator or a skeleton that PySR cannot be told.
    """
    domain, sample, rules = problem.sample.domain, problem.sample, problem.rules
    custom: tuple[Custom, ...] = ()
    for text in options.custom_operators:
        custom = (*custom, read_custom(text, [own.name for own in custom]))
    offer = offered(problem.operators, custom)
    if offer.left_out:
        log.info("PySR searches without %s (unknown to it)", ", ".join(offer.left_out))
    if not (offer.binary or offer.unary):
        raise ConfigError(
            "PySR can use none of the allowed operators.",
            where="config key `engine.operators`",
            hint="allow some of add, sub, mul, div.",
        )
    skeleton = rules.skeleton
    template = None
    if skeleton is not None:
        template = _template(skeleton, installed.release, options.precision)
    seeds = problem.known if options.seeds and template is None else ()
    guessing = installed.release >= (2, 0)
    if inputs is None:
        # Inputs would not rise with the variables that they are made of, and have complexities.
        unwanted = rules.constraints.monotone or "complexity_of_variables" in options.others
        inputs = () if guessing or unwanted else _as_inputs(seeds, sample.x)
    rows = chosen(
        sample, problem.known, options.rows, options.emphasis, problem.tolerance, problem.seed
    )
    units = None if template is not None else _units(problem)
    if units is not None:
        # Julia looks at the first row alone, where nothing may be infinite: an inner one.
        rows = _inner_first(rows, domain.low, domain.high)
    parameters = {
        **_fixed(problem, options, offer, threads),
        **judgement(problem, rows, options, units=units is not None),
    }
    guesses = []
    if guessing and seeds:
        most = float(str(options.others.get("maxsize", parameters["maxsize"])))
        guesses = [*_guesses(seeds, problem, offer, most)][:MOST_GUESSES]
    fit: dict[str, object] = {"variable_names": list(input_names(len(domain) + len(inputs)))}
    if inputs:
        known = [float(formula.complexity) for formula in inputs]
        fit["complexity_of_variables"] = [1.0] * len(domain) + known
    if units is not None:
        of_inputs, of_output = units
        fit["X_units"] = [*of_inputs, *[of_output or ""] * len(inputs)]
        if of_output is not None:
            fit["y_units"] = of_output
    return Request(
        problem=problem,
        parameters=parameters | ({"guesses": guesses} if guesses else {}) | dict(options.others),
        fit=fit,
        rows=_with_inputs(rows, inputs),
        inputs=inputs,
        custom=custom,
        functions=offer.defined,
        template=template,
        guessing=guessing,
        origin=f"PySR {installed.version}",
    )


def input_names(count: int) -> tuple[str, ...]:
    """What PySR calls its inputs."""
    return tuple(f"x{i}" for i in range(count))


def _fixed(problem: Problem, options: PysrOptions, offer: Offer, threads: int) -> dict[str, object]:
    """Operators, limits and budget; what a user gives as an option comes over it."""
    budget = problem.budget
    parameters: dict[str, object] = {
        "binary_operators": list(offer.binary),
        "unary_operators": list(offer.unary),
        "complexity_of_operators": dict(offer.complexity_of_operators),
        "constraints": dict(offer.constraints),
        "maxsize": max(SMALLEST, problem.max_complexity),
        "niterations": NITERATIONS,
        "populations": max(POPULATIONS, FOR_EACH_THREAD * threads),
        "precision": options.precision,
        # Rows are few; batches are random and would hide steps between neighbouring points.
        "batching": False,
        "model_selection": "accuracy",
        "random_state": problem.seed % 2**31,
        "progress": False,
        "verbosity": 1,
        # Watching standard input, Julia has frozen at random.
        "input_stream": "devnull",
    }
    if options.nested and offer.nested_constraints:
        parameters["nested_constraints"] = {
            outer: dict(inner) for outer, inner in offer.nested_constraints.items()
        }
    if budget.seconds is None:
        parameters |= {
            "max_evals": budget.evaluations,
            "deterministic": True,
            "parallelism": "serial",
        }
    else:
        parameters["parallelism"] = "multithreading"
    return parameters


def _template(skeleton: Skeleton, release: tuple[int, int], precision: int) -> Template:
    why = supported(skeleton, release, precision)
    if why:
        raise ConfigError(
            f"PySR cannot be given the skeleton `{skeleton.text}`: {why}",
            where="config key `engine.skeleton`",
            hint="take engine=structure for it.",
        )
    return Template.of(skeleton, input_names(len(skeleton.domain)))


def _units(problem: Problem) -> tuple[list[str], str | None] | None:
    """The units of inputs and output, where they are a rule and known to Julia."""
    rules = problem.rules
    if rules.units is None:
        return None
    stated = {name: rules.units.get(name, "") for name in problem.sample.domain.names}
    return julia_units(stated, rules.output)


def _guesses(
    seeds: Iterable[Formula], problem: Problem, offer: Offer, most: float
) -> Iterator[str]:
    """Known formulas as PySR reads them; one that it could not read would end its search."""
    domain = problem.sample.domain
    names = dict(zip(domain.names, input_names(len(domain)), strict=True))
    symbols = {name: Symbol(name) for name in names.values()}
    allowed = [name for name in problem.operators if offer.has(name)]
    for formula in seeds:
        try:
            text = to_julia(formula.tree, names, allowed)
            size = offer.complexity(read_equation(text, symbols))
        except FormulaError as error:
            log.info("PySR is not told `%.200s`: %s", formula.text, error.what)
            continue
        if size <= most:
            yield text


def _as_inputs(seeds: Iterable[Formula], x: Array) -> tuple[Formula, ...]:
    """The most accurate known formulas come last; those with values everywhere can be inputs."""
    usable = [f for f in seeds if f.complexity > 1 and np.isfinite(f(x)).all()]
    return tuple(usable[-MOST_INPUTS:])


def _with_inputs(rows: Rows, inputs: Sequence[Formula]) -> Rows:
    more = [formula(rows.x) for formula in inputs]
    return Rows(np.column_stack([rows.x, *more]), rows.y, rows.weights, rows.index)


def _inner_first(rows: Rows, low: Array, high: Array) -> Rows:
    """The same rows, the one nearest to the middle of the box first."""
    off = np.max(np.abs(rows.x - (low + high) / 2) / np.where(high > low, high - low, 1.0), axis=1)
    first = int(np.argmin(off))
    order = np.array([first, *(i for i in range(len(rows.x)) if i != first)], dtype=np.intp)
    weights = None if rows.weights is None else rows.weights[order]
    return Rows(rows.x[order], rows.y[order], weights, rows.index[order])
