"""Emitted C judged: its labels and scores on this machine, its cost on a chip."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import ToolchainError
from distill.firmware.cost import Cost, build_image, image_cost
from distill.firmware.harness import Results, chip_label, host_loop
from distill.firmware.target import Target
from distill.firmware.toolchains import host_compilers, run_tool, toolchain_for

from .emitting import Emitted
from .models import Model

COUNTED = 8
"""Points at which instructions are counted."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the C compares with the model.

    ``wrong`` of ``points`` labels are not what the model's predict says. ``ulp`` is the largest
    error of a score in units of the last place (float32) of the model's score there, ``of_largest``
    the same in units of the largest score's; None where the C gives no scores.
    """

    points: int
    wrong: int
    ulp: float | None
    of_largest: float | None


def judged(model: Model, emitted: Emitted, x: Array) -> Judgement:
    """Run the C on this machine at points x (n, d), and compare.

    Integers stand for other numbers than x: the model is asked at what they stand for.

    Raises
    ------
    ToolchainError : when the C does not compile or run.
    """
    numbers = emitted.interface.inside(x)
    answers = emitted.interface.outputs(_run(emitted, numbers))
    truth = model.scores(emitted.interface.reals(numbers))
    labels = (truth[:, 0] > 0) if truth.shape[1] == 1 else truth.argmax(axis=1)
    wrong = int(np.sum(answers[:, -1] != labels))
    if not emitted.scores:
        return Judgement(len(x), wrong, None, None)
    off = np.nan_to_num(np.abs(answers[:, :-1] - truth), nan=np.inf)
    unit = np.spacing(np.abs(truth).astype(np.float32)).astype(float)
    return Judgement(len(x), wrong, float((off / unit).max()), float(off.max() / unit.max()))


def _run(emitted: Emitted, numbers: Array) -> Results:
    signature, compiler = emitted.interface.signature, host_compilers()[0]
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        source = emitted.write(folder)
        declared = f"#include <stdint.h>\n{signature.prototype(emitted.name)}\n"
        (folder / "prototype.h").write_text(declared)
        (folder / "loop.c").write_text(host_loop("prototype.h", emitted.name, signature))
        # Optimised, the nested conditions of some generators compile for minutes.
        flags = ["-std=gnu99", "-O0", "-ffp-contract=off", "-w"]
        built = compiler.run([*flags, source.name, "loop.c", "-lm", "-o", "program"], folder)
        if built.status != 0:
            raise ToolchainError(f"does not compile: {built.complaint}", where=emitted.name)
        (folder / "in").write_bytes(signature.pack(numbers))
        ended = run_tool(["./program", "in", "out"], seconds=300, folder=folder)
        if ended.status != 0:
            raise ToolchainError(f"stops: {ended.complaint}", where=emitted.name)
        return signature.shaped(np.fromfile(folder / "out", dtype=signature.dtype))


def cost(model: Model, emitted: Emitted, target: Target) -> Cost:
    """What a call for the label takes on a target.

    Raises
    ------
    ToolchainError : when it is not installed, or the C does not compile, link or run there.
    """
    signature, toolchain = emitted.interface.signature, toolchain_for(target)
    # Rows that were learned: of points all over the box many take the same way.
    some = model.x[np.linspace(0, len(model.x) - 1, COUNTED).astype(int)]
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        source = emitted.write(folder)
        image = build_image([source], chip_label(emitted.name, signature), toolchain, folder)
    return image_cost(image, signature, emitted.interface.inside(some), target, toolchain)
