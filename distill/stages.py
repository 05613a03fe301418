"""The stages: plain functions from typed inputs and their own config to one typed result.

None knows Hydra, MLflow, the runner or another stage; :mod:`distill.pipeline` puts them in a row.
The fit stage has a file of its own, :mod:`distill.fitting`, and so has what export and verify do,
:mod:`distill.shipping`. ``measure`` stands between scoring and selection, so that scores do not
depend on the target and a new target reuses them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from distill.arrays import Array
from distill.building import accuracy_left, arithmetics, plain_spec
from distill.building_vector import plain_vector
from distill.chain.closed_form import ClosedForm
from distill.chain.expression import Expression
from distill.config import ExportConfig, SamplingConfig, ScoreConfig, SelectConfig
from distill.domain import Domain
from distill.engines.base import Candidate
from distill.errors import ExportError, FormulaError
from distill.files import write_whole
from distill.firmware.alternatives import too_large
from distill.firmware.cost import Cost
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.weigh import weigh
from distill.formula import Formula
from distill.progress import Progress
from distill.runner import Stage
from distill.sampling.sample import draw
from distill.sampling.sample_set import SampleSet
from distill.scoring.judge import compare, judge
from distill.scoring.labels import Labels, compare_labels, labels_of
from distill.scoring.pareto import front
from distill.scoring.score import Score
from distill.scoring.select import Row, Selection, Wish, choose
from distill.scoring.truth import ask, ask_teacher, fresh_points, held_out
from distill.teachers.base import Teacher, calls_left, classes_of

PLOTTED = 10_000
"""Fresh points that are kept for parity plots and residual maps."""

REFERENCE_POINTS = 10_000
"""Fresh points at which a reference is asked: it may be a slow simulator."""

JUDGED = 0.4
"""The part of a teacher's last calls at which formulas are judged, and as many on the border."""

CONTENDERS = 24
"""At most so many candidates off the front are searched and measured as well, simplest first."""

MEASURED_CALLS = 32
"""Calls over which instructions are counted."""


# sample ------------------------------------------------------------------------------------------


def sample(
    config: SamplingConfig, teacher: Teacher, domain: Domain, output: int, progress: Progress
) -> SampleSet:
    """Ask the teacher at the points of a design."""
    return draw(
        teacher,
        domain,
        config.design,
        config.points,
        config.seed,
        output=output,
        held_out=config.held_out,
        progress=progress,
    )


def _save_sample(result: SampleSet, folder: Path) -> None:
    result.to_parquet(folder / "sample.parquet")


def _load_sample(folder: Path) -> SampleSet:
    return SampleSet.from_parquet(folder / "sample.parquet")


def _describe_sample(result: SampleSet) -> str:
    rejected = f", {len(result.rejected)} without a finite answer" if len(result.rejected) else ""
    return f"{len(result):,} points{rejected}"


SAMPLE: Stage[SampleSet] = Stage("sample", _save_sample, _load_sample, _describe_sample)


# score -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """Candidates with their scores, simplest first; the front; and points for plots.

    ``front`` holds the ids of the non-dominated candidates over (complexity, max error), the
    published ones left out. ``x`` (m, d) and ``y`` (m,) are fresh points with the teacher's
    answers.
    """

    candidates: tuple[Candidate, ...]
    scores: Mapping[str, Score]
    front: tuple[str, ...]
    x: Array
    y: Array


def published_candidates(published: Mapping[str, str], domain: Domain) -> list[Candidate]:
    """The published formulas of a teacher as candidates.

    Raises
    ------
    FormulaError : naming the config key of the formula that cannot be read.
    """
    candidates = []
    for name, text in published.items():
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
) -> Scored:
    """Judge candidates and published formulas at fresh points and at the worst ones found.

    Of a teacher that tells two classes apart the labels are compared too.
    """
    domain = sample.domain
    progress.advance(0.0, "asking the teacher at fresh points")
    if teacher.can_be_asked:
        points = config.points
        if (left := calls_left(teacher)) is not None:
            points = max(1, min(points, int(JUDGED * left)))
        truth = ask_teacher(
            teacher, output, domain, points=points, seed=config.seed, again=left is None
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
    scores = judge(
        [c.formula for c in everyone],
        truth,
        reference=known,
        starts=config.starts,
        seed=config.seed,
        always=contenders[:CONTENDERS],
        tell=lambda fraction: progress.advance(fraction, f"judging {len(everyone)} formulas"),
    )
    if len(classes_of(teacher)) == 2:
        wanted = labels_of(truth.y[:, None])
        scores = [
            replace(s, labels=compare_labels(labels_of(c.formula(truth.x)[:, None]), wanted, 2))
            for c, s in zip(everyone, scores, strict=True)
        ]
    found = [i for i, c in enumerate(everyone) if c.engine != "published"]
    best = front([(everyone[i].formula.complexity, scores[i].max_error) for i in found])
    return Scored(
        tuple(everyone),
        {c.id: s for c, s in zip(everyone, scores, strict=True)},
        tuple(everyone[found[i]].id for i in best),
        truth.x[:PLOTTED],
        truth.y[:PLOTTED],
    )


def _save_scored(result: Scored, folder: Path) -> None:
    write_json(
        folder / "scores.json",
        {
            "candidates": [c.to_data() for c in result.candidates],
            "scores": {i: s.to_data() for i, s in result.scores.items()},
            "front": list(result.front),
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
    )


def _describe_scored(result: Scored) -> str:
    best = min((result.scores[i].max_error for i in result.front), default=float("inf"))
    return f"{len(result.front)} of {len(result.scores)} on the front, best max error {best:.3g}"


SCORE: Stage[Scored] = Stage("score", _save_scored, _load_scored, _describe_scored)


# labels ------------------------------------------------------------------------------------------


def compare_all_labels(
    config: ScoreConfig, teacher: Teacher, domain: Domain, scores: Sequence[Expression]
) -> Labels:
    """How often formulas of all outputs together give the label of a classifier, at fresh points.

    ``scores`` are one for each class, in the order of the teacher's outputs.
    """
    x = fresh_points(domain, config.points, config.seed)
    found = np.column_stack([score(x) for score in scores])
    return compare_labels(labels_of(found), labels_of(teacher.predict(x)), len(scores))


def _save_labels(result: Labels, folder: Path) -> None:
    write_json(folder / "labels.json", result.to_data())


def _load_labels(folder: Path) -> Labels:
    return Labels.from_data(read_json(folder / "labels.json"))


LABELS: Stage[Labels] = Stage(
    "labels",
    _save_labels,
    _load_labels,
    lambda result: f"the teacher's label at {result.agreement:.2%} of {result.points:,} points",
)


# measure -----------------------------------------------------------------------------------------


Costs = Mapping[str, Cost]
"""What candidates cost on the target, by their ids."""


MEASURED_BY = ("arithmetic", "interface", "functions")
"""The keys of ``export`` that change what a formula costs."""


def measure(
    target: Target,
    options: ExportConfig,
    scored: Scored,
    domain: Domain,
    tolerance: float,
    progress: Progress,
) -> Costs:
    """Compile for the target whatever may be chosen or compared, and count instructions.

    Of several arithmetics the cheapest counts; the cost names it.
    """
    on_front = set(scored.front)
    within = [c.id for c in scored.candidates if scored.scores[c.id].max_error <= tolerance]
    contenders = on_front | set(within[:CONTENDERS])
    wanted = [c for c in scored.candidates if c.id in contenders or c.engine == "published"]
    specs: dict[str, BundleSpec | VectorSpec] = {}
    owners: dict[str, str] = {}
    for number, candidate in enumerate(wanted):
        progress.advance(number / len(wanted) / 2, f"writing {len(wanted)} formulas in C")
        accuracy = accuracy_left(scored.scores[candidate.id].max_error, tolerance)
        for arithmetic in arithmetics(options):
            name = f"candidate_{candidate.id}_{arithmetic}"
            try:
                specs[name] = (
                    plain_vector(formula, name, arithmetic, tolerance, options, target)
                    if isinstance(formula := candidate.formula, ClosedForm)
                    else plain_spec(formula, name, arithmetic, accuracy, tolerance, options, target)
                )
            except ExportError as error:
                if options.arithmetic == "fixed" and candidate.id in within:
                    progress.warn(f"candidate {candidate.id} is left out: {error.what}")
                continue
            owners[name] = candidate.id
    progress.advance(0.5, f"compiling and running {len(specs)} functions")
    costs: dict[str, Cost] = {}
    measured = weigh(
        specs,
        domain.sample(MEASURED_CALLS),
        target,
        lambda what: progress.advance(None, what),
    )
    for name, failure in measured.failures.items():
        progress.warn(f"candidate {owners[name]} could not be measured: {failure.what}")
    for name, cost in measured.costs.items():
        known = costs.get(owners[name])
        if known is None or cost.instructions < known.instructions:
            costs[owners[name]] = cost
    return costs


def _save_costs(result: Costs, folder: Path) -> None:
    write_json(folder / "costs.json", {"costs": {i: c.to_data() for i, c in result.items()}})


def _load_costs(folder: Path) -> Costs:
    return {i: Cost.from_data(c) for i, c in read_json(folder / "costs.json")["costs"].items()}


def _describe_costs(result: Costs) -> str:
    known = [c.instructions for c in result.values()]
    if not known:
        return "no formula could be measured"
    unit = next(iter(result.values())).unit
    kind = "" if all(c.measured for c in result.values()) else ", estimated"
    return f"{len(result)} formulas, {min(known):,.0f} to {max(known):,.0f} {unit} a call{kind}"


MEASURE: Stage[Costs] = Stage("measure", _save_costs, _load_costs, _describe_costs)


# select ------------------------------------------------------------------------------------------


def select(
    config: SelectConfig,
    tolerance: float,
    unit: str,
    scored: Scored,
    costs: Costs,
    target: Target | None,
) -> Selection:
    """Choose by the rule of the config among what fits the target."""
    rows = []
    refused: list[str] = []
    # A formula whose worst point was never searched for may only be chosen by name. Of a table
    # nothing is ever searched: its held-out rows are all there is.
    searched = any(s.teacher.searched for s in scored.scores.values())
    for candidate in scored.candidates:
        cost = costs.get(candidate.id)
        sampled_only = searched and not scored.scores[candidate.id].teacher.searched
        if sampled_only and config.rule != "by_id":
            continue
        why_not = too_large(cost, target) if cost and target else ""
        if why_not and scored.scores[candidate.id].max_error <= tolerance:
            refused.append(why_not)
        if why_not and config.rule != "by_id":
            continue
        rows.append(
            Row(
                candidate.id,
                candidate.formula.complexity,
                cost.instructions if cost else None,
                scored.scores[candidate.id].max_error,
                labels.agreement if (labels := scored.scores[candidate.id].labels) else None,
            )
        )
    wish = Wish(
        tolerance=tolerance,
        margin=config.margin,
        max_complexity=config.max_complexity,
        max_cost=config.max_instructions,
        candidate=config.candidate,
        min_agreement=config.min_agreement,
        unit=unit,
        cost_unit=target.unit if target else "instructions",
    )
    selection = choose(rows, config.rule, wish)
    if selection.id is None and refused:
        count = "1 formula that is" if len(refused) == 1 else f"{len(refused)} formulas that are"
        reason = f"{selection.reason} Of {count} within it, the simplest {refused[0]}."
        return replace(selection, reason=reason)
    return selection


def _save_selection(result: Selection, folder: Path) -> None:
    write_json(folder / "selection.json", result.to_data())


def _load_selection(folder: Path) -> Selection:
    return Selection.from_data(read_json(folder / "selection.json"))


SELECT: Stage[Selection] = Stage(
    "select", _save_selection, _load_selection, lambda result: result.id or result.reason
)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write plain data as JSON; Python's dialect, in which an infinite error is ``Infinity``."""
    write_whole(path, json.dumps(data, indent=1))


def read_json(path: Path) -> dict[str, Any]:
    """Read what :func:`write_json` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no mapping")
    return data
