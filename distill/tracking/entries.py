"""What a record becomes in MLflow: names, tags, params and metrics. Pure; knows no client.

Slashes in the names of metrics become the sections of MLflow's charts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from distill.chain.closed_form import ClosedForm
from distill.scoring.score import Errors
from distill.tracking.markdown import code, prose
from distill.tracking.record import PUBLISHED, CandidateRecord, StudyRecord

KIND, STUDY, CANDIDATE = "distill.kind", "study", "candidate"
KEY = "distill.key"
ID = "distill.candidate"
ENGINE = "distill.engine"
DIGEST = "distill.digest"
SWEEP = "distill.sweep"
PARENT = "mlflow.parentRunId"
TEACHER = "distill.teacher"
OUTPUT = "distill.output"
UNIT = "distill.unit"
CHOSEN = "distill.chosen"
CHOSEN_BY = "distill.chosen_by"
"""Who chose a candidate; where a person does it in MLflow's own pages, NOBODY stays there."""
RULE, PERSON, NOBODY = "rule", "person", "nobody"
COLOUR = "mlflow.runColor"
CHOICE = frozenset({CHOSEN, CHOSEN_BY, COLOUR})
"""What says that a candidate is the chosen one: people change it."""
PARETO = "distill.pareto"
ALIAS = "champion"
"""The alias of a registered model's chosen version."""
MODEL = "distill.model"
"""The registered model that a candidate becomes a version of when it is chosen."""

CONFIG_FILE = "config.json"
CANDIDATE_FILE = "candidate.json"

LONGEST_VALUE = 500
LONGEST_FORMULA = 6000  # what MLflow takes
LONGEST_NAME = 90
LONGEST_STUDY_NAME, LONGEST_NOTE = 250, 8000  # of columns in PostgreSQL; sqlite takes any length
MOST_MILESTONES = 5000
_SPANNING = frozenset({"complexity", "max_error", "certified_error", "instructions"})

Point = tuple[str, float, int, int]
"""A metric's name, value, time in milliseconds and step."""

_FORBIDDEN = re.compile(r"[^\w./: -]", re.ASCII)
_COLOURS = {"chosen": "#f2a900", "published": "#7a4fb3", "front": "#1f6fb4", "other": "#b4bac4"}


def run_name(record: StudyRecord, candidate: CandidateRecord) -> str:
    """``c07 <formula>``, shortened."""
    return shorten(
        f"{record.label(candidate)} {_origin(candidate)}{candidate.formula.readable(4)}",
        LONGEST_NAME,
    )


def model_name(record: StudyRecord) -> str:
    """The registered model of the chosen candidates: ``distill-<teacher>``.

    Of several outputs each has its own, ``distill-<teacher>-<output>``.
    """
    output = [record.output_name] if record.outputs > 1 else []
    name = "-".join(["distill", record.teacher_name, *output])
    return safe_name(name).replace("/", "_").replace(":", "_")


def candidate_tags(record: StudyRecord, candidate: CandidateRecord) -> dict[str, str]:
    """The tags of a candidate's run."""
    score = candidate.score.teacher
    group = (
        "chosen" if candidate.chosen
        else "published" if candidate.engine == PUBLISHED
        else "front" if candidate.on_front
        else "other"
    )  # fmt: skip
    note = (
        f"{code(f'{record.output_name} = {shorten(candidate.formula.readable(), 2000)}')}\n\n"
        f"Largest error {score.max_error:.4g} {prose(record.output_unit)} "
        f"(tolerance {record.tolerance:g}){_agreement(candidate)}.{_proven(record, candidate)} "
        "Plots, cost and C: Artifacts, `report.html`." + _kept(candidate)
    )
    return {
        KIND: CANDIDATE,
        TEACHER: record.teacher_name,
        OUTPUT: record.output_name,
        **({UNIT: shorten(record.output_unit, LONGEST_VALUE)} if record.output_unit else {}),
        MODEL: model_name(record),
        "distill.form": "closed form" if isinstance(candidate.formula, ClosedForm) else "formula",
        **_common_tags(record),
        ID: candidate.id,
        ENGINE: candidate.engine,
        "distill.study": shorten(record.name, LONGEST_VALUE),
        CHOSEN: _flag(candidate.chosen),
        CHOSEN_BY: RULE if candidate.chosen else NOBODY,
        PARETO: _flag(candidate.on_front),
        "distill.within_tolerance": _flag(candidate.within_tolerance),
        "mlflow.note.content": shorten(note, LONGEST_NOTE),
        COLOUR: _COLOURS[group],
    }


def choice_tags(chosen: bool, on_front: bool) -> dict[str, str]:
    """What changes on a candidate's run when a person chooses it, or another one."""
    return {
        CHOSEN: _flag(chosen),
        CHOSEN_BY: PERSON if chosen else NOBODY,
        COLOUR: _COLOURS["chosen" if chosen else "front" if on_front else "other"],
    }


def chosen_by_person(tags: Mapping[str, str]) -> bool:
    """Whether the choice that a candidate's run bears is not as a rule leaves it."""
    rules = {("true", RULE), ("false", NOBODY)}
    return CHOSEN in tags and (tags[CHOSEN], tags.get(CHOSEN_BY, NOBODY)) not in rules


def candidate_params(candidate: CandidateRecord) -> dict[str, str]:
    """The params of a candidate's run: the formula, its engine, and costs that are words."""
    words = {
        f"cost/{target}/{name}": str(value)
        for target, figures in candidate.cost.items()
        for name, value in figures.items()
        if isinstance(value, str)
    }
    return _bounded(
        {
            "engine": candidate.engine,
            "origin": candidate.origin,
            **({"units and constraints": "; ".join(candidate.kept)} if candidate.kept else {}),
            **words,
        }
    ) | {"formula": shorten(candidate.formula.readable(), LONGEST_FORMULA)}


def candidate_metrics(candidate: CandidateRecord) -> dict[str, float]:
    """The metrics of a candidate's run. What is not finite is left out: no chart can show it."""
    score = candidate.score
    metrics = {
        "complexity": float(candidate.formula.complexity),
        **_error_metrics("accuracy", score.teacher),
        **({} if score.reference is None else _error_metrics("reference", score.reference)),
    }
    if score.labels is not None:
        metrics["accuracy/agreement"] = score.labels.agreement
    if score.certified_error is not None:
        metrics["accuracy/certified_error"] = score.certified_error
    if score.proof is not None and score.proof.proven:
        metrics["accuracy/proof_ratio"] = score.proof.ratio
    if score.statement is not None:
        metrics["accuracy/unsure_fraction"] = score.statement.fraction
    for target, figures in candidate.cost.items():
        for name in figures:
            value = candidate.figure(target, name)
            if value is not None:
                metrics[safe_name(f"cost/{target}/{name}")] = value
    metrics |= _logarithms(metrics)
    for name, value in candidate.candidate_data["metrics"]:
        metrics[safe_name(f"engine/{name}")] = value
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def study_tags(record: StudyRecord) -> dict[str, str]:
    """The tags of a study's run."""
    chosen = record.chosen
    lines = [prose(f"{record.teacher_name} distilled by {record.engine} for {record.target}.")]
    if chosen:
        formula = shorten(chosen.formula.readable(), 2000)
        lines.append(
            f"Chosen: {record.label(chosen)} {code(f'{record.output_name} = {formula}')}"
            f"{_kept(chosen)}"
        )
        if told := _proven(record, chosen).strip():
            lines.append(told)
    lines.append(prose(record.selection))
    if record.export_directory:
        lines.append(f"Exported to {code(record.export_directory)}.")
    return {
        KIND: STUDY,
        **_common_tags(record),
        ENGINE: record.engine,
        "distill.target": record.target,
        TEACHER: record.teacher_name,
        OUTPUT: record.output_name,
        "distill.overrides": shorten(" ".join(record.overrides), LONGEST_VALUE),
        "mlflow.note.content": shorten("\n\n".join(lines), LONGEST_NOTE),
    }


def study_params(record: StudyRecord) -> dict[str, str]:
    """The whole config, flat."""
    return _bounded(flatten(record.config))


def study_metrics(record: StudyRecord) -> dict[str, float]:
    """What the study came to, so that the studies of a sweep can be compared."""
    metrics = {"candidates": float(len(record.candidates)), "tolerance": record.tolerance}
    if record.chosen:
        own = candidate_metrics(record.chosen)
        metrics |= {f"chosen/{name}": value for name, value in own.items()}
    if record.labels is not None:
        metrics["all_outputs/agreement"] = record.labels.agreement
    return metrics


def search_points(record: StudyRecord) -> list[Point]:
    """The progress of the search: the best error so far, over all and at each complexity."""
    points: list[Point] = []
    best, last = math.inf, None
    every = max(1, math.ceil(len(record.history) / MOST_MILESTONES))
    for i, news in enumerate(record.history):
        if not math.isfinite(news.error):
            continue
        time = round(1000 * (record.created + news.seconds))
        if news.error < best:
            best = news.error
            points.append(("search/best_error", best, time, news.step))
        if i % every == 0:
            name = f"search/complexity_{news.complexity:03d}"
            points.append((name, news.error, time, news.step))
        last = (time, news.step)
    if last and math.isfinite(best):
        # The line goes on to the end of the search.
        points.append(("search/best_error", best, *last))
    return list(dict.fromkeys(points))


def _proven(record: StudyRecord, candidate: CandidateRecord) -> str:
    """How sure the largest error is, as a sentence with a space before it, or nothing."""
    told = candidate.score.told(record.output_unit)
    return f" {prose(told)}" if told else ""


def _agreement(candidate: CandidateRecord) -> str:
    labels = candidate.score.labels
    if labels is None:
        return ""
    return f", the teacher's label at {labels.agreement:.2%} of {labels.points:,} points"


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings as ``a.b.c``; lists as comma-separated text."""
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            flat[f"{prefix}{key}"] = ", ".join(map(str, value))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def shorten(text: str, longest: int) -> str:
    """The text, cut to ``longest`` characters with an ellipsis at the end."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def log10_name(metric: str) -> str:
    """The metric that is its logarithm: ``accuracy/log10_max_error``."""
    section, slash, name = metric.rpartition("/")
    return f"{section}{slash}log10_{name}"


def safe_name(name: str) -> str:
    """A name that MLflow takes for a metric, a param or a part of a model's name."""
    return _FORBIDDEN.sub("_", name)[:250]


def _common_tags(record: StudyRecord) -> dict[str, str]:
    return {KEY: record.key} | ({SWEEP: record.sweep_id} if record.sweep_id else {})


def _error_metrics(section: str, errors: Errors) -> dict[str, float]:
    names = ("max_error", "rmse", "relative_rmse", "r2", "non_finite")
    return {f"{section}/{name}": float(getattr(errors, name)) for name in names}


def _logarithms(metrics: Mapping[str, float]) -> dict[str, float]:
    """Of the figures that span decades: MLflow's scatter has no logarithmic axis."""
    spanning = {n: v for n, v in metrics.items() if n.rpartition("/")[2] in _SPANNING}
    return {log10_name(n): math.log10(v) for n, v in spanning.items() if 0 < v < math.inf}


def _bounded(params: Mapping[str, str]) -> dict[str, str]:
    return {safe_name(name): shorten(value, LONGEST_VALUE) for name, value in params.items()}


def _origin(candidate: CandidateRecord) -> str:
    return f"{candidate.origin}: " if candidate.engine == PUBLISHED and candidate.origin else ""


def _kept(candidate: CandidateRecord) -> str:
    """How it keeps to units and constraints, as a list in a note."""
    lines = [f"- {prose(shorten(line.strip(), LONGEST_VALUE))}" for line in candidate.kept]
    return "\n\n" + "\n".join(lines) if lines else ""


def _flag(value: bool) -> str:
    return "true" if value else "false"
