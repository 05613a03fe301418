"""Proofs of many formulas within a budget, and a statement with its confidence where there is none.

Proven are the formulas of the front that are within the tolerance, then what else is, simplest
first, and then the rest of the front. The
worst point that a proof meets counts for the largest error found, so the front may change; then
what came onto it is proven too. Random points, of which nothing before has seen any, count in the
same way for what could not be proven.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from distill.arrays import Array
from distill.bounds.base import Difference, NotBounded
from distill.bounds.prove import Limits, prove
from distill.bounds.read import enclosable
from distill.bounds.statistical import random_points, state
from distill.chain.expression import Expression
from distill.extremum import Extremum
from distill.scoring.errors import with_worst
from distill.scoring.facts import Demands, facts_of
from distill.scoring.own_form import OwnForm
from distill.scoring.pareto import front
from distill.scoring.proof import Proof
from distill.scoring.score import Score
from distill.scoring.truth import Truth, in_batches

NEGLIGIBLE = 0.01
"""A bound below this part of the tolerance is as good as any: the proof ends there."""

MISSES = 0.1
"""The part of a formula's boxes that is spent on one that is known to miss the tolerance."""

WORK = 300_000_000
"""Nodes of formula and teacher, times boxes, that one proof takes at most: huge teachers get fewer
boxes, the same every time."""

LEAST = 500
"""So many boxes a formula within the tolerance gets even then."""

OVER = "Not proven: the time was over (score.proof_seconds)."
LEFT_OUT = "Not proven: others came first (score.proof_candidates)."

FACT_BOXES = 0.25
"""The part of a formula's boxes that each proof of a fact may look at."""

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Effort:
    """How hard to try: for each formula ``boxes`` at most, or until bound / found is ``ratio``.

    ``seconds`` is for all formulas together, None for no limit; ``candidates`` how many are
    proven at most; ``workers`` the processes of one proof.
    """

    ratio: float = 1.1
    boxes: int = 20_000
    seconds: float | None = None
    candidates: int = 24
    workers: int = 1


def certify(
    formulas: Sequence[Expression],
    scores: Sequence[Score],
    truth: Truth,
    own: OwnForm | None,
    effort: Effort,
    tolerance: float,
    *,
    demands: Demands = Demands(),  # noqa: B008  (frozen)
    always: Sequence[int] = (),
    tell: Tell | None = None,
) -> list[Score]:
    """The scores with what could be proven; the formulas in the order of their complexity.

    Parameters
    ----------
    truth : what the scores come from. Where it holds every point there is, nothing is left to
        prove.
    own : what the teacher computes; None where nothing can be proven against it, and then only
        facts are.
    demands : what is to be proven of the formulas themselves.
    always : indices of formulas that stand beside the front, and are proven all the same.
    """
    result = list(scores)
    if truth.complete:
        return [_counted(score, truth) for score in result]
    deadline = None if effort.seconds is None else time.monotonic() + effort.seconds

    def look(at: int, seconds: float | None) -> Score:
        score = result[at]
        if own is not None:
            score = _proven(formulas[at], score, truth, own, effort, tolerance, seconds)
        boxes, finite = int(FACT_BOXES * effort.boxes), score.certified_error is not None
        facts = facts_of(formulas[at], demands, truth.domain, boxes, finite=finite, until=deadline)
        return replace(score, facts=facts)

    # The teacher itself costs nothing: it is not counted among the candidates.
    done = set() if own is None else {i for i, f in enumerate(formulas) if own.is_(f)}
    free = len(done)
    for at in done:
        result[at] = look(at, None)
    while wanted := [i for i in _wanted(formulas, result, tolerance, always) if i not in done]:
        at, left = wanted[0], min(len(wanted), effort.candidates + free - len(done))
        seconds = None if deadline is None else (deadline - time.monotonic()) / max(1, left)
        done.add(at)
        if left < 1 or (seconds is not None and seconds <= 0):
            if own is not None and own.function is not None:
                result[at] = replace(result[at], unproven=LEFT_OUT if left < 1 else OVER)
            continue
        result[at] = look(at, seconds)
        if tell:
            tell(len(done) / max(1, len(done) + left - 1))
    return result


def with_statements(
    formulas: Sequence[Expression],
    scores: Sequence[Score],
    truth: Truth,
    answer: Callable[[Array], Array],
    *,
    points: int,
    confidence: float,
    seed: int,
) -> list[Score]:
    """The scores with a statement for each formula that has no proven bound.

    The points are drawn after everything else, from a seed that holds which formulas there are, so
    that neither a search nor a choice can have known them. One may be chosen by its statement: the
    chance to be wrong is shared out among all.

    Parameters
    ----------
    answer : the teacher, maps (n, d) to (n,); points without a finite answer do not count.
    points : how many points are drawn.
    """
    result = list(scores)
    open_ = [i for i, s in enumerate(result) if s.certified_error is None]
    if truth.complete or not open_ or points < 1:
        return result
    names = hashlib.sha256("\n".join(formulas[i].text for i in open_).encode()).digest()
    x = random_points(truth.domain, points, [seed, int.from_bytes(names[:8], "big")])
    y = in_batches(answer, x)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    if not len(x):
        return result
    for i in open_:
        with np.errstate(all="ignore"):
            errors = np.abs(formulas[i](x) - y)
        errors = np.where(np.isnan(errors), np.inf, errors)
        at = int(errors.argmax())
        worst = with_worst(
            result[i].teacher,
            Extremum(x[at], float(errors[at])),
            searched=result[i].teacher.searched,
        )
        made = None
        if math.isfinite(worst.max_error):
            made = state(errors, confidence, size=worst.max_error, beside=len(open_))
        result[i] = replace(result[i], teacher=worst, statement=made)
    return result


def _wanted(
    formulas: Sequence[Expression],
    scores: Sequence[Score],
    tolerance: float,
    always: Sequence[int],
) -> list[int]:
    """What is to be proven, most important first."""
    errors = [score.max_error for score in scores]
    found = [i for i in range(len(formulas)) if i not in always]
    best = [found[i] for i in front([(formulas[i].complexity, errors[i]) for i in found])]
    within = [i for i, e in enumerate(errors) if e <= tolerance and scores[i].teacher.searched]
    good = [i for i in best if i in set(within)]
    order = [*good, *within, *sorted(best, key=lambda i: errors[i]), *always]
    return [i for i in dict.fromkeys(order) if math.isfinite(errors[i])]


def _proven(
    formula: Expression,
    score: Score,
    truth: Truth,
    own: OwnForm,
    effort: Effort,
    tolerance: float,
    seconds: float | None,
) -> Score:
    """The score with the proof of one formula, and with the worst point that it met."""
    domain = truth.domain
    if own.is_(formula):
        nothing = Proof(0.0, 0.0, score.teacher.max_error_at, 0, "the teacher itself")
        return replace(score, proof=nothing)
    if own.function is None:
        return score
    try:
        difference = Difference(enclosable(formula), own.function)
    except NotBounded as error:
        return replace(score, unproven=f"Not proven: {error.what.rstrip('.')}.")
    size = formula.complexity + own.expression.complexity
    boxes = min(effort.boxes, max(LEAST, WORK // size))
    if score.max_error > tolerance:
        boxes = max(1, int(MISSES * boxes))
    limits = Limits(
        effort.ratio,
        below=NEGLIGIBLE * tolerance,
        seconds=seconds,
        boxes=boxes,
        workers=effort.workers,
    )
    known = np.array([score.teacher.max_error_at])
    bound = prove(difference, domain, limits, found=known)
    at = tuple(map(float, bound.at))
    proof = Proof(float(bound.bound), float(bound.found), at, int(bound.boxes))
    errors = score.teacher
    if truth.answer is not None:
        x = np.array([at])
        with np.errstate(all="ignore"):
            off = float(np.abs(formula(x) - truth.answer(x))[0])
        if not math.isnan(off):
            errors = with_worst(errors, Extremum(x[0], off), searched=errors.searched)
    why = "" if proof.proven else f"Not proven: no bound was found within {proof.boxes:,} boxes."
    return replace(score, teacher=errors, proof=proof, unproven=why)


def _counted(score: Score, truth: Truth) -> Score:
    """A score whose points are all that there are: what was found is the bound."""
    errors = score.teacher
    at = errors.max_error_at
    return replace(
        score, proof=Proof(errors.max_error, errors.max_error, at, len(truth.x), "every point")
    )
