"""What a registered model says of itself: Markdown for MLflow's pages, and plain metadata. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.chain.expression import Expression
from distill.domain import Domain
from distill.figures import upward
from distill.tracking.entries import ALIAS, shorten
from distill.tracking.markdown import cell, code, prose
from distill.tracking.places import SHOWN_INPUTS, place
from distill.tracking.record import CandidateRecord

LONGEST = 5000
"""Characters that MLflow takes for a description."""

_LONGEST_FORMULA = 1500
_MOST_TARGETS = 8
_FIGURES = {
    "instructions": "a call",
    "flash_bytes": "flash B",
    "ram_bytes": "RAM B",
    "stack_bytes": "stack B",
}


@dataclass(frozen=True)
class Champion:
    """A candidate as it is registered.

    ``model`` is the registered model's name, ``study`` what people call the study, ``tolerance`` in
    the output's unit. ``bundle`` is the folder of its C for ``target``, None without.
    """

    model: str
    teacher: str
    output: str
    unit: str
    tolerance: float
    target: str
    study: str
    study_key: str
    run_id: str
    candidate: CandidateRecord
    bundle: Path | None = None

    @property
    def formula(self) -> Expression:
        """The formula, or the teacher's closed form."""
        return self.candidate.formula

    @property
    def domain(self) -> Domain:
        """The inputs over which it holds."""
        return self.formula.domain


def model_page(champion: Champion) -> str:
    """The page of the registered model: what its versions are and how they are used."""
    name = f"models:/{champion.model}@{ALIAS}"
    return "\n\n".join(
        [
            f"Formulas in place of the output {code(champion.output)} of the teacher "
            f"{code(champion.teacher)}. Every version has its domain, its errors, its costs and "
            "its C on its own page.",
            f"The alias {code(ALIAS)} is on the chosen one. Move it to an older version here, or "
            f"to any candidate with {code('distill choose run=RUN_ID')}, and it stays there; on "
            "the newest version it follows the rule of later studies.",
            f"- In Python: {code(f'mlflow.pyfunc.load_model({name!r})')}, which needs NumPy only\n"
            f"- As C: {code(f'distill export run={name} target=TARGET')}",
        ]
    )


def version_page(champion: Champion) -> str:
    """The page of a version: formula, domain, tolerance, errors found and proven, costs, C."""
    formula = shorten(champion.formula.readable(), _LONGEST_FORMULA)
    parts = [
        code(f"{champion.output} = {formula}"),
        f"Distilled from the teacher {code(champion.teacher)} by {prose(champion.candidate.engine)}"
        f", study {code(champion.study)}.",
        _inputs(champion.domain),
        _errors(champion),
        *_costs(champion),
        _c(champion),
    ]
    return shorten("\n\n".join(parts), LONGEST)


def metadata(champion: Champion) -> dict[str, Any]:
    """What the schema of the model has no place for: units, ranges, tolerance and errors."""
    score = champion.candidate.score
    return {
        "distill": {
            "teacher": champion.teacher,
            "study": champion.study_key,
            "candidate": champion.candidate.id,
            "engine": champion.candidate.engine,
            "inputs": [
                {
                    "name": v.name,
                    "unit": v.unit,
                    "low": v.low,
                    "high": v.high,
                    "scale": v.scale,
                    "kind": v.kind,
                }
                for v in champion.domain.variables
            ],
            "output": {"name": champion.output, "unit": champion.unit},
            "tolerance": champion.tolerance,
            "max_error": score.max_error,
            "certified_error": score.certified_error,
            "target": champion.target if champion.bundle else None,
        }
    }


def _inputs(domain: Domain) -> str:
    shown = domain.variables[: 2 * SHOWN_INPUTS]
    rows = [
        f"| {code(v.name)} | {v.low:g} | {v.high:g} | {cell(v.unit)} |"
        + (f" {v.kind} |" if v.kind != "continuous" else " |")
        for v in shown
    ]
    more = len(domain) - len(shown)
    rows += [f"| and {more:,} more | | | | |"] if more else []
    return "\n".join(["| input | from | to | unit | |", "|---|--:|--:|---|---|", *rows])


def _errors(champion: Champion) -> str:
    score, unit = champion.candidate.score, cell(champion.unit)
    at = place(champion.domain, score.teacher.max_error_at)
    found = f"{score.max_error:.4g} {unit}".rstrip()
    bound = score.certified_error
    proven = "no bound" if bound is None else f"{upward(bound)} {unit}".rstrip()
    told = score.told(champion.unit)
    rows = [
        ("tolerance", f"{champion.tolerance:g} {unit}"),
        ("largest error found", found + (f" at {cell(at)}" if at else "")),
        ("proven", proven + (f": {cell(told)}" if told else "")),
        ("RMSE", f"{score.teacher.rmse:.4g} {unit} over {score.teacher.points:,} points"),
    ]
    if score.labels is not None:
        rows.append(("label of the teacher", f"at {score.labels.agreement:.2%} of points"))
    return "\n".join(["| | |", "|---|---|", *(f"| {a} | {b.rstrip()} |" for a, b in rows)])


def _costs(champion: Champion) -> list[str]:
    """What a call costs on every target it was measured on."""
    costs = list(champion.candidate.cost)[:_MOST_TARGETS]
    if not costs:
        return []
    rows = []
    for target in costs:
        figures = [champion.candidate.figure(target, name) for name in _FIGURES]
        told = ["-" if value is None else f"{value:,.0f}" for value in figures]
        unit = champion.candidate.cost[target].get("unit") or "instructions"
        rows.append(f"| {cell(target)} | {told[0]} {cell(str(unit))} | {' | '.join(told[1:])} |")
    head = f"| formula alone on | {' | '.join(_FIGURES.values())} |"
    return ["\n".join([head, "|---|--:|--:|--:|--:|", *rows])]


def _c(champion: Champion) -> str:
    export = code(f"distill export run={champion.run_id} target=TARGET")
    if champion.bundle is None:
        return f"No C was made of it; {export} makes it."
    folder = code("model/artifacts/c")
    return (
        f"Its C for {code(champion.target)}, with the table behind it and its self-test, is in "
        f"{folder} of the run's artifacts; {export} makes it for any other target."
    )
