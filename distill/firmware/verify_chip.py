"""The checks on the emulated target: results, self-test, and what the chip has room for.

Everything is done with each toolchain that is installed for the target. The one that the target
names counts for its limits; the other is a second opinion on every answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

from distill.arrays import Array
from distill.firmware.cost import COUNTED, Cost, build_image, evenly, image_cost
from distill.firmware.emulator import emulator_for
from distill.firmware.evidence import Check
from distill.firmware.graph import Arithmetic
from distill.firmware.harness import (
    PRINTED,
    Results,
    Signature,
    chip_label,
    chip_loop,
    chip_program,
    chip_selftest,
)
from distill.firmware.image import Image
from distill.firmware.qemu import run_in_qemu
from distill.firmware.subject import Subject
from distill.firmware.target import Target, ToolchainName
from distill.firmware.toolchains import Toolchain, toolchain_for
from distill.firmware.verify_host import compare, compare_edges, one_line, reported

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Points:
    """What is run on the chip: vectors (n, d) of the domain and edge inputs (m, d)."""

    vectors: Array
    edges: Array

    @property
    def all(self) -> Array:
        """Both, (n + m, d)."""
        return np.vstack([self.vectors, self.edges])


@dataclass(eq=False)
class _Run:
    """What one toolchain's program did: its checks so far, results (n + m, ...), and cost."""

    kind: ToolchainName
    checks: list[Check] = field(default_factory=list)
    results: Results | None = None
    cost: Cost | None = None


def chip_checks(
    subject: Subject,
    target: Target,
    points: Points,
    host: Results | None,
    folder: Path,
    say: Say,
) -> tuple[list[Check], Cost | None]:
    """All checks with every toolchain; ``host`` are the host's results at all points, (n + m, ...).

    The cost is that of the toolchain the target names, or of the other where only that is there.
    """
    # The one that the target names comes first.
    kinds = sorted(get_args(ToolchainName), key=lambda kind: kind != target.toolchain)
    runs = []
    for kind in kinds:
        if getattr(target, kind) is None:
            continue
        run = _Run(kind)
        with reported(run.checks, f"{target.name}, {kind}"):
            toolchain = toolchain_for(replace(target, toolchain=kind))
            toolchain.prepare(say)
            say(f"{len(points.all):,} inputs on the emulated {target.name}, {toolchain.compiler}")
            _with_toolchain(run, subject, target, points, host, folder / kind, toolchain)
        runs.append(run)
    checks = [check for run in runs for check in run.checks]
    results = [run.results for run in runs if run.results is not None]
    if len(results) == 2:
        name = f"{target.name}: {runs[0].kind} and {runs[1].kind} agree"
        checks.append(_agreement(name, *results, every_bit=subject.exact))
    costs = [run.cost for run in runs if run.cost is not None]
    return checks, costs[0] if costs else None


def _with_toolchain(
    run: _Run,
    subject: Subject,
    target: Target,
    points: Points,
    host: Results | None,
    folder: Path,
    toolchain: Toolchain,
) -> None:
    folder.mkdir()

    def done(*checks: Check) -> None:
        for check in checks:
            signed = f"{one_line(check.detail)}; {toolchain.compiler}"
            run.checks.append(replace(check, name=f"{check.name}, {run.kind}", detail=signed))

    def build(sources: list[Path], harness: str) -> Image:
        return build_image(sources, harness, toolchain, folder)

    with reported(run.checks, f"{target.name} results, {run.kind}"):
        image = build([subject.source], chip_loop(subject.name, subject.signature))
        run.results = emulator_for(target, image, subject.seconds).run(
            points.all, subject.signature
        )
        n = len(points.vectors)
        done(*compare(target.name, subject, points.vectors, run.results[:n]))
        done(compare_edges(target.name, subject, points.edges, run.results[n:]))
        if host is not None:
            name = f"{target.name} against the host"
            done(_agreement(name, run.results, host, every_bit=subject.exact))
        counted = points.vectors[evenly(n, COUNTED)]
        arithmetic: Arithmetic | None = "fixed" if subject.fixed else None
        if subject.signature.label:
            image = build([subject.source], chip_label(subject.name, subject.signature))
        run.cost = image_cost(image, subject.signature, counted, target, toolchain, arithmetic)
        done(_limits(target, run.cost, counts=run.kind == target.toolchain))
    if run.results is not None and target.emulator != "avr":
        # The same instructions: here a library's last places must be the same as well.
        name = f"{target.name} in QEMU against Unicorn"
        with reported(run.checks, f"{name}, {run.kind}"):
            again = run_in_qemu(
                [subject.source],
                subject.name,
                points.all,
                subject.signature,
                target,
                toolchain,
                subject.seconds,
            )
            done(_agreement(name, again, run.results, every_bit=True))
    with reported(run.checks, f"{target.name} self-test, {run.kind}"):
        image = build([subject.source, subject.selftest], chip_selftest(f"{subject.name}_selftest"))
        failed = emulator_for(target, image, subject.seconds).selftest()
        said = f"{failed} vectors fail" if failed else "all vectors pass"
        figures = {"failed": float(failed)}
        done(Check(f"{target.name} self-test", failed == 0, said, figures))

    with reported(run.checks, f"{target.name} test program, {run.kind}"):
        image = build([subject.main, subject.source, subject.selftest], chip_program())
        words = emulator_for(target, image, subject.seconds).run(
            np.zeros((1 + PRINTED // 4, 1)), Signature(1, "int32")
        )
        said = words[1:].tobytes().split(b"\0")[0].decode(errors="replace")
        said = one_line(said) or "nothing printed"
        done(Check(f"{target.name} test program", int(words[0]) == 0, said))


def _agreement(name: str, results: Results, others: Results, *, every_bit: bool) -> Check:
    """In how many bits two machines disagree: in none where ``every_bit`` is promised.

    Elsewhere each C library rounds its functions as it likes; only a NaN must be one on both.
    """
    same = _bits(results) == _bits(others)
    same |= np.isnan(results) & np.isnan(others)
    with np.errstate(invalid="ignore", over="ignore"):
        found, wanted = results.astype(float), others.astype(float)
        floats = np.issubdtype(results.dtype, np.floating)
        unit = np.spacing(np.abs(others)).astype(float) if floats else np.ones(others.shape)
        apart = np.where(same, 0.0, np.abs(found - wanted) / unit)
    count, worst = int(np.count_nonzero(same)), float(apart.max())
    return Check(
        name,
        count == results.size if every_bit else not np.isnan(apart).any(),
        f"{count:,} of {results.size:,} results have the same bits"
        f"{', as promised for all' if every_bit else ''}; "
        f"they differ by at most {worst:g} units in the last place",
        {"same": float(count), "points": float(results.size), "largest_ulp": worst},
    )


def _bits(results: Results) -> npt.NDArray[np.unsignedinteger]:
    bits: npt.NDArray[np.unsignedinteger] = np.ascontiguousarray(results).view(
        f"<u{results.dtype.itemsize}"
    )
    return bits


def _limits(target: Target, cost: Cost, *, counts: bool) -> Check:
    """Flash, RAM and stack against what the target allows, with the instructions beside them.

    Of a toolchain that does not count for the target the figures are told, not judged.
    """
    sizes = {
        "flash": (cost.flash_bytes or 0, target.flash_bytes),
        "RAM": (cost.ram_bytes or 0, target.ram_bytes),
        "stack": (cost.stack_bytes or 0, target.stack_bytes),
    }
    over = [key for key, (used, limit) in sizes.items() if used > limit]
    parts = [f"{key} {used:,} of {limit:,} B" for key, (used, limit) in sizes.items()]
    verdict = f"too much {' and '.join(over)}: " if over else ""
    return Check(
        f"{target.name} {'limits' if counts else 'figures'}",
        not (over and counts),
        f"{verdict}{', '.join(parts)}; {cost.instructions:,.0f} {cost.unit} a call "
        f"(at most {cost.instructions_max:,.0f})",
        {
            cost.unit: cost.instructions,
            f"{cost.unit}_max": cost.instructions_max,
            **{f"{key.lower()}_bytes": float(used) for key, (used, _) in sizes.items()},
        },
    )
