"""What bundles cost on a target: their C compiled and run there, or an estimate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.cost import (
    COUNTED,
    WORKERS,
    Cost,
    Measured,
    build_image,
    estimate,
    evenly,
    image_cost,
)
from distill.firmware.fixed.formats import hold
from distill.firmware.harness import Signature, chip_loop
from distill.firmware.render import render_code
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, ToolMissing, toolchain_for


def weigh(
    specs: Mapping[str, BundleSpec],
    points: Array,
    target: Target,
    announce: Callable[[str], None] | None = None,
) -> Measured:
    """Compile bundles' C for a target and count what each needs, in the target's emulator.

    A bundle that does not compile, faults or hangs is a failure of its own; the others are
    measured all the same.

    Parameters
    ----------
    specs : by any name; all over one domain.
    points : real points (n, d) of the domain, of which up to :data:`COUNTED` are run.
    announce : told when something takes a while, for people.
    """
    if not specs:
        return Measured({})
    some = points[evenly(len(points), COUNTED)]
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        toolchain = toolchain_for(target)
        toolchain.prepare(announce)
        job = _Job(some, target, toolchain)
        # Compilers are programs of their own, so threads keep both cores busy.
        found = dict(zip(specs, pool.map(job.weigh, specs.values()), strict=True))
    except ToolMissing:
        known = {name: _estimate(spec, target) for name, spec in specs.items()}
        return Measured({name: cost for name, cost in known.items() if cost is not None})
    finally:
        pool.shutdown(cancel_futures=True)
    return Measured(
        {name: cost for name, cost in found.items() if isinstance(cost, Cost)},
        {name: error for name, error in found.items() if isinstance(error, ToolchainError)},
    )


def _estimate(spec: BundleSpec, target: Target) -> Cost | None:
    """By the formula's operations; a table alone has none."""
    if spec.formula is None:
        return None
    return estimate(spec.formula, target, spec.arithmetic)


@dataclass(frozen=True)
class _Job:
    """What all bundles of one weighing share."""

    points: Array
    target: Target
    toolchain: Toolchain

    def weigh(self, spec: BundleSpec) -> Cost | ToolchainError:
        signature = Signature(len(spec.domain), spec.number)
        points = self.points
        if spec.interface == "integer":
            points = hold(points, spec.domain).astype(float)
        try:
            with tempfile.TemporaryDirectory(prefix="distill-") as name:
                folder = Path(name)
                for file, text in render_code(spec).items():
                    (folder / file).write_text(text, encoding="utf-8")
                image = build_image(
                    [folder / f"{spec.name}.c"],
                    chip_loop(spec.name, signature),
                    self.toolchain,
                    folder,
                )
            return image_cost(
                image, signature, points, self.target, self.toolchain, spec.arithmetic
            )
        except ToolMissing:
            raise
        except ToolchainError as error:
            return error
