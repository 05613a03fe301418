"""Measuring emitted C: its error on this machine, its cost on a chip, and whether both agree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from distill.arrays import Array
from distill.domain import Domain
from distill.errors import ToolchainError
from distill.extremum import border_points, improve
from distill.firmware.cost import COUNTED, Cost, build_image, image_cost
from distill.firmware.emulator import emulator_for
from distill.firmware.harness import chip_loop, host_loop
from distill.firmware.interface import FloatInterface, Interface
from distill.firmware.target import Target
from distill.firmware.toolchains import host_compilers, run_tool, toolchain_for

from .problems import Problem

POINTS = 131_072
"""Points of the design at which errors are taken; corners, edges, faces and a climb on top."""

COMPARED = 256
"""Points at which the chip's answers are compared with the machine's."""

Answers = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Emitted:
    """The C of one function: its files by their names, and what its numbers stand for.

    ``label`` says that it answers with the number of a class.
    """

    function: str
    files: Mapping[str, str]
    interface: Interface
    label: bool = False

    @property
    def key(self) -> str:
        """Equal for equal C."""
        return "\n".join([self.function, *self.files, *self.files.values()])

    def write(self, folder: Path) -> list[Path]:
        """Write the files; the sources among them are returned.

        Other generators include their headers as a system's: here they lie beside the source.
        """
        for name, text in self.files.items():
            local = re.sub(r"#include <(eml_\w+\.h)>", r'#include "\1"', text)
            (folder / name).write_text(local, encoding="utf-8")
        return [folder / name for name in self.files if name.endswith(".c")]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What the C was off by: the largest error, or of labels the share of wrong ones."""

    worst: float
    label: bool = False


@dataclass(frozen=True, eq=False)
class Judge:
    """Takes the errors of every C function emitted for one problem."""

    problem: Problem
    _truths: dict[bytes, Array] = field(default_factory=dict)

    def accuracy(self, emitted: Emitted) -> Accuracy:
        """The error against the teacher at the numbers the C was given, so after their rounding.

        Raises
        ------
        ToolchainError : when the C does not compile or run on this machine.
        """
        problem, interface = self.problem, emitted.interface
        pool = _pool(problem)
        x = interface.reals(interface.inside(pool))
        with host_answers(emitted) as answers:
            if emitted.label:
                assert problem.label_above is not None
                truth = self._truth(x) > problem.label_above
                return Accuracy(float(np.mean((answers(x) > 0.5) != truth)), label=True)

            def off(x: Array) -> Array:
                held = interface.reals(interface.inside(x))
                return answers(held) - self._truth(held)

            values = np.nan_to_num(np.abs(off(x)), nan=np.inf)
            if not problem.smooth:
                return Accuracy(float(values.max()))
            return Accuracy(max(float(values.max()), improve(off, problem.domain, x, values).value))

    def _truth(self, x: Array) -> Array:
        """The teacher's answers; those at the pool are asked for once."""
        if len(x) < POINTS:
            return self.problem.truth(x)
        key = x.tobytes()
        if key not in self._truths:
            self._truths[key] = self.problem.truth(x)
        return self._truths[key]


def _pool(problem: Problem) -> Array:
    domain = problem.domain
    parts = [domain.corners(), border_points(domain, POINTS // 8, 0), domain.sample(POINTS)]
    if problem.more is not None:
        parts.append(domain.clip(problem.more))
    return np.vstack(parts)


@contextmanager
def host_answers(emitted: Emitted) -> Iterator[Answers]:
    """The function compiled for this machine: real points (n, d) to real answers (n,)."""
    compiler = host_compilers()[0]
    interface = emitted.interface
    signature = interface.signature
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        sources = emitted.write(folder)
        header = f"#include <stdint.h>\n{signature.prototype(emitted.function)}\n"
        (folder / "prototype.h").write_text(header)
        loop = folder / "loop.c"
        loop.write_text(host_loop("prototype.h", emitted.function, signature))
        program = folder / "program"
        files = map(str, [*sources, loop])
        built = compiler.run(
            ["-std=c99", "-O2", "-ffp-contract=off", *files, "-lm", "-o", str(program)], folder
        )
        if built.status != 0:
            raise ToolchainError(f"does not compile: {built.complaint}", where=emitted.function)

        def answers(x: Array) -> Array:
            given, taken = folder / "in", folder / "out"
            given.write_bytes(signature.pack(interface.numbers(x)))
            ended = run_tool([str(program), "in", "out"], seconds=300, folder=folder)
            if ended.status != 0:
                raise ToolchainError(f"stops: {ended.complaint}", where=emitted.function)
            return interface.outputs(np.fromfile(taken, dtype=signature.dtype))

        yield answers


@dataclass(frozen=True, slots=True)
class OnChip:
    """What a function costs on a target, and how far the chip's answers are from this machine's."""

    cost: Cost
    differs: float


def on_chip(emitted: Emitted, domain: Domain, target: Target) -> OnChip:
    """Compile for the target, count in its emulator, and compare the answers with this machine's.

    Raises
    ------
    ToolMissing : when the target's compiler or emulator is not installed.
    ToolchainError : when the C does not compile, link or run.
    """
    toolchain = toolchain_for(target)
    interface = emitted.interface
    numbers = interface.inside(domain.sample(COMPARED, seed=3))
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        harness = chip_loop(emitted.function, interface.signature)
        image = build_image(emitted.write(folder), harness, toolchain, folder)
    signature = interface.signature
    cost = image_cost(image, signature, numbers[:COUNTED], target, toolchain)
    chip = interface.outputs(emulator_for(target, image).run(numbers, signature))
    with host_answers(emitted) as answers:
        differences = np.abs(chip - answers(interface.reals(numbers)))
    return OnChip(cost, float(np.nan_to_num(differences, nan=np.inf).max()))


def float_interface(problem: Problem) -> Interface:
    """How the C of other generators is called: with floats, behind a small function of ours."""
    return FloatInterface(problem.domain)
