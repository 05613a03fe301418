from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.domain import Domain
from distill.firmware.graph import Graph, build_graph
from distill.firmware.kernels.base import Kernel, Words, helper_text
from distill.firmware.kernels.design import affine, design
from distill.firmware.kernels.horner import Horner, integer_horner
from distill.formula import Formula

CASES = [
    ("17.625*x/(243.04 + x)", 0.0, 50.0),
    ("sqrt(x)", 3.0, 8.0),
    ("exp(x)", -1.0, 1.0),
    ("log(x)", 1e-3, 1e3),
    ("2 - 5*log(x/100)", 1e-30, 1e30),
    ("exp(x)", -20.0, 20.0),
    ("3*exp(2 - 3*x)", 1e-3, 25.0),
    ("sin(x)", -20.0, 20.0),
    ("3*cos(1 - 2*x) - 2", -3.0, 20.0),
    ("0.25*sin(40*x)", 0.0, 2.0),
    ("exp(x) - 2e4", 9.0, 10.0),
    ("atan(x)", -1e6, 1e30),
    ("2 - 3*atan(x)", -1.0, 1.5),
]


WORDS = {fpu: Words(fpu, 5.0, 8.0, 1.0, 90.0) for fpu in (False, True)}


def graph(text: str) -> Graph:
    return build_graph(Formula.parse(text, Domain.box(x=(-1, 1))))


def kernel(text: str, low: float, high: float, accuracy: float, fpu: bool = False) -> Kernel:
    """The kernel within ``accuracy`` of the function's largest value."""
    meaning = graph(text)
    size = np.abs(meaning.evaluate(np.linspace(low, high, 999)[:, None])).max()
    found = design(meaning, low, high, accuracy * size, accuracy, WORDS[fpu])
    assert found is not None
    return found


def arguments(k: Kernel, n: int = 100_001) -> np.ndarray:
    """Float32 arguments all over the range, its ends and their neighbours among them."""
    x = np.linspace(k.low, k.high, n)
    if k.low > 0:
        x = np.concatenate([x, np.geomspace(k.low, k.high, n)])
    x = x.astype(np.float32)
    x = np.concatenate([x, np.nextafter(x[[0, -1]], np.float32(0)), np.float32([0.0, -0.0])])
    return np.unique(x[(x >= k.low) & (x <= k.high)])


@pytest.mark.parametrize("accuracy", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize(("text", "low", "high"), CASES)
def test_a_kernel_is_as_close_as_it_says_and_as_was_asked(
    text: str, low: float, high: float, accuracy: float
) -> None:
    k = kernel(text, low, high, accuracy)
    x = arguments(k)
    value = k.exact(x.astype(float))
    error = np.abs(k.evaluate(x) - value)
    assert (error <= k.bound(value)).all()
    relative = np.abs(value) if k.relative > 1e-7 else np.abs(value).max()
    assert (error <= accuracy * relative).all()


def test_what_is_asked_decides_the_width_and_the_degree() -> None:
    shapes = [
        (k.horner.bits, len(k.horner.coefficients) - 1)
        for accuracy in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
        for k in [kernel("log(x)", 1e-3, 1e3, accuracy)]
    ]
    assert shapes == [(16, 1), (16, 2), (16, 3), (32, 5), (32, 6)]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("log(x)", 0.0, 1.0),
        ("log(x)", 1e-45, 1.0),  # subnormal
        ("exp(x)", -100.0, 10.0),  # the result would be subnormal
        ("exp(x)", 0.0, 100.0),  # or infinite
        ("1/x", -1.0, 1.0),
        ("sin(x)", 0.0, 1e12),  # no bits left for the fraction of a turn
        ("sqrt(x)", 0.0, 1.0),
    ],
)
def test_what_integers_cannot_do_is_left_to_the_library(text: str, low: float, high: float) -> None:
    assert design(graph(text), low, high, 1e-5, 1e-5, WORDS[False]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3*log(2*x) + 1", ("log", 3, 1, 2, 0)),
        ("1 - exp(-(x - 2)/4)*8", ("exp", -8, 1, -0.25, 0.5)),
        ("(5 - sin(x))/2", ("sin", -0.5, 2.5, 1, 0)),
    ],
)
def test_lines_around_a_function_are_seen(text: str, expected: tuple[object, ...]) -> None:
    form = affine(graph(text))
    assert form is not None
    found = (form.function, form.factor, form.constant, form.inner, form.shift)
    assert found == expected


@pytest.mark.parametrize("text", ["x + 1", "log(x*x)", "log(x) + x", "log(2)"])
def test_anything_else_has_no_form(text: str) -> None:
    assert affine(graph(text)) is None


@settings(max_examples=60, deadline=None)
@given(
    coefficients=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8),
    bits=st.sampled_from([16, 32]),
    data=st.data(),
)
def test_integer_horner_never_overflows_and_keeps_its_bound(coefficients, bits, data) -> None:
    horner = integer_horner(coefficients, bits, 0.5, 0.0)
    if horner is None:
        assert max(map(abs, coefficients), default=0) > 2 ** (bits - 2)
        return
    edge = 1 << (bits - 1)
    t = np.array([-edge, edge - 1, 0, *data.draw(st.lists(st.integers(-edge, edge - 1)))])
    y = horner(t)
    assert (np.abs(y) < edge).all()
    real = np.polynomial.polynomial.polyval(t / 2.0**bits, coefficients)
    assert (np.abs(np.ldexp(y.astype(float), -horner.fraction) - real) <= horner.error).all()


@pytest.mark.parametrize("fpu", [False, True])
@pytest.mark.parametrize("flags", [["-O2"], ["-fsanitize=undefined", "-fno-sanitize-recover=all"]])
def test_the_c_of_every_form_equals_its_model_to_the_bit(
    tmp_path: Path, compiler, c_answers, fpu: bool, flags: list[str]
) -> None:
    kernels = [
        kernel(text, low, high, accuracy, fpu)
        for text, low, high in CASES
        for accuracy in (1e-3, 1e-6)
    ]
    # One function of which the second argument chooses the kernel.
    calls = "\n".join(
        f"    if (which < {i}.5f) {{ return f_{i}(x); }}" for i in range(len(kernels))
    )
    text = "\n".join(
        [
            '#include <stdint.h>\n#include "f.h"\n',
            helper_text(kernels, "f"),
            *(k.text(f"f_{i}", "f") for i, k in enumerate(kernels)),
            f"float f(float x, float which)\n{{\n{calls}\n    return 0.0f;\n}}\n",
        ]
    )
    (tmp_path / "f.c").write_text(text)
    (tmp_path / "f.h").write_text("float f(float x, float which);\n")
    x = [arguments(k, 2001) for k in kernels]
    which = np.concatenate([np.full(len(a), i) for i, a in enumerate(x)])
    got = c_answers(compiler, tmp_path / "f.c", np.column_stack([np.concatenate(x), which]), *flags)
    wanted = np.concatenate([k.evaluate(a) for k, a in zip(kernels, x, strict=True)])
    np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))


@pytest.mark.parametrize("bits", [16, 32])
def test_nothing_is_added_where_a_coefficient_is_zero(bits: int):
    # An addition of nothing has no effect, which MISRA's rule 2.2 forbids.
    horner = Horner((0, 7, 3), 4, bits, 1.0)
    assert horner.text()[-1] == f"y = @_high{bits}(y, t);"
    assert "+ " in horner.text()[-2]
