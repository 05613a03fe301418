"""The same bits on every chip."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from distill.config.folder import conf_directory
from distill.domain import Domain
from distill.firmware.cost import build_image
from distill.firmware.emulator import emulator_for
from distill.firmware.fixed.emit import emit_fixed
from distill.firmware.fixed.estimates import ESTIMATES
from distill.firmware.fixed.formats import hold
from distill.firmware.fixed.plan import plan_fixed
from distill.firmware.harness import Signature, chip_loop
from distill.firmware.names import Names
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import toolchain_for
from distill.formula import Formula

GAMMA = "(log(h/100) + 17.625*t/(243.04 + t))"
FORMULAS = {
    "dew_point": (f"243.04*{GAMMA}/(17.625 - {GAMMA})", 0.03),
    "functions": (
        "sqrt(t*h) + exp(-t*h/1000) + (t - h)/(h + t + 1) + ifless(t, h, 1, 2)",
        0.05,
    ),
}  # fmt: skip
DOMAIN = Domain.box(t=(0, 50), h=(5, 100))
CHIPS = ["pic32", "cortex_m0plus", "cortex_m4", "riscv32"]


def target(name: str) -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / f"{name}.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


def figures(chip: Target, formula: str, folder: Path) -> tuple[float, int]:
    """The mean count of a call and the bytes of flash, once the bits were compared."""
    text, accuracy = FORMULAS[formula]
    program = plan_fixed(Formula.parse(text, DOMAIN), DOMAIN, accuracy, ESTIMATES[chip.emulator])
    signature, names = Signature(2, "int32"), Names("f")
    source = folder / "f.c"
    c = emit_fixed(program, "f", names.parameters(DOMAIN.names), names)
    source.write_text(
        "#include <stdint.h>\n" + c.replace("static int32_t f_form", "int32_t f_form")
    )
    toolchain = toolchain_for(chip)
    toolchain.prepare()
    image = build_image([source], chip_loop("f_formula", signature), toolchain, folder)
    q = hold(np.concatenate([DOMAIN.sample(500), DOMAIN.corners()]), DOMAIN)
    emulator = emulator_for(chip, image)
    np.testing.assert_array_equal(emulator.run(q.astype(float), signature), program.evaluate(q))
    calls = emulator.count(q[:16].astype(float), signature).calls
    return float(calls.mean()), image.flash_bytes


@pytest.mark.parametrize(
    ("name", "formula"), [*((chip, "dew_point") for chip in CHIPS), ("pic32", "functions")]
)
def test_every_chip_gives_the_bits_of_the_model(tmp_path: Path, name: str, formula: str) -> None:
    figures(target(name), formula, tmp_path)


@pytest.mark.skipif(shutil.which("avr-gcc") is None, reason="no avr-gcc on this machine")
@pytest.mark.parametrize("formula", FORMULAS)
def test_sixteen_bit_ints_change_nothing(tmp_path: Path, formula: str) -> None:
    figures(target("avr"), formula, tmp_path)


@pytest.mark.parametrize(
    ("name", "instructions", "flash"), [("pic32", 250, 1200), ("cortex_m0plus", 250, 900)]
)
def test_a_dew_point_costs_a_twentieth_of_what_it_costs_in_floats(
    tmp_path: Path, name: str, instructions: int, flash: int
) -> None:
    counted, held = figures(target(name), "dew_point", tmp_path)
    assert counted <= instructions
    assert held <= flash
