"""What every toolchain for a target can do, and which one a target names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from distill.firmware.target import Target


class Toolchain(Protocol):
    """A cross-compiler for one target."""

    @property
    def compiler(self) -> str:
        """The compiler's name, version and optimisation level, as figures are labelled."""
        ...

    def prepare(self) -> None:
        """Build what the compiler needs once (its C library), so that later builds are quick."""
        ...

    def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
        """Compile and link C files to a static ELF ``program`` that starts at ``entry``.

        Unused functions and data are left out of it; the compiler's own runtime is linked in, and
        the libraries that the target's flags name.

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
    from distill.firmware.toolchains.wheels import Zig

    kinds = {"wheels": Zig}
    return kinds[target.toolchain](target)
