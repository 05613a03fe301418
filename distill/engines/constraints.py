"""What a user demands of a formula besides its error: monotone, bounded, operators by variable.

How far a formula is off is said in the unit of its output: past a bound by so much, or falling by
so much where it should rise (its slope times the variable's range, or a step down).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, cast, get_args

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ConfigError
from distill.extremum import border_points, every_point, largest
from distill.formula import Formula
from distill.formula.operators import OPERATORS
from distill.formula.tree import Call, Node, Symbol

Direction = Literal["increasing", "decreasing"]

ROUNDING = 1e-9
"""Violations below this part of the largest output are rounding."""

POINTS, STARTS = 2048, 8
"""Of the search for the worst point."""

LINES, STEPS = 256, 33
"""Jumps have no slope: outputs are also compared along so many lines at so many places."""

IMPLIED = {
    "sub": ("add",),
    "neg": ("add", "sub", "mul"),
    "square": ("mul", "pow"),
    "cube": ("mul", "pow"),
    "inv": ("div", "pow"),
    "sqrt": ("pow",),
}
"""Operators that are another way to write an allowed one: simplification chooses among them."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """Demands on a formula; empty ones demand nothing.

    Attributes
    ----------
    monotone : the direction in which the output goes when the variable rises.
    low, high : bounds of the output; infinite where there is none.
    operators_of : for some variables, the operators that may stand above them.
    """

    monotone: Mapping[str, Direction] = field(default_factory=dict)
    low: float = -np.inf
    high: float = np.inf
    operators_of: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.monotone or self.operators_of or self.bounded)

    @property
    def bounded(self) -> bool:
        """Whether the output has a bound."""
        return bool(np.isfinite(self.low) or np.isfinite(self.high))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a formula meets the constraints, as far as a search can tell.

    Attributes
    ----------
    worst : the largest violation found, in the output's unit; 0 for none.
    x : where (d,); None where operators are at fault, or nothing is.
    broken : what is violated most, for people; empty where nothing is.
    points : at how many points at least the formula was looked at.
    """

    satisfied: bool
    worst: float = 0.0
    x: Array | None = None
    broken: str = ""
    points: int = 0


def satisfies(formula: Formula, constraints: Constraints, domain: Domain, seed: int = 0) -> Verdict:
    """Search the domain for the worst violation: corners, edges, a design, climbs from the worst.

    That none is found is no proof. Equal seeds give equal verdicts.
    """
    wrong = broken_operators(formula.tree, constraints.operators_of)
    if wrong:
        name, operator = wrong[0]
        return Verdict(False, np.inf, None, f"`{operator}` is not allowed on {name}")
    pool = every_point(domain)
    if pool is None:
        pool = np.vstack([border_points(domain, POINTS // 2, seed), domain.sample(POINTS, seed)])
    slack = ROUNDING * _size(formula(pool))
    lines = min(LINES, len(pool))
    found = Verdict(True, points=len(pool) + len(constraints.monotone) * lines * STEPS)
    for what, excess in _excesses(formula, constraints, domain):
        with np.errstate(all="ignore"):
            at_pool = excess(pool)
        # The search climbs |difference|; measured from the least excess it is a positive one.
        floor = float(np.min(at_pool[np.isfinite(at_pool)], initial=0.0))
        above = partial(_above, excess, floor)
        worst = largest(above, domain, points=POINTS, starts=STARTS, seed=seed)
        found = _worse(found, worst.value + floor, worst.x, what, slack)
    for name, direction in constraints.monotone.items():
        step, x = _largest_step_back(formula, domain, name, direction, pool[:lines])
        found = _worse(found, step, x, f"{name} should be {direction}", slack)
    return found


def violations(formula: Formula, constraints: Constraints, x: Array) -> float:
    """The largest violation at the points x (n, d), in the output's unit; 0 where there is none.

    Much quicker than :func:`satisfies`, and blind to what lies between the points. A formula that
    uses operators on variables where they are not allowed is off by infinity.
    """
    if not uses_allowed(formula.tree, constraints.operators_of):
        return np.inf
    worst = 0.0
    with np.errstate(all="ignore"):
        for _, excess in _excesses(formula, constraints, formula.domain):
            worst = max(worst, float(np.max(excess(x), initial=0.0)))
    for name, direction in constraints.monotone.items():
        if formula.domain.variables[formula.domain.names.index(name)].discrete:
            step = _largest_step_back(formula, formula.domain, name, direction, x[:LINES])[0]
            worst = max(worst, step)
    return worst if worst > ROUNDING * _size(formula(x)) else 0.0


def uses_allowed(tree: Node, allowed: Mapping[str, Collection[str]]) -> bool:
    """Whether only allowed operators stand above the variables named; others may use any.

    An operator counts for a variable that stands anywhere below it. Operators that only write an
    allowed one in another way (``square`` for ``mul``) are allowed too.
    """
    return not broken_operators(tree, allowed)


def broken_operators(
    tree: Node, allowed: Mapping[str, Collection[str]]
) -> tuple[tuple[str, str], ...]:
    """The pairs (variable, operator) that are not allowed, each once."""
    if not allowed:
        return ()
    above: dict[tuple[str, str], None] = {}
    _collect(tree, above)
    return tuple(
        (name, operator)
        for name, operator in above
        if name in allowed
        and not {operator, *IMPLIED.get(operator, ())}.intersection(allowed[name])
    )


def _collect(node: Node, above: dict[tuple[str, str], None]) -> frozenset[str]:
    if isinstance(node, Symbol):
        return frozenset((node.name,))
    if not isinstance(node, Call):
        return frozenset()
    names = frozenset[str]().union(*(_collect(arg, above) for arg in node.args))
    for name in sorted(names):
        above[name, node.operator] = None
    return names


def _excesses(
    formula: Formula, constraints: Constraints, domain: Domain
) -> Iterable[tuple[str, Callable[[Array], Array]]]:
    """Each demand on values and slopes, with how far it is exceeded at points; negative: kept."""
    if constraints.bounded:
        low, high = constraints.low, constraints.high

        def outside(x: Array) -> Array:
            y = formula(x)
            return np.where(np.isfinite(y), np.maximum(low - y, y - high), np.inf)

        yield f"the output should stay within [{low:g}, {high:g}]", outside
    for name, direction in constraints.monotone.items():
        at = domain.names.index(name)
        variable = domain.variables[at]
        if variable.discrete:
            continue  # has steps, not slopes
        factor = (-1.0 if direction == "increasing" else 1.0) * (variable.high - variable.low)

        def backwards(x: Array, at: int = at, factor: float = factor) -> Array:
            slope = factor * formula.gradient(x)[:, at]
            # Where there is no slope the steps along lines tell.
            return np.where(np.isnan(slope), -np.inf, slope)

        yield f"{name} should be {direction}", backwards


def _above(excess: Callable[[Array], Array], floor: float, x: Array) -> Array:
    return np.maximum(excess(x) - floor, 0.0)


def _largest_step_back(
    formula: Formula, domain: Domain, name: str, direction: Direction, x: Array
) -> tuple[float, Array]:
    """The largest change in the wrong direction along lines through x, and the point after it."""
    at = domain.names.index(name)
    variable = domain.variables[at]
    places = variable.from_unit(np.linspace(0.0, 1.0, STEPS))
    if variable.discrete:
        places = np.unique(places)
    lines = np.repeat(x[:, None, :], len(places), axis=1)
    lines[:, :, at] = places
    y = formula(lines.reshape(-1, x.shape[1])).reshape(len(x), -1)
    with np.errstate(all="ignore"):
        back = np.diff(y, axis=1) * (-1.0 if direction == "increasing" else 1.0)
    back = np.where(np.isnan(back), 0.0, back)
    line, place = np.unravel_index(int(np.argmax(back)), back.shape)
    return float(back[line, place]), lines[line, place + 1]


def _worse(found: Verdict, excess: float, x: Array, what: str, slack: float) -> Verdict:
    if excess <= max(slack, found.worst):
        return found
    return Verdict(False, excess, x, what, found.points)


def _size(values: Array) -> float:
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def read_constraints(
    data: Mapping[str, object], names: Sequence[str], key: str = "engine.constraints"
) -> Constraints:
    """The constraints of a config: ``monotone``, ``bounds`` and ``operators_of``, each optional.

    ``monotone`` maps variables to ``increasing`` or ``decreasing``; ``bounds`` is a pair of
    numbers, null for none; ``operators_of`` maps variables to lists of operators.

    Raises
    ------
    ConfigError : naming the key below ``key`` that cannot be used.
    """
    known = ("monotone", "bounds", "operators_of")
    for name in data:
        if name not in known:
            raise _unknown(f"`{name}` is not a constraint.", f"{key}.{name}", str(name), known)
    read = Constraints()
    if data.get("bounds") is not None:
        low, high = _bounds(data["bounds"], f"{key}.bounds")
        read = replace(read, low=low, high=high)
    monotone = {
        name: cast(Direction, _one_of(value, get_args(Direction), where))
        for name, value, where in _of_variables(data, "monotone", names, key)
    }
    operators = {
        name: _operators(value, where)
        for name, value, where in _of_variables(data, "operators_of", names, key)
    }
    return replace(read, monotone=monotone, operators_of=operators)


def _of_variables(
    data: Mapping[str, object], name: str, names: Sequence[str], key: str
) -> Iterable[tuple[str, object, str]]:
    """The entries of a mapping by variable: the variable, its value and its key."""
    entries = data.get(name)
    if entries is None:
        return
    if not isinstance(entries, Mapping):
        raise ConfigError(
            f"`{name}` must map variables to what is demanded of them, not {entries!r}.",
            where=f"config key `{key}.{name}`",
            hint=f"variables: {', '.join(names)}.",
        )
    for variable, value in entries.items():
        where = f"{key}.{name}.{variable}"
        if variable not in names:
            raise _unknown(f"`{variable}` is not a variable.", where, str(variable), names)
        yield variable, value, where


def _bounds(value: object, where: str) -> tuple[float, float]:
    pair = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    numbers = [
        float(v) if isinstance(v, int | float) and not isinstance(v, bool) else np.nan
        for v in (d if v is None else v for v, d in zip(pair, (-np.inf, np.inf), strict=False))
    ]
    if len(pair) != 2 or not numbers[0] < numbers[1]:
        raise ConfigError(
            f"bounds must be two numbers, the lower first, not {value!r}.",
            where=f"config key `{where}`",
            hint="write `[0, 100]`, or `[0, null]` for a lower bound alone.",
        )
    return numbers[0], numbers[1]


def _operators(value: object, where: str) -> frozenset[str]:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, Sequence):
        raise ConfigError(
            f"operators must be a list, not {value!r}.",
            where=f"config key `{where}`",
            hint="write `[add, mul]`.",
        )
    return frozenset(_one_of(entry, tuple(OPERATORS), where) for entry in entries)


def _one_of(value: object, known: Sequence[str], where: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise _unknown(f"{value!r} cannot stand here.", where, str(value), known)
    return value


def _unknown(what: str, where: str, name: str, known: Sequence[str]) -> ConfigError:
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"allowed: {', '.join(known)}."
    return ConfigError(what, where=f"config key `{where}`", hint=hint)
