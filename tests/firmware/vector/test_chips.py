"""What every target promises of functions of arrays, with each of its toolchains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.config.folder import options_of, read_option
from distill.firmware.cost import build_image
from distill.firmware.emulator import emulator_for
from distill.firmware.harness import Signature, chip_label, chip_loop, chip_selftest
from distill.firmware.image import Image
from distill.firmware.qemu import run_in_qemu
from distill.firmware.target import Target
from distill.firmware.toolchains import Toolchain, toolchain_for
from distill.firmware.vector.bundle import write_vector_bundle
from distill.firmware.vector.spec import evaluate_vector, labels_vector
from tests.firmware.vector.conftest import any_points

COMBINATIONS = [
    (name, chain)
    for name in sorted(options_of("target"))
    for chain in ("wheels", "native")
    if read_option("target", name)[chain] is not None
]


@pytest.fixture(params=COMBINATIONS, ids="-".join)
def chip(
    request: pytest.FixtureRequest,
    shipped: Callable[..., Target],
    installed: Callable[[Callable[[], Toolchain]], Toolchain],
) -> tuple[Target, Toolchain]:
    """A target with one of its toolchains."""
    name, chain = request.param
    target = replace(shipped(name), toolchain=chain)
    installed(lambda: emulator_for(target, Image(0, (), (0, 0), 0, 0)))
    return target, installed(lambda: toolchain_for(target))


@pytest.mark.parametrize("name", ["iris", "whole"])
def test_outputs_and_labels_are_pythons_to_the_bit(
    chip, specs, tmp_path: Path, installed, name: str
) -> None:
    target, toolchain = chip
    spec = specs[name]
    x = any_points(spec, 40)[-300::7]
    bundle = write_vector_bundle(spec, tmp_path / "b")
    kind = spec.numbers.signature
    image = build_image([bundle.source], chip_loop(spec.name, kind), toolchain, tmp_path)
    found = emulator_for(target, image).run(x, kind)
    with np.errstate(invalid="ignore"):  # MIPS marks quiet NaNs as others mark signalling ones
        numbers = found.astype(float)
    assert found.shape == (len(x), len(spec.outputs) + 1)
    np.testing.assert_array_equal(numbers[:, :-1], evaluate_vector(spec, x))
    np.testing.assert_array_equal(numbers[:, -1], labels_vector(spec, x))
    files = [bundle.source, bundle.directory / f"{spec.name}_selftest.c"]
    test = build_image(files, chip_selftest(f"{spec.name}_selftest"), toolchain, tmp_path)
    assert emulator_for(target, test).selftest() == 0
    if target.emulator != "avr":
        there = installed(
            lambda: run_in_qemu([bundle.source], spec.name, x, kind, target, toolchain)
        )
        assert there.tobytes() == found.tobytes()


def test_a_call_is_counted_once_whether_scores_or_label(chip, tmp_path: Path) -> None:
    target, toolchain = chip
    c = tmp_path / "f.c"
    c.write_text(
        "#include <stdint.h>\nvoid f(const int32_t *x, int32_t *y);\n"
        "int f_label(const int32_t *x);\n"
        "void f(const int32_t *x, int32_t *y) { y[0] = x[1]; y[1] = x[0]; y[2] = 7; }\n"
        "int f_label(const int32_t *x) { int32_t y[3]; f(x, y); return y[0] > y[1]; }\n"
    )
    kind = Signature(2, "int32", outputs=3, arrays=True, label=True)
    x = np.array([[1.0, 2.0], [3.0, -4.0], [5.0, 5.0]])
    plain = replace(kind, label=False)
    both = emulator_for(target, build_image([c], chip_loop("f", kind), toolchain, tmp_path))
    assert both.run(x, kind).tolist() == [[2, 1, 7, 1], [-4, 3, 7, 0], [5, 5, 7, 0]]
    scores = emulator_for(target, build_image([c], chip_loop("f", plain), toolchain, tmp_path))
    assert scores.run(x, plain).tolist() == [[2, 1, 7], [-4, 3, 7], [5, 5, 7]]
    label = emulator_for(target, build_image([c], chip_label("f", kind), toolchain, tmp_path))
    counts = [scores.count(x, plain).calls, label.count(x, kind).calls]
    assert [len(calls) for calls in counts] == [3, 3]
    assert 3 < counts[0].mean() < 100
    assert 3 < counts[1].mean() < 200
