"""What this machine has for compiling, emulating and searching, and what more would give."""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from distill.engines.pysr import installed as pysr
from distill.errors import ToolchainError
from distill.firmware import simavr
from distill.firmware.target import Target, ToolchainName
from distill.firmware.toolchains import run_tool, toolchain_for


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool: whether it is there, its version and place, and what it gives.

    ``gives`` is one line that ends with how to install it.
    """

    name: str
    found: bool
    detail: str
    gives: str


@dataclass(frozen=True, slots=True)
class _Tool:
    """One row of the examination: ``look`` returns the detail, or None when it is not there."""

    name: str
    look: Callable[[], str | None]
    gives: str


def _program(name: str, *arguments: str) -> Callable[[], str | None]:
    """A look for a program on the path, with the first line it tells of itself."""

    def look() -> str | None:
        path = shutil.which(name)
        return _version(path, *arguments) if path else None

    return look


def _version(path: str, *arguments: str) -> str:
    """The first line that a program tells of itself, and where it is."""
    try:
        ended = run_tool(
            [path, *(arguments or ("--version",))],
            seconds=20,
            folder=Path(tempfile.gettempdir()),
        )
    except ToolchainError:
        return f"{path} (does not tell its version)"
    lines = (ended.output or ended.errors).splitlines()
    return f"{lines[0].strip()} ({path})" if ended.status == 0 and lines else path


def _package(name: str) -> Callable[[], str | None]:
    """A look for an installed Python package; it is not imported."""

    def look() -> str | None:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    return look


def _simavr() -> str | None:
    """The runner for AVR, which is compiled on first use."""
    try:
        return f"libsimavr ({simavr.runner_program()})"
    except ToolchainError:
        return None


def _julia() -> str | None:
    """Julia where PySR looks for it."""
    there = pysr.julia(pysr.find())
    return _version(str(there.executable)) if there.executable else None


def _pysr() -> str | None:
    """PySR, and whether it can start as it is."""
    there = pysr.find()
    if there is None:
        return None
    if not there.supported:
        return f"{there.version}: not used, distill needs {pysr.WANTED}"
    return f"{there.version}, {pysr.first_use(there) or 'Julia and its packages are ready'}"


_TOOLS = (
    _Tool(
        "zig",
        _package("ziglang"),
        "compiling for every chip, and for this machine if it has no C compiler: "
        "python -m pip install ziglang",
    ),
    _Tool(
        "unicorn",
        _package("unicorn"),
        "running the C on emulated chips, and counting instructions: python -m pip install unicorn",
    ),
    _Tool(
        "gcc",
        _program("gcc"),
        "strict compiling and the address and undefined-behaviour sanitizers: apt install gcc g++",
    ),
    _Tool(
        "clang",
        _program("clang"),
        "a second opinion of strict warnings and sanitizers: apt install clang",
    ),
    _Tool(
        "arm-none-eabi-gcc",
        _program("arm-none-eabi-gcc"),
        "Cortex-M figures of the compiler that is flashed (target.toolchain=native): "
        "apt install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
    _Tool(
        "riscv64-unknown-elf-gcc",
        _program("riscv64-unknown-elf-gcc"),
        "RISC-V figures of GCC (target.toolchain=native): "
        "apt install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    ),
    _Tool(
        "mipsel-linux-gnu-gcc",
        _program("mipsel-linux-gnu-gcc"),
        "PIC32 figures of GCC (target.toolchain=native): apt install gcc-mipsel-linux-gnu",
    ),
    _Tool(
        "avr-gcc",
        _program("avr-gcc"),
        "compiling for AVR, which has no other compiler here: apt install gcc-avr avr-libc",
    ),
    _Tool(
        "simavr",
        _simavr,
        f"running AVR programs, cycle-exact: apt install {' '.join(simavr.PACKAGES)}",
    ),
    _Tool(
        "qemu-user",
        _program("qemu-arm"),
        "a second emulator, which the tests compare Unicorn with: apt install qemu-user",
    ),
    _Tool(
        "valgrind",
        _program("valgrind"),
        "instruction profiles of the C on this machine, by hand: apt install valgrind",
    ),
    _Tool(
        "cppcheck",
        _program("cppcheck"),
        "MISRA C:2012 and static analysis of every bundle: apt install cppcheck",
    ),
    _Tool(
        "frama-c",
        _program("frama-c", "-version"),
        "values of fixed-point code whose door takes integers, for all inputs: "
        "apt install frama-c-base",
    ),
    _Tool(
        "julia",
        _julia,
        f"what PySR runs on; its first start installs one. Without a network: {pysr.WAYS_OUT}",
    ),
    _Tool(
        "pysr",
        _pysr,
        f"the search with PySR (engine=pysr): {pysr.INSTALL}",
    ),
)


def examine(targets: Sequence[Target] = ()) -> list[Finding]:
    """Look for every tool, and for what each target can be built and run with.

    Nothing is started but `--version` of programs on the path; the AVR runner may be compiled.
    """
    findings = []
    for tool in _TOOLS:
        detail = tool.look()
        findings.append(Finding(tool.name, detail is not None, detail or "not found", tool.gives))
    return findings + [_target(target) for target in targets]


def _target(target: Target) -> Finding:
    """With which toolchains a target's figures are measured; without one they are estimated."""
    works: dict[str, str] = {}
    missing = []
    for name in get_args(ToolchainName):
        if getattr(target, name) is None:
            continue
        try:
            compiler = toolchain_for(replace(target, toolchain=name)).compiler
            if target.emulator == "avr":
                simavr.runner_program()
        except ToolchainError as error:
            missing.append(f"{name} figures: {error.hint}")
        else:
            works[name] = f"{name} ({compiler})"
    found = target.toolchain in works
    detail = ", ".join(works.values()) or "nothing builds for it"
    return Finding(
        f"target {target.name}",
        found,
        detail if found else f"costs are estimates; {detail}",
        "; ".join(missing),
    )
