"""The measure stage: what candidates cost on the target.

It stands between scoring and selection, so that scores do not depend on the target and a new
target reuses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distill.arrays import Array, affordable
from distill.building.order import accuracy_left, arithmetics
from distill.building.scalar import plain_spec
from distill.building.vector import plain_vector
from distill.chain.closed_form import ClosedForm
from distill.config.schema import ExportConfig
from distill.domain import Domain
from distill.errors import ExportError
from distill.firmware.cost import Cost
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target
from distill.firmware.vector.spec import VectorSpec
from distill.firmware.weigh import weigh
from distill.progress import Progress
from distill.runner import Stage
from distill.stages.kept import read_json, write_json
from distill.stages.score import CONTENDERS, Scored

MEASURED_CALLS = 32
"""Calls over which instructions are counted."""

MEASURED_NUMBERS = 2**15
"""Inputs of all these calls at most: one call of a wide function takes long on a chip."""


def measured_points(domain: Domain) -> Array:
    """The points (n, d) of the calls over which instructions are counted."""
    return domain.sample(affordable(MEASURED_CALLS, len(domain), MEASURED_NUMBERS))


@dataclass(frozen=True)
class Costs:
    """What candidates cost on the target, and why of others no C can be made, by their ids."""

    known: Mapping[str, Cost] = field(default_factory=dict)
    impossible: Mapping[str, str] = field(default_factory=dict)


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

    Of several arithmetics the cheapest counts; the cost names it. A formula that none of them can
    hold is told, with the reason.
    """
    on_front = set(scored.front)
    within = [c.id for c in scored.candidates if scored.scores[c.id].max_error <= tolerance]
    contenders = on_front | set(within[:CONTENDERS])
    wanted = [c for c in scored.candidates if c.id in contenders or c.engine == "published"]
    specs: dict[str, BundleSpec | VectorSpec] = {}
    owners: dict[str, str] = {}
    impossible: dict[str, str] = {}
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
                impossible.setdefault(candidate.id, error.what)
                continue
            owners[name] = candidate.id
    for owner in owners.values():
        impossible.pop(owner, None)
    for owner, why in impossible.items():
        if owner in within:
            progress.warn(f"candidate {owner} is left out: {why}")
    progress.advance(0.5, f"compiling and running {len(specs)} functions")
    costs: dict[str, Cost] = {}
    measured = weigh(
        specs,
        measured_points(domain),
        target,
        lambda what: progress.advance(None, what),
    )
    for name, failure in measured.failures.items():
        progress.warn(f"candidate {owners[name]} could not be measured: {failure.what}")
    for name, cost in measured.costs.items():
        known = costs.get(owners[name])
        if known is None or cost.instructions < known.instructions:
            costs[owners[name]] = cost
    return Costs(costs, impossible)


def _save_costs(result: Costs, folder: Path) -> None:
    costs = {i: c.to_data() for i, c in result.known.items()}
    write_json(folder / "costs.json", {"costs": costs, "impossible": dict(result.impossible)})


def _load_costs(folder: Path) -> Costs:
    data = read_json(folder / "costs.json")
    costs = {i: Cost.from_data(c) for i, c in data["costs"].items()}
    return Costs(costs, {i: str(why) for i, why in data["impossible"].items()})


def _describe_costs(result: Costs) -> str:
    costs = result.known.values()
    known = [c.instructions for c in costs]
    if not known:
        return "no formula could be measured"
    unit = next(iter(costs)).unit
    kind = "" if all(c.measured for c in costs) else ", estimated"
    return f"{len(costs)} formulas, {min(known):,.0f} to {max(known):,.0f} {unit} a call{kind}"


MEASURE: Stage[Costs] = Stage("measure", _save_costs, _load_costs, _describe_costs)
