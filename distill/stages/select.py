"""The select stage: one candidate by the rule of the config, among what fits the target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from distill.config.schema import SelectConfig
from distill.errors import ConfigError
from distill.firmware.alternatives import too_large
from distill.firmware.target import Target
from distill.runner import Stage
from distill.scoring.select import Row, Selection, Wish, choose
from distill.stages.kept import read_json, write_json
from distill.stages.measure import Costs
from distill.stages.score import Scored


def select(
    config: SelectConfig,
    tolerance: float,
    unit: str,
    scored: Scored,
    costs: Costs,
    target: Target | None,
) -> Selection:
    """Choose by the rule of the config among what C can be made of and what fits the target."""
    rows = []
    certified = config.bound == "certified"
    if certified and config.rule == "by_id":
        _refuse_unproven(config, scored)
    refused: list[str] = []
    # A formula whose worst point was never searched for may only be chosen by name. Of a table
    # nothing is ever searched: its held-out rows are all there is.
    searched = any(s.teacher.searched for s in scored.scores.values())
    for candidate in scored.candidates:
        cost, score = costs.known.get(candidate.id), scored.scores[candidate.id]
        error = score.certified_error if certified else score.max_error
        if error is None:
            continue
        if searched and not score.teacher.searched and config.rule != "by_id":
            continue
        why_not = too_large(cost, target) if cost and target else ""
        if candidate.id in costs.impossible:
            why_not = f"cannot be exported: {costs.impossible[candidate.id].rstrip('.')}"
        if why_not and error <= tolerance:
            refused.append(why_not)
        if why_not and config.rule != "by_id":
            continue
        rows.append(
            Row(
                candidate.id,
                candidate.formula.complexity,
                cost.instructions if cost else None,
                error,
                score.labels.agreement if score.labels else None,
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
        certified=certified,
        unproven=scored.unproven,
    )
    selection = choose(rows, config.rule, wish)
    if selection.id is None and refused:
        count = "1 formula that is" if len(refused) == 1 else f"{len(refused)} formulas that are"
        reason = f"{selection.reason} Of {count} within it, the simplest {refused[0]}."
        return replace(selection, reason=reason)
    return selection


def _refuse_unproven(config: SelectConfig, scored: Scored) -> None:
    """Say that the candidate that is named has no proven bound, where it has none."""
    wanted = config.candidate or ""
    named = [c.id for c in scored.candidates if wanted and c.id.startswith(wanted)]
    if len(named) != 1 or scored.scores[named[0]].certified_error is not None:
        return
    why = scored.unproven or scored.scores[named[0]].unproven
    raise ConfigError(
        f"the candidate `{named[0]}` has no proven bound" + (f": {why}" if why else "."),
        where="config keys `select.candidate` and `select.bound`",
        hint="name another, or choose by what was found: select.bound=found.",
    )


def _save_selection(result: Selection, folder: Path) -> None:
    write_json(folder / "selection.json", result.to_data())


def _load_selection(folder: Path) -> Selection:
    return Selection.from_data(read_json(folder / "selection.json"))


SELECT: Stage[Selection] = Stage(
    "select", _save_selection, _load_selection, lambda result: result.id or result.reason
)
