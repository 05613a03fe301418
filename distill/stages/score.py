"""The score stage: errors at fresh points, the worst that a search finds, and what is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from distill.arrays import Array, affordable
from distill.config.schema import ScoreConfig
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import FormulaError
from distill.formula import Formula
from distill.identifiers import why_not_a_line
from distill.progress import Progress
from distill.runner import Stage
from distill.sampling.sample_set import SampleSet
from distill.scoring.certify import Effort, certify, with_statements
from distill.scoring.facts import Demands
from distill.scoring.judge import compare, judge
from distill.scoring.labels import compare_labels
from distill.scoring.own_form import own_form
from distill.scoring.pareto import front
from distill.scoring.score import Score
from distill.scoring.truth import Truth, ask, ask_teacher, held_out
from distill.stages.kept import read_json, write_json
from distill.teachers.base import Teacher, calls_left, classes_of
from distill.teachers.labels import labels_of

PLOTTED = 10_000
"""Fresh points that are kept for parity plots and residual maps."""

KEPT = 2**22
"""Numbers that these points hold at most: of wide domains fewer are kept."""

REFERENCE_POINTS = 10_000
"""Fresh points at which a reference is asked: it may be a slow simulator."""

CONTENDERS = 24
"""At most so many candidates off the front are searched and measured as well, simplest first."""

JUDGED = 0.4
"""The part of a teacher's last calls at which formulas are judged, and as many on the border."""

STATED = 10_000
"""Random points that a statement about what cannot be proven rests on."""

LAST = 0.5
"""The part of a teacher's last calls, after formulas were judged, that such points may use up."""

JUDGING = 0.5
"""About this part of the work is judging, the rest proofs."""

PROVING = "proving how far formulas are off at most"
NOT_ASKED = "no proof was asked for (score.prove=false)"


@dataclass(frozen=True)
class Scored:
    """Candidates with their scores, simplest first; the front; and points for plots.

    ``front`` holds the ids of the non-dominated candidates over (complexity, max error), the
    published ones left out. ``x`` (m, d) and ``y`` (m,) are fresh points with the teacher's
    answers. ``unproven`` is why nothing can be proven about this teacher, for people; empty where
    it can.
    """

    candidates: tuple[Candidate, ...]
    scores: Mapping[str, Score]
    front: tuple[str, ...]
    x: Array
    y: Array
    unproven: str = ""


def published_candidates(published: Mapping[str, str], domain: Domain) -> list[Candidate]:
    """The published formulas of a teacher as candidates.

    Raises
    ------
    FormulaError : naming the config key of the formula that cannot be read, or whose name cannot be
        shown.
    """
    candidates = []
    for name, text in published.items():
        if why := why_not_a_line(name):
            raise FormulaError(
                f"{name!a} cannot name a formula: {why}.",
                where="config key `teacher.published`",
                hint="write it in one line.",
            )
        try:
            formula = Formula.parse(text, domain)
        except FormulaError as error:
            raise FormulaError(
                error.what,
                where=f"config key `teacher.published.{name}`, {error.where}",
                hint=error.hint,
            ) from None
        candidates.append(Candidate(formula, "published", name))
    return candidates


def score(
    config: ScoreConfig,
    sample: SampleSet,
    candidates: Sequence[Candidate],
    published: Sequence[Candidate],
    teacher: Teacher,
    output: int,
    reference: Teacher | None,
    tolerance: float,
    progress: Progress,
    demands: Demands = Demands(),  # noqa: B008  (frozen)
) -> Scored:
    """Judge candidates and published formulas at fresh points and at the worst ones found.

    Where the teacher's own arithmetic is known the error of each is proven, where it is not
    random points tell what they can; ``demands`` are proven of the formulas themselves. Of a
    teacher that tells two classes apart the labels are compared too.
    """
    domain = sample.domain
    progress.advance(0.0, "asking the teacher at fresh points")
    if teacher.can_be_asked:
        points = config.points
        if (left := calls_left(teacher)) is not None:
            points = max(1, min(points, int(JUDGED * left)))
        truth = ask_teacher(
            teacher,
            output,
            domain,
            points=points,
            seed=config.seed,
            again=left is None,
            tell=lambda asked, of: progress.advance(0.0, f"{asked:,} of {of:,} fresh points asked"),
        )
    else:
        rows = sample.held_out or replace(sample, x=sample.x[:0], y=sample.y[:0])
        truth = held_out(domain, rows.x, rows.y)
    known = None
    if reference is not None:
        progress.advance(0.0, f"asking {reference.name}")
        known = ask(
            lambda x: reference.predict(x)[:, 0],
            domain,
            points=min(config.points, REFERENCE_POINTS),
            seed=config.seed,
            again=False,
        )
    everyone = sorted([*candidates, *published], key=lambda c: c.formula.complexity)
    # Simple is not the same as cheap on a chip: all that may be chosen are searched, too.
    contenders = [
        i
        for i, c in enumerate(everyone)
        if c.engine == "published" or compare(c.formula, truth).max_error <= tolerance
    ]
    share = 1.0 if not config.prove else JUDGING
    scores = judge(
        [c.formula for c in everyone],
        truth,
        reference=known,
        starts=config.starts,
        seed=config.seed,
        always=contenders[:CONTENDERS],
        tell=lambda part: progress.advance(share * part, f"judging {len(everyone)} formulas"),
    )
    scores, unproven = _certified(
        config, everyone, scores, truth, teacher, output, tolerance, demands, progress
    )
    if len(classes_of(teacher)) == 2:
        wanted = labels_of(truth.y[:, None])
        scores = [
            replace(s, labels=compare_labels(labels_of(c.formula(truth.x)[:, None]), wanted, 2))
            for c, s in zip(everyone, scores, strict=True)
        ]
    found = [i for i, c in enumerate(everyone) if c.engine != "published"]
    best = front([(everyone[i].formula.complexity, scores[i].max_error) for i in found])
    plotted = affordable(PLOTTED, len(domain), KEPT)
    return Scored(
        tuple(everyone),
        {c.id: s for c, s in zip(everyone, scores, strict=True)},
        tuple(everyone[found[i]].id for i in best),
        truth.x[:plotted],
        truth.y[:plotted],
        unproven,
    )


def _certified(
    config: ScoreConfig,
    everyone: Sequence[Candidate],
    scores: Sequence[Score],
    truth: Truth,
    teacher: Teacher,
    output: int,
    tolerance: float,
    demands: Demands,
    progress: Progress,
) -> tuple[list[Score], str]:
    """The scores with proofs, or statements in their place, and why nothing could be proven."""
    if not config.prove:
        return list(scores), NOT_ASKED
    formulas = [c.formula for c in everyone]
    own, why = (None, "") if truth.complete else own_form(teacher, truth.domain, output)
    effort = Effort(
        config.proof_ratio,
        config.proof_boxes,
        config.proof_seconds,
        config.proof_candidates,
        config.proof_workers,
    )
    certified = certify(
        formulas,
        scores,
        truth,
        own,
        effort,
        tolerance,
        demands=demands,
        always=[i for i, c in enumerate(everyone) if c.engine == "published"],
        tell=lambda part: progress.advance(JUDGING + (1 - JUDGING) * part, PROVING),
    )
    if not teacher.can_be_asked:
        return certified, why
    points = min(config.points, STATED)
    if (left := calls_left(teacher)) is not None:
        points = min(points, int(LAST * left))
    stated = with_statements(
        formulas,
        certified,
        truth,
        lambda x: teacher.predict(x)[:, output],
        points=points,
        confidence=config.confidence,
        seed=config.seed,
    )
    return stated, why


def _save_scored(result: Scored, folder: Path) -> None:
    write_json(
        folder / "scores.json",
        {
            "candidates": [c.to_data() for c in result.candidates],
            "scores": {i: s.to_data() for i, s in result.scores.items()},
            "front": list(result.front),
            "unproven": result.unproven,
        },
    )
    np.savez_compressed(folder / "points.npz", x=result.x, y=result.y)


def _load_scored(folder: Path) -> Scored:
    data = read_json(folder / "scores.json")
    with np.load(folder / "points.npz", allow_pickle=False) as points:
        x, y = points["x"], points["y"]
    return Scored(
        tuple(map(Candidate.from_data, data["candidates"])),
        {i: Score.from_data(s) for i, s in data["scores"].items()},
        tuple(data["front"]),
        x,
        y,
        str(data["unproven"]),
    )


def _describe_scored(result: Scored) -> str:
    best = min((result.scores[i].max_error for i in result.front), default=float("inf"))
    bounds = [e for i in result.scores.values() if (e := i.certified_error) is not None]
    proven = f", {len(bounds)} proven" if bounds else ""
    return (
        f"{len(result.front)} of {len(result.scores)} on the front, best max error {best:.3g}"
        + proven
    )


SCORE: Stage[Scored] = Stage("score", _save_scored, _load_scored, _describe_scored)
