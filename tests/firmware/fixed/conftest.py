"""Planning formulas, and running their C on the host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.fixed.emit import emit_fixed
from distill.firmware.fixed.formats import Integers
from distill.firmware.fixed.program import FixedProgram
from distill.firmware.names import Names

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion",
          "-Wshadow", "-Werror"]  # fmt: skip
SANITIZED = ["-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"]

MAIN = """#include <stdio.h>
#include <stdint.h>
{source}
int main(void)
{{
    int32_t x[{d}], y;
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        y = f_formula({arguments});
        fwrite(&y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""


def source(program: FixedProgram, domain: Domain) -> str:
    """The C of a program as function ``f_formula``."""
    names = Names("f")
    return emit_fixed(program, "f", names.parameters(domain.names), names)


@pytest.fixture
def answers(tmp_path: Path) -> Callable[..., Integers]:
    """What the C of a program gives on the host, compiled strictly and with sanitizers."""

    def run(program: FixedProgram, domain: Domain, q: Integers, compiler: str = "gcc") -> Integers:
        path = shutil.which(compiler)
        if path is None:
            pytest.skip(f"no {compiler} on this machine")
        arguments = ", ".join(f"x[{i}]" for i in range(len(domain)))
        text = MAIN.format(source=source(program, domain), d=len(domain), arguments=arguments)
        (tmp_path / "f.c").write_text(text)
        command = [path, *STRICT, *SANITIZED, "f.c", "-o", "f"]
        built = subprocess.run(
            command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert built.returncode == 0, built.stderr
        ended = subprocess.run(
            [str(tmp_path / "f")], input=q.astype("<i4").tobytes(), capture_output=True,
            check=False, timeout=120, env={"ASAN_OPTIONS": "detect_leaks=0"},
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr.decode()
        return np.frombuffer(ended.stdout, dtype="<i4").astype(np.int64)

    return run
