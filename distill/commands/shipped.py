"""What an exported bundle says on the terminal: where it is, other ways, what was verified."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group
from rich.text import Text

from distill.commands.figures import LONGEST_DETAIL, cost_line
from distill.delivery.shipping import Shipped
from distill.firmware.alternatives import Alternative
from distill.firmware.evidence import Evidence
from distill.tracking.entries import shorten

_TOLD = ("host against", "MISRA")
_TOLD_ENDS = (" limits, wheels", " limits, native", " figures, wheels", " figures, native", "agree")
"""Beginnings and ends of the names of checks whose figures are told."""


def show_shipped(console: Console, shipped: Shipped) -> None:
    """Print where a bundle is, what its verification showed, and what other ways would cost."""
    console.print(_shipped(shipped), soft_wrap=True)


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
        detail = check.detail if check.passed is False else shorten(check.detail, LONGEST_DETAIL)
        lines.append(Text(f"           {mark} {check.name}: {detail}"))
    return lines


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
