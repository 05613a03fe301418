"""Outcomes as lines, tables and a CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import median

from distill.files import write_whole
from recovery.judging import RECOVERED
from recovery.solving import Outcome

BASELINE = "operon"
"""The engine that the others are compared with."""

ALIKE = 1.05
"""Errors within this factor are no worse."""

COMPARED = f"no_worse_than_{BASELINE}"


def line(outcome: Outcome) -> str:
    """One outcome for the terminal."""
    mark = "found " if outcome.recovered else "      "
    text = f"{outcome.note} {outcome.formula}".strip()
    good = "as the network " if outcome.as_good else ""
    within = f"{outcome.within} nodes within " if outcome.within is not None else ""
    return (
        f"{outcome.group:13} {outcome.name:20} {outcome.engine:10} {mark}{outcome.found:6.1f} s  "
        f"rel {outcome.relative:7.1e} wide {outcome.wide:7.1e}  {good}{within}{text[:90]}"
    )


def no_worse(outcome: Outcome, baseline: Outcome) -> bool:
    """Whether the error is no larger than the baseline's, within 5 %, or both are rounding."""
    if outcome.recovered or outcome.relative < RECOVERED:
        return True
    return outcome.rmse <= ALIKE * baseline.rmse


def cheaper(outcome: Outcome, baseline: Outcome) -> bool:
    """Whether it has fewer nodes within the tolerance, or as many and a smaller largest error.

    The same formula for both counts: there is nothing left to gain.
    """
    if outcome.within is None:
        return False
    if baseline.within is None or outcome.within < baseline.within:
        return True
    return outcome.within == baseline.within and outcome.within_error <= (
        baseline.within_error * (1 + 1e-3)
    )


def baselines(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], Outcome]:
    """The baseline's outcomes by set and problem."""
    return {(o.group, o.name): o for o in outcomes if o.engine == BASELINE}


def summary(outcomes: Sequence[Outcome], *, tolerance: bool = False) -> str:
    """A row for each set and engine; ``tolerance`` adds what they found within it."""
    if not outcomes:
        return "no outcomes"
    known = baselines(outcomes)
    rows = [
        ["set", "engine", "problems", "recovered", "", "median s", "as the network",
         f"no worse than {BASELINE}", "within tolerance", f"cheaper than {BASELINE}", "failed"]
    ]  # fmt: skip
    for group, engine in dict.fromkeys((o.group, o.engine) for o in outcomes):
        part = [o for o in outcomes if (o.group, o.engine) == (group, engine)]
        exact = [o for o in part if o.recovered]
        pairs = [(o, known[o.group, o.name]) for o in part if (o.group, o.name) in known]
        if engine == BASELINE:
            pairs = []
        networks = [o for o in part if not math.isnan(o.network_rmse)]
        rows.append(
            [
                group,
                engine,
                str(len(part)),
                str(len(exact)),
                f"{len(exact) / len(part):.0%}",
                f"{median(o.found for o in exact):.1f}" if exact else "",
                _share([o.as_good for o in networks]),
                _share([no_worse(*pair) for pair in pairs]),
                _share([o.within is not None for o in part if tolerance]),
                _share([cheaper(*pair) for pair in pairs if tolerance]),
                str(sum(bool(o.note) for o in part)),
            ]
        )
    return table(rows)


def headlines(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str]]:
    """How many formulas of each set came out, by engine."""
    for group, engine in dict.fromkeys((o.group, o.engine) for o in outcomes):
        part = [o for o in outcomes if (o.group, o.engine) == (group, engine)]
        found = [o.found for o in part if o.recovered]
        seconds = f", median {median(found):.1f} s" if found else ""
        yield f"{group}, {engine}", f"{len(found)} of {len(part)} recovered{seconds}"


def side_by_side(outcomes: Sequence[Outcome]) -> str:
    """For each problem the fewest nodes within the tolerance and their largest error."""
    engines = list(dict.fromkeys(o.engine for o in outcomes))
    known = {(o.group, o.name, o.engine): o for o in outcomes}
    rows = [["set", "problem", "tolerance", *engines]]
    for group, name in dict.fromkeys((o.group, o.name) for o in outcomes):
        found = [known.get((group, name, engine)) for engine in engines]
        tolerance = next(o.tolerance for o in found if o is not None)
        rows.append([group, name, f"{tolerance:.2g}", *map(_within, found)])
    return table(rows)


def _within(outcome: Outcome | None) -> str:
    if outcome is None or outcome.within is None:
        return "-"
    return f"{outcome.within} nodes, {outcome.within_error:.1e}"


def _share(what: Sequence[bool]) -> str:
    return f"{sum(what)} of {len(what)}" if what else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown with even columns; the first row is the head."""
    used = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in used}
    lines = ["| " + " | ".join(row[i].ljust(widths[i]) for i in used) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (widths[i] + 2) for i in used) + "|")
    return "\n".join(lines)


def write_csv(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write all outcomes so far, whole or not at all."""
    known = baselines(outcomes)
    text = io.StringIO(newline="")
    names = [f.name for f in fields(Outcome)]
    writer = csv.DictWriter(text, [*names, COMPARED], lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        baseline = known.get((outcome.group, outcome.name))
        compared = "" if baseline is None else no_worse(outcome, baseline)
        writer.writerow(asdict(outcome) | {COMPARED: compared})
    write_whole(path, text.getvalue())
