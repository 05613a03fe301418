"""What every toolchain for a target can do, and which one a target names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from distill.firmware.target import Target

# C has no exceptions, so a chip's image has no tables to unwind the stack with.
C_FLAGS = (
    "-std=c99",
    "-Werror=implicit-function-declaration",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fomit-frame-pointer",
)
"""What both toolchains compile generated C with, beside the target's own flags."""

ZIG_RUNTIME_FLAGS = ("-fhosted", "-fno-math-errno")
"""For code that zig's libm is linked with. That has no errno, so a root may be an instruction; and
no operating system is no reason to take `sqrtf` for just any function."""

LINK_FLAGS = ("-Wl,--gc-sections",)
"""What both link with: only what the function uses stays."""


class Toolchain(Protocol):
    """A cross-compiler for one target."""

    @property
    def compiler(self) -> str:
        """The compiler's name, version and optimisation level, as figures are labelled."""
        ...

    def prepare(self, announce: Callable[[str], None] | None = None) -> None:
        """Build what the compiler needs once (its runtime), so that later builds are quick.

        ``announce`` is told when that may take a while, for people.
        """
        ...

    def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
        """Compile and link C files to a static ELF ``program`` that starts at ``entry``.

        Unused functions and data are left out of it; libm and the compiler's runtime are linked.

        Raises
        ------
        ToolchainError : with the compiler's first error lines.
        """
        ...


def toolchain_for(target: Target) -> Toolchain:
    """The toolchain a target names.

    Raises
    ------
    ToolMissing : when it is not installed.
    """
    # Both build on this module's flags.
    from distill.firmware.toolchains.native import Gcc
    from distill.firmware.toolchains.wheels import Zig

    kinds: dict[str, Callable[[Target], Toolchain]] = {"wheels": Zig, "native": Gcc}
    return kinds[target.toolchain](target)
