"""What a finished study says on the terminal: the front, the choice, its errors, its C."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from distill.commands.figures import LONGEST, LONGEST_DETAIL, cost_line, count, figure
from distill.commands.shipped import show_shipped
from distill.delivery.shipping import Shipped
from distill.engines.findings import Finding, lines
from distill.figures import upward
from distill.firmware.cost import Cost
from distill.scoring.labels import Labels
from distill.study.choice import Choice
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.teachers.base import classes_of
from distill.tracking.entries import shorten
from distill.tracking.places import place

DEEPEST = 5
"""Levels of what was found out about a teacher that a screen holds."""

MOST_OUTPUTS, MOST_ROWS = 8, 40
"""Outputs that are shown one by one, and rows of the table that is shown of more."""

SHOWN_CLASSES = 12
"""Classes of the largest table that fits on a terminal; the report shows the others."""


def show(
    console: Console,
    study: Study,
    shipped: Shipped | None,
    next_steps: list[str],
) -> None:
    """Print the summary of a study, without C where none was made."""
    console.print()
    console.print(_front(study))
    console.print(_choice(study))
    _tell_unproven(console, [study])
    if study.findings is not None:
        console.print(findings_tree(study.findings))
    if shipped is not None:
        show_shipped(console, shipped)
    for line in next_steps:
        console.print(Text(line), soft_wrap=True)


def show_all(
    console: Console, whole: StudySet, shipped: Shipped | None, next_steps: list[str]
) -> None:
    """Print the summary of all outputs of a teacher: of many a line each."""
    for study in whole.studies if len(whole.studies) <= MOST_OUTPUTS else ():
        console.print()
        console.print(Text(study.context.output_of_teacher.name, style="bold underline"))
        console.print(_front(study))
        console.print(_choice(study))
        if study.findings is not None:
            console.print(findings_tree(study.findings))
    if len(whole.studies) > MOST_OUTPUTS:
        console.print()
        console.print(_outputs(whole.studies))
    _tell_unproven(console, whole.studies)
    if whole.labels is not None:
        console.print(_confusion(whole.labels, classes_of(whole.context.teacher)))
    if shipped is not None:
        show_shipped(console, shipped)
    for line in next_steps:
        console.print(Text(line), soft_wrap=True)


def _outputs(studies: Sequence[Study]) -> Group:
    """What was chosen for each of many outputs, those without a formula first."""
    ordered = sorted(studies, key=lambda study: study.chosen is not None)
    missing = sum(study.chosen is None for study in studies)
    table = Table(
        title=f"{len(studies):,} outputs, {missing:,} without a formula within the tolerance",
        title_justify="left",
        box=None,
        pad_edge=False,
        expand=True,
        header_style="bold",
    )
    table.add_column("output", no_wrap=True)
    for heading in ("nodes", "max error"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("formula", overflow="ellipsis", no_wrap=True, ratio=1)
    for study in ordered[:MOST_ROWS]:
        name, chosen = Text(study.context.output_of_teacher.name), study.chosen
        if chosen is None:
            table.add_row(name, "-", "-", Text(study.selection.reason), style="yellow")
        else:
            table.add_row(
                name,
                f"{chosen.formula.complexity:,}",
                figure(chosen.score.max_error),
                Text(shorten(chosen.formula.readable(4), LONGEST)),
            )
    more = len(ordered) - MOST_ROWS
    lines = [Text(f"and {more:,} more; `distill ui` shows all.")] if more > 0 else []
    return Group(table, *lines)


def _tell_unproven(console: Console, studies: Sequence[Study]) -> None:
    """Why nothing could be proven, each reason once."""
    for reason in dict.fromkeys(study.unproven for study in studies if study.unproven):
        console.print(Text(f"  no error is proven: {reason}."), soft_wrap=True)


def findings_tree(finding: Finding) -> Tree:
    """What was found out about the teacher, without what lies deeper than a screen holds."""
    title = Text(f"\nwhat {finding.piece or 'the teacher'} is made of", style="bold")
    tree = Tree(title, guide_style="dim")
    _grow(tree, finding, DEEPEST)
    return tree


def _grow(tree: Tree, finding: Finding, deep: int) -> None:
    style = {"solved": "green", "rejected": "dim", "open": "yellow"}.get(finding.state, "")
    branch = tree.add(Text(shorten(next(lines(finding)), LONGEST_DETAIL), style=style))
    if finding.parts and not deep:
        branch.add(Text(f"… {len(finding.parts)} more", style="dim"))
        return
    for part in finding.parts:
        _grow(branch, part, deep - 1)


def _front(study: Study) -> Table:
    unit = study.context.output_of_teacher.unit
    config = study.context.config
    target = str(config.target.get("name", ""))
    table = Table(
        title=Text(
            f"Pareto front of {len(study.choices)} candidates (errors in {unit or 'the output'})",
            style="table.title",
        ),
        title_justify="left",
        box=None,
        pad_edge=False,
        expand=True,
        header_style="bold",
    )
    proven = any(c.score.certified_error is not None for c in study.shown)
    columns = ["", "nodes", "max error", *(["proven"] if proven else []), "rmse", "reference"]
    columns += [f"{target} {_unit(study)}", "flash B"]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("formula", overflow="ellipsis", no_wrap=True, ratio=1)
    for choice in study.shown:
        chosen = choice.candidate.id == study.selection.id
        style = "bold green" if chosen else "" if choice.within_tolerance else "dim"
        label = choice.candidate.origin if choice.published else choice.formula.readable(4)
        table.add_row(
            "►" if chosen else "·" if choice.published else "",
            f"{choice.formula.complexity:,}",
            figure(choice.score.max_error),
            *([_bound(choice.score.certified_error)] if proven else []),
            figure(choice.score.teacher.rmse),
            figure(choice.score.reference.max_error if choice.score.reference else None),
            _calls(choice.cost),
            count(choice.cost.flash_bytes if choice.cost else None),
            Text(shorten(label, LONGEST)),
            style=style,
        )
    return table


def _bound(value: float | None) -> str:
    """A proven bound, never rounded down, or a dash."""
    return "-" if value is None else upward(value, 3)


def _unit(study: Study) -> str:
    cycles = any(c.cost is not None and c.cost.unit == "cycles" for c in study.choices)
    return "cycles" if cycles else "instr."


def _calls(cost: Cost | None) -> str:
    """The instructions of a call; estimates have a wave before them."""
    if cost is None:
        return "-"
    return ("" if cost.measured else "~") + count(cost.instructions)


def _choice(study: Study) -> Group:
    output = study.context.output_of_teacher
    lines = [Text(), Text(study.selection.reason)]
    chosen = study.chosen
    if chosen is None:
        return Group(*lines)
    lines += [
        Text(),
        Text(f"  {output.name} = {shorten(chosen.formula.readable(), LONGEST)}", style="bold"),
        Text(),
        Text("  " + _errors("this formula", chosen, output.unit)),
        *([Text(f"  {'':<16} {chosen.proven}")] if chosen.proven else []),
        *(Text(f"  {'':<16} {line}") for line in chosen.kept),
    ]
    lines += [
        Text("  " + _errors(choice.candidate.origin, choice, output.unit))
        for choice in study.choices
        if choice.published
    ]
    if chosen.score.labels is None:
        return Group(*lines)
    classes = classes_of(study.context.teacher)
    lines += [Text(f"  {'':<16} label: {classes[1]} where it is above 0, else {classes[0]}")]
    return Group(*lines, _confusion(chosen.score.labels, classes))


def _confusion(labels: Labels, classes: Sequence[str]) -> Group:
    """How often each class of the teacher (rows) gets which label (columns)."""
    head = Text(f"\nlabels: the teacher's at {labels.agreement:.2%} of {labels.points:,} points")
    if len(classes) > SHOWN_CLASSES:
        return Group(head)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("teacher \\ formula")
    for name in classes:
        table.add_column(Text(name), justify="right")
    for name, row in zip(classes, labels.confusion, strict=True):
        table.add_row(Text(name), *(f"{number:,}" for number in row))
    return Group(head, table)


def _errors(name: str, choice: Choice, unit: str) -> str:
    worst = f"{choice.score.max_error:.4g} {unit}".rstrip()
    at = place(choice.study.domain, choice.score.teacher.max_error_at, units=False)
    text = f"{name:<16} off by up to {worst} from the teacher (at {at})"
    if choice.score.max_error == 0:
        text = f"{name:<16} no difference from the teacher was found"
    if choice.score.reference is not None:
        known = f"{choice.score.reference.max_error:.4g} {unit}".rstrip()
        text += f", {known} from the reference"
    if choice.cost is not None:
        text += f"\n  {'':<16} {cost_line(choice.cost)}"
    return text
