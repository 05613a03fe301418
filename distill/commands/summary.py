"""What a finished study says on the terminal: the front, the choice, its errors, its C."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from distill.delivery.shipping import Shipped
from distill.engines.findings import Finding, lines
from distill.figures import upward
from distill.firmware.alternatives import Alternative
from distill.firmware.cost import Cost
from distill.firmware.evidence import Evidence
from distill.scoring.labels import Labels
from distill.study.choice import Choice
from distill.study.study import Study
from distill.study.study_set import StudySet
from distill.teachers.base import classes_of
from distill.tracking.entries import shorten
from distill.tracking.places import place


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


def show_shipped(console: Console, shipped: Shipped) -> None:
    """Print where a bundle is, what its verification showed, and what other ways would cost."""
    console.print(_shipped(shipped), soft_wrap=True)


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
    branch = tree.add(Text(_short_detail(next(lines(finding))), style=style))
    if finding.parts and not deep:
        branch.add(Text(f"… {len(finding.parts)} more", style="dim"))
        return
    for part in finding.parts:
        _grow(branch, part, deep - 1)


DEEPEST = 5

LONGEST = 2000
"""Characters of a formula; the report and the C have all of a longer one."""

MOST_OUTPUTS, MOST_ROWS = 8, 40
"""Outputs that are shown one by one, and rows of the table that is shown of more."""


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


SHOWN_CLASSES = 12
"""Classes of the largest table that fits on a terminal; the report shows the others."""


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


def cost_line(cost: Cost) -> str:
    """Instructions, flash, RAM and stack in one line, with the compiler they belong to."""
    if not cost.measured:
        return f"about {count(cost.instructions)} {cost.unit} a call on {cost.target} (estimated)"
    return (
        f"{count(cost.instructions)} {cost.unit} a call, {count(cost.flash_bytes)} B flash, "
        f"{count(cost.ram_bytes)} B RAM, {count(cost.stack_bytes)} B stack "
        f"on {cost.target} (measured, {cost.compiler})"
    )


def _shipped(shipped: Shipped) -> Group:
    lines = [Text(), Text(f"  C        {_short(shipped.bundle.source)}", style="bold")]
    for number, way in enumerate(shipped.alternatives):
        taken = way.arithmetic == shipped.bundle.spec.arithmetic and (
            way.content == shipped.content
        )
        start = "ways" if number == 0 else ""
        lines.append(Text(f"  {start:<8} {'►' if taken else ' '} {way.name}: {_way(way)}"))
    if shipped.evidence is None:
        return Group(*lines, Text("  verified ✗ nothing: export.verify=false"), Text())
    return Group(*lines, *_verified(shipped.evidence), Text())


def _verified(evidence: Evidence) -> list[Text]:
    """The checks: figures and what did not pass in full, the others by name."""
    told = [c for c in evidence.checks if not c.passed or c.name.startswith(_TOLD)]
    told += [c for c in evidence.checks if c.passed and c.name.endswith(_TOLD_ENDS)]
    ran = [c for c in evidence.checks if c.passed is not None]
    passed = sum(bool(c.passed) for c in ran)
    lines = [Text(f"  verified {passed} of {len(ran)} checks passed, among them:")]
    for check in told:
        mark = {True: "✓", False: "✗", None: "–"}[check.passed]
        detail = check.detail if check.passed is False else _short_detail(check.detail)
        lines.append(Text(f"           {mark} {check.name}: {detail}"))
    return lines


def _short_detail(detail: str) -> str:
    """A check's detail without what only its report needs; everything is kept with the study."""
    return detail if len(detail) <= LONGEST else detail[: LONGEST - 1] + "…"


LONGEST = 180


_TOLD = ("host against", "MISRA")
_TOLD_ENDS = (" limits, wheels", " limits, native", " figures, wheels", " figures, native", "agree")


def _way(way: Alternative) -> str:
    if way.why_not:
        return way.why_not
    error = "" if way.max_error is None else f"off by up to {way.max_error:.4g}, "
    return error + ("cost unknown" if way.cost is None else cost_line(way.cost))


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
