"""One problem, one engine, one process: searches, refines, judges and says what came out.

    python -m recovery.solving '{"group": "feynman", "name": "I.6.2a", ...}'

writes one JSON line, the fields of an :class:`Outcome`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from distill.engines.base import Budget, Candidate, Engine, Problem
from distill.engines.closable import closable, ended
from distill.engines.oracle import Oracle
from distill.engines.refine import refine
from distill.engines.registry import make_engine
from distill.sampling.sample_set import SampleSet
from distill.scoring.pareto import front
from distill.teachers.base import Teacher
from distill.teachers.load import load_teacher
from recovery import networks
from recovery.judging import Errors, Judge
from recovery.peers import Gplearn
from recovery.problems import RecoveryProblem, load

OPERATORS = {
    "add": 1.0, "sub": 1.0, "mul": 1.0, "neg": 1.0, "square": 1.0, "cube": 1.0, "div": 2.0,
    "sqrt": 2.0, "exp": 4.0, "log": 4.0, "sin": 4.0, "cos": 4.0, "tan": 4.0, "tanh": 4.0,
    "pow": 6.0, "asin": 6.0, "acos": 6.0, "atan": 6.0, "sinh": 6.0, "cosh": 6.0,
}  # fmt: skip
"""What every engine may use, and what it is told that they cost."""

MAX_COMPLEXITY = 60
POINTS = 2048
SEED = 0

EXACT = 1e-9
"""The tolerance where the truth is wanted, as a part of the range."""

REFINED = 12
"""Candidates that are refined: the most accurate of the front, then of what lies behind it."""

REFINING = 0.4
"""Refining ends after this part of the seconds of the search."""

COMPILING = {"pysr": 120.0}
"""Seconds in which an engine may start and compile its own program before the clock runs."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: an engine, with its seconds and threads, on a problem.

    ``fraction`` is a tolerance as a part of the truth's range, 0 where the truth itself is wanted;
    ``network`` puts a trained network in between; ``stop`` ends the search at the truth.
    """

    group: str
    name: str
    engine: str
    seconds: float
    threads: int = 1
    network: bool = False
    fraction: float = 0.0
    stop: bool = False


OPTIONS: dict[str, Callable[[Task], dict[str, object]]] = {
    "operon": lambda task: {"threads": task.threads},
    # What it found while it was compiled does not count.
    "pysr": lambda task: {"threads": task.threads, "warm_start": False},
}
"""Options of engines that have some for a task."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Attributes
    ----------
    recovered : whether a candidate is the truth.
    found : when the candidate that became the first such formula was yielded, in seconds.
    formula : the simplest such formula; otherwise the most accurate one on held-out points.
    relative, wide : relative RMSE of ``formula`` in the box and in the wider one.
    rmse, max_error : of ``formula`` in the box, against the truth.
    within : the fewest nodes of a candidate whose largest error is within the tolerance.
    within_error, within_formula : that candidate's largest error and text.
    network_rmse : what the network in between is off by on the held-out points.
    as_good : whether ``formula`` is at least as near to the truth as the network.
    seconds : that the search took; ``asked`` how many points the engine asked for.
    """

    group: str
    name: str
    engine: str
    recovered: bool = False
    found: float = float("nan")
    relative: float = float("inf")
    wide: float = float("inf")
    rmse: float = float("inf")
    max_error: float = float("inf")
    complexity: int = 0
    formula: str = ""
    candidates: int = 0
    tolerance: float = float("nan")
    within: int | None = None
    within_error: float = float("nan")
    within_formula: str = ""
    network_rmse: float = float("nan")
    as_good: bool = False
    seconds: float = float("nan")
    asked: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Yielded:
    """A candidate, when its forebear was yielded, and its errors on held-out points."""

    candidate: Candidate
    at: float
    errors: Errors


def solve(task: Task, cache: Path = networks.CACHE) -> Outcome:
    """Run one engine on one problem and judge what it finds."""
    problem = next(p for p in load(task.group) if p.name == task.name)
    judge = Judge.of(problem)
    teacher: Teacher = load_teacher(problem.answers, domain=problem.domain)
    error, network_rmse = 0.0, float("nan")
    if task.network:
        network = networks.read(networks.path_of(problem, cache))
        teacher, error = load_teacher(networks.module(network), domain=problem.domain), network.rmse
        network_rmse = float(np.sqrt(np.mean((network(judge.x) - judge.y) ** 2)))
    oracle = Oracle(teacher, problem.domain, error=error)
    asked = Problem(
        sample=_sample(problem, teacher),
        # A network hides the truth by its error; no formula is worth more accuracy than that.
        tolerance=max((task.fraction or EXACT) * judge.range, error) or EXACT,
        operators=OPERATORS,
        max_complexity=MAX_COMPLEXITY,
        budget=Budget(seconds=task.seconds),
        seed=SEED,
        oracle=oracle,
    )
    raw: list[tuple[Candidate, float]] = []
    note = ""
    began = time.monotonic()
    try:
        with ended(engine_of(task)) as engine:
            if task.engine in COMPILING:
                _compile(engine, asked, COMPILING[task.engine])
                began = time.monotonic()
            with closing(closable(engine.search(asked))) as search:
                for candidate in search:
                    if candidate.formula.complexity > MAX_COMPLEXITY:
                        continue
                    raw.append((candidate, time.monotonic() - began))
                    if task.stop and judge.errors(candidate.formula).recovered:
                        break
    except Exception as failure:  # a benchmark counts failures, it does not end with them
        note = f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}"
    seconds = time.monotonic() - began
    found = [
        Yielded(candidate, at, judge.errors(candidate.formula))
        for candidate, at in _refined(raw, asked, worst_counts=task.fraction > 0)
    ]
    return _outcome(task, found, asked.tolerance, network_rmse, seconds, oracle.asked, note)


def engine_of(task: Task) -> Engine:
    """The engine of a task: ours by name, or a peer."""
    if task.engine == "gplearn":
        return Gplearn()
    return make_engine(task.engine, OPTIONS.get(task.engine, _no_options)(task))


def _no_options(_: Task) -> dict[str, object]:
    return {}


def _compile(engine: Engine, problem: Problem, seconds: float) -> None:
    """Have the engine search until anything at all is found, which is forgotten."""
    anything = 1e3 * (float(np.ptp(problem.sample.y)) or 1.0)
    for _ in engine.search(replace(problem, tolerance=anything, budget=Budget(seconds))):
        pass


def _sample(problem: RecoveryProblem, teacher: Teacher) -> SampleSet:
    x = problem.domain.sample(POINTS, SEED)
    y = teacher.predict(x)[:, 0]
    finite = np.isfinite(y)
    return SampleSet(problem.domain, x[finite], y[finite], x[~finite])


def _worst(candidate: Candidate, sample: SampleSet) -> float:
    with np.errstate(all="ignore"):
        return float(np.abs(candidate.formula(sample.x) - sample.y).max())


def _refined(
    raw: Sequence[tuple[Candidate, float]], problem: Problem, *, worst_counts: bool
) -> list[tuple[Candidate, float]]:
    """All candidates with the relatives of the best, as the fit stage makes them."""
    assert problem.budget.seconds is not None
    deadline = time.monotonic() + REFINING * problem.budget.seconds
    left = [
        (candidate, at, error)
        for candidate, at in raw
        if np.isfinite(error := _worst(candidate, problem.sample))
    ]
    result = [(candidate, at) for candidate, at, _ in left]
    count = 0
    while left and count < REFINED:
        layer = set(front([(c.formula.complexity, error) for c, _, error in left]))
        best = sorted((row for i, row in enumerate(left) if i in layer), key=lambda row: row[2])
        for candidate, at, _ in best[: REFINED - count]:
            if (rest := deadline - time.monotonic()) <= 0:
                return result
            better = refine(
                candidate,
                problem.sample,
                tolerance=problem.tolerance,
                minimax=worst_counts,
                seconds=rest,
            )
            result += [(c, at) for c in better if c.formula.complexity <= MAX_COMPLEXITY]
        count += len(best)
        left = [row for i, row in enumerate(left) if i not in layer]
    return result


def _outcome(
    task: Task,
    found: Sequence[Yielded],
    tolerance: float,
    network_rmse: float,
    seconds: float,
    asked: int,
    note: str,
) -> Outcome:
    common: dict[str, Any] = {
        "group": task.group,
        "name": task.name,
        "engine": task.engine,
        "candidates": len(found),
        "tolerance": tolerance,
        "network_rmse": network_rmse,
        "seconds": seconds,
        "asked": asked,
        "note": note,
    }
    if not found:
        return Outcome(**common)
    exact = [each for each in found if each.errors.recovered]
    best = (
        min(exact, key=_complexity)
        if exact
        else min(found, key=lambda each: (each.errors.rmse, _complexity(each)))
    )
    within = min(
        (each for each in found if each.errors.max_error <= tolerance),
        key=lambda each: (_complexity(each), each.errors.max_error),
        default=None,
    )
    if within is not None:
        common |= {
            "within": _complexity(within),
            "within_error": within.errors.max_error,
            "within_formula": within.candidate.formula.readable(8),
        }
    return Outcome(
        **common,
        recovered=bool(exact),
        found=min(each.at for each in exact or [best]),
        relative=best.errors.relative,
        wide=best.errors.wide,
        rmse=best.errors.rmse,
        max_error=best.errors.max_error,
        complexity=_complexity(best),
        formula=best.candidate.formula.readable(8),
        as_good=best.errors.rmse <= network_rmse,
    )


def _complexity(each: Yielded) -> int:
    return each.candidate.formula.complexity


def main(text: str) -> None:
    """Solve the task in JSON and print the outcome in JSON."""
    outcome = solve(Task(**json.loads(text)))
    print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
