"""The `wheels` toolchain: zig's C compiler from PyPI, without root or system packages.

Zig makes the runtime of a chip the first time it is asked (some seconds) and keeps it in the
user's cache folder; after that, compiling and linking one function takes about 0.1 s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.target import Target
from distill.firmware.toolchains.base import C_FLAGS, LINK_FLAGS, ZIG_RUNTIME_FLAGS
from distill.firmware.toolchains.process import run_tool
from distill.firmware.toolchains.zig import (
    FIRST_BUILD_SECONDS,
    include_flags,
    libm_archive,
    libm_file,
    zig_command,
    zig_environment,
    zig_settings,
    zig_version,
)


class Zig:
    """Zig as the cross-compiler of one target.

    Raises
    ------
    ToolMissing : when `ziglang` is not installed.
    ToolchainError : when the target has no `wheels` compiler.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._wheels = zig_settings(target)
        self._version = zig_version()

    @property
    def compiler(self) -> str:
        """Such as `zig cc (clang 20.1.2) -Os`."""
        return f"zig cc (clang {self._version}) {self._target.optimization}"

    def prepare(self, announce: Callable[[str], None] | None = None) -> None:
        """Build the chip's libm and runtime into the cache, if they are not there yet."""
        prepare_runtime(self._target, announce)

    def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
        """Compile and link, as :class:`~distill.firmware.toolchains.base.Toolchain` says."""
        target, wheels = self._target, self._wheels
        zig_build(
            target,
            (
                *C_FLAGS,
                *ZIG_RUNTIME_FLAGS,
                "-fno-sanitize=all",
                *include_flags(wheels),
                *map(str, sources),
                *wheels.flags,
            ),
            program,
            entry,
            ", ".join(source.name for source in sources),
        )


def prepare_runtime(target: Target, announce: Callable[[str], None] | None = None) -> None:
    """Build what zig links for a target once: libm, and the compiler's runtime."""
    if announce is not None and not libm_file(target).exists():
        announce(f"building zig's libraries for {target.name}, this once")
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        source = Path(name) / "empty.c"
        source.write_text("int start(void);\nint start(void) { return 0; }\n")
        zig_build(target, (str(source),), source.with_suffix(".elf"), "start", source.name)


def zig_build(
    target: Target, arguments: Sequence[str], program: Path, entry: str, where: str
) -> None:
    """Let zig build a program from C files or objects among ``arguments`` and the chip's libm.

    Raises
    ------
    ToolchainError : with the compiler's first error lines.
    """
    wheels = zig_settings(target)
    finished = run_tool(
        (
            *(*zig_command(), "-target", wheels.triple, f"-mcpu={wheels.cpu}"),
            *(target.optimization, *arguments, str(libm_archive(target))),
            *("-static", *LINK_FLAGS, f"-Wl,-e,{entry}", "-o", str(program)),
        ),
        seconds=FIRST_BUILD_SECONDS,
        folder=program.parent,
        environment=zig_environment(program.parent),
    )
    if finished.status != 0 or not program.exists():
        raise ToolchainError(
            f"zig cannot build for {target.name}:\n    {finished.complaint}",
            where=where,
            hint="`distill doctor` checks the compiler; check target.wheels.triple and "
            "target.wheels.cpu.",
        )
