"""What a function costs on a target: instructions, flash, RAM and stack, measured or estimated."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import StorageError
from distill.firmware.emulator import Emulator
from distill.firmware.harness import ENTRY, Number, Signature, chip_loop
from distill.firmware.image import Image, read_image
from distill.firmware.passes import lower
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, ToolMissing, toolchain_for
from distill.formula import Formula

VERSION = 1

COUNTED = 32
"""Points at which instructions are counted."""

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of a function, and the function itself, take on a target.

    ``instructions`` is the mean and ``instructions_max`` the largest count over the points that
    were run. ``flash_bytes`` and ``ram_bytes`` hold all that the function pulls in: the parts of
    libm and of the floating-point runtime that it uses, too. ``compiler`` names what the figures
    were measured with. An estimate (``measured`` false) knows instructions only.
    """

    target: str
    compiler: str
    instructions: float
    instructions_max: float
    flash_bytes: int | None
    ram_bytes: int | None
    stack_bytes: int | None
    measured: bool

    def to_data(self) -> dict[str, object]:
        """A versioned plain form."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Cost:
        """Read what :meth:`to_data` gave.

        Raises
        ------
        StorageError : when it is no cost, or of another version.
        """
        given = {key: value for key, value in data.items() if key != "version"}
        if data.get("version") != VERSION or set(given) != {f.name for f in fields(cls)}:
            raise StorageError(
                f"not a cost of version {VERSION}.", hint="measure it again with this version."
            )
        return cls(**given)  # type: ignore[arg-type]


def measure_many(
    sources: Mapping[str, str],
    formulas: Mapping[str, Formula],
    number: Number,
    inputs: Array,
    target: Target,
) -> dict[str, Cost]:
    """Compile pure functions for a target and count what each needs, in the target's emulator.

    The first use of a target on a machine takes about a minute longer: its C library is built.

    Parameters
    ----------
    sources : by a function's name the C text that defines it, ``float KEY(float a, float b)``.
        What it needs of `<math.h>` may be left undeclared: that header is included.
    formulas : by the same names what they compute. Where the toolchain is not installed, the
        costs are estimates from them.
    inputs : points (n, d) of which up to :data:`COUNTED`, evenly chosen, are run.

    Raises
    ------
    ToolchainError : when a source does not compile, faults, or does not return.
    """
    if not sources:
        return {}
    points = inputs[evenly(len(inputs), COUNTED)]
    signature = Signature(inputs.shape[1], number)
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        toolchain = toolchain_for(target)
        toolchain.prepare()
        # Compilers are programs of their own, so threads keep both cores busy.
        costs = pool.map(
            lambda name: _measure(name, sources[name], signature, points, target, toolchain),
            sources,
        )
        return dict(zip(sources, costs, strict=True))
    except ToolMissing:
        return {name: estimate(formulas[name], target) for name in sources}
    finally:
        pool.shutdown(cancel_futures=True)


def _measure(
    name: str,
    source: str,
    signature: Signature,
    points: Array,
    target: Target,
    toolchain: Toolchain,
) -> Cost:
    with tempfile.TemporaryDirectory(prefix="distill-") as folder:
        function = Path(folder) / f"{name}.c"
        function.write_text(f"#include <math.h>\n{source}", encoding="utf-8")
        image = build_image([function], chip_loop(name, signature), toolchain, Path(folder))
    return image_cost(image, signature, points, target, toolchain)


def build_image(sources: list[Path], harness: str, toolchain: Toolchain, folder: Path) -> Image:
    """Compile C files with a harness (C text) in ``folder``, and read the linked program.

    Raises
    ------
    ToolchainError : when it cannot be built.
    """
    loop, program = folder / "distill_harness.c", folder / "program.elf"
    loop.write_text(harness, encoding="utf-8")
    toolchain.build([*sources, loop], program, entry=ENTRY)
    return read_image(program)


def image_cost(
    image: Image, signature: Signature, points: Array, target: Target, toolchain: Toolchain
) -> Cost:
    """The cost of the function in ``image``, its instructions counted at all ``points`` (n, d).

    Raises
    ------
    ToolchainError : when it faults or does not return.
    """
    counts = Emulator(image, target.emulator).count(points, signature)
    return Cost(
        target.name,
        toolchain.compiler,
        float(np.mean(counts.instructions)),
        float(np.max(counts.instructions)),
        image.flash_bytes,
        image.ram_bytes,
        counts.stack_bytes,
        measured=True,
    )


def estimate(formula: Formula, target: Target) -> Cost:
    """The sum of the target's costs of the operations that the emitted float32 C performs.

    Subexpressions that occur more than once count once, as the C computes them once. Moves
    between operations are not known, so the figure of a processor with an FPU is low.
    """
    graph = lower(formula, "float32")
    total = sum(target.instructions.get(operation.name, 0.0) for operation in graph.operations)
    return Cost(target.name, "estimated", total, total, None, None, None, measured=False)


def evenly(n: int, wanted: int) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices of ``wanted`` of n rows, evenly spread, the first and last among them."""
    if n <= wanted:
        return slice(None)
    return np.linspace(0, n - 1, wanted).round().astype(np.intp)
