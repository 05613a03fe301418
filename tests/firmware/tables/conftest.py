"""Compiling a table's C by itself, and asking it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from distill.firmware.fixed.formats import hold
from distill.firmware.graph import Arithmetic
from distill.firmware.guard import Guard
from distill.firmware.guard_code import guard_arrays, guard_function
from distill.firmware.holding import held
from distill.firmware.lookup import Table
from distill.firmware.table_code import (
    CArray,
    mix_function,
    number_type,
    table_arrays,
    table_function,
)

STRICT = [
    "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion",
    "-Wshadow", "-Werror", "-ffp-contract=off", "-fsanitize=undefined,address",
    "-fno-sanitize-recover=all",
]  # fmt: skip

HEAD = """#include <stdint.h>
#include <stdio.h>
#define T_READ8(address) (*(address))
#define T_READ16(address) (*(address))
#define T_READ32(address) (*(address))
#define T_READF(address) (*(address))
"""

MAIN = """
int main(void)
{{
    {number} x[{d}];
    while (fread(x, sizeof x, 1, stdin) == 1) {{
        const {result} y = {function}({arguments});
        fwrite(&y, sizeof y, 1, stdout);
    }}
    return 0;
}}
"""

NUMBERS = {"float32": np.float32, "double": np.float64, "fixed": np.int32}


def array_text(arrays: Sequence[CArray]) -> str:
    """The definitions of the arrays."""
    return "\n".join(
        f"{array.declaration} = {{\n    " + "\n    ".join(array.rows) + "\n};" for array in arrays
    )


def table_text(table: Table, name: str = "t") -> str:
    """All C of a table."""
    return "\n".join(
        [
            array_text(table_arrays(table, name)),
            mix_function(table, name),
            table_function(table, name),
        ]
    )


def guard_text(guard: Guard, name: str = "t") -> str:
    """All C of a guard."""
    return array_text(guard_arrays(guard, name)) + "\n" + guard_function(guard, name)


def ask(
    text: str,
    function: str,
    arithmetic: Arithmetic,
    x: np.ndarray,
    compiler: Sequence[str] = ("gcc",),
    result: str = "",
) -> np.ndarray:
    """What the C function answers to numbers of its arithmetic (n, d), compiled with sanitizers."""
    number = number_type(arithmetic)
    main = MAIN.format(
        number=number,
        d=x.shape[1],
        result=result or number,
        function=function,
        arguments=", ".join(f"x[{i}]" for i in range(x.shape[1])),
    )
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "table.c", Path(folder) / "table"
        source.write_text(HEAD + text + main)
        built = subprocess.run(
            [*compiler, *STRICT, str(source), "-o", str(program)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr + text
        data = np.ascontiguousarray(x.astype(NUMBERS[arithmetic])).tobytes()
        ran = subprocess.run(
            [str(program)], input=data, capture_output=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr.decode() + text
    return np.frombuffer(ran.stdout, np.uint32 if result else NUMBERS[arithmetic])


def held_inputs(table: Table | Guard, x: np.ndarray) -> np.ndarray:
    """Points as the C's inner function is given them."""
    if table.arithmetic == "fixed":
        return hold(x, table.domain)
    return held(x, table.domain, table.arithmetic)


def assert_same_bits(table: Table, x: np.ndarray, compiler: Sequence[str] = ("gcc",)) -> None:
    """The model and the C agree in every bit at x."""
    inputs = held_inputs(table, x)
    answers = ask(table_text(table), "t_table", table.arithmetic, inputs, compiler)
    if table.arithmetic == "fixed":
        np.testing.assert_array_equal(answers, table.read_integers(inputs))
        assert table.output is not None
        np.testing.assert_array_equal(table.output.reals(answers.astype(np.int64)), table(x))
    else:
        np.testing.assert_array_equal(answers.astype(float), table(x))


@pytest.fixture
def same_bits() -> Callable[..., None]:
    """Assert that the C of a table and its model agree in every bit at points (n, d)."""
    return assert_same_bits


@pytest.fixture
def guarded_by_c() -> Callable[..., np.ndarray]:
    """What the C of a guard answers at points (n, d): 0 or 1."""

    def answer(guard: Guard, x: np.ndarray, compiler: Sequence[str] = ("gcc",)) -> np.ndarray:
        inputs = held_inputs(guard, x)
        return ask(
            guard_text(guard), "t_guarded", guard.arithmetic, inputs, compiler, result="uint32_t"
        )

    return answer
