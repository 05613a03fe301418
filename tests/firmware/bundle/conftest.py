"""The bundles that are compared with golden files, compiled and run."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from distill.domain import Domain, Variable
from distill.firmware.bundle import BundleSpec, Policy
from distill.firmware.guard import Guard
from distill.firmware.lookup import make_table
from distill.formula import Formula

AIR = Domain.box(temperature=(10, 50, "°C"), humidity=(5, 99, "percent"))
STULL = Formula.parse(
    "temperature*atan(0.151977*sqrt(humidity+8.313659)) + atan(temperature+humidity)"
    " - atan(humidity-1.676331) + 0.00391838*humidity^1.5*atan(0.023101*humidity) - 4.686035",
    AIR,
)
LINE = Domain.box(exp=(-2, 2, "V"))
GEARS = Domain(
    (
        Variable("speed", 0, 30, "m/s"),
        Variable("gear", -1, 5, kind="integer"),
        Variable("cold", 0, 1, kind="boolean"),
    )
)


@cache
def make_specs() -> dict[str, BundleSpec]:
    """One bundle of every kind; cheap to make, so that golden files hang on few algorithms."""
    stull_table = make_table(STULL, AIR, (2, 17))
    pole = Formula.parse(STULL.text + " + 0.001/(temperature - 31.25)", AIR)
    flags = np.zeros((16, 4), dtype=bool)
    flags[7:10] = True
    flags[3, 2] = True
    gears = Formula.parse("sqrt(speed)*gear + max(cold, speed/10)", GEARS)
    gear_flags = np.zeros((5, 7, 2), dtype=bool)
    gear_flags[:, 3, 1] = True
    specs = [
        BundleSpec(
            "wet_bulb", AIR, STULL, None, None, "wet_bulb_temperature", 0.1, 0.0956,
            output_unit="°C", target="pic32",
            provenance={"run": "8f3a", "teacher": "wet_bulb", "fingerprint": "c0ffee"},
        ),
        BundleSpec(
            "cubic", LINE, Formula.parse("1 - 2*exp + 3*exp^2 - 0.5*exp^3", LINE), None, None,
            "force", 0.01, 0.02, error_kind="proven", arithmetic="double",
            policy=Policy("nan", "low"),
        ),
        BundleSpec(
            "guarded", AIR, pole, stull_table, Guard(AIR, flags), "temperature", 0.1, 0.099,
            output_unit="°C",
        ),
        BundleSpec(
            "table_only", AIR, None, stull_table, None, "temperature", 0.1, 0.099,
            policy=Policy("clamp", "low"),
        ),
        BundleSpec(
            "gearbox", GEARS, gears, make_table(gears, GEARS, (9, 7, 2), quantised=False),
            Guard(GEARS, gear_flags), "torque", 0.5, 0.4, output_unit="Nm */ ??/",
        ),
        BundleSpec(
            "one_input", LINE, Formula.parse("tanh(exp)", LINE),
            make_table(Formula.parse("tanh(exp)", LINE), LINE, (33,), "double", quantised=False),
            None, "signal", 0.01, 0.0, arithmetic="double", policy=Policy("unchecked"),
        ),
    ]  # fmt: skip
    return {spec.name: spec for spec in specs}


NAMES = ["wet_bulb", "cubic", "guarded", "table_only", "gearbox", "one_input"]


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest) -> BundleSpec:
    """Every kind of bundle."""
    return make_specs()[request.param]


@pytest.fixture
def specs() -> dict[str, BundleSpec]:
    """All of them by name."""
    return make_specs()
