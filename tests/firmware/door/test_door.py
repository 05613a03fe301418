"""The door of fixed point: the C of the conversions against their models, bit for bit."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distill.domain import Variable
from distill.firmware.door import (
    door_functions,
    take_float,
    take_integer,
    to_float,
)
from distill.firmware.fixed.formats import LARGEST, QFormat, input_bounds, input_format
from distill.firmware.policy import Policy

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion",
          "-Werror", "-O1", "-fPIC", "-shared", "-fsanitize=undefined",
          "-fno-sanitize-recover=all"]  # fmt: skip
HEAD = "#include <math.h>\n#include <stdint.h>\n#include <string.h>\n"


def build(text: str, folder: Path) -> ctypes.CDLL:
    source = folder / "door.c"
    source.write_text(HEAD + text.replace("static ", ""))
    library = source.with_suffix(".so")
    # Without -Wmissing-prototypes: the functions are static in a bundle.
    subprocess.run(["gcc", *STRICT, str(source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> dict[int, ctypes.CDLL]:
    found = {}
    for fraction in (-20, 0, 7, 24, 45):
        found[fraction] = build(
            door_functions("f", QFormat(fraction)), tmp_path_factory.mktemp("door")
        )
        found[fraction].f_to_integer.argtypes = [ctypes.c_uint32, ctypes.c_int32]
        found[fraction].f_to_float.restype = ctypes.c_float
    return found


floats = st.floats(width=32, allow_nan=False)


@settings(max_examples=600, deadline=None)
@given(x=floats, fraction=st.integers(-24, 60))
@example(x=float("inf"), fraction=0)
@example(x=float("-inf"), fraction=30)
@example(x=0.5, fraction=0)
@example(x=-0.5, fraction=0)
@example(x=float(np.float32(0.49999997)), fraction=0)
@example(x=1e-45, fraction=60)
@example(x=-0.0, fraction=10)
@example(x=2.0**31, fraction=0)
@example(x=float(np.float32(2**31 - 128)), fraction=0)
def test_a_float_becomes_the_integer_of_the_model(
    doors: dict[int, ctypes.CDLL], x: float, fraction: int
) -> None:
    bits = int(np.float32(x).view(np.uint32))
    expected = int(QFormat(fraction).integers(np.array([x]))[0])
    assert doors[0].f_to_integer(bits, fraction) == expected


@settings(max_examples=400, deadline=None)
@given(number=st.integers(-LARGEST, LARGEST), fraction=st.sampled_from([-20, 0, 7, 24, 45]))
@example(number=0, fraction=24)
@example(number=LARGEST, fraction=45)
@example(number=16_777_217, fraction=7)
def test_an_integer_becomes_the_float_of_the_model(
    doors: dict[int, ctypes.CDLL], number: int, fraction: int
) -> None:
    expected = to_float(np.array([number]), QFormat(fraction))[0]
    assert doors[fraction].f_to_float(number) == expected
    assert expected == np.float32(number) * 2.0**-fraction


@pytest.mark.parametrize(
    "policy",
    [
        Policy("clamp", "propagate"),
        Policy("clamp", "low"),
        Policy("nan", "propagate"),
        Policy("nan", "low"),
    ],
)
def test_inputs_are_held_as_the_policy_says(policy: Policy, tmp_path: Path) -> None:
    variable = Variable("t", -10.0, 50.0)
    lines = take_float(variable, "t", "q0", "b0", "f", policy)
    body = "\n".join(f"    {line}" for line in lines)
    text = (
        door_functions("f", input_format(variable))
        + f"float f(float t)\n{{\n{body}\n    return f_to_float(q0);\n}}\n"
    )
    library = build(text, tmp_path)
    library.f.restype, library.f.argtypes = ctypes.c_float, [ctypes.c_float]
    low, high = input_bounds(variable)
    assert (low, high) == (-10 * 2**24, 50 * 2**24)
    assert library.f(20.0) == 20.0
    assert library.f(-10.0) == -10.0
    assert library.f(50.0) == 50.0
    for outside, bound in ((-10.5, -10.0), (1e30, 50.0), (float("-inf"), -10.0)):
        answer = library.f(outside)
        assert np.isnan(answer) if policy.out_of_domain == "nan" else answer == bound
    missing = library.f(float("nan"))
    assert missing == -10.0 if policy.nan_input == "low" else np.isnan(missing)


def test_integers_are_moved_into_their_bounds(tmp_path: Path) -> None:
    variable = Variable("t", -10.0, 50.0)
    body = "\n".join(take_integer(variable, "q", Policy()))
    library = build(f"int32_t f(int32_t q)\n{{\n{body}\n    return q;\n}}\n", tmp_path)
    low, high = input_bounds(variable)
    given = [-(2**31), low - 1, low, 0, high, high + 1, 2**31 - 1]
    assert [library.f(n) for n in given] == [low, low, low, 0, high, high, high]
    assert take_integer(variable, "q", Policy("unchecked")) == []
