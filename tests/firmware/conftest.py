"""Compiling and running generated C with every compiler that is here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from distill.config.folder import read_option
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import ToolMissing

STRICT = [
    "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion",
    "-Wshadow", "-Werror", "-ffp-contract=off",
]  # fmt: skip

DRIVER = """
#include <stdint.h>
#include <stdio.h>
#include "{header}"
int main(void)
{{
    {real} x[{d}];
    {real} y;
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        y = {name}({arguments});
        fwrite(&y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""

NATIVE = "DISTILL_NATIVE"
"""With `required` in this variable, tests that need Debian's compilers or emulators fail without
them; else they are skipped with the reason."""

Found = TypeVar("Found")

Compile = Callable[..., Path]
Answers = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def installed() -> Callable[[Callable[[], Found]], Found]:
    """What a function gives that needs tools which not every machine has; see NATIVE."""

    def give(function: Callable[[], Found]) -> Found:
        try:
            return function()
        except ToolMissing as error:
            if os.environ.get(NATIVE) == "required":
                pytest.fail(f"{NATIVE}=required, but {error}", pytrace=False)
            pytest.skip(str(error))

    return give


@pytest.fixture(scope="session")
def shipped() -> Callable[..., Target]:
    """A target of conf/target by name, with some of its keys changed."""

    def load(name: str, **changes: object) -> Target:
        return load_target({**read_option("target", name), **changes})

    return load


@pytest.fixture(params=["gcc", "zig"])
def compiler(request: pytest.FixtureRequest) -> list[str]:
    """The command of a compiler. zig comes with the package; gcc only where it is installed."""
    if request.param == "zig":
        return [sys.executable, "-m", "ziglang", "cc"]
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on this machine")
    return ["gcc"]


def _run(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command, whose messages are shown when it fails."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, timeout=120, check=False, **options
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command that must end well."""
    return _run


@pytest.fixture
def compile_c(tmp_path: Path) -> Compile:
    """Build an executable of C files with strict warnings as errors."""

    def build(compiler: list[str], sources: Sequence[Path], *flags: str) -> Path:
        program = tmp_path / "program"
        _run([*compiler, *STRICT, *flags, *sources, "-lm", "-o", program])
        return program

    return build


@pytest.fixture
def c_answers(tmp_path: Path, compile_c: Compile) -> Answers:
    """The answers (n,) of the C function in ``source`` at x (n, d), in its own arithmetic."""

    def answers(
        compiler: list[str], source: Path, x: np.ndarray, *flags: str, real: str = "float"
    ) -> np.ndarray:
        d, name = x.shape[1], source.stem
        driver = tmp_path / "driver.c"
        driver.write_text(
            DRIVER.format(
                header=source.with_suffix(".h"),
                real=real,
                d=d,
                name=name,
                arguments=", ".join(f"x[{i}]" for i in range(d)),
            )
        )
        program = compile_c(compiler, [driver, source], *flags)
        dtype = {"float": np.float32, "double": np.float64, "int32_t": np.int32}[real]
        with np.errstate(over="ignore"):
            done = _run([program], input=x.astype(dtype).tobytes())
        return np.frombuffer(done.stdout, dtype=dtype)

    return answers
