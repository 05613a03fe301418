"""The `native` toolchain: a chip's cross-GCC, as Debian packages it and users flash it.

The program is linked without start-up code and starts at the harness, as zig's does, so that the
same emulators run it. Where GCC's own runtime does not fit the chip (Debian's libgcc for MIPS
expects a floating-point unit; the C library of x86-64 needs Linux to start it), GCC compiles
and zig links: with its libm and runtime, and both are named.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.target import Native, Target, Wheels
from distill.firmware.toolchains.base import C_FLAGS, LINK_FLAGS, ZIG_RUNTIME_FLAGS
from distill.firmware.toolchains.process import ToolMissing, run_tool
from distill.firmware.toolchains.wheels import prepare_runtime, zig_build
from distill.firmware.toolchains.zig import include_flags, zig_settings, zig_version

BUILD_SECONDS = 300.0


class Gcc:
    """A GCC as the cross-compiler of one target.

    Raises
    ------
    ToolMissing : when it, or zig where that links, is not installed.
    ToolchainError : when the target has no `native` compiler, or it does not run.
    """

    def __init__(self, target: Target) -> None:
        if target.native is None:
            raise ToolchainError(
                f"no GCC is known for {target.name}.",
                where="target.native",
                hint="target.toolchain=wheels",
            )
        self._target = target
        self._native = target.native
        self._version = gcc_version(target.native)
        self._linker: Wheels | None = None
        self._label = f"{target.native.compiler} {self._version} {target.optimization}"
        if target.native.runtime == "zig":
            self._linker = zig_settings(target)
            self._label += f", linked by zig (clang {zig_version()}) with its runtime and libm"

    @property
    def compiler(self) -> str:
        """Such as `arm-none-eabi-gcc 12.2.1 -Os`."""
        return self._label

    def prepare(self, announce: Callable[[str], None] | None = None) -> None:
        """GCC's libraries are ready; zig's are built where it links."""
        if self._linker is not None:
            prepare_runtime(self._target, announce)

    def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
        """Compile and link, as :class:`~distill.firmware.toolchains.base.Toolchain` says."""
        if self._linker is None:
            libraries = ("-nostartfiles", *LINK_FLAGS, f"-Wl,-e,{entry}", "-lm")
            self._gcc([*map(str, sources), *libraries, "-o", str(program)], sources, program.parent)
            return
        flags = ("-nostdinc", *include_flags(self._linker), *ZIG_RUNTIME_FLAGS)
        objects = [program.parent / f"{source.stem}.o" for source in sources]
        for source, made in zip(sources, objects, strict=True):
            self._gcc([*flags, "-c", str(source), "-o", str(made)], [source], program.parent)
        where = ", ".join(source.name for source in sources)
        zig_build(self._target, tuple(map(str, objects)), program, entry, where)

    def _gcc(self, arguments: Sequence[str], sources: Sequence[Path], folder: Path) -> None:
        command = (self._native.compiler, *self._native.flags, self._target.optimization, *C_FLAGS)
        finished = run_tool((*command, *arguments), seconds=BUILD_SECONDS, folder=folder)
        if finished.status != 0:
            raise ToolchainError(
                f"{self._native.compiler} cannot build for {self._target.name}:\n"
                f"    {finished.complaint}",
                where=", ".join(source.name for source in sources),
                hint="check target.native.flags, or use target.toolchain=wheels.",
            )


@cache
def gcc_version(native: Native) -> str:
    """The version a GCC tells, such as `12.2.1`.

    Raises
    ------
    ToolMissing : when it is not installed.
    ToolchainError : when it does not run.
    """
    path = shutil.which(native.compiler)
    if path is None:
        raise ToolMissing(
            f"`{native.compiler}` is not installed.",
            hint=f"apt install {' '.join(native.packages)}",
        )
    # An old avr-gcc does not know -dumpfullversion; its -dumpversion is whole.
    finished = run_tool(
        (path, "-dumpfullversion", "-dumpversion"), seconds=60, folder=Path(tempfile.gettempdir())
    )
    if finished.status != 0 or not finished.output.strip():
        raise ToolchainError(
            f"`{native.compiler}` does not run: {finished.complaint}",
            hint=f"apt install --reinstall {' '.join(native.packages)}",
        )
    return finished.output.split()[0]
