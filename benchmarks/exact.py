"""What exact C of trained models costs on chips: distill beside emlearn, m2cgen and micromlgen.

    python benchmarks/exact.py                                  # all models, every target
    python benchmarks/exact.py --models tree bayes --targets pic32 cortex_m0plus
    python benchmarks/exact.py --quick                          # two models, one target
    python benchmarks/exact.py --write docs/exact-figures.md

The other generators come with `pip install 'distill[bench]'`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from exact.emitting import ours
from exact.models import MODELS, forest
from exact.report import Section, section
from publishing import conditions, record

from distill.config.folder import options_of, read_option
from distill.errors import DistillError
from distill.firmware.target import load_target

TARGETS = ("pic32", "cortex_m0plus", "cortex_m4f", "riscv32", "avr")
POINTS, QUICK = 100_000, 2_000
SECONDS, MEGABYTES = 20.0, 500.0
"""What a forest of 100 trees of depth 12 may take to generate."""

READ_ME = """\
# Figures of exact C

Written by `{command}`; not edited by hand.

Each model of scikit-learn (and one network of torch) is emitted by distill, from the model's own
arithmetic, and by other generators. A cell holds **instructions (on AVR: cycles) of one call for
the label / bytes of flash**, which holds all that the call pulls in of the C library and the
floating-point runtime; compiled at -Os, counted in an emulator over 8 rows of the data.

Labels are compared with the model's own `predict` at {points:,} points and more: every threshold of
its trees with one unit in the last place to either side, its rows, and points all over their box.
`ulp` is the largest error of a score in units of the last place of the model's own score there
(large where scores nearly cancel), `of largest` that in units of the largest score. What gives
labels alone has neither. Fixed point takes integers, and is judged at the numbers they stand for.

distill's C moves inputs outside the model's box to the nearest bound first, but for the row that
says *unchecked*; the others' does not. emlearn's trees take int16 unless told otherwise: inputs and
thresholds are scaled for it here, each input's largest number to 32,000; another scaling gives
other figures. micromlgen's support vectors of two classes take the intercept with the other sign:
its C++ as it is, compiled by g++, gives the same wrong labels.
"""


def generation() -> str:
    """Seconds and memory of the forest's C, loading of the libraries left out."""
    model = forest()
    target = load_target(read_option("target", "pic32"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    emitted = ours(model, "float32", target)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    holds = "holds" if seconds < SECONDS and most < MEGABYTES else "MISSED"
    size = sum(map(len, emitted.files.values())) / 1e6
    return (
        f"The forest of 100 trees of depth 12 is generated in {seconds:.1f} s with at most "
        f"{most:.0f} MB ({before:.0f} MB of it before, with the model in memory): {size:.1f} MB of "
        f"C. Promised: under {SECONDS:.0f} s and {MEGABYTES:.0f} MB: {holds}."
    )


def verdict(sections: list[Section]) -> str:
    """Whether all labels of distill are the models' own."""
    missed = [
        f"{part.model.title}, {row.name}: {row.judgement.wrong}"
        for part in sections
        for row in part.own
        if row.judgement is not None and row.judgement.wrong
    ]
    return "distill's labels are the models' own at every point" + (
        f", but for: {'; '.join(missed)}." if missed else "."
    )


ULPS = 4.0
"""How far float32 scores may be from the model's, in units of the last place."""


def scores_verdict(sections: list[Section]) -> str:
    """Whether the scores of float32 are as near to the model's as was promised."""
    found = [
        (part.model.title, row.judgement)
        for part in sections
        for row in part.own
        if row.name == "distill, float32" and row.judgement is not None
    ]
    missed = [
        f"{title} ({judgement.ulp:.3g}; {judgement.of_largest:.3g} of the largest score)"
        for title, judgement in found
        if judgement.ulp is not None and not judgement.ulp <= ULPS
    ]
    return f"Promised of float32 scores: within {ULPS:.0f} ulp of the model's. " + (
        f"MISSED by {len(missed)} of {len(found)}: {'; '.join(missed)}." if missed else "It holds."
    )


def headlines(sections: list[Section], generated: list[str]) -> Iterator[tuple[str, str]]:
    """Labels, scores and the large forest, each with what was promised of it."""
    yield f"labels of {len(sections)} models in C", verdict(sections)
    yield "scores in float32", scores_verdict(sections)
    for text in generated:
        yield "the C of a large forest", text


def heading(part: Section) -> str:
    """A model's title and table."""
    return f"## {part.model.title}\n\n{part.text()}"


def main() -> int:
    """Read the arguments, measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--targets", nargs="+", choices=options_of("target"), default=TARGETS)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--quick", action="store_true", help="two models, one target, few points")
    parser.add_argument("--write", type=Path, help="a Markdown file for the figures")
    record.add_option(parser)
    arguments = parser.parse_args()
    measured_on = conditions.now()
    models, names, points = arguments.models, arguments.targets, arguments.points
    if arguments.quick:
        models, names, points = ["tree", "bayes"], ["pic32"], QUICK
    targets = [load_target(read_option("target", name)) for name in names]
    forest_is_made = [] if arguments.quick else [shown(generation())]
    sections: list[Section] = []
    for name in models:
        sections.append(section(MODELS[name](), targets, points))
        shown(heading(sections[-1]))
        if arguments.write:  # after each: a run takes long
            command = " ".join(["python", "benchmarks/exact.py", *sys.argv[1:]])
            about = READ_ME.format(command=command, points=points).rstrip()
            parts = [
                about,
                measured_on.text(),
                verdict(sections),
                scores_verdict(sections),
                *forest_is_made,
                *map(heading, sections),
            ]
            arguments.write.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    shown(verdict(sections))
    shown(scores_verdict(sections))
    record.save(arguments.figures, measured_on, headlines(sections, forest_is_made))
    return 0


def shown(text: str) -> str:
    """The text, printed."""
    print(text + "\n", flush=True)
    return text


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DistillError as error:
        sys.exit(str(error))
