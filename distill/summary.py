"""What a finished study says on the terminal: the front, the choice, its errors, its C."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from distill.firmware.bundle import Bundle
from distill.firmware.cost import Cost
from distill.firmware.evidence import Evidence
from distill.study import Choice, Study


def show(
    console: Console,
    study: Study,
    bundle: Bundle,
    evidence: Evidence,
    next_steps: list[str],
) -> None:
    """Print the summary of a study."""
    console.print()
    console.print(_front(study))
    console.print(_choice(study))
    show_bundle(console, bundle, evidence)
    for line in next_steps:
        console.print(Text(line), soft_wrap=True)


def show_bundle(console: Console, bundle: Bundle, evidence: Evidence) -> None:
    """Print where a bundle is and what its verification showed."""
    console.print(_bundle(bundle, evidence), soft_wrap=True)


def figure(value: float | None, digits: int = 3) -> str:
    """A number for a person, or a dash."""
    return "-" if value is None else f"{value:.{digits}g}"


def count(value: float | None) -> str:
    """A whole number with separators, or a dash."""
    return "-" if value is None else f"{value:,.0f}"


def _front(study: Study) -> Table:
    unit = study.context.output_of_teacher.unit
    config = study.context.config
    target = str(config.target.get("name", ""))
    table = Table(
        title=f"Pareto front of {len(study.choices)} candidates (errors in {unit or 'the output'})",
        title_justify="left",
        box=None,
        pad_edge=False,
        expand=True,
        header_style="bold",
    )
    columns = ["", "nodes", "max error", "rmse", "reference", f"{target} instr.", "flash B"]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("formula", overflow="ellipsis", no_wrap=True, ratio=1)
    for choice in study.shown:
        chosen = choice.candidate.id == study.selection.id
        style = "bold green" if chosen else "" if choice.within_tolerance else "dim"
        label = choice.candidate.origin if choice.published else choice.formula.readable(4)
        table.add_row(
            "►" if chosen else "·" if choice.published else "",
            f"{choice.formula.complexity}",
            figure(choice.score.max_error),
            figure(choice.score.teacher.rmse),
            figure(choice.score.reference.max_error if choice.score.reference else None),
            count(choice.cost.instructions if choice.cost else None),
            count(choice.cost.flash_bytes if choice.cost else None),
            label,
            style=style,
        )
    return table


def _choice(study: Study) -> Group:
    output = study.context.output_of_teacher
    lines = [Text(), Text(study.selection.reason)]
    chosen = study.chosen
    if chosen is None:
        return Group(*lines)
    lines += [
        Text(),
        Text(f"  {output.name} = {chosen.formula.readable()}", style="bold"),
        Text(),
        Text("  " + _errors("this formula", chosen, output.unit)),
    ]
    lines += [
        Text("  " + _errors(choice.candidate.origin, choice, output.unit))
        for choice in study.choices
        if choice.published
    ]
    return Group(*lines)


def _errors(name: str, choice: Choice, unit: str) -> str:
    names = choice.study.domain.names
    worst = choice.score.teacher.max_error_at
    at = ", ".join(f"{n} = {v:.4g}" for n, v in zip(names, worst, strict=True))
    text = f"{name:<16} off by up to {choice.score.max_error:.4g} {unit} from the teacher (at {at})"
    if choice.score.reference is not None:
        text += f", {choice.score.reference.max_error:.4g} {unit} from the reference"
    if choice.cost is not None:
        text += f"\n  {'':<16} {cost_line(choice.cost)}"
    return text


def cost_line(cost: Cost) -> str:
    """Instructions, flash, RAM and stack in one line, with the compiler they belong to."""
    kind = "measured" if cost.measured else "estimated"
    return (
        f"{count(cost.instructions)} instructions a call, {count(cost.flash_bytes)} B flash, "
        f"{count(cost.ram_bytes)} B RAM, {count(cost.stack_bytes)} B stack "
        f"on {cost.target} ({kind}, {cost.compiler})"
    )


def _bundle(bundle: Bundle, evidence: Evidence) -> Group:
    lines = [Text(), Text(f"  C        {_short(bundle.source)}", style="bold")]
    if evidence.cost is not None:
        lines.append(Text(f"  cost     {cost_line(evidence.cost)}, checks of the inputs included"))
    for number, check in enumerate(evidence.checks):
        mark = {True: "✓", False: "✗", None: "–"}[check.passed]
        start = "verified" if number == 0 else ""
        lines.append(Text(f"  {start:<8} {mark} {check.name}: {check.detail}"))
    return Group(*lines, Text())


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
