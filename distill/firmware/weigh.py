"""What bundles cost on a target: their C compiled and run there, or an estimate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.cost import (
    COUNTED,
    Cost,
    Measured,
    build_image,
    estimate,
    evenly,
    image_cost,
)
from distill.firmware.fixed.formats import hold
from distill.firmware.harness import chip_label, chip_loop
from distill.firmware.render import render_code
from distill.firmware.spec import BundleSpec
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, ToolMissing, toolchain_for
from distill.firmware.toolchains.at_once import at_once
from distill.firmware.vector.render import render_vector_code
from distill.firmware.vector.spec import VectorSpec


def weigh(
    specs: Mapping[str, BundleSpec | VectorSpec],
    points: Array,
    target: Target,
    announce: Callable[[str], None] | None = None,
) -> Measured:
    """Compile bundles' C for a target and count what each needs, in the target's emulator.

    A bundle that does not compile, faults or hangs is a failure of its own; the others are
    measured all the same. Of a function of arrays with classes the label is what is called.

    Parameters
    ----------
    specs : by any name; all over one domain.
    points : real points (n, d) of the domain, of which up to :data:`COUNTED` are run.
    announce : told when something takes a while, for people.
    """
    if not specs:
        return Measured({})
    some = points[evenly(len(points), COUNTED)]
    try:
        toolchain = toolchain_for(target)
        toolchain.prepare(announce)
        job = _Job(some, target, toolchain)
        found = dict(zip(specs, at_once(job.weigh, specs.values()), strict=True))
    except ToolMissing:
        known = {name: _estimate(spec, target) for name, spec in specs.items()}
        return Measured({name: cost for name, cost in known.items() if cost is not None})
    return Measured(
        {name: cost for name, cost in found.items() if isinstance(cost, Cost)},
        {name: error for name, error in found.items() if isinstance(error, ToolchainError)},
    )


def _estimate(spec: BundleSpec | VectorSpec, target: Target) -> Cost | None:
    """By the formulas' operations; a table alone, or a chain, has none."""
    formulas = spec.formulas if isinstance(spec, VectorSpec) else (spec.formula,)
    costs = [estimate(f, target, spec.arithmetic) for f in formulas if f is not None]
    if not costs:
        return None
    total = sum(cost.instructions for cost in costs)
    return replace(costs[0], instructions=total, instructions_max=total)


@dataclass(frozen=True)
class _Job:
    """What all bundles of one weighing share."""

    points: Array
    target: Target
    toolchain: Toolchain

    def weigh(self, spec: BundleSpec | VectorSpec) -> Cost | ToolchainError:
        signature = spec.numbers.signature
        points = self.points
        if spec.interface == "integer":
            points = hold(points, spec.domain).astype(float)
        files = render_vector_code(spec) if isinstance(spec, VectorSpec) else render_code(spec)
        harness = chip_label if signature.label else chip_loop
        try:
            with tempfile.TemporaryDirectory(prefix="distill-") as name:
                folder = Path(name)
                for file, text in files.items():
                    (folder / file).write_text(text, encoding="utf-8")
                image = build_image(
                    [folder / f"{spec.name}.c"],
                    harness(spec.name, signature),
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
