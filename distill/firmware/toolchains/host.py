"""The C and C++ compilers of the machine that distill runs on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from distill.firmware.toolchains.process import Finished, run_tool
from distill.firmware.toolchains.zig import (
    zig_command,
    zig_environment,
    zig_installed,
    zig_version,
)

Family = Literal["gcc", "clang", "zig"]

COMPILE_SECONDS = 300.0

# gcc's `undefined` leaves out the conversion of a float too large for the integer: the very fault
# a table's index can have. Zig brings no run-time library for its checks: they trap.
_SANITIZERS: dict[Family, tuple[str, ...]] = {
    "gcc": ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"),
    "clang": ("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "zig": ("-fsanitize=undefined", "-fsanitize-trap=undefined"),
}


@dataclass(frozen=True, slots=True)
class HostCompiler:
    """One compiler: the start of its C and C++ command lines (None: it has no C++)."""

    family: Family
    version: str
    c: tuple[str, ...]
    cxx: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """Such as `gcc 12.2.0`."""
        return f"{self.family} {self.version}"

    @property
    def sanitizers(self) -> tuple[str, ...]:
        """The flags that make undefined behaviour, and bad addresses if it can, end the program."""
        return _SANITIZERS[self.family]

    def run(self, arguments: Sequence[str], folder: Path, *, cxx: bool = False) -> Finished:
        """Run the C or C++ compiler in ``folder``.

        Raises
        ------
        ToolchainError : when it cannot be started or does not end in time.
        """
        command = self.cxx if cxx and self.cxx else self.c
        # Zig checks by itself what nobody asked for, and would switch off what was asked for after.
        asked = any(argument.startswith("-fsanitize=") for argument in arguments)
        plain = ("-fno-sanitize=all",) if self.family == "zig" and not asked else ()
        return run_tool(
            (*command, *plain, *arguments),
            seconds=COMPILE_SECONDS,
            folder=folder,
            environment=zig_environment(folder) if self.family == "zig" else None,
        )

    def sanitizers_work(self, folder: Path) -> str:
        """Why the sanitizers cannot be used here, or nothing when they can."""
        source = folder / "probe.c"
        source.write_text("int main(void) { return 0; }\n")
        program = folder / "probe"
        built = self.run([*self.sanitizers, source.name, "-o", str(program)], folder)
        if built.status != 0:
            return built.complaint
        ended = run_tool([str(program)], seconds=60, folder=folder, environment=SANITIZER_SETTINGS)
        return ended.complaint if ended.status != 0 else ""


# The leak check needs ptrace, which containers often forbid, and generated code never allocates.
SANITIZER_SETTINGS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=0"}


def host_compilers() -> tuple[HostCompiler, ...]:
    """The compilers found: gcc and clang on the path, then zig from PyPI."""
    found: list[HostCompiler] = []
    for family, cxx in (("gcc", "g++"), ("clang", "clang++")):
        path = shutil.which(family)
        if path is None or (version := _version(path)) is None:
            continue
        cxx_path = shutil.which(cxx)
        # On some systems `gcc` is clang under another name.
        kind: Family = "clang" if family == "clang" or "clang" in version[1] else "gcc"
        if kind not in {compiler.family for compiler in found}:
            found.append(HostCompiler(kind, version[0], (path,), (cxx_path,) if cxx_path else None))
    if zig_installed():
        found.append(HostCompiler("zig", zig_version(), zig_command("cc"), zig_command("c++")))
    return tuple(found)


def _version(path: str) -> tuple[str, str] | None:
    """The version number and the whole first line a compiler tells; None when it does not run."""
    folder = Path(tempfile.gettempdir())
    full = run_tool([path, "--version"], seconds=60, folder=folder)
    if full.status != 0 or not full.output:
        return None
    line = full.output.splitlines()[0]
    numbers = [word for word in line.split() if word[0].isdigit() and "." in word]
    return (numbers[-1].split("-")[0] if numbers else "unknown"), line
