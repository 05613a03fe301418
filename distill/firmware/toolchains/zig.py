"""The zig of the `ziglang` package: its commands, its caches, and a chip's libm built with it.

A chip has no operating system, and zig brings no C library for that: only the compiler's runtime.
The rest of libm is made here from the sources zig carries (musl's C, and its own), once per chip
and processor, in about a second; the headers are those of musl, too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tempfile
from functools import cache
from pathlib import Path

from distill.errors import ToolchainError
from distill.firmware.target import Target, Wheels
from distill.firmware.toolchains.cache import cache_folder
from distill.firmware.toolchains.process import ToolMissing, run_tool

FIRST_BUILD_SECONDS = 900.0
"""Limit of a build that may have to make the chip's runtime first."""

_LIBM_FLAGS = (
    *("-std=c99", "-w", "-fhosted", "-fno-math-errno", "-ffp-contract=off", "-fno-sanitize=all"),
    *("-ffunction-sections", "-fdata-sections"),
)

_OWN = Path(__file__).with_name("libm.zig")

# By the first part of a triple: the name of its headers, and of its folder in musl.
_ARCHITECTURES = {
    "thumb": ("arm-linux-musl", "arm"),
    "mipsel": ("mips-linux-musl", "mips"),
    "riscv32": ("riscv32-linux-musl", "riscv32"),
    "x86_64": ("x86_64-linux-musl", "x86_64"),
}

# What neither zig's runtime nor libm.zig has, and what it calls.
_MUSL_MATH = (
    *("asinf", "atan2f", "erff", "expm1f", "ldexpf", "powf", "scalbnf", "sinhf"),
    *("__expo2f", "__math_divzerof", "__math_invalidf", "__math_oflowf", "__math_uflowf"),
    *("__math_xflowf", "exp2f_data", "powf_data"),
    *("atan2", "erf", "expm1", "ldexp", "pow", "scalbn", "sinh"),
    *("__expo2", "__math_divzero", "__math_invalid", "__math_oflow", "__math_uflow"),
    *("__math_xflow", "exp_data", "pow_data"),
)


def zig_command(language: str = "cc") -> tuple[str, ...]:
    """The start of a command line of zig: its C (`cc`) or C++ (`c++`) compiler, or another."""
    return (sys.executable, "-P", "-m", "ziglang", language)


def zig_installed() -> bool:
    """Whether the `ziglang` package is there."""
    return importlib.util.find_spec("ziglang") is not None


def zig_environment(folder: Path) -> dict[str, str]:
    """Zig's cache settings: libraries are shared by all runs, objects lie in ``folder``."""
    return {
        "ZIG_GLOBAL_CACHE_DIR": str(cache_folder("zig")),
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


def include_flags(wheels: Wheels) -> tuple[str, ...]:
    """The flags that give the C library's headers for a chip, for zig and GCC alike."""
    headers, _ = _architecture(wheels)
    include = _zig_library() / "libc" / "include"
    return ("-isystem", str(include / headers), "-isystem", str(include / "generic-musl"))


def libm_file(target: Target) -> Path:
    """Where the chip's libm lies in the cache once it is built."""
    settings = (*_machine_flags(target), *_LIBM_FLAGS, *_MUSL_MATH)
    what = "\n".join((zig_version(), *settings, _OWN.read_text(encoding="utf-8")))
    key = hashlib.sha256(what.encode()).hexdigest()[:16]
    return cache_folder("libm") / f"{target.name}-{key}.a"


def libm_archive(target: Target) -> Path:
    """The chip's libm, built into the cache if it is not there.

    Raises
    ------
    ToolchainError : when it cannot be built.
    """
    archive = libm_file(target)
    if archive.exists():
        return archive
    wheels = zig_settings(target)
    musl = _zig_library() / "libc" / "musl"
    _, folder = _architecture(wheels)
    searched = ("src/include", "src/internal", f"arch/{folder}", "arch/generic")
    with tempfile.TemporaryDirectory(prefix="distill-", dir=archive.parent) as name:
        built = Path(name) / "libm.a"
        finished = run_tool(
            (
                *(*zig_command("build-lib"), "-static", *_machine_flags(target), "--name", "m"),
                *(str(_OWN), "-ffunction-sections", "-fdata-sections", "-fomit-frame-pointer"),
                *("-fstrip", "-fno-unwind-tables", *include_flags(wheels)),
                *(word for path in searched for word in ("-I", str(musl / path))),
                *("-cflags", *_LIBM_FLAGS, "--"),
                *(str(musl / "src" / "math" / f"{source}.c") for source in _MUSL_MATH),
                f"-femit-bin={built}",
            ),
            seconds=FIRST_BUILD_SECONDS,
            folder=Path(name),
            environment=zig_environment(Path(name)),
        )
        if finished.status != 0 or not built.exists():
            raise ToolchainError(
                f"zig cannot build for {target.name}:\n    {finished.complaint}",
                where="target.wheels",
                hint="check target.wheels.triple and target.wheels.cpu.",
            )
        # Whole or not there: another process may want it at the same time.
        built.replace(archive)
    return archive


def zig_settings(target: Target) -> Wheels:
    """How zig builds for a target.

    Raises
    ------
    ToolchainError : when it does not.
    """
    if target.wheels is None:
        raise ToolchainError(
            f"zig does not build for {target.name}.",
            where="target.wheels",
            hint="target.toolchain=native",
        )
    return target.wheels


def _machine_flags(target: Target) -> tuple[str, ...]:
    wheels = zig_settings(target)
    return ("-target", wheels.triple, f"-mcpu={wheels.cpu}", "-OReleaseSmall")


def _zig_library() -> Path:
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise ToolMissing(
            "the zig compiler is not installed.", hint="python -m pip install ziglang"
        )
    return Path(spec.origin).parent / "lib"


def _architecture(wheels: Wheels) -> tuple[str, str]:
    name = wheels.triple.split("-")[0]
    if name not in _ARCHITECTURES:
        raise ToolchainError(
            f"no headers are known for zig's {name!r}.",
            where="target.wheels.triple",
            hint=f"known: {', '.join(_ARCHITECTURES)}; add a row to _ARCHITECTURES in "
            "distill/firmware/toolchains/zig.py.",
        )
    return _ARCHITECTURES[name]
