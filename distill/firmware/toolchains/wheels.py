"""Zig's C compiler from PyPI: it cross-compiles for every target, without root or system packages.

Zig builds the C library of a target the first time it is asked (about a minute) and keeps it in
the user's cache folder; after that, compiling and linking one function takes about 0.1 s.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.target import Target
from distill.firmware.toolchains.process import ToolMissing, run_tool

FIRST_BUILD_SECONDS = 900.0
"""Limit of a build that may have to make the target's C library first."""

# -fno-unwind-tables: C has no exceptions, so a chip's image has no tables for them.
FLAGS = (
    "-std=c99",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-sanitize=all",
    "-fomit-frame-pointer",
)


def zig_command(language: str = "cc") -> tuple[str, ...]:
    """The start of a command line of zig's C (`cc`) or C++ (`c++`) compiler."""
    return (sys.executable, "-m", "ziglang", language)


def zig_installed() -> bool:
    """Whether the `ziglang` package is there."""
    return importlib.util.find_spec("ziglang") is not None


@cache
def cache_folder() -> Path:
    """Where zig keeps the C libraries it built: the user's cache folder, or a temporary one."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "distill" / "zig"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="distill-zig-"))


def zig_environment(folder: Path) -> dict[str, str]:
    """Zig's cache settings: libraries are shared by all runs, objects lie in ``folder``."""
    return {
        "ZIG_GLOBAL_CACHE_DIR": str(cache_folder()),
        "ZIG_LOCAL_CACHE_DIR": str(folder / ".zig"),
    }


@cache
def zig_version() -> str:
    """The version of the clang inside zig, such as `20.1.2`.

    Raises
    ------
    ToolMissing : when `ziglang` is not installed.
    ToolchainError : when it does not run.
    """
    if not zig_installed():
        raise ToolMissing(
            "the zig compiler is not installed.", hint="python -m pip install ziglang"
        )
    with tempfile.TemporaryDirectory(prefix="distill-") as name:
        folder = Path(name)
        finished = run_tool(
            (*zig_command(), "--version"),
            seconds=60,
            folder=folder,
            environment=zig_environment(folder),
        )
    words = finished.output.split()
    if finished.status != 0 or "version" not in words:
        raise ToolchainError(
            f"the zig compiler does not run: {finished.complaint}",
            hint="python -m pip install --force-reinstall ziglang",
        )
    return words[words.index("version") + 1]


class Zig:
    """Zig as the cross-compiler of one target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._version = zig_version()

    @property
    def compiler(self) -> str:
        """Such as `zig cc (clang 20.1.2) -Os`."""
        return f"zig cc (clang {self._version}) {self._target.optimization}"

    def prepare(self) -> None:
        """Build the target's C library into the cache, if it is not there yet."""
        with tempfile.TemporaryDirectory(prefix="distill-") as name:
            source = Path(name) / "empty.c"
            source.write_text("int start(void);\nint start(void) { return 0; }\n")
            self.build([source], source.with_suffix(".elf"), entry="start")

    def build(self, sources: Sequence[Path], program: Path, *, entry: str) -> None:
        """Compile and link, as :class:`~distill.firmware.toolchains.base.Toolchain` says."""
        target, folder = self._target, program.parent
        arguments = [
            *zig_command(),
            *("-target", target.triple, f"-mcpu={target.cpu}", target.optimization),
            *FLAGS,
            *("-static", "-Wl,--gc-sections", f"-Wl,-e,{entry}"),
            *map(str, sources),
            *target.flags,
            *("-o", str(program)),
        ]
        finished = run_tool(
            arguments,
            seconds=FIRST_BUILD_SECONDS,
            folder=folder,
            environment=zig_environment(folder),
        )
        if finished.status != 0 or not program.exists():
            raise ToolchainError(
                f"zig cannot build for {target.name}:\n    {finished.complaint}",
                where=", ".join(source.name for source in sources),
                hint="`distill doctor` checks the compiler; check target.triple and target.cpu.",
            )
