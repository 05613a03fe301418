"""C of trained models written, run on an emulated PIC32, and compared with the models there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np

from distill.arrays import Array
from distill.building.vector import Content, VectorOrder, build_vector
from distill.config.folder import read_option
from distill.config.schema import ExportConfig
from distill.firmware.cost import COUNTED, build_image
from distill.firmware.emulator import emulator_for
from distill.firmware.harness import chip_label, chip_loop
from distill.firmware.target import load_target
from distill.firmware.toolchains import toolchain_for
from distill.firmware.vector.bundle import VectorBundle, write_vector_bundle
from distill.teachers.base import Teacher, classes_of
from distill.teachers.labels import labels_of

mpl.use("Agg")
from matplotlib import pyplot as plt

# A network keeps the numbers between its layers on the stack; the chip has 32 KiB of RAM.
CHIP = replace(load_target(read_option("target", "pic32")), stack_bytes=8192)


@dataclass(frozen=True)
class Row:
    """A line of the table; of numbers ``test`` and ``fresh`` are largest errors, else agreement."""

    model: str
    way: str
    test: float
    fresh: float
    flash: int
    instructions: float
    labels: bool = True

    def __str__(self) -> str:
        test, fresh = (f"{v:.2%}" if self.labels else f"±{v:.2g}" for v in (self.test, self.fresh))
        figures = f"{self.flash:>8,} {self.instructions:>12,.0f}"
        return f"{self.model:20} {self.way:12} {test:>10} {fresh:>10} {figures}"


def written(
    teacher: Teacher, way: str, content: Content, error: float, options: ExportConfig, out: Path
) -> VectorBundle:
    """The C of a chain or of formulas, at most ``error`` off the teacher, in a folder."""
    assert teacher.domain is not None
    k = len(teacher.outputs)
    order = VectorOrder(
        name=teacher.name, domain=teacher.domain, content=content, outputs=teacher.outputs,
        classes=classes_of(teacher), max_errors=(error,) * k, tolerance=max(2 * error, 1e-3),
        options=options, target=CHIP, provenance={"teacher": teacher.name, "way": way},
    )  # fmt: skip
    spec = build_vector(order, "fixed" if options.arithmetic == "fixed" else "float32")
    return write_vector_bundle(spec, out / teacher.name / way)


def on_chip(bundle: VectorBundle, points: Array) -> tuple[Array, int, float]:
    """Outputs and label (n, columns) in the emulator, bytes of flash, mean instructions a call."""
    signature, name = bundle.spec.numbers.signature, bundle.spec.name
    folder = bundle.directory.parent / f"built_{bundle.directory.name}"
    folder.mkdir(exist_ok=True)
    images = [
        build_image([bundle.source], loop(name, signature), toolchain_for(CHIP), folder)
        for loop in (chip_loop, chip_label if signature.label else chip_loop)
    ]
    answers = emulator_for(CHIP, images[0], 300).run(points, signature).astype(float)
    counts = emulator_for(CHIP, images[1], 300).count(points[:COUNTED], signature)
    return answers, images[1].flash_bytes, float(counts.calls.mean())


def row(teacher: Teacher, bundle: VectorBundle, model: str, test: Array, fresh: int) -> Row:
    """Run a bundle on the chip and compare it with its teacher."""
    assert teacher.domain is not None
    x = bundle.spec.numbers.inside(np.vstack([test, teacher.domain.sample(fresh, seed=9)]))
    answers, flash, instructions = on_chip(bundle, x)
    truth = teacher.predict(x)
    if classes_of(teacher):
        same = answers[:, -1] == labels_of(truth)
        good = float(same[: len(test)].mean()), float(same[len(test) :].mean())
    else:
        off = np.abs(answers - truth)[:, 0]
        good = float(off[: len(test)].max()), float(off[len(test) :].max())
    return Row(model, bundle.directory.name, *good, flash, instructions, bool(classes_of(teacher)))


def figure(rows: Sequence[Row], file: Path) -> None:
    """Flash and instructions of every model, both ways."""
    _, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    models = list(dict.fromkeys(row.model for row in rows))
    for axis, key, title in zip(
        axes, ("flash", "instructions"), ("bytes of flash", "instructions a call"), strict=True
    ):
        for shift, way in ((-0.2, "exact"), (0.2, "approximate")):
            chosen = [r for r in rows if r.way == way]
            places = [models.index(r.model) + shift for r in chosen]
            axis.barh(places, [getattr(r, key) for r in chosen], height=0.4, label=way)
        axis.set(xscale="log", xlabel=title)
    axes[0].set_yticks(range(len(models)), [m.replace("_", " ") for m in models])
    axes[0].invert_yaxis()
    axes[1].legend()
    plt.tight_layout()
    plt.savefig(file, dpi=120)
