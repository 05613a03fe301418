"""What is proven on the way to a chip: the wet bulb on targets, and C that a compiler fused."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

from distill.domain import Domain
from distill.firmware.bundle import write_bundle
from distill.firmware.passes.functions import machine_costs
from distill.firmware.proof import rounding_claim

AIR = Domain.box(temperature=(10, 50, "°C"), humidity=(5, 99, "percent"))
STULL = (
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035"
)


@pytest.mark.parametrize("name", ["avr", "cortex_m0plus", "cortex_m4f", "pic32"])
def test_the_wet_bulb_is_bounded_closely(make, found, shipped, name):
    """In the functions of its own that each target gets; the other targets share theirs."""
    costs = machine_costs(shipped(name))
    spec = make(STULL, AIR, "float32", accuracy=0.01, costs=costs)
    bound, largest = rounding_claim(spec).bound, found(spec)
    print(f"{name}: {bound:.3g} / {largest:.3g}")
    assert largest <= bound < 4 * largest


def test_c_whose_sums_were_fused_stays_within_the_bound(make, c_answers, tmp_path):
    cpuinfo = Path("/proc/cpuinfo")
    if shutil.which("gcc") is None or platform.machine() != "x86_64":
        pytest.skip("no gcc for x86-64 on this machine")
    fuses = cpuinfo.exists() and " fma " in cpuinfo.read_text()
    domain = Domain.box(x=(0.1, 3), y=(-2, 2))
    spec = make("(x*y - 0.7*x)/(x + 0.3) + y*y*sqrt(x)", domain)
    write_bundle(spec, tmp_path / "f")
    x = domain.sample(20_000, seed=2).astype(np.float32).astype(float)
    flags = ["-O2", "-ffp-contract=fast", *["-mfma"] * fuses]
    fused = c_answers(["gcc"], tmp_path / "f" / "f.c", x, *flags).astype(float)
    plain = spec.implementation.answers(x)
    assert (fused != plain).any() == fuses
    assert np.abs(fused - spec.formula(x)).max() <= rounding_claim(spec).bound
