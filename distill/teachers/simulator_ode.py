"""Differential equations as a function of their inputs; made and run in the worker process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from distill.arrays import Array
from distill.errors import TeacherError

METHODS = ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")
ANSWERS = ("final", "max", "min", "mean")


class Diverged(Exception):
    """There is no answer at this point."""


@dataclass(frozen=True)
class Settings:
    """How equations are integrated and what is answered.

    Attributes
    ----------
    t_end : the time at which integration ends; it starts at 0.
    method, rtol, atol : as scipy.integrate.solve_ivp takes them.
    answer : final, max, min, mean, or the name of a function (t, y) of the user's module.
    components : of the state, those that are answered.
    samples : evenly spaced times at which all answers but ``final`` look at the solution.
    steps : how often the right-hand side may be asked for one point.
    initial : the state at 0, or the name of a function of the inputs in the user's module; None
        where the equations bring it.
    """

    t_end: float
    method: str = "RK45"
    rtol: float = 1e-6
    atol: float = 1e-9
    answer: str = "final"
    components: tuple[int, ...] = (0,)
    samples: int = 201
    steps: int = 100_000
    initial: tuple[float, ...] | str | None = None


@dataclass(frozen=True)
class Equations:
    """dy/dt = rhs(t, y, *inputs), y(0) = initial(*inputs), and what is answered of the solution."""

    rhs: Callable[..., Any]
    initial: Callable[..., Any]
    observe: Callable[[Array, Array], Any]
    settings: Settings

    def __call__(self, *inputs: float) -> list[float]:
        """The answers at one point.

        Raises
        ------
        Diverged : when the solver gives up, needs too many steps, or ends in no numbers.
        """
        from scipy.integrate import solve_ivp

        asked = 0

        def counted(t: float, y: Array) -> Any:
            nonlocal asked
            asked += 1
            if asked > self.settings.steps:
                raise Diverged(
                    f"the right-hand side was asked more than {self.settings.steps:,} times"
                )
            return self.rhs(t, y, *inputs)

        start = np.atleast_1d(np.asarray(self.initial(*inputs), dtype=np.float64))
        end, only_end = self.settings.t_end, self.settings.answer == "final"
        with np.errstate(all="ignore"):
            solution = solve_ivp(
                counted,
                (0.0, end),
                start,
                method=cast(Any, self.settings.method),
                t_eval=[end] if only_end else np.linspace(0.0, end, self.settings.samples),
                rtol=self.settings.rtol,
                atol=self.settings.atol,
            )
        if not solution.success:
            raise Diverged(f"the solver stopped: {solution.message}")
        values = np.atleast_1d(np.asarray(self.observe(solution.t, solution.y), dtype=np.float64))
        if not np.isfinite(values).all():
            raise Diverged("the solution is not finite")
        result: list[float] = values.reshape(-1).tolist()
        return result


def integrating(given: Any, module: Any, settings: Mapping[str, Any]) -> Equations:
    """Equations from a right-hand side, or an object or factory that brings more.

    Raises
    ------
    TeacherError : when the initial state is missing, or a named function is.
    """
    values: dict[str, Any] = {  # tuples came as lists
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }
    chosen = Settings(**values)
    factory = callable(given) and not hasattr(given, "rhs") and not _parameters(given)
    if factory or isinstance(given, type):
        given = given()
    rhs = getattr(given, "rhs", given)
    initial = getattr(given, "initial", None)
    if chosen.initial is not None:
        initial = _initial(chosen.initial, module)
    if initial is None:
        raise TeacherError(
            "the equations have no initial state.",
            hint="state `initial`: numbers, or the name of a function of the inputs in the same "
            "module; or give an object with the methods `rhs` and `initial`.",
        )
    if not callable(rhs) or not callable(initial):
        raise TeacherError(
            "the right-hand side and the initial state must be functions.",
            hint="`rhs(t, y, *inputs)` gives dy/dt, `initial(*inputs)` the state at 0.",
        )
    observe = getattr(given, "observe", None) if chosen.answer == "observe" else None
    return Equations(rhs, initial, observe or _observer(chosen, module), chosen)


def plain(given: Any, module: Any, settings: Mapping[str, Any]) -> Callable[..., Any]:
    """A function as it is; equations are told from it by their ``rhs``.

    Raises
    ------
    TeacherError : for equations without the time at which they end.
    """
    if hasattr(given, "rhs") or not callable(given):
        raise TeacherError(
            "these are differential equations, or no function.",
            hint="state `t_end`, the time at which integration ends.",
        )
    return cast("Callable[..., Any]", given)


def peak(y: Array) -> Array:
    """The largest value of each row (s, m) of even samples, by the parabola through its top."""
    result = []
    for row in y:
        i = int(np.argmax(row))
        if not 0 < i < len(row) - 1:
            result.append(row[i])
            continue
        left, top, right = row[i - 1 : i + 2]
        bend = left - 2 * top + right
        result.append(top - (right - left) ** 2 / (8 * bend) if bend < 0 else top)
    return np.array(result)


def _parameters(function: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of a compiled function
        return [inspect.Parameter("t", inspect.Parameter.POSITIONAL_ONLY)]


def _initial(stated: tuple[float, ...] | str, module: Any) -> Callable[..., Any]:
    if not isinstance(stated, str):
        return lambda *inputs: stated
    return _named(stated, module, "initial")


def _observer(settings: Settings, module: Any) -> Callable[[Array, Array], Any]:
    if settings.answer not in ANSWERS:
        return _named(settings.answer, module, "answer")
    rows = list(settings.components)

    def observe(t: Array, y: Array) -> Any:
        if max(rows) >= len(y):
            raise TeacherError(f"the state has {len(y)} components, numbered from 0.")
        picked = y[rows]
        if settings.answer == "final":
            return picked[:, -1]
        if settings.answer == "mean":
            return np.trapezoid(picked, t, axis=1) / (t[-1] - t[0])
        return peak(picked) if settings.answer == "max" else -peak(-picked)

    return observe


def _named(name: str, module: Any, key: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise TeacherError(
            f"the module `{module.__name__}` has no function `{name}`.",
            hint=f"`{key}` names a function beside the equations"
            + (f", or one of {', '.join(ANSWERS)}." if key == "answer" else ", or holds numbers."),
        )
    return cast("Callable[..., Any]", function)
