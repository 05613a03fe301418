"""What a function costs on a target: instructions, flash, RAM and stack, measured or estimated."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.errors import StorageError, ToolchainError
from distill.firmware.emulator import emulator_for
from distill.firmware.graph import Arithmetic, build_graph
from distill.firmware.harness import ENTRY, Number, Signature, chip_loop
from distill.firmware.image import Image, read_image
from distill.firmware.passes import lower
from distill.firmware.passes.powers import powers_to_products
from distill.firmware.target import Target, Unit
from distill.firmware.toolchains import Toolchain, ToolMissing, toolchain_for
from distill.firmware.toolchains.at_once import at_once
from distill.formula import Formula

VERSION = 2

COUNTED = 32
"""Points at which instructions are counted."""

_NUMBERS: dict[Arithmetic, Number] = {"float32": "float32", "double": "double", "fixed": "int32"}
_ARITHMETICS: dict[Number, Arithmetic] = {n: a for a, n in _NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of a function, and the function itself, take on a target.

    ``instructions`` is the mean and ``instructions_max`` the largest count over the points that
    were run, in ``unit``: cycles where the emulator knows them. ``flash_bytes`` and ``ram_bytes``
    hold all that the function pulls in: the parts of libm and of the floating-point runtime that
    it uses, too. ``compiler`` names what the figures were measured with. An estimate
    (``measured`` false, compiler `estimated`) knows instructions only.
    """

    target: str
    compiler: str
    arithmetic: Arithmetic
    unit: Unit
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


@dataclass(frozen=True, slots=True)
class Measured:
    """What :func:`measure_many` found: a cost, or why there is none, of each function by name."""

    costs: Mapping[str, Cost]
    failures: Mapping[str, ToolchainError] = field(default_factory=dict)


def measure_many(
    sources: Mapping[str, str],
    formulas: Mapping[str, Formula],
    arithmetic: Arithmetic,
    inputs: Array,
    target: Target,
    *,
    number: Number | None = None,
    announce: Callable[[str], None] | None = None,
) -> Measured:
    """Compile pure functions for a target and count what each needs, in the target's emulator.

    A function that does not compile, faults or hangs is a failure of its own; the others are
    measured all the same.

    Parameters
    ----------
    sources : by a function's name the C text that defines it, ``float KEY(float a, float b)``.
        What it needs of `<math.h>` and `<stdint.h>` may be left undeclared.
    formulas : by the same names what they compute. Where the toolchain or the emulator is not
        installed, the costs are estimates from them.
    arithmetic : what the functions calculate with.
    inputs : points (n, d) of which up to :data:`COUNTED`, evenly chosen, are run; integers where
        the functions take them.
    number : what the functions take and return; by default the arithmetic's own numbers.
    announce : told when something takes a while, for people.
    """
    if not sources:
        return Measured({})
    points = inputs[evenly(len(inputs), COUNTED)]
    signature = Signature(inputs.shape[1], number or _NUMBERS[arithmetic])
    job = _Job(signature, arithmetic, points, target)
    try:
        toolchain = toolchain_for(target)
        toolchain.prepare(announce)
        found = at_once(lambda name: job.measure(name, sources[name], toolchain), sources)
    except ToolMissing:
        return Measured({name: estimate(formulas[name], target, arithmetic) for name in sources})
    by_name = dict(zip(sources, found, strict=True))
    return Measured(
        {name: cost for name, cost in by_name.items() if isinstance(cost, Cost)},
        {name: error for name, error in by_name.items() if isinstance(error, ToolchainError)},
    )


@dataclass(frozen=True)
class _Job:
    """What all functions of one measurement share."""

    signature: Signature
    arithmetic: Arithmetic
    points: Array
    target: Target

    def measure(self, name: str, source: str, toolchain: Toolchain) -> Cost | ToolchainError:
        harness = chip_loop(name, self.signature)
        try:
            with tempfile.TemporaryDirectory(prefix="distill-") as folder:
                function = Path(folder) / f"{name}.c"
                headers = "#include <math.h>\n#include <stdint.h>\n"
                function.write_text(headers + source, encoding="utf-8")
                image = build_image([function], harness, toolchain, Path(folder))
            return image_cost(
                image, self.signature, self.points, self.target, toolchain, self.arithmetic
            )
        except ToolMissing:
            raise
        except ToolchainError as error:
            return error


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
    image: Image,
    signature: Signature,
    points: Array,
    target: Target,
    toolchain: Toolchain,
    arithmetic: Arithmetic | None = None,
) -> Cost:
    """The cost of the function in ``image``, its instructions counted at all ``points`` (n, d).

    Without ``arithmetic`` it is that of the numbers the function takes.

    Raises
    ------
    ToolchainError : when it faults or does not return.
    """
    counts = emulator_for(target, image).count(points, signature)
    return Cost(
        target.name,
        toolchain.compiler,
        arithmetic or _ARITHMETICS[signature.number],
        target.unit,
        float(np.mean(counts.calls)),
        float(np.max(counts.calls)),
        image.flash_bytes,
        image.ram_bytes,
        counts.stack_bytes,
        measured=True,
    )


def estimate(formula: Formula, target: Target, arithmetic: Arithmetic = "float32") -> Cost:
    """The sum of the target's costs of the operations that the emitted C performs.

    Subexpressions that occur more than once count once, as the C computes them once. Moves
    between operations are not known, so the figure of a processor with an FPU is low.
    """
    # Fixed point has a lowering of its own; of powers it makes products, too.
    fixed = arithmetic == "fixed"
    graph = powers_to_products(build_graph(formula)) if fixed else lower(formula, arithmetic)
    costs = target.costs(arithmetic)
    total = sum(costs.get(operation.name, 0.0) for operation in graph.operations)
    return Cost(
        target.name, "estimated", arithmetic, target.unit, total, total, None, None, None,
        measured=False,
    )  # fmt: skip


def evenly(n: int, wanted: int) -> slice | np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Indices of ``wanted`` of n rows, evenly spread, the first and last among them."""
    if n <= wanted:
        return slice(None)
    return np.linspace(0, n - 1, wanted).round().astype(np.intp)
