"""Without the C library's functions a formula has the same bits on every chip and in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from distill.config.folder import conf_directory
from distill.domain import Domain
from distill.firmware.cost import build_image
from distill.firmware.emit import emit_function
from distill.firmware.emulator import emulator_for
from distill.firmware.harness import Signature, chip_loop
from distill.firmware.passes import lower
from distill.firmware.passes.functions import machine_costs
from distill.firmware.target import Target, load_target
from distill.firmware.toolchains import toolchain_for
from distill.formula import Formula

DOMAIN = Domain.box(t=(-40, 60), h=(0.5, 100))
FORMULA = Formula.parse(
    "log(h)*exp(t*h/2000) + sin(t*h/50) + atan(t*h) + sqrt(h + 1)/(t + 50) + h^0.3*tanh(t/9)"
    " + ifless(t*h, 10.1, cos(t), min(h, exp(h/40)))",
    DOMAIN,
)
SIGNATURE = Signature(2, "float32")


def target(name: str) -> Target:
    content = OmegaConf.to_container(OmegaConf.load(conf_directory() / "target" / f"{name}.yaml"))
    assert isinstance(content, dict)
    return load_target({str(key): value for key, value in content.items()})


def slow(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["pic32", "cortex_m4f", slow("cortex_m0plus"), slow("riscv32")])
def test_every_chip_gives_the_bits_of_the_model(tmp_path: Path, name: str) -> None:
    chip = target(name)
    costs = machine_costs(chip)
    graph = lower(FORMULA, accuracy=1e-3, costs=costs)
    assert not graph.uses_libm
    source = tmp_path / "f.c"
    text = emit_function(FORMULA, "f", "float32", accuracy=1e-3, costs=costs)
    source.write_text(f"#include <math.h>\n{text}")
    toolchain = toolchain_for(chip)
    toolchain.prepare()
    image = build_image([source], chip_loop("f", SIGNATURE), toolchain, tmp_path)
    x = np.vstack([DOMAIN.sample(500), DOMAIN.corners()]).astype(np.float32).astype(float)
    got = emulator_for(chip, image).run(x, SIGNATURE)
    wanted = graph.evaluate(x, "float32").astype(np.float32)
    np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))
