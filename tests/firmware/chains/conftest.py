"""Chains compiled for this machine, many of them in one program."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from distill.chain.chain import Chain
from distill.firmware.chains.code import ChainCode
from distill.firmware.toolchains.host import HostCompiler, host_compilers

STRICT = [
    "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion",
    "-Wshadow", "-Wstrict-prototypes", "-Werror", "-ffp-contract=off",
]  # fmt: skip

NUMBERS = {"float": np.float32, "double": np.float64, "int32_t": np.int32}

Program = Callable[[str, np.ndarray], np.ndarray]
"""The C's answers (n, k) of the chain of a name at points (n, d), in float64."""

Build = Callable[..., Program]


def source(code: ChainCode) -> str:
    """A chain's arrays and functions, as a bundle declares them."""
    upper = code.name.upper()
    reads = [f"#define {upper}_{read}(address) (*(address))" for read in code.reads]
    arrays = [
        f"/* {array.note} */\n{array.declaration} = {{\n"
        + "".join(f"    {row}\n" for row in array.rows)
        + "};\n"
        for array in code.arrays
    ]
    return "\n".join([*reads, *([""] if reads else []), *arrays, code.functions])


def _main(real: str, sizes: Mapping[str, tuple[int, int]]) -> str:
    loops = [
        f'    if (strcmp(arguments[1], "{name}") == 0) {{\n'
        f"        {real} x[{d}], y[{k}];\n"
        "        while (fread(x, sizeof x, 1, stdin) == 1) {\n"
        f"            {name}_chain(x, y);\n"
        "            fwrite(y, sizeof y, 1, stdout);\n"
        "        }\n"
        "    }\n"
        for name, (d, k) in sizes.items()
    ]
    checked = "    if (count != 2) {\n        return 2;\n    }\n"
    body = checked + "".join(loops) + "    return 0;\n"
    return "int main(int count, char **arguments)\n{\n" + body + "}\n"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compile the codes of chains, by their names, with strict warnings."""

    def compile_all(
        codes: Mapping[str, ChainCode],
        chains: Iterable[Chain],
        compiler: HostCompiler,
        *flags: str,
    ) -> Program:
        sizes = {n: (c.inputs, c.outputs) for n, c in zip(codes, chains, strict=True)}
        real = next(iter(codes.values())).real
        includes = ["math.h", "stdint.h", "stdio.h", "string.h"]
        file, program = tmp_path / f"chains_{real}.c", tmp_path / f"chains_{real}"
        texts = [
            *(f"#include <{header}>\n" for header in includes),
            *(source(code) + "\n" for code in codes.values()),
            _main(real, sizes),
        ]
        file.write_text("".join(texts))
        arguments = [*STRICT, *flags, str(file), "-lm", "-o", str(program)]
        done = compiler.run(arguments, tmp_path)
        assert done.status == 0, done.complaint

        def run(name: str, x: np.ndarray) -> np.ndarray:
            d, k = sizes[name]
            with np.errstate(over="ignore"):
                points = np.ascontiguousarray(x, dtype=NUMBERS[real])
            assert points.shape[1] == d
            ended = subprocess.run(
                [str(program), name], input=points.tobytes(), capture_output=True, check=True
            )
            answers = np.frombuffer(ended.stdout, dtype=NUMBERS[real])
            return answers.reshape(len(x), k).astype(float)

        return run

    return compile_all


@pytest.fixture(scope="session")
def examples() -> ModuleType:
    """The chains of examples.py."""
    path = Path(__file__).with_name("examples.py")
    found = importlib.util.spec_from_file_location("chain_examples", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def compilers() -> dict[str, HostCompiler]:
    """The compilers of this machine; zig comes with the package."""
    return {compiler.family: compiler for compiler in host_compilers()}
