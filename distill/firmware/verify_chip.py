"""The checks on the emulated target: results, self-test, and what the chip has room for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.cost import COUNTED, Cost, build_image, evenly, image_cost
from distill.firmware.emulator import Emulator
from distill.firmware.evidence import Check
from distill.firmware.harness import Results, chip_loop, chip_selftest
from distill.firmware.subject import Subject
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, ToolMissing, toolchain_for
from distill.firmware.verify_host import compare, one_line


def chip_checks(
    subject: Subject,
    target: Target,
    vectors: Array,
    host: Results | None,
    folder: Path,
) -> tuple[list[Check], Cost | None]:
    """All checks at ``vectors`` (n, d); ``host`` are the host's results there, (n,)."""
    try:
        toolchain = toolchain_for(target)
        toolchain.prepare()
        return _with_toolchain(subject, target, vectors, host, folder, toolchain)
    except ToolMissing as error:
        return [Check(target.name, None, one_line(str(error)))], None
    except ToolchainError as error:
        return [Check(target.name, False, one_line(error.what))], None


def _with_toolchain(
    subject: Subject,
    target: Target,
    vectors: Array,
    host: Results | None,
    folder: Path,
    toolchain: Toolchain,
) -> tuple[list[Check], Cost | None]:
    harness = chip_loop(subject.name, subject.signature)
    image = build_image([subject.source], harness, toolchain, folder)
    results = Emulator(image, target.emulator).run(vectors, subject.signature)
    checks = compare(target.name, subject, vectors, results)
    if host is not None:
        checks.append(_against_host(target, results, host))
    points = vectors[evenly(len(vectors), COUNTED)]
    cost = image_cost(image, subject.signature, points, target, toolchain)
    checks.append(_limits(target, cost))
    sources = [subject.source, subject.selftest]
    image = build_image(sources, chip_selftest(f"{subject.name}_selftest"), toolchain, folder)
    failed = Emulator(image, target.emulator).selftest()
    checks.append(
        Check(
            f"{target.name} self-test",
            failed == 0,
            f"{failed} vectors fail" if failed else "all vectors pass",
            {"failed": float(failed)},
        )
    )
    return checks, cost


def _against_host(target: Target, results: Results, host: Results) -> Check:
    """How many bits the chip and the host disagree in: a C library rounds as it likes."""
    equal = (results == host) | (np.isnan(results) & np.isnan(host))
    with np.errstate(invalid="ignore"):
        apart = np.where(equal, 0.0, np.abs(results - host) / np.spacing(np.abs(host)))
    same = int(np.count_nonzero(equal))
    return Check(
        f"{target.name} against the host",
        not np.isnan(apart).any(),
        f"{same:,} of {len(results):,} results have the same bits, "
        f"the others differ by at most {apart.max():g} units in the last place",
        {"same": float(same), "points": float(len(results)), "largest_ulp": float(apart.max())},
    )


def _limits(target: Target, cost: Cost) -> Check:
    """Flash, RAM and stack against what the target allows, with the instructions beside them."""
    sizes = {
        "flash": (cost.flash_bytes or 0, target.flash_bytes),
        "RAM": (cost.ram_bytes or 0, target.ram_bytes),
        "stack": (cost.stack_bytes or 0, target.stack_bytes),
    }
    over = [key for key, (used, limit) in sizes.items() if used > limit]
    parts = [f"{key} {used:,} of {limit:,} B" for key, (used, limit) in sizes.items()]
    verdict = f"too much {' and '.join(over)}: " if over else ""
    return Check(
        f"{target.name} limits",
        not over,
        f"{verdict}{', '.join(parts)}; {cost.instructions:,.0f} instructions a call "
        f"(at most {cost.instructions_max:,.0f}), {cost.compiler}",
        {
            "instructions": cost.instructions,
            "instructions_max": cost.instructions_max,
            **{f"{key.lower()}_bytes": float(used) for key, (used, _) in sizes.items()},
        },
    )
